"""Whether anything grows in the Live room: 20,000 frames of a looping video, another network every 500."""

from __future__ import annotations

import statistics
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from guiapp.bench.figures import Tell
from guiapp.bench.live_room import LiveRoom, write_film
from guiapp.bench.memory import resident

if TYPE_CHECKING:
    from guiapp.drive import Driver

WHAT = (
    "growth of the resident memory over the last 80 % of 20,000 frames that the Live room shows of a looping video, "
    "with another network every 500, against the 1 MB per 10,000 frames that is allowed"
)
_ALLOWED = 1.0
_FRAMES, _EVERY = 20_000, 500
# small ones, so that it ends in minutes: what it is about does not depend on their size
_NETWORKS = ("squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mobilenet_v2")


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Play, change networks, sample the memory before each change; count threads before and after."""
    from guiapp import drive

    drive.without_display()
    frames, every = (160, 20) if quick else (_FRAMES, _EVERY)
    with TemporaryDirectory(prefix="guiapp-") as folder, drive.apart():
        film = write_film(Path(folder) / "film.mp4", 30 if quick else 100)
        driver = drive.Driver("lenet5", layout="live")
        try:
            room = LiveRoom(driver)
            openings = len(_NETWORKS) * (1 if quick else 5)
            _rounds(driver, room, film, openings * 20, 20, lambda _text: None)  # what is made once is made
            before = _threads(driver)
            samples = _rounds(driver, room, film, frames, every, tell)
            after = _threads(driver)
        finally:
            driver.close()
    return _result(samples, before, after)


def _rounds(
    driver: Driver, room: LiveRoom, film: Path, frames: int, every: int, tell: Tell
) -> list[tuple[float, float]]:
    """Frames shown so far and MB before each change of the network; source and network are closed at the end."""
    from guiapp.sources.video import VideoSource

    room.play(VideoSource(film, every=True, loop=True), film.name)
    samples, done = [], 0
    for number in range(frames // every):
        network = _NETWORKS[number % len(_NETWORKS)]
        room.open(network)
        wanted = room.painted + every
        driver.wait(lambda wanted=wanted: room.painted >= wanted, 600, f"{every} frames of {network}")
        done += every
        samples.append((float(done), resident()))
        tell(f"{done:,} of {frames:,} frames, {samples[-1][1]:.0f} MB")
    room.close()
    return samples


def _threads(driver: Driver) -> dict[str, int]:
    """Threads of Python, and all of the process, once those that end by themselves have ended."""
    import psutil

    driver.wait(lambda: not driver.window.engine.jobs, 60, "the background work")
    driver.rest(7.0)
    return {"threads": threading.active_count(), "all_threads": psutil.Process().num_threads()}


def _result(samples: list[tuple[float, float]], before: dict[str, int], after: dict[str, int]) -> dict[str, Any]:
    """Slope over the last 80 % of the samples; low and high are those of its halves.

    Networks differ by tens of MB and each sample by some, so samples of the same network are compared and the median of
    the slopes between any two is taken (Theil 1950, Sen 1968): a line fitted through all has an error of 3 MB.
    """
    late = samples[len(samples) // 5 :]
    half = max(len(_NETWORKS) + 1, len(late) // 2)

    def grown(part: list[tuple[float, float]]) -> float:
        return 10_000 * statistics.median(
            (later[1] - sooner[1]) / (later[0] - sooner[0])
            for place, sooner in enumerate(part)
            for later in part[place + len(_NETWORKS) :: len(_NETWORKS)]
        )

    ours, halves = grown(late), (grown(late[:half]), grown(late[-half:]))
    return {
        "ratio": ours / _ALLOWED,
        "low": min(*halves, ours) / _ALLOWED,
        "high": max(*halves, ours) / _ALLOWED,
        "ours": ours,
        "peer": _ALLOWED,
        "unit": "MB per 10,000 frames",
        "better": "lower",
        "what": WHAT,
        "frames": int(samples[-1][0]),
        "resident": samples[-1][1],
        "before": before,
        "more": {name: after[name] - before[name] for name in after},
    }
