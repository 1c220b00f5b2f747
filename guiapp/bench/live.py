"""Frames a second of the Live room: a video through published networks in the window, against a bare loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.bench.figures import Tell, paired, worst
from guiapp.tasks.live_options import LiveOptions, LiveTask, make_live_task
from guiapp.tasks.predictions import Detections

if TYPE_CHECKING:
    from guiapp.drive import Driver
    from guiapp.models.zoo.open import OpenedModel

WHAT = (
    "frames a second shown in the Live room from a video file of 640x480, against capture, preprocessing, forward pass "
    "and postprocessing in a bare loop with the same network, threads and frames"
)
_NETWORKS = {
    "ssdlite": ("ssdlite320_mobilenet_v3_large", "SSDlite, ten boxes"),
    "lraspp": ("lraspp_mobilenet_v3_large", "LR-ASPP"),
    "resnet18": ("resnet18", "ResNet-18"),
}
_SIZE = (640, 480)
_BOXES = 10


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Show the video for a stretch in the window, then go through it for as long in the bare loop, in turn."""
    from guiapp import drive

    drive.without_display()
    rounds, seconds = (1, 0.5) if quick else (5, 3.0)
    cases = {}
    with TemporaryDirectory(prefix="guiapp-") as folder, drive.apart():
        film = _film(Path(folder) / "film.mp4", 30 if quick else 150)
        driver = drive.Driver("lenet5", layout="live")
        try:
            for name, (network, what) in _NETWORKS.items():
                tell(what)
                cases[name] = _case(driver, film, network, rounds, seconds, what)
        finally:
            driver.close()
    return worst(cases, WHAT)


def _film(path: Path, frames: int) -> Path:
    """A video of smooth noise that moves."""
    from guiapp.sources.record import Recorder

    draw = np.random.default_rng(0)
    wide = np.kron(draw.integers(0, 255, (30, 60, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    with Recorder(path) as recorder:
        for number in range(frames):
            left = 2 * number % (wide.shape[1] - _SIZE[0])
            recorder.write(np.ascontiguousarray(wide[:, left : left + _SIZE[0]]))
    return path


def _case(driver: Driver, film: Path, network: str, rounds: int, seconds: float, what: str) -> dict[str, Any]:
    import torch

    from guiapp.models.zoo.open import open_model
    from guiapp.training.threads import physical_cores

    torch.set_num_threads(physical_cores())
    ours, peer = _Window(driver, film, network), _Bare(film, open_model(network, "random"))
    try:
        options = LiveOptions(score=peer.score_for(_BOXES)) if network.startswith("ssd") else LiveOptions()
        driver.window.engine.live.set_options(options)
        pairs = []
        for number in range(rounds + 1):
            pair = ours.rate(seconds), peer.rate(seconds, options)
            if number:  # the first of each is for warming up
                pairs.append(pair)
    finally:
        ours.close()
        peer.close()
    return paired(pairs, "frames/s", "higher", what, threads=physical_cores())


class _Window:
    """The Live room with a source that waits for every frame to be taken."""

    def __init__(self, driver: Driver, film: Path, network: str) -> None:
        from guiapp.sources.video import VideoSource

        self._driver, window = driver, driver.window
        self._panel = window.show_panel("live")
        window.engine.live.open_model(network, "random")
        lane = window.engine.live
        driver.wait(lambda: lane.newest.phase == "ready" and lane.newest.model.name == network, 120, network)
        self._panel.feed.adopt(VideoSource(film, every=True, loop=True), film.name)

    def rate(self, seconds: float) -> float:
        """Answers painted a second while the video plays."""
        source = self._panel.feed.source
        source.play()
        image = self._panel.image
        before = image.painted
        self._driver.wait(lambda: image.painted > before, 60, "the first frame")
        before, started = image.painted, time.perf_counter()
        self._driver.rest(seconds)
        rate: float = (image.painted - before) / (time.perf_counter() - started)
        source.pause()
        self._driver.rest(0.2)
        return rate

    def close(self) -> None:
        self._panel.close_source()
        self._driver.window.engine.live.close_model()


class _Bare:
    """Frame after frame through the same network; nothing is shown."""

    def __init__(self, film: Path, model: OpenedModel) -> None:
        from guiapp.sources.video_reader import VideoReader

        self._model = model
        self._task: LiveTask = make_live_task(model.entry.task, model.labels, model.entry)
        self._reader = VideoReader(film)
        self._frames = self._endless()

    def _endless(self) -> Iterator[npt.NDArray[np.uint8]]:
        while True:
            self._reader.rewind()
            for _, _, pixels in self._reader.frames():
                yield pixels

    def score_for(self, boxes: int) -> float:
        """A threshold that leaves about so many boxes."""
        pixels = next(self._frames)
        raw = self._task.run(self._model.module, self._model.prepare(pixels), _SIZE)
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            found = self._task.drawn(raw, LiveOptions(score=middle))
            many = isinstance(found, Detections) and len(found) > boxes
            low, high = (middle, high) if many else (low, middle)
        return high

    def rate(self, seconds: float, options: LiveOptions) -> float:
        """Frames a second."""
        import torch

        done, started = 0, time.perf_counter()
        with torch.inference_mode():
            while time.perf_counter() - started < seconds:
                pixels = next(self._frames)
                raw = self._task.run(self._model.module, self._model.prepare(pixels), _SIZE)
                self._task.drawn(raw, options)
                done += 1
        return done / (time.perf_counter() - started)

    def close(self) -> None:
        self._reader.close()
