"""A network on the live lane: what it was fed, what it answered, what is drawn of that; and a second one beside it."""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.live_records import Answer
from guiapp.engine.passed import PassedPictures, jumped, seconds_of
from guiapp.tasks.compare import difference, translated
from guiapp.tasks.live_options import LiveOptions, LiveTask, SeriesTask, make_live_task

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.live_records import Frames
    from guiapp.interpret.attribution.live import Explainer
    from guiapp.interpret.attribution.method import Area
    from guiapp.interpret.attribution.options import AttributionOptions
    from guiapp.interpret.layers import LayerInfo
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.tasks.predictions import Drawn


class LiveNetwork:
    """An open network with its last answer.

    Args:
        model: It.
        fused: Whether its parts may be run fused while nobody looks into it.

    Attributes:
        model, task: The network and what it is for.
        passed: Pictures that came while it was busy, where it takes several in a row; else None.
        picture: What it was run on last.
        inputs: That picture as it was fed; None where that failed.
        raw: What it answered; None where it failed.
        drawn: What was shown of that; ``options`` say how much.
        completes: Whether that came at once, and parts of objects that are new are still to be computed.
        explained: Maps that came out of the last run, by the options that asked for them.
    """

    def __init__(self, model: OpenedModel, fused: bool = True) -> None:
        from guiapp.models.zoo.fused import Fusing
        from guiapp.models.zoo.open import LASTING

        self.model = model
        self.task: LiveTask = make_live_task(model.entry.task, model.labels, model.entry)
        series = isinstance(self.task, SeriesTask)
        self.passed = PassedPictures(self.task.frames, self.task.rate) if series else None  # type: ignore[attr-defined]
        self.picture: Picture | None = None
        self.inputs: Any = None
        self.raw: Any = None
        self.drawn: Drawn | None = None
        self.options: LiveOptions | None = None
        self.completes = False
        self.explained: Mapping[Any, Any] = {}
        self._source: Frames | None = None
        self._fusing = Fusing(model.module, fused and model.origin in LASTING and not series)
        self._explainer: Explainer | None = None

    def shows_all(self, options: LiveOptions) -> bool:
        """Whether there is nothing more to show of the last answer."""
        return self.raw is None or (options == self.options and not self.completes)

    def begin(self, picture: Picture, source: Frames | None, times: dict[str, float]) -> None:
        """Prepare a new picture."""
        last = self.picture if source is self._source else None
        self.picture, self.raw, self.inputs, self._source = picture, None, None, source
        started = time.perf_counter()
        for earlier in self.passed.between(last, picture) if self.passed is not None and last is not None else ():
            self._feed(last, earlier)
            last = earlier
        inputs = self._feed(last, picture)
        times["preprocess"] = since(started)
        self.inputs = inputs  # a picture that cannot be prepared is not tried again

    def _feed(self, last: Picture | None, picture: Picture) -> Any:
        """Prepare a picture; clips and flow go on from the one before, unless there was a jump."""
        if last is None or jumped(last, picture):
            self.task.reset()
        inputs = self.model.prepare(picture.pixels, self.model.device)
        if isinstance(self.task, SeriesTask):
            self.task.feed(inputs, seconds_of(picture))
        return inputs

    def run(
        self,
        wanted: Collection[str],
        off: Mapping[str, Collection[int]],
        again: bool,
        times: dict[str, float],
        asked: Sequence[AttributionOptions] = (),
        layers: Sequence[LayerInfo] = (),
        area: Area | None = None,
    ) -> Mapping[str, Any]:
        """Run the network on the prepared picture.

        Args:
            wanted: Layers whose outputs are kept.
            off: Channels that are set to zero or multiplied.
            again: Whether it has been run on this picture already.
            times: Gets ``forward``, with the backward pass where there is one.
            asked: Maps of the answer; those that one backward pass gives come out of this run, as ``explained``.
            layers: The layers of the network, for these.
            area: What of the picture the input shows.

        Returns:
            The outputs of the wanted layers.
        """
        import torch

        from guiapp.interpret.listen import listening
        from guiapp.models.zoo.arrange import plainly

        module = self.model.module
        assert self.picture is not None
        started = time.perf_counter()
        run = getattr(self.task, "again", self.task.run) if again else self.task.run
        inputs, self.inputs = self.inputs, None  # what breaks the network is not tried again
        inside = bool(wanted or off or asked)
        self.explained = {}
        with torch.inference_mode(), plainly(module, inside), listening(module, wanted, off) as kept:
            if asked:
                self.raw = self._explain(run, inputs, asked, layers, area, off)
            elif inside:
                self.raw = run(module, inputs, self.picture.size)
            else:
                ask = functools.partial(run, module, inputs, self.picture.size)
                with self._fusing.running(ask):
                    self.raw = ask()
            if torch.cuda.is_available() and str(self.model.device).startswith("cuda"):
                torch.cuda.synchronize()  # so that the time is the network's
        times["forward"] = since(started)
        self.inputs = inputs
        halves = (torch.bfloat16, torch.float16)  # numpy has no name for the first
        return {
            name: found.float() if getattr(found, "dtype", None) in halves else found for name, found in kept.items()
        }

    def _explain(
        self,
        run: Callable[..., Any],
        inputs: Any,
        asked: Sequence[AttributionOptions],
        layers: Sequence[LayerInfo],
        area: Area | None,
        off: Mapping[str, Collection[int]],
    ) -> Any:
        """Run the network with gradients: one pass forward serves the answer and the maps."""
        from guiapp.interpret.attribution.live import Explainer
        from guiapp.interpret.case import Case

        assert self.picture is not None
        self._explainer = self._explainer or Explainer()
        model = self.model
        case = Case(
            model.module, model.entry.task, inputs, tuple(model.labels), layers, self.picture, area, None, 1, dict(off)
        )
        raw, self.explained = self._explainer.run(run, case, self.picture.size, asked)
        return raw

    def learn(self, asked: Sequence[AttributionOptions], answers: Collection[Any]) -> None:
        """Take note of maps that were made outside of the run, so that the next run makes them."""
        if self._explainer is not None:
            for options in asked:
                for found in answers:
                    if getattr(found, "method", "") == options.method and options not in self.explained:
                        self._explainer.learn(options, found)

    def draw(self, options: LiveOptions, ran: bool, times: dict[str, float]) -> Drawn:
        """Show so much of the last answer.

        Args:
            options: How much.
            ran: Whether the network has run just now; else the answer comes at once, and what is missing of objects
                that are new comes with the next call.
            times: Gets ``postprocess``.
        """
        started = time.perf_counter()
        previous = None if ran or self.completes else self.drawn
        drawn = self.drawn = self.task.drawn(self.raw, options, previous)
        self.options, self.completes = options, previous is not None
        times["postprocess"] = since(started)
        return drawn


