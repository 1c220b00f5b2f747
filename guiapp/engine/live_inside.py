"""What panels ask of the network on the live lane: its layers, and probes on the picture that it has just answered."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.guard import Guard
from guiapp.engine.slot import Slot
from guiapp.engine.state import Inspected, LookResult, Request
from guiapp.interpret.attribution.options import AttributionOptions

if TYPE_CHECKING:
    import torch

    from guiapp.core.picture import Picture
    from guiapp.interpret.layers import LayerInfo
    from guiapp.models.zoo.base import Preset
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.tasks.live_options import LiveOptions

RATE = 10.0
_SETTLED = 0.15  # seconds after which a picture that nothing has followed is looked into, whatever the rate


@dataclass(frozen=True)
class _Question:
    """What decides a look; replaced, never changed."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    asked_of: Inspected | None = None
    watching: bool = False
    switched_off: Mapping[str, Collection[int]] = field(default_factory=dict)


class Inside:
    """The question of the panels, when it is due, and its answers. Used by the live lane alone, under its lock.

    Attributes:
        looked: Slot of the newest answer.
        inspected: The open network with its layers, once they are known.
        extent: Height and width of the input that ``inspected`` was listed with.
    """

    def __init__(self, notices: NoticeBoard) -> None:
        self.looked: Slot[LookResult] = Slot()
        self.inspected: Inspected | None = None
        self.size: tuple[int, int] | None = None
        self._question = self._taken = _Question()
        self._answered: tuple[_Question, Picture] | None = None
        self._last = self._begun = 0.0
        self._whole = True
        self._guard = Guard(notices, "live")

    def ask(self, **changes: Any) -> bool:
        """Change parts of the question; whether anything is different now."""
        before, self._question = self._question, replace(self._question, **changes)
        return self._question != before

    def forget(self) -> None:
        """The network has gone."""
        self.inspected = self.size = self._answered = None
        self._question = replace(self._question, switched_off={})
        self._guard.forget()

    # ------------------------------------------------------------------ when

    @property
    def switched_off(self) -> Mapping[str, Collection[int]]:
        """Channels that are set to zero or multiplied in the look that has begun."""
        return self._taken.switched_off

    def take(self) -> None:
        """Begin a look: it is about the question as it is now, whatever is asked meanwhile."""
        self._taken = self._question

    def lists(self, size: tuple[int, int]) -> bool:
        """Whether the layers are to be listed, by a run on a picture of a size (width, height)."""
        return self._question.watching and (self.inspected is None or self.size != size)

    def due(self, picture: Picture, fresh: bool) -> bool:
        """Whether a picture is to be looked into now: one that is ``fresh``, or one that nothing has followed."""
        now = time.monotonic()
        if fresh:
            self._begun = now
        if self._is_done(picture):
            return False
        if not fresh:
            self._whole = True
            return now >= self._begun + _SETTLED
        self._whole = self._answered is None or self._answered[0] != self._taken or now >= self._last + 1.0 / RATE
        return self._whole or bool(self._requests)

    def seconds(self, picture: Picture | None) -> float | None:
        """How long to wait for a newer picture before the newest is looked into after all; None for ever."""
        return None if self._is_done(picture) else max(0.0, self._begun + _SETTLED - time.monotonic())

    def skip(self, picture: Picture | None) -> None:
        """Look no more into a picture on which the network cannot be run."""
        if picture is not None:
            self._answered = self._taken, picture

    def _is_done(self, picture: Picture | None) -> bool:
        known = self._answered
        same = known is not None and known[0] == self._question and known[1] is picture
        return picture is None or same or not self._asks

    @property
    def _asks(self) -> bool:
        question = self._question
        return question.watching and question.asked_of is self.inspected is not None

    @property
    def _requests(self) -> Mapping[str, Request]:
        """What is answered now: everything, or between two such looks what follows each picture."""
        from guiapp.interpret import PROBES

        asked = self._taken.requests
        if self._whole:
            return asked
        return {panel: one for panel, one in asked.items() if one.probe in PROBES and PROBES[one.probe].each_picture}

    def to_explain(self) -> tuple[AttributionOptions, ...]:
        """The maps that are asked for, which the run of the network itself may give."""
        names = {layer.name for layer in self.inspected.layers} if self.inspected is not None else set()
        return tuple(
            request.options
            for request in self._requests.values()
            if isinstance(request.options, AttributionOptions) and request.options.layer in ("", *names)
        )

    def wanted(self) -> set[str]:
        """Layers whose outputs the question needs, with ``()`` after those whose calls it needs."""
        from guiapp.interpret import PROBES

        assert self.inspected is not None
        names = {layer.name for layer in self.inspected.layers}
        return {
            name
            for request in self._requests.values()
            if request.probe in PROBES
            for name in PROBES[request.probe].layers(self.inspected.layers, request.options)
            if name.removesuffix("()") in names
        }

    # ------------------------------------------------------------------ what

    def take_list(
        self,
        opened: OpenedModel,
        layers: Sequence[LayerInfo],
        extent: tuple[int, int] | None,
        size: tuple[int, int],
    ) -> Inspected:
        """Keep the layers of the open network; ``size`` is that of the picture on which it ran."""
        known = self.inspected
        self.size = size
        if known is None or [layer.output_shape for layer in known.layers] != [x.output_shape for x in layers]:
            self.inspected = inspected_of(opened, layers, extent)
            self._answered = None
        assert self.inspected is not None
        return self.inspected

    def answer(
        self,
        opened: OpenedModel,
        picture: Picture,
        inputs: Any,
        kept: Mapping[str, Any],
        drawn: Any,
        raw: Any,
        options: LiveOptions | None = None,
        explained: Mapping[Any, Any] | None = None,
        frames: int = 1,
    ) -> Mapping[str, Any]:
        """Run the probes of the visible panels and publish what they say.

        Args:
            opened: The network; ``inputs`` is what it was fed for ``picture``, ``raw`` and ``drawn`` what it answered.
            picture: The picture.
            inputs: A tensor (1, 3, h, w), or a list for detectors.
            kept: Outputs of the wanted layers, or their calls.
            drawn: The prediction as it is shown.
            raw: What the task keeps of the run.
            options: The thresholds by which it is shown.
            explained: Maps that came out of the run itself.
            frames: How many pictures in a row the network takes.

        Returns:
            The answers, by panel.
        """
        import torch

        from guiapp.interpret import PROBES
        from guiapp.interpret.base import Look

        question, inspected = self._taken, self.inspected
        assert inspected is not None
        look = Look(opened.module, inspected.layers, inspected.preprocessing, picture=picture)
        look.area = covered(opened.weights.preset, picture.size, inspected.preprocessing.size[1:], raw)
        look.input = inputs if isinstance(inputs, torch.Tensor) else None
        # Layers after the proposals of a detector run on many regions at once: the first is the best one's.
        look.activations = {name: output[:1] for name, output in kept.items() if not name.endswith("()")}
        look.calls = {name.removesuffix("()"): calls for name, calls in kept.items() if name.endswith("()")}
        look.run, look.shown, look.shown_by, look.labels = raw, drawn, options, inspected.labels
        look.task, look.inputs, look.frames = opened.entry.task, inputs, frames
        look.prepare, look.switched_off = lambda other: opened.prepare(other.pixels, opened.device), self.switched_off
        look.explained = explained or {}
        names = {"", *(layer.name for layer in inspected.layers)}
        results, times = {}, {}
        with torch.no_grad():
            for panel, request in self._requests.items():
                if request.probe not in PROBES or getattr(request.options, "layer", "") not in names:
                    continue
                probe, started = PROBES[request.probe], time.perf_counter()
                run = functools.partial(probe.run, look, request.options or probe.options())
                result = self._guard.run(probe.title, run)
                if result is not None:
                    results[panel] = result
                    times[panel] = (time.perf_counter() - started) * 1000.0
        if self._whole:
            self._answered, self._last = (question, picture), time.monotonic()
        self.looked.put(
            LookResult(
                inspected, 0, True, bool(question.switched_off), picture, drawn, None, results, times, area=look.area
            )
        )
        return results

    def area(self, opened: OpenedModel, picture: Picture) -> tuple[float, float, float, float] | None:
        """What of a picture the input shows, before a detector pads it; None while that is not known."""
        if self.inspected is None:
            return None
        return covered(opened.weights.preset, picture.size, self.inspected.preprocessing.size[1:])


