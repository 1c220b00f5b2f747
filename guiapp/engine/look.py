"""The look lane: runs the twin on the newest picture and answers the probes of the panels that are visible."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.core.picture import Picture
from guiapp.engine.guard import Guard
from guiapp.engine.job import Job, Step
from guiapp.engine.slot import Slot
from guiapp.engine.state import LookResult, Opened, Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.datasets.as_drawing import Reading
    from guiapp.datasets.base import Dataset
    from guiapp.engine.twin import Twin
    from guiapp.tasks.base import Task
    from guiapp.training.snapshots import SnapshotStore


@dataclass(frozen=True, eq=False)
class Subject:
    """What is looked at: an opened experiment with its twin; ``snapshots`` is there once a run has begun."""

    opened: Opened
    twin: Twin
    task: Task
    snapshots: SnapshotStore | None = None


@dataclass(frozen=True)
class _Question:
    """Everything that decides one look; replaced, never changed."""

    subject: Subject | None = None
    picture: Picture | None = None
    requests: Mapping[str, Request] = field(default_factory=dict)
    asked_of: Opened | None = None
    watching: bool = False
    switched_off: Mapping[str, Collection[int]] = field(default_factory=dict)
    step: int | None = None


class LookLane:
    """One thread that answers the newest question; questions that were overtaken are never answered.

    Attributes:
        results: Slot of the newest answer.
        rate: Most looks a second while a network trains.
        busy: Whether a network trains, so that the rate holds.
    """

    def __init__(self, notices: NoticeBoard, rate: float) -> None:
        self.results: Slot[LookResult] = Slot()
        self.rate = rate
        self.busy = False
        self._question = _Question()
        self._dirty = False
        self._dropped = 0
        self._picture_taken = True
        self._jobs: list[Job[Any]] = []
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._guard = Guard(notices)
        self._answered: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._fed: tuple[Picture, object, npt.NDArray[np.uint8], Reading] | None = None

    def ask(self, **changes: Any) -> None:
        """Change parts of the question (see ``_Question``) and look again."""
        with self._condition:
            if "picture" in changes:
                self._dropped += not self._picture_taken
                self._picture_taken = changes["picture"] is None
            if "subject" in changes:
                self._guard.forget()
                self._answered.clear()
            self._question = replace(self._question, **changes)
            self._wake()

    def weights_changed(self) -> None:
        """Look again, because the twin was offered newer weights. Cheap: called by the learn lane."""
        if self._question.watching:
            with self._condition:
                self._wake()

    @property
    def watching(self) -> bool:
        """Whether anything is visible that shows the network."""
        question = self._question
        return question.watching and question.step is None

    def predict_many(
        self, images: npt.NDArray[np.uint8], title: str = "predictions", asked_of: Opened | None = None
    ) -> Job[Any]:
        """Scores (N, C) of uint8 pictures (N, H, W, C) with the weights looked at, between two looks.

        A call with the same title replaces the one that still waits. Where another network than ``asked_of`` is open by
        then the job gives no scores, shape (0, 0): its classes are others.
        """
        job = Job(self._predictions(images, asked_of), title)
        with self._condition:
            for other in self._jobs:
                if other.title == title:
                    other.stop()
            self._jobs.append(job)
            self._wake(look=False)
        return job

    @property
    def picture(self) -> Picture | None:
        """What is looked at."""
        return self._question.picture

    def earlier(self, opened: Opened) -> tuple[int, Mapping[str, Any]] | None:
        """Step and weights of the moment gone back to in the run of ``opened``; None while the newest are followed."""
        question = self._question
        subject = question.subject
        if question.step is None or subject is None or subject.opened is not opened or subject.snapshots is None:
            return None
        if not subject.snapshots.steps():
            return None
        step = subject.snapshots.nearest(question.step)
        return step, subject.snapshots.load(step)

    def close(self, timeout: float) -> None:
        """End the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _wake(self, look: bool = True) -> None:
        self._dirty = self._dirty or look
        if self._closed:
            return
        if self._thread is None:
            if self._question.subject is None:
                return  # nothing to look at yet: no thread, and torch is not imported for it
            self._thread = threading.Thread(target=self._serve, name="look", daemon=True)
            self._thread.start()
        self._condition.notify()

    def _serve(self) -> None:
        import torch

        torch.set_num_threads(1)
        next_look = 0.0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._dirty or self._jobs)
                if self._closed:
                    return
                if self._dirty and self.busy:
                    self._condition.wait_for(lambda: self._closed, max(0.0, next_look - time.monotonic()))
                question, dirty, self._dirty = self._question, self._dirty, False
                job = self._jobs[0] if self._jobs else None
                self._picture_taken = True
            if dirty and question.watching and question.subject is not None:
                next_look = time.monotonic() + 1.0 / self.rate
                result = self._guard.run("look", functools.partial(self._look, question))
                if result is not None:
                    self.results.put(result)
            if job is not None and not job.advance():
                with self._condition:
                    self._jobs.remove(job)

    def _weights(self, question: _Question) -> int:
        subject = question.subject
        assert subject is not None
        step = subject.twin.live()
        if question.step is not None and subject.snapshots is not None and subject.snapshots.steps():
            step = subject.snapshots.nearest(question.step)
            subject.twin.at(subject.snapshots.load(step))
        return step

    def _look(self, question: _Question) -> LookResult:
        import torch

        from guiapp.interpret import PROBES, capture
        from guiapp.interpret.base import Look

        subject = question.subject
        assert subject is not None
        opened, picture = subject.opened, question.picture
        times: dict[str, float] = {}
        look = Look(subject.twin.model, opened.layers, opened.preprocessing, picture=picture, dataset=opened.dataset)
        look.step, look.labels = self._weights(question), opened.labels
        step = look.step
        # Until a panel has seen a newly opened network it may still ask something of the one before.
        requests = question.requests if question.asked_of in (None, opened) else {}
        names = {"", *(layer.name for layer in opened.layers)}
        asked = {
            panel: (PROBES[request.probe], request.options)
            for panel, request in requests.items()
            if request.probe in PROBES and getattr(request.options, "layer", "") in names
        }
        prediction = plain = fed = None
        read_as: Reading = "picture"
        device = opened.device
        with torch.no_grad():
            if picture is not None and opened.runs:
                started = time.perf_counter()
                fed, read_as = self._sample(picture, opened.dataset)
                look.input = opened.preprocessing(fed, device)
                look.task, look.labels, look.switched_off = opened.model.task, opened.labels, question.switched_off
                times["preprocess"] = _since(started)
                started = time.perf_counter()
                wanted = {name for probe, options in asked.values() for name in probe.layers(opened.layers, options)}
                look.output, look.activations = capture.run(
                    subject.twin.model, look.input, wanted, question.switched_off
                )
                if device != "cpu":
                    look.output = look.output.cpu()  # waits for the device, so that the time is the network's
                times["forward"] = _since(started)
                started = time.perf_counter()
                prediction = subject.task.prediction(look.output)
                nearest = getattr(subject.twin.model, "neighbours", None)
                if nearest is not None:
                    indices, distances = (found[0].cpu().numpy() for found in nearest(look.input))
                    prediction = replace(prediction, neighbours=(indices, distances))
                times["postprocess"] = _since(started)
                if question.switched_off:
                    output, _ = capture.run(subject.twin.model, look.input)
                    plain = subject.task.prediction(output.cpu())
            results = {}
            for panel, (probe, options) in asked.items():
                if (probe.needs_picture and (picture is None or not opened.runs)) or self._rests(
                    panel, requests[panel], question
                ):
                    continue
                started = time.perf_counter()
                result = self._guard.run(probe.title, functools.partial(probe.run, look, options or probe.options()))
                if result is not None:
                    results[panel] = result
                    times[panel] = _since(started)
        return LookResult(
            opened,
            step,
            question.step is None,
            bool(question.switched_off),
            picture,
            prediction,
            plain,
            results,
            times,
            self._dropped,
            fed,
            read_as,
        )

    def _rests(self, panel: str, request: Request, question: _Question) -> bool:
        """Whether a panel was answered a moment ago and asked for a pause; what it asks for anew has none."""
        asked, clock = (request, question.subject, question.step), time.monotonic()
        known = self._answered.get(panel)
        if self.busy and known is not None and known[0] == asked and clock < known[1] + request.pause:
            return True
        self._answered[panel] = asked, clock
        return False

    def _sample(self, picture: Picture, dataset: Dataset) -> tuple[npt.NDArray[np.uint8], Reading]:
        """What the network is fed for a picture, worked out once for each picture and data set."""
        if picture.sample is not None:
            return picture.sample, "picture"
        known = self._fed
        if known is None or known[0] is not picture or known[1] is not dataset.from_picture:
            from guiapp.datasets.as_drawing import sample_of

            self._fed = known = picture, dataset.from_picture, *sample_of(picture.pixels, dataset.from_picture)
        return known[2], known[3]

    def _predictions(
        self, images: npt.NDArray[np.uint8], asked_of: Opened | None
    ) -> Generator[Step, None, npt.NDArray[np.float32]]:
        """Predict a few pictures at a time, so that looks come in between."""
        import numpy as np
        import torch

        size = 64
        scores: list[npt.NDArray[np.float32]] = []
        for start in range(0, len(images), size):
            subject = self._question.subject
            if subject is None:
                raise UserError("open an experiment first")
            if asked_of not in (None, subject.opened):
                return np.zeros((0, 0), np.float32)
            with torch.no_grad():
                inputs = subject.opened.preprocessing(images[start : start + size], subject.opened.device)
                output = subject.twin.model(inputs)
                scores.append(torch.softmax(output.float(), 1).cpu().numpy())
            yield (start + size) / max(len(images), 1), "predicting"
        return np.concatenate(scores) if scores else np.zeros((0, 0), np.float32)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
