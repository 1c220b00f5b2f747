"""Whether anything grows: resident memory and what is alive, over long training and many changes of experiment."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

from guiapp.bench import stand_in
from guiapp.bench.figures import Tell, slope
from guiapp.bench.train import SETTINGS

if TYPE_CHECKING:
    from guiapp.drive import Driver

WHAT = (
    "growth of the resident memory over the last 80 % of 20,000 training steps and of 500 changes of experiment, "
    "against the 1 MB per 10,000 steps (or 250 changes) that is allowed"
)
_ALLOWED = 1.0
_EXPERIMENTS = ("lenet5", "mlp", "softmax-classifier", "simple-cnn")


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Train and change experiments, sampling memory; count what is alive before and after."""
    from guiapp import drive

    drive.without_display()
    stand_in.register()
    steps, changes = (200, 8) if quick else (20_000, 500)
    with drive.apart():
        driver = drive.Driver("lenet5")
        try:
            for name in _EXPERIMENTS:  # everything that is made once is made before the count
                driver.open(name)
                driver.show_sample()
                driver.train(2)
                driver.settle()
            driver.open("lenet5")
            driver.settle()
            before = _alive(driver)
            training = _training(driver, steps, tell)
            changing = _changing(driver, changes, tell)
            driver.open("lenet5")
            driver.settle()
            driver.wait(lambda: not driver.window.engine.jobs, 60, "the background work")
            driver.rest(6.0)  # idle threads end by themselves
            after = _alive(driver)
        finally:
            driver.close()
    cases = {
        "training": _case(training, 10_000, f"MB per 10,000 steps, over {steps:,} steps"),
        "changing": _case(changing, 250, f"MB per 250 changes of experiment, over {changes:,} changes"),
    }
    top = max(cases.values(), key=lambda case: float(case["ratio"]))
    more = {name: after[name] - before[name] for name in after}
    return {**top, "unit": "MB per 10,000 steps", "what": WHAT, "cases": cases, "before": before, "more": more}


def _case(samples: list[tuple[int, float]], per: int, what: str) -> dict[str, Any]:
    """Slope over the last 80 % of the samples; low and high are those of its halves."""
    late = samples[len(samples) // 5 :]
    half = len(late) // 2

    def grown(part: list[tuple[int, float]]) -> float:
        return slope([float(at) for at, _ in part], [size for _, size in part]) * per

    slopes = sorted((grown(late[:half]), grown(late[half:])))
    ours = grown(late)
    return {
        "ratio": ours / _ALLOWED,
        "low": min(slopes[0], ours) / _ALLOWED,
        "high": max(slopes[1], ours) / _ALLOWED,
        "ours": ours,
        "peer": _ALLOWED,
        "unit": "MB",
        "better": "lower",
        "what": what,
        "resident": samples[-1][1],
    }


def _training(driver: Driver, steps: int, tell: Tell) -> list[tuple[int, float]]:
    driver.open("lenet5", {**SETTINGS, "threads": 1})  # the same work whatever else the machine does
    samples = []
    for number in range(1, 51):
        step = max(steps * number // 50, 1)
        driver.train(step)
        samples.append((step, resident()))
        tell(f"{step:,} of {steps:,} steps, {samples[-1][1]:.0f} MB")
    return samples


def _changing(driver: Driver, changes: int, tell: Tell) -> list[tuple[int, float]]:
    samples = []
    for number in range(1, changes + 1):
        driver.open(_EXPERIMENTS[number % len(_EXPERIMENTS)])
        driver.rest(0.05)
        samples.append((number, resident()))
        tell(f"{number} of {changes} changes, {samples[-1][1]:.0f} MB")
    return samples


def resident() -> float:
    """Resident memory of this process in MB (10^6 bytes)."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6


def _alive(driver: Driver) -> dict[str, int]:
    """How many widgets, timers, threads, networks and hooks there are."""
    import torch

    driver.rest(0.2)
    gc.collect()
    networks = [found for found in gc.get_objects() if issubclass(type(found), torch.nn.Module)]
    hooks = sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks) for module in networks
    )
    counts = driver.objects()
    return {**counts, "threads": threading.active_count(), "modules": len(networks), "hooks": hooks}
