"""One attribution from question to answer: does the method apply, what is compared with, what comes of the numbers."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.interpret.attribution.layer import best_layer
from guiapp.interpret.attribution.method import Area, Attribution, Method
from guiapp.interpret.attribution.methods import METHODS
from guiapp.interpret.case import Case
from guiapp.interpret.score import Score, make_score
from guiapp.interpret.targets import DETECTORS, Target

Step = tuple[float, str] | None
R = TypeVar("R")
_CHUNK = 600_000  # numbers of pictures that go through any network at once: four of 224 x 224 in colour
_MOST = 64
_LARGE = 16  # pictures of that size at most, through a network that is fast
_BLINK = 0.7  # seconds between two places where a method can be stopped
_BOTH_WAYS = 3  # a backward pass takes about twice as long as a forward pass
_SHADES = {"black": 0, "white": 255, "grey": 128}
_TOLD = (
    "Setting backward hooks on ReLU activations",
    "Setting forward, backward hooks and attributes on non-linear",
)


@dataclass(eq=False)
class Found:
    """What a method has found.

    Attributes:
        values: float (1, C, H, W) for each number of the input, or None.
        map: float (h, w) where there is no ``values``.
        layer, baseline, gap, note: As in ``Attribution``.
        cover: Height and width that the map lies over, for one of the input's: above 1 where padding is in it.
    """

    values: torch.Tensor | None = None
    map: torch.Tensor | None = None
    layer: str = ""
    baseline: str = ""
    gap: float | None = None
    note: str = ""
    cover: tuple[float, float] = (1.0, 1.0)


@dataclass(eq=False)
class Asked:
    """One question.

    Attributes:
        case: The network on a picture.
        score: The target as a function.
        method: The method.
        options: Its options.
        batch: float32 (1, C, H, W), a leaf that asks for gradients where the method needs them.
        value: The score of the picture, once it is known.
        seconds: What a forward pass of one picture takes, once that is known.
    """

    case: Case
    score: Score
    method: Method
    options: Any
    batch: torch.Tensor
    tell: Callable[[Attribution], None] | None = None
    value: float | None = None
    seconds: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    @property
    def chunk(self) -> int:
        """How many pictures go through the network at once: as many as take a blink, where they are large."""
        if self.case.task in DETECTORS:
            return 1
        many = min(_MOST, _CHUNK // self.batch.numel())
        if many >= _LARGE:
            return many
        if not self.seconds:
            self.time(self.batch.detach())
        return max(1, min(_LARGE, int(_BLINK / (_BOTH_WAYS * self.seconds))))

    def time(self, batch: torch.Tensor) -> torch.Tensor:
        """Scores of a batch (N, C, H, W) that begins with the picture, and how long that takes."""
        begun = time.perf_counter()
        with torch.no_grad():
            scores: torch.Tensor = self.score(batch).detach()
            self.value = float(scores[0])
        self.seconds = (time.perf_counter() - begun) / len(batch)
        return scores

    @property
    def number(self) -> float:
        """The score of the picture."""
        if self.value is None:
            with torch.no_grad():
                self.value = float(self.score(self.batch))
        return self.value

    def show(self, found: Found, share: float) -> None:
        """Tell what is known so far."""
        if self.tell is not None:
            self.tell(finished(self, found, share))


def attribute(
    case: Case, target: Target, method: str, options: Any, tell: Callable[[Attribution], None] | None
) -> Generator[Step, None, Attribution]:
    """See ``guiapp.interpret.attribution.attribute``."""
    reason = reasons_against(method, case)
    if reason:
        raise UserError(reason)
    return (yield from answer(case, plain_score(case, target), method, options, tell))


def answer(
    case: Case, score: Score, method: str, options: Any = None, tell: Callable[[Attribution], None] | None = None
) -> Generator[Step, None, Attribution]:
    """``attribute`` for a score that was made already."""
    chosen = METHODS[method]
    quiet()
    options = options if options is not None else chosen.options()
    if not isinstance(options, chosen.options):
        raise UserError(f"{chosen.title} takes {chosen.options.__name__}, not {type(options).__name__}")
    if chosen.backward and not score.differentiable:
        raise UserError(f"{chosen.title} needs gradients, and this network gives none: choose occlusion")
    batch = fresh(case.batch).requires_grad_(chosen.backward)
    asked = Asked(case, score, chosen, options, batch, tell)
    found = yield from _as_usual(chosen.run(asked))
    return finished(asked, found, 1.0)


def _as_usual(steps: Generator[Step, None, Found]) -> Generator[Step, None, Found]:
    """The steps outside of any inference mode of the lane, whose tensors gradients cannot go through."""
    try:
        while True:
            with torch.inference_mode(False), torch.no_grad():
                try:
                    step = next(steps)
                except StopIteration as end:
                    found: Found = end.value
                    return found
            yield step
    finally:
        steps.close()


def plain_score(case: Case, target: Target) -> Score:
    """``make_score``, also where a lane runs in inference mode."""
    with torch.inference_mode(False):
        return make_score(case, target)


def fresh(batch: torch.Tensor) -> torch.Tensor:
    """A copy that gradients can be asked of, also of what was made in inference mode."""
    with torch.inference_mode(False):
        return batch.clone()


def run_through(steps: Generator[Step, None, R]) -> R:
    """The result of steps, all at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: R = end.value
            return found


