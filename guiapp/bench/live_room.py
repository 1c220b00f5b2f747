"""The Live room under measurement: a video in it, and when each answer was painted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from guiapp.drive import Driver
    from guiapp.sources.live import LiveSource
    from guiapp.tasks.live_options import LiveOptions

SIZE = (640, 480)
BOXES = 10
_LEAST = 3
NETWORKS = {
    "ssdlite": ("ssdlite320_mobilenet_v3_large", "SSDlite, ten boxes"),
    "lraspp": ("lraspp_mobilenet_v3_large", "LR-ASPP"),
    "resnet18": ("resnet18", "ResNet-18"),
}
"""Name of a case: the network, which gets random weights, and what it is called."""
_YOLOX = ("yolox-nano", "YOLOX-nano from its ONNX file, ten boxes")


def networks(only: str = "") -> dict[str, tuple[str, str]]:
    """``NETWORKS``, and YOLOX-nano where its file and onnxruntime are there; or ``only`` one of them."""
    if only:
        return {only: NETWORKS[only]}
    from importlib.util import find_spec

    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.weights import find

    there = find_spec("onnxruntime") is not None and find(find_model(_YOLOX[0]).best) is not None
    return {**NETWORKS, "yolox": _YOLOX} if there else NETWORKS


def weights_of(network: str) -> str:
    """What a case opens: an ONNX file is its weights."""
    return "best" if network == _YOLOX[0] else "random"


def write_film(path: Path, frames: int) -> Path:
    """A video of smooth noise that moves, 640x480 at 25 frames a second."""
    from guiapp.sources.record import Recorder

    draw = np.random.default_rng(0)
    wide = np.kron(draw.integers(0, 255, (30, 60, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    with Recorder(path) as recorder:
        for number in range(frames):
            left = 2 * number % (wide.shape[1] - SIZE[0])
            recorder.write(np.ascontiguousarray(wide[:, left : left + SIZE[0]]))
    return path


class LiveRoom:
    """The Live room of a window, driven.

    Args:
        driver: The window.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._panel = driver.window.show_panel("live")
        self._lane = driver.window.engine.live

    def open(self, network: str, options: LiveOptions | None = None) -> None:
        """Open a network and wait for it."""
        lane = self._lane
        lane.open_model(network, weights_of(network))
        self._driver.wait(lambda: lane.newest.phase == "ready" and lane.newest.model.name == network, 120, network)
        if options is not None:
            lane.set_options(options)

    def play(self, source: LiveSource, text: str) -> None:
        """Show a source from now on."""
        self._panel.feed.adopt(source, text)

    def rate(self, seconds: float) -> float:
        """Answers painted a second while the video plays, beginning with the first that is painted."""
        source, image = self._panel.feed.source, self._panel.image
        source.play()
        self._wait_for_one()
        before, started = image.painted, time.perf_counter()
        self._driver.rest(seconds)
        rate: float = (image.painted - before) / (time.perf_counter() - started)
        source.pause()
        self._driver.rest(0.2)
        return rate

    def delays(self, seconds: float, hold: bool = True) -> list[float]:
        """Milliseconds from the arrival of each frame that is shown to its painting, over a while.

        Args:
            seconds: How long.
            hold: Whether the source is paused afterwards.
        """
        source, image = self._panel.feed.source, self._panel.image
        found: list[float] = []
        source.play()
        self._wait_for_one()
        image.answer_painted.connect(found.append)
        self._driver.rest(seconds)
        self._driver.wait(lambda: len(found) >= _LEAST, 120, "three frames")  # where others take the machine
        image.answer_painted.disconnect(found.append)
        if hold:
            source.pause()
            self._driver.rest(0.2)
        return found

    @property
    def painted(self) -> int:
        """Answers painted so far."""
        count: int = self._panel.image.painted
        return count

    @property
    def interval(self) -> float:
        """Milliseconds between two pictures of the display."""
        return 1000.0 / float(self._driver.window.screen().refreshRate())

    def close(self) -> None:
        """Let go of source and network."""
        self._panel.close_source()
        self._lane.close_model()

    def _wait_for_one(self) -> None:
        before, image = self.painted, self._panel.image
        self._driver.wait(lambda: image.painted > before, 60, "the first frame")