class Beside:
    """A second network on the pictures of the first, and what their answers differ by. Used by the live lane alone.

    Attributes:
        network: The second network, or None.
    """

    def __init__(self, notices: NoticeBoard) -> None:
        self.network: LiveNetwork | None = None
        self._notices = notices
        self._complaint = ""

    def put(self, network: LiveNetwork | None) -> None:
        """Take another network, or none."""
        self.network, self._complaint = network, ""

    @property
    def completes(self) -> bool:
        """Whether parts of objects that are new are still to be computed."""
        return self.network is not None and self.network.completes

    def due(self, picture: Picture, first: LiveNetwork, options: LiveOptions) -> bool:
        """Whether there is something to do for a picture that the first has answered."""
        network = self.network
        if network is None or first.raw is None:
            return False
        return network.picture is not picture or not network.shows_all(self._options(network, first, options))

    def answer(
        self, picture: Picture, source: Frames | None, first: LiveNetwork, options: LiveOptions
    ) -> Answer | None:
        """Run it on a picture that is new to it, and compare; None where there is none or it fails on the picture."""
        network = self.network
        if network is None:
            return None
        try:
            return self._answer(network, picture, source, first, options)
        except Exception as error:  # noqa: BLE001 - the first network goes on; the person is told, once
            text = str(error) if isinstance(error, UserError) else f"the second network failed: {error}"
            if text != self._complaint:
                self._complaint = text
                self._notices.post("error", text, traceback.format_exc(), "live")
            return None

    def _answer(
        self, network: LiveNetwork, picture: Picture, source: Frames | None, first: LiveNetwork, options: LiveOptions
    ) -> Answer | None:
        times: dict[str, float] = {}
        fresh = network.picture is not picture
        if fresh:
            network.begin(picture, source, times)
            network.run((), {}, False, times)
        elif network.raw is None:  # it has failed on this picture
            return None
        options = self._options(network, first, options)
        if fresh or not network.shows_all(options):
            network.draw(options, fresh, times)
        assert first.drawn is not None and network.drawn is not None
        started = time.perf_counter()
        found = difference(first.drawn, network.drawn)
        times["difference"] = since(started)
        return Answer(network.drawn, network.model.entry, found, times)

    @staticmethod
    def _options(network: LiveNetwork, first: LiveNetwork, options: LiveOptions) -> LiveOptions:
        """The choice of classes is one among the first's."""
        if options.classes is None:
            return options
        return replace(options, classes=translated(options.classes, first.model.labels, network.model.labels))


def since(started: float) -> float:
    """Milliseconds since a reading of ``time.perf_counter``."""
    return (time.perf_counter() - started) * 1000.0