def reasons_against(method: str, case: Case) -> str:
    """See ``guiapp.interpret.attribution.reasons_against``."""
    chosen = METHODS[method]
    if case.task in ("flow", "depth"):
        return f"a network for {case.task} has no classes to explain"
    if chosen.backward and not gives_gradients(case):
        return f"{chosen.title} needs gradients, and this network gives none: choose occlusion"
    if chosen.layered and not best_layer(case.layers):
        return f"{chosen.title} weights the maps of a layer, and no layer of this network has maps"
    if method == "attention-rollout":
        from guiapp.interpret.attribution.rollout import reason_against

        return reason_against(case)
    return ""


def gives_gradients(case: Case) -> bool:
    """Whether torch runs the network: those of ONNX files, of OpenCV and of kept samples have no gradients."""
    return not hasattr(case.module, "candidates") and next(case.module.parameters(), None) is not None


def finished(asked: Asked, found: Found, share: float = 1.0) -> Attribution:
    """An attribution as plain arrays."""
    values = None
    if found.values is not None:
        values = _plain(found.values[0])
        seen = values.sum(0)
    else:
        assert found.map is not None
        seen = _plain(found.map)
    if not np.isfinite(seen).all():
        raise UserError(f"{asked.method.title} gives numbers that are not finite here")
    return Attribution(
        asked.method.name,
        asked.score.words,
        asked.number,
        seen,
        values,
        _area(asked.case, found.cover),
        found.layer,
        asked.method.signed,
        asked.score.class_index,
        found.baseline,
        found.gap,
        found.note,
        share,
        time.perf_counter() - asked.began,
        found.cover,
    )


def _plain(values: torch.Tensor) -> Any:
    return np.ascontiguousarray(values.detach().float().cpu().numpy())


def _area(case: Case, cover: tuple[float, float]) -> Area | None:
    if case.picture is None:
        return case.area
    width, height = case.picture.size
    place = getattr(case.inputs, "place", None)
    if place is not None:  # an ONNX file's input, in which the picture may be a part
        across, down = width / place.width, height / place.height
        rows, columns = case.inputs[0].shape[-2:]
        return -place.left * across, -place.top * down, columns * across, rows * down
    if cover == (1.0, 1.0):
        return case.area
    left, top, across, down = case.area or (0.0, 0.0, float(width), float(height))
    return left, top, across * cover[1], down * cover[0]


def baseline_of(asked: Asked, kind: str) -> torch.Tensor:
    """What the picture is compared with, float32 (1, C, H, W).

    ``"black"``, ``"white"``, ``"grey"`` (128) and ``"noise"`` (pixels drawn evenly) are prepared as a picture is;
    ``"blurred"`` is the input smoothed by a Gaussian of a twentieth of its shorter side.

    Raises:
        UserError: If the network's preprocessing is not known.
    """
    case = asked.case
    if kind == "blurred":
        return _blurred(asked.batch.detach())
    if case.picture is None or case.prepare is None:
        raise UserError("this needs the picture and its preprocessing: choose the blurred picture to compare with")
    pixels, sample = case.picture.pixels, case.picture.sample
    if kind == "noise":
        random = np.random.default_rng(0)
        filled = random.integers(0, 256, pixels.shape, np.uint8)
        other = None if sample is None else random.integers(0, 256, sample.shape, np.uint8)
    else:
        filled = np.full_like(pixels, _SHADES[kind])
        other = None if sample is None else np.full_like(sample, _SHADES[kind])
    found = fresh(case.batch_of(Picture(filled, Origin("file", kind), sample=other)))
    if found.shape != asked.batch.shape:
        raise UserError("a plain picture becomes an input of another size here: choose the blurred picture")
    return found


def _blurred(batch: torch.Tensor) -> torch.Tensor:
    sigma = max(1.0, min(batch.shape[-2:]) / 20)
    reach = min(int(3 * sigma), min(batch.shape[-2:]) - 1)
    places = torch.arange(-reach, reach + 1, device=batch.device, dtype=batch.dtype)
    weights = torch.exp(-0.5 * (places / sigma) ** 2)
    weights = (weights / weights.sum()).expand(batch.shape[1], 1, -1)
    pad = torch.nn.functional.pad(batch, (reach,) * 4, mode="reflect")
    across = torch.nn.functional.conv2d(pad, weights[:, :, None], groups=batch.shape[1])
    return torch.nn.functional.conv2d(across, weights[..., None], groups=batch.shape[1])


def quiet() -> None:
    """Captum warns each time that it sets hooks: that is what is asked of it."""
    for text in _TOLD:
        warnings.filterwarnings("ignore", rf"\s*{text}", UserWarning)