def one_picture(opened: OpenedModel, inputs: Any) -> torch.Tensor | None:
    """The input that receptive fields of a network refer to, where its picture may have another number of channels.

    None for networks of the zoo, in which the first picture of three channels is looked for.
    """
    return inputs if getattr(opened, "preprocessing", None) is not None and hasattr(inputs, "ndim") else None


def inspected_of(opened: OpenedModel, layers: Sequence[LayerInfo], extent: tuple[int, int] | None) -> Inspected:
    """What panels know of a published network, from what ``layers_of_run`` found."""
    from guiapp.models.base import ModelEntry, Preprocessing
    from guiapp.models.zoo.counts import counts_of

    entry, preset = opened.entry, opened.weights.preset
    known = getattr(opened, "preprocessing", None)  # of networks that are no published ones
    transform = getattr(opened.module, "transform", None)  # detectors bring a picture to scale themselves
    mean = preset.mean or tuple(getattr(transform, "image_mean", None) or (0.0,))
    std = preset.std or tuple(getattr(transform, "image_std", None) or (1.0,))
    told = [entry.family, *([opened.note] if opened.note else [])]
    if opened.weights.trained_on:
        told.append(f"trained on {opened.weights.trained_on}")
    counts = counts_of(entry.family, opened.module)
    model = ModelEntry(
        entry.name,
        entry.title,
        _built_elsewhere,
        source=entry.source,
        description=" · ".join(told),
        task=entry.task,
        counts=lambda *_size, **_options: counts,
    )
    return Inspected(
        model,
        {},
        known
        if isinstance(known, Preprocessing)
        else Preprocessing((3, *(extent or preset.crop or (0, 0))), mean, std, "crop" if preset.crop else "stretch"),
        tuple(opened.labels),
        tuple(layers),
        sum(parameter.numel() for parameter in opened.module.parameters()),
        str(opened.device),
    )


