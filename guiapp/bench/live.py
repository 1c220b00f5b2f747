"""Frames a second of the Live room: a video through published networks in the window, against a bare loop."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from guiapp.bench.figures import Tell, paired, worst
from guiapp.bench.live_bare import BareLoop
from guiapp.bench.live_room import BOXES, LiveRoom, networks, write_film

if TYPE_CHECKING:
    from guiapp.drive import Driver

WHAT = (
    "frames a second shown in the Live room from a video file of 640x480, against capture, preprocessing, forward pass "
    "and postprocessing in a bare loop in a process of its own with the same network, threads and frames; the room "
    "fuses operations of the network, which the loop does not"
)


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Show the video for a stretch in the window, then go through it for as long in the bare loop, in turn."""
    from guiapp import drive

    drive.without_display()
    rounds, seconds = (1, 0.5) if quick else (9, 2.0)
    cases = {}
    with TemporaryDirectory(prefix="guiapp-") as folder, drive.apart():
        film = write_film(Path(folder) / "film.mp4", 30 if quick else 150)
        driver = drive.Driver("lenet5", layout="live")
        try:
            for name, (network, what) in networks("resnet18" if quick else "").items():
                tell(what)
                cases[name] = _case(driver, film, network, rounds, seconds, what)
        finally:
            driver.close()
    return worst(cases, WHAT)


def _case(driver: Driver, film: Path, network: str, rounds: int, seconds: float, what: str) -> dict[str, Any]:
    from guiapp.sources.video import VideoSource

    room, peer = LiveRoom(driver), BareLoop(film, network, BOXES)
    try:
        room.open(network, peer.options)
        room.play(VideoSource(film, every=True, loop=True), film.name)  # it waits for every frame to be taken
        pairs = []
        for number in range(rounds + 1):
            pair = room.rate(seconds), peer.run(seconds).rate
            if number:  # the first of each is for warming up
                pairs.append(pair)
    finally:
        room.close()
        peer.close()
    return paired(pairs, "frames/s", "higher", what, threads=peer.threads)
