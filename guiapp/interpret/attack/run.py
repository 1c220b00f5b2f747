"""One attack on one picture: carried out step by step, with what the network says after each; and the attack probe."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import SettingError
from guiapp.core.picture import rgb
from guiapp.interpret.attack.methods import steps_of
from guiapp.interpret.attack.options import AttackOptions, sized
from guiapp.interpret.attack.patch import corner_of, learnt, side_of
from guiapp.interpret.attack.space import LossOf, Victim, shuffled
from guiapp.interpret.attack.victims import victim_of

if TYPE_CHECKING:
    from guiapp.interpret.atlas import Atlas
    from guiapp.interpret.base import Look

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
R = TypeVar("R")

FRAMES = 48
"""So many pictures along the way are kept at most; of more, every second is dropped."""


@dataclass(frozen=True, eq=False)
class AttackResult:
    """An attack so far, or at its end. Pictures are those of the network's input, (H, W, C).

    Attributes:
        about: What of the picture is attacked; empty for all of it.
        method: Of the attack; ``norm`` is the one that bounds it, or empty.
        away: Class that the network said of the original; ``wanted`` the one that it shall say, or -1 for any other.
        says: What it says now.
        reached: Whether that is what was wanted.
        before: Probability of the best five classes of the original.
        after: The same now.
        rounded: The same of the result in whole numbers from 0 to 255, as a picture file holds it.
        noise: The same of the original with the same change, its values shuffled over the picture. Both are empty
            where nothing was compared.
        largest: Greatest change of a value, of 255.
        length: Length of the change (L2), pixels from 0 to 1.
        mean_square: Root of the mean square of the change, of 255.
        changed: Share of the values that changed.
        scores: float32 (S + 1, K): probabilities of the original and after each step.
        loss: float32 (S + 1,): what was made small, without any penalty.
        lengths: float32 (S + 1,): length of the change after each step.
        seconds: Time it took.
        original: uint8.
        result: uint8, rounded.
        change: float32, of 255.
        frames: By step, the result in whole numbers along the way.
        patch: uint8 (s, s, C), where it is one; ``box`` is its left, top, width and height, else empty.
        area: Left, top, width and height of what of the input shows the picture; the rest is padding.
    """

    about: str
    method: str
    norm: str
    away: str
    wanted: str
    says: str
    reached: bool
    steps: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    rounded: Mapping[str, float]
    noise: Mapping[str, float]
    largest: float
    length: float
    mean_square: float
    changed: float
    seconds: float
    scores: Floats
    loss: Floats
    lengths: Floats
    _away: int
    _wanted: int
    _labels: tuple[str, ...]
    _original: Bytes
    _result: Bytes
    _change: Floats
    _shuffled: Bytes
    _frames: Mapping[int, Bytes]
    _patch: Bytes | None
    _box: tuple[int, int, int, int] | None
    _area: tuple[int, int, int, int]

    @property
    def original(self) -> Bytes:
        """The input before, uint8 (H, W, C)."""
        return self._original

    @property
    def result(self) -> Bytes:
        """The input after, uint8 (H, W, C)."""
        return self._result

    @property
    def change(self) -> Floats:
        """Their difference before rounding, of 255, float32 (H, W, C)."""
        return self._change

    @property
    def shuffled(self) -> Bytes:
        """The original with the change's values shuffled, uint8 (H, W, C)."""
        return self._shuffled

    @property
    def frames(self) -> Mapping[int, Bytes]:
        """Results along the way by step, uint8 (H, W, C)."""
        return self._frames

    @property
    def patch(self) -> Bytes | None:
        """The patch, uint8 (s, s, C), or None."""
        return self._patch

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, width, height of the patch in the input, or None."""
        return self._box

    @property
    def area(self) -> tuple[int, int, int, int]:
        """Left, top, width, height of what of the input shows the picture; the rest is padding."""
        return self._area

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names."""
        return self._labels

    @property
    def away_index(self) -> int:
        """Index of the class that the network said of the original."""
        return self._away

    @property
    def wanted_index(self) -> int | None:
        """Index of the class that it shall say, or None for any other."""
        return self._wanted if self._wanted >= 0 else None

    def atlases(self) -> Iterator[tuple[str, Atlas]]:
        """Original, change and result as maps to save; the change in its own colours, with zero in the middle."""
        from guiapp.interpret.atlas import colour_atlas, make_atlas

        for name, values, signed in (
            ("original", self.original, False), ("change", self.change, True), ("result", self.result, False),
        ):  # fmt: skip
            maps = torch.from_numpy(np.ascontiguousarray(values)).float().permute(2, 0, 1)
            if len(maps) == 3 and signed:
                yield name, colour_atlas(maps[None])
            elif signed:
                yield name, make_atlas(maps, signed=True)
            else:
                yield name, _shown(rgb(self.original if name == "original" else self.result), maps)


