"""Speed of two processes that train one network together, against one process with two threads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from guiapp.bench import stand_in
from guiapp.bench.figures import Tell, paired

WHAT = (
    "samples a second of a residual network of 20 layers at a global batch of 128: two processes of one thread each "
    "through DistributedDataParallel on gloo, against one process with two threads"
)
_BATCH = 128


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Train for some steps in two processes, then in one, in turn; each is started anew and times itself."""
    steps, pairs = (6 if quick else 60), []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1 if quick else 5):
            tell(f"pair {number + 1}")
            together = _rate(Path(folder) / f"two-{number}", 2, 1, steps)
            pairs.append((together, _rate(Path(folder) / f"one-{number}", 1, 2, steps)))
    return paired(pairs, "samples/s", "higher", WHAT, steps=steps, batch=_BATCH)


def _rate(folder: Path, processes: int, threads: int, steps: int) -> float:
    """Samples a second that the first of so many processes counts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(processes):
        said = {
            "RANK": rank, "WORLD_SIZE": processes, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": processes,
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": threads,
        }  # fmt: skip
        children.append(
            subprocess.Popen(
                [sys.executable, "-m", "guiapp.bench.ddp", str(folder), str(threads), str(steps)],
                env={**os.environ, **{name: str(value) for name, value in said.items()}},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    said_by = [child.communicate(timeout=1800)[0] for child in children]
    if any(child.returncode for child in children):
        raise RuntimeError("a process of the benchmark failed")
    return float(said_by[0].strip().splitlines()[-1])


def serve(folder: Path, threads: int, steps: int) -> None:
    """Train as one of the processes; the first one writes its samples a second."""
    import time

    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.events import StepEnd
    from guiapp.training.helper import Helper
    from guiapp.training.ranks import Ranks, place_of
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner
    from guiapp.training.setup import from_info, prepare

    stand_in.register()
    settings = {
        "model": "resnet20", "dataset": stand_in.NAME, "batch": _BATCH, "threads": threads, "device": "cpu",
        "augmentation": "none", "checkpoint_seconds": 3600,
    }  # fmt: skip
    place = place_of()
    ranks = Ranks(place, "cpu") if place is not None else None
    one: Runner | Helper
    if ranks is None or ranks.writes:
        setup = prepare(EXPERIMENTS["lenet5"], settings)
        made = RunFolder.create(folder, setup, exact=True)
        one = Runner(setup, made, None if ranks is None else ranks.announce(setup), ranks=ranks)
        one.initial_loss = 0.0  # is not what is measured
        one.snapshots.budget = 0
    else:
        one = Helper(from_info(ranks.tell()), ranks)
        one.skip_initial_loss()
    begin, warm = 0.0, 3
    for event in one.events():
        if isinstance(event, StepEnd):
            if event.step == warm:
                begin = time.perf_counter()
            if event.step == warm + steps:
                break
    rate = steps * _BATCH / (time.perf_counter() - begin)
    sys.stdout.write(f"{rate!r}\n")
    sys.stdout.flush()
    os._exit(0)  # what was trained is of no use


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