def _built_elsewhere(*_size: Any, **_options: Any) -> Any:
    raise UserError("a published network is opened with its weights, not built for a data set")


def covered(
    preset: Preset, size: tuple[int, int], extent: Sequence[int], raw: Any = None
) -> tuple[float, float, float, float]:
    """Left, top, width and height, in pixels of a picture, of what the input of a network shows of it.

    Args:
        preset: How the picture was prepared.
        size: Width and height of the picture.
        extent: Height and width of the network's input; of a detector with its padding at the right and below.
        raw: The run; a detector's says how large the picture was in its input.
    """
    width, height = size
    scaled = getattr(getattr(raw, "candidates", None), "extent", None)
    if scaled is not None and all(extent):
        return 0.0, 0.0, width * extent[1] / scaled[1], height * extent[0] / scaled[0]
    if preset.crop is None:
        return 0.0, 0.0, float(width), float(height)
    down, across = height, width
    if preset.resize is not None and len(preset.resize) == 1:
        short = min(width, height)
        down, across = int(preset.resize[0] * height / short), int(preset.resize[0] * width / short)
    elif preset.resize is not None:
        down, across = preset.resize
    rows, columns = preset.crop
    right, below = width / across, height / down
    return (across - columns) / 2 * right, (down - rows) / 2 * below, columns * right, rows * below