def _shown(picture: Bytes, maps: torch.Tensor) -> Atlas:
    """A picture in its own colours as an atlas of one tile."""
    from guiapp.interpret.atlas_parts import Atlas

    height, width = picture.shape[:2]
    opaque = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    low, high = np.zeros(1, np.float32), np.full(1, 255, np.float32)
    return Atlas(opaque, 1, 1, (height, width), 0, low, high, False, 1, maps[None])


def levels(pixels: torch.Tensor) -> Bytes:
    """Pixels (1, C, H, W) from 0 to 1 in whole numbers, uint8 (H, W, C)."""
    rounded = (pixels[0].detach() * 255).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(rounded.permute(1, 2, 0).cpu().numpy())


def attack(
    victim: Victim, inputs: torch.Tensor, options: AttackOptions
) -> Generator[AttackResult | None, None, AttackResult]:
    """Attack one picture.

    Args:
        victim: The network.
        inputs: The picture as it takes it, (1, C, H, W).
        options: With sizes (``sized``).

    Yields:
        Where it is, about five times a second; None after the other steps.

    Returns:
        The end of it; after no step at all where the wanted class is said already.

    Raises:
        SettingError: If there is no such class.
        UserError: If the network tells no classes or passes no gradients back.
    """
    began = told = time.perf_counter()
    start = victim.pixels(inputs)
    chosen: list[LossOf] = []

    def opening(logits: torch.Tensor) -> torch.Tensor:
        said = int(logits[0].argmax()) if victim.away is None else victim.away
        chosen.append(_loss(victim, options, said, logits.shape[1], logits.device))
        return chosen[0](logits)

    slope_at_start: torch.Tensor | None = None
    if options.method in ("fgsm", "iterated", "distance"):  # they begin at the picture itself: one pass for both
        first, _, slope_at_start = victim.gradient(opening, start)
    else:
        with torch.no_grad():
            first = victim.logits(start)
            opening(first)
    loss_of, away = chosen[0], int(first[0].argmax()) if victim.away is None else victim.away
    trace = _Trace(victim, options, start, loss_of, away)
    trace.note(first)
    if options.class_index == away or (options.method == "noise" and not options.bound):
        return trace.result(start, None, time.perf_counter() - began, False)
    asked = 0

    def gradient(pixels: torch.Tensor) -> torch.Tensor:
        nonlocal asked
        if not asked and slope_at_start is not None:
            asked = 1
            return slope_at_start
        logits, _, slope = victim.gradient(loss_of, pixels)
        if asked:  # the first is about the original, or about a random point beside it
            trace.note(logits[:1])
        asked += 1
        return slope

    patch: torch.Tensor | None = None
    pixels = start
    if options.method == "patch":
        walk: Any = learnt(start, gradient, options)
    else:
        walk = steps_of(start, gradient, options, victim.mask)
    for found in walk:
        pixels, patch = found if isinstance(found, tuple) else (found, None)
        trace.step(pixels)
        now = time.perf_counter()
        if options.confidence < 1 and trace.chance_before() >= options.confidence:
            break
        if now - told > 0.2 and trace.count > 1:
            told = now
            yield trace.result(pixels, patch, now - began, False)
        else:
            yield None
    with torch.no_grad():
        trace.note(victim.logits(pixels))
    return trace.result(pixels, patch, time.perf_counter() - began, options.compare)


def _loss(victim: Victim, options: AttackOptions, away: int, classes: int, device: torch.device) -> LossOf:
    wanted = options.class_index
    if wanted is None:
        one, bounded = torch.tensor([away], device=device), options.method == "distance"
        return LossOf(one, towards=False, bounded=bounded, exclusive=victim.exclusive)
    if not 0 <= wanted < classes:
        raise SettingError(f"there is no class {wanted}: the network tells {classes} apart")
    if not victim.exclusive and not wanted:
        raise SettingError("this detector has no class for nothing: leave the class empty, and the box vanishes")
    return LossOf(torch.tensor([wanted], device=device), towards=True, exclusive=victim.exclusive)


