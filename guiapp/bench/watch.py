"""Opening a run folder of 1,000,000 steps, against reading the same figures from TensorBoard's event file."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from guiapp.bench.figures import Tell, paired

WHAT = (
    "seconds until the curves of a run folder of 1,000,000 steps can be drawn (columns read, pyramid built, 2,000 "
    "points of each of three figures), against TensorBoard's own reader on an event file with as many losses; "
    "aim: under 2 s"
)
AIM_SECONDS = 2.0


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Write both once, then open each in turn."""
    steps, pairs, told = (20_000 if quick else 1_000_000), [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tell(f"writing {steps:,} steps")
        _write(folder / "run", folder / "events", steps)
        for number in range(2 if quick else 5):
            tell(f"pair {number + 1}")
            ours = _ours(folder / "run", steps)
            told.append(ours)
            pairs.append((ours, _theirs(folder / "events", steps)))
    slowest = max(told)
    return paired(pairs, "s", "lower", WHAT, steps=steps, slowest=slowest, met=slowest < AIM_SECONDS)


def _write(run: Path, events: Path, steps: int) -> None:
    import numpy as np
    from tensorboardX import SummaryWriter

    from guiapp.training.columns import Columns
    from guiapp.training.run_folder import FORMAT
    from guiapp.training.step_figures import COLUMNS

    random = np.random.default_rng(0)
    loss = (2.0 / (1 + np.arange(steps) / 500) + random.random(steps) * 0.1).astype(np.float32)
    columns = Columns(COLUMNS, run / "steps")
    columns.append({"loss": loss, "accuracy": 1 - loss / 3, "lr": np.full(steps, 0.1)})
    columns.close()
    info = {"format": FORMAT, "name": "bench", "state": "done", "recipe": {"epochs": 100}, "experiment": {}}
    (run / "run.json").write_text(json.dumps(info))
    lines = ({"epoch": n, "step": n * steps // 100, "train": {}, "validation": {}} for n in range(1, 101))
    (run / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with SummaryWriter(str(events)) as writer:
        for step, value in enumerate(loss.tolist(), 1):
            writer.add_scalar("loss", value, step)


def _ours(run: Path, steps: int) -> float:
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.watched import WatchedRun

    begin = time.perf_counter()
    watched = WatchedRun(RunFolder.open(run), None)
    for name in watched.columns.names:
        watched.columns.window(name, 1, steps)
    seconds = time.perf_counter() - begin
    if len(watched.columns) != steps:
        raise RuntimeError(f"{len(watched.columns):,} of {steps:,} steps were read")
    watched.close()
    return seconds


def _theirs(events: Path, steps: int) -> float:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    begin = time.perf_counter()
    accumulator = EventAccumulator(str(events), {"scalars": 0})  # every one, as ours
    accumulator.Reload()
    scalars = accumulator.Scalars("loss")
    seconds = time.perf_counter() - begin
    if len(scalars) != steps:
        raise RuntimeError(f"TensorBoard read {len(scalars):,} of {steps:,} steps")
    return seconds
