"""How evenly the window answers while a network trains, and when an experiment is opened."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from guiapp.bench import stand_in
from guiapp.bench.figures import Tell, paired, percentile
from guiapp.bench.train import SETTINGS

WHAT = (
    "99th percentile of the interval of a 16 ms timer on the window's thread while LeNet-5 trains with curves and "
    "activation maps live, against the same timer in the same window at rest"
)
_OPENING = ("lenet5", "mlp", "softmax-classifier", "simple-cnn", "lenet5")


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Intervals at rest and in training in turn; the longest ones while torch is imported and on opening."""
    from guiapp import drive

    drive.without_display()
    tell("opening experiments in a fresh process")
    opening = _fresh_process()
    stand_in.register()
    seconds = 2.0 if quick else 10.0
    pairs = []
    with drive.apart():
        driver = drive.Driver("lenet5")
        try:
            driver.open("lenet5", SETTINGS)
            driver.show_sample()
            for number in range(2 if quick else 7):
                tell(f"pair {number + 1}")
                driver.settle()
                rest = percentile(driver.timer_intervals(seconds), 0.99)
                driver.train_on()
                driver.rest(0.5)
                busy = percentile(driver.timer_intervals(seconds), 0.99)
                driver.pause()
                pairs.append((busy, rest))
        finally:
            driver.close()
    return paired(pairs, "ms", "lower", WHAT, **opening)


def _fresh_process() -> dict[str, float]:
    """Longest intervals in a process that has not imported torch yet."""
    import json

    command = [sys.executable, "-m", "guiapp.bench.responsiveness"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if "Error" in line]
        raise RuntimeError(f"opening experiments failed: {reason[-1] if reason else f'code {done.returncode}'}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _opening() -> None:
    """Open the first experiment, which imports torch, then others; print the longest intervals in ms."""
    import json

    from guiapp import drive

    drive.without_display()
    with drive.apart():
        driver = drive.Driver(_OPENING[0], opened=False)
        try:
            started: list[drive.Ticks] = []
            driver.window.first_painted.connect(lambda: started.append(drive.Ticks()))
            driver.wait(lambda: bool(started), 60, "the first paint")
            driver.wait_opened()
            first = max(started[0].stop())
            driver.settle()
            later = []
            for name in _OPENING[1:]:
                ticks = drive.Ticks()
                driver.open(name)
                driver.show_sample()
                driver.settle()
                later.append(max(ticks.stop()))
        finally:
            driver.close()
    print(json.dumps({"longest_while_torch_is_imported": first, "longest_on_opening": max(later)}))


if __name__ == "__main__":
    _opening()