class _Trace:
    """What is kept along the way; logits come one step late, with the gradient of the next."""

    def __init__(self, victim: Victim, options: AttackOptions, start: torch.Tensor, loss_of: LossOf, away: int) -> None:
        self.victim, self.options, self.start, self.loss_of, self.away = victim, options, start, loss_of, away
        self.count = 0
        self._logits: list[torch.Tensor] = []
        self._lengths: list[float] = []
        self._frames: dict[int, Bytes] = {0: levels(start)}
        self._every = 1
        self._pending: list[float] = [0.0]

    def step(self, pixels: torch.Tensor) -> None:
        """Another step was made."""
        self.count += 1
        self._pending.append(float((pixels - self.start).norm()))
        if self.count % self._every == 0:
            self._frames[self.count] = levels(pixels)
        if len(self._frames) > FRAMES:
            self._every *= 2
            self._frames = {step: frame for step, frame in self._frames.items() if step % self._every == 0}

    def note(self, logits: torch.Tensor) -> None:
        """What the network says of the picture after the last step."""
        self._logits.append(logits.detach())
        self._lengths.append(self._pending[len(self._logits) - 1])

    def chance_before(self) -> float:
        """Probability of what is wanted at the last step that is known."""
        return float(self.loss_of.chance(self._logits[-1])[0])

    def result(self, pixels: torch.Tensor, patch: torch.Tensor | None, seconds: float, compare: bool) -> AttackResult:
        """Where it is; while it goes on, the scores are those of the step before.

        Args:
            pixels: The picture now.
            patch: The patch now, where it is one.
            seconds: Time so far.
            compare: Whether the network is asked about the rounded picture and the shuffled change, too.
        """
        victim, options, start = self.victim, self.options, self.start
        change = pixels - start
        generator = torch.Generator().manual_seed(options.seed + 1)
        whole = levels(pixels)
        beside = (start + shuffled(change, generator, victim.mask)).clamp_(0.0, 1.0)
        rounded: dict[str, float] = {}
        noise: dict[str, float] = {}
        if compare:
            exact = torch.from_numpy(whole.copy()).permute(2, 0, 1)[None].to(start.device).float() / 255
            with torch.no_grad():
                extra = victim.probabilities(torch.cat([exact, beside])).cpu().numpy()
            rounded, noise = (best(one, victim.labels) for one in extra)
        with torch.no_grad():
            logits = torch.cat(self._logits)
            scores = victim.chances(logits).cpu().numpy()
            loss = self.loss_of(logits).float().cpu().numpy()
        last = logits[-1:]
        size = (change[0] * 255).permute(1, 2, 0).cpu().numpy()
        box = None
        if options.method == "patch":
            side = side_of(options.size, *start.shape[2:])
            row, column = corner_of(options.x, options.y, side, *start.shape[2:])
            box = column, row, side, side
        bounded = options.method not in ("distance", "patch")
        wanted = -1 if options.class_index is None else options.class_index
        return AttackResult(
            victim.words, options.method, options.norm if bounded else "", _name(victim.labels, self.away),
            _name(victim.labels, wanted) if wanted >= 0 else "any other", _name(victim.labels, int(last[0].argmax())),
            bool(self.loss_of.reached(last)[0]), self.count,
            best(scores[0], victim.labels), best(scores[-1], victim.labels), rounded, noise,
            float(np.abs(size).max(initial=0)), float(change.norm()),
            float(np.sqrt(np.mean(np.square(size)))), float(np.mean(np.abs(size) > 1e-3)), seconds,
            scores, loss, np.array(self._lengths, np.float32),
            self.away, wanted, victim.labels, self._frames[0], whole, np.ascontiguousarray(size), levels(beside),
            {**self._frames, self.count: whole},
            None if patch is None else levels(patch[None]), box, _area(victim, start),
        )  # fmt: skip


def _name(labels: tuple[str, ...], index: int) -> str:
    return labels[index] if index < len(labels) else f"class {index}"


def best(probabilities: Floats, labels: tuple[str, ...], count: int = 5) -> dict[str, float]:
    """The most probable classes, best first."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return {_name(labels, int(i)): float(probabilities[i]) for i in order}


def _area(victim: Victim, start: torch.Tensor) -> tuple[int, int, int, int]:
    height, width = start.shape[2:]
    if victim.mask is None:
        return 0, 0, width, height
    rows = victim.mask[0, 0].any(1).nonzero()[:, 0]
    columns = victim.mask[0, 0].any(0).nonzero()[:, 0]
    top, left = int(rows[0]), int(columns[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


# ---------------------------------------------------------------------- the probe


def run(look: Look, options: AttackOptions) -> AttackResult:
    """The whole attack at once on the input of ``look``.

    Raises:
        UserError: If the network tells no classes or passes no gradients back.
    """
    from guiapp.models.zoo.arrange import plainly

    with plainly(look.model, True):
        victim, inputs = victim_of(look, options)
        return finish(attack(victim, inputs, sized(options, look.preprocessing)))


def finish(walk: Generator[Any, None, R]) -> R:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(walk)
        except StopIteration as end:
            found: R = end.value
            return found
