"""From a frame's arrival to its painting in the Live room, and whether that grows while frames come too fast."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guiapp.bench.figures import Tell, percentile, worst
from guiapp.bench.live_bare import BareLoop
from guiapp.bench.live_room import BOXES, LiveRoom, networks, write_film

WHAT = (
    "milliseconds from the arrival of a frame to its painting, against 1.2 times preprocessing, forward pass and "
    "postprocessing in a bare loop, and one interval of the display"
)
_SHARE = 1.2
_RATE = 25.0  # frames a second of the film
_SLOW = 0.5  # rate of a source that the network keeps up with, of the network's own
_FAST = 3.0  # and of one that it does not
_GROWN = 1.1  # allowed of the last minute against the first: the machine itself is not steadier


def measure(quick: bool, tell: Tell, minutes: float = 10.0) -> dict[str, Any]:
    """Play to each network at half its rate and at three times its rate; to one of them for ``minutes``.

    ``growth`` is the last minute's median of the long stretch against the first minute's.
    """
    from guiapp import drive

    drive.without_display()
    rounds, seconds = (1, 0.5) if quick else (7, 4.0)
    long = 4.0 if quick else minutes * 60
    cases: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory(prefix="guiapp-") as folder, drive.apart():
        film = write_film(Path(folder) / "film.mp4", 60 if quick else 300)
        driver = drive.Driver("lenet5", layout="live")
        try:
            for name, (network, what) in networks("ssdlite" if quick else "").items():
                room, peer = LiveRoom(driver), BareLoop(film, network, BOXES)
                try:
                    room.open(network, peer.options)
                    for pace, share in (("keeps up", _SLOW), ("too fast", _FAST)):
                        tell(f"{what}, {pace}")
                        cases[f"{name} {pace}"] = _case(room, film, peer, share, rounds, seconds, f"{what}, {pace}")
                    if name == "ssdlite":
                        cases["growth"] = _growth(room, film, peer, long, tell, what)
                finally:
                    room.close()
                    peer.close()
        finally:
            driver.close()
    result = worst({name: case for name, case in cases.items() if name != "growth"}, WHAT)
    return {**result, "growth": cases["growth"]["ratio"], "cases": cases}


def _play(room: LiveRoom, film: Path, wanted: float) -> float:
    """Show the film at about that many frames a second; return what it became."""
    from guiapp.sources.video import FASTEST, SLOWEST, VideoSource

    speed = min(FASTEST, max(SLOWEST, wanted / _RATE))
    room.play(VideoSource(film, speed=speed, loop=True), film.name)
    return speed * _RATE


def _case(
    room: LiveRoom, film: Path, peer: BareLoop, share: float, rounds: int, seconds: float, what: str
) -> dict[str, Any]:
    source = _play(room, film, share * peer.run(seconds / 2).rate)
    pairs = []
    for number in range(rounds + 1):
        delays = room.delays(seconds)
        allowed = _SHARE * peer.run(seconds / 2).inference + room.interval
        if number:  # the first is for warming up
            pairs.append((statistics.median(delays), allowed, percentile(delays, 0.95)))
    ratios = [ours / allowed for ours, allowed, _ in pairs]
    return {
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "ours": statistics.median(ours for ours, _, _ in pairs),
        "peer": statistics.median(allowed for _, allowed, _ in pairs),
        "unit": "ms",
        "better": "lower",
        "what": what,
        "pairs": len(pairs),
        "p95": statistics.median(late for _, _, late in pairs),
        "source": source,
        "threads": peer.threads,
    }


def _growth(room: LiveRoom, film: Path, peer: BareLoop, seconds: float, tell: Tell, what: str) -> dict[str, Any]:
    """A source three times faster than the network: the last minute (or fifth) against the first."""
    source = _play(room, film, _FAST * peer.run(1.0).rate)
    found: list[tuple[float, float]] = []  # when, and how many milliseconds
    room.delays(1.0)  # warms up
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        tell(f"{what}, too fast for {passed / 60:.1f} of {seconds / 60:.1f} minutes")
        found += [(passed, delay) for delay in room.delays(min(10.0, seconds / 5), hold=False)]
    span = min(60.0, seconds / 5)
    first = statistics.median(delay for at, delay in found if at < span)
    last = statistics.median(delay for at, delay in found if at >= found[-1][0] - span + 1e-9)
    ratio = last / first
    return {
        "ratio": ratio / _GROWN,
        "low": ratio / _GROWN,
        "high": ratio / _GROWN,
        "ours": last,
        "peer": _GROWN * first,
        "unit": "ms",
        "better": "lower",
        "what": f"{what}: the last minute of a source three times too fast against 1.1 times the first",
        "minutes": seconds / 60,
        "source": source,
        "frames": len(found),
    }
