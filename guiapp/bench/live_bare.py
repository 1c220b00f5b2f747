"""The peer of the Live room's benchmarks: frame after frame of a video through a network, in a process of its own.

``python -m guiapp.bench.live_bare FILM NETWORK BOXES`` first writes the settings that it uses as JSON, then reads
``SECONDS`` on a line of its own and answers with the figures of so long a stretch, until its input ends.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.bench.live_room import weights_of
from guiapp.bench.peer import PeerProcess, write
from guiapp.tasks.live_options import LiveOptions, LiveTask, make_live_task
from guiapp.tasks.predictions import Detections


@dataclass(frozen=True)
class Stretch:
    """What a stretch of the loop took.

    Attributes:
        rate: Frames a second, reading included.
        inference: Median milliseconds of preprocessing, forward pass and postprocessing of a frame, together.
    """

    rate: float
    inference: float


class BareLoop:
    """The process, idle until it is asked.

    Args:
        film: A video file.
        network: Name in the zoo; it gets the weights that ``weights_of`` says.
        boxes: The threshold of a detector is such that about so many boxes are left.

    Attributes:
        options: The thresholds.
        threads: How many threads an operation is split over.
    """

    def __init__(self, film: Path, network: str, boxes: int) -> None:
        self._process = PeerProcess("guiapp.bench.live_bare", str(film), network, str(boxes))
        told = json.loads(self._process.read())
        self.options = LiveOptions(score=told["score"])
        self.threads = int(told["threads"])

    def run(self, seconds: float) -> Stretch:
        """Go through the video for so long."""
        return Stretch(**json.loads(self._process.ask(repr(seconds))))

    def close(self) -> None:
        """End the process."""
        self._process.close()


class _Loop:
    def __init__(self, film: Path, network: str, boxes: int) -> None:
        from guiapp.core.live_run import LiveRun
        from guiapp.core.memory import arrange_heap
        from guiapp.models.zoo.arrange import arrange
        from guiapp.models.zoo.open import open_model
        from guiapp.sources.video_reader import VideoReader

        arrange_heap()  # as the program does
        self._model = arrange(
            open_model(network, weights_of(network)), LiveRun()
        )  # the same network, as the program runs it
        entry = self._model.entry
        self._task: LiveTask = make_live_task(entry.task, self._model.labels, entry)
        self._reader = VideoReader(film)
        self._frames = self._endless()
        self.options = LiveOptions()
        if entry.task == "detection":
            self.options = LiveOptions(score=self._score_for(boxes))

    def _endless(self) -> Iterator[npt.NDArray[np.uint8]]:
        while True:
            self._reader.rewind()
            for _, _, pixels in self._reader.frames():
                yield pixels

    def _score_for(self, boxes: int) -> float:
        """A threshold that leaves about so many boxes."""
        import torch

        pixels = next(self._frames)
        with torch.inference_mode():
            raw = self._task.run(self._model.module, self._model.prepare(pixels), _size(pixels))
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            found = self._task.drawn(raw, LiveOptions(score=middle))
            many = isinstance(found, Detections) and len(found) > boxes
            low, high = (middle, high) if many else (low, middle)
        return high

    def run(self, seconds: float) -> Stretch:
        import torch

        taken: list[float] = []
        started = time.perf_counter()
        with torch.inference_mode():
            while time.perf_counter() - started < seconds:
                pixels = next(self._frames)
                begun = time.perf_counter()
                raw = self._task.run(self._model.module, self._model.prepare(pixels), _size(pixels))
                self._task.drawn(raw, self.options)
                taken.append((time.perf_counter() - begun) * 1e3)
        return Stretch(len(taken) / (time.perf_counter() - started), statistics.median(taken))


def _size(pixels: npt.NDArray[np.uint8]) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def serve(film: str, network: str, boxes: str) -> None:
    """Answer until the input ends."""
    import torch

    from guiapp.training.threads import physical_cores

    torch.set_num_threads(physical_cores())
    loop = _Loop(Path(film), network, int(boxes))
    write(json.dumps({"score": loop.options.score, "threads": torch.get_num_threads()}))
    for line in sys.stdin:
        found = loop.run(float(line))
        write(json.dumps({"rate": found.rate, "inference": found.inference}))


if __name__ == "__main__":
    serve(*sys.argv[1:])
