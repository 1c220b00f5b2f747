"""Speed of training with every diagnosis on, against the bare loop and against Lightning with TensorBoard logging."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guiapp.bench import cifar_size
from guiapp.bench.figures import Tell, paired, worst
from guiapp.bench.peer import PeerProcess

WHAT = (
    "steps a second of ResNet-20 at batch 128 on pictures of CIFAR-10's size, with its run folder, TensorBoard file "
    "and every observation of the diagnosis, against {peer} in a process of its own with the same threads"
)
SETTINGS = {
    "model": "resnet20",
    "batch": cifar_size.BATCH,
    "augmentation": "none",
    "optimiser.name": "momentum",
    "optimiser.lr": 0.05,
    "schedule.name": "constant",
    "epochs": 1000,
    "observe.name": "on",
    "precision": "float32",
}
_PEERS = {
    "bare": "a bare PyTorch loop",
    "lightning": "PyTorch Lightning with its TensorBoard logger, a data loader and the usual order in memory",
    "lightning-tuned": "PyTorch Lightning with its TensorBoard logger and the bare loop's batches and order in memory",
}


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Rounds of a stretch of a run and then one of each peer; stretches hold no validation."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.diagnosis.record import read
    from guiapp.training.events import StepEnd
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner
    from guiapp.training.setup import prepare

    cifar_size.register(count := 2_000 if quick else cifar_size.COUNT)
    settings = {**SETTINGS, "dataset": cifar_size.NAME, **({"threads": 1} if quick else {})}
    with TemporaryDirectory(prefix="guiapp-", ignore_cleanup_errors=True) as parent:
        setup = prepare(EXPERIMENTS["lenet5"], settings)
        runner = Runner(setup, RunFolder.create(Path(parent) / "run", setup, exact=True))
        runner.initial_loss = 0.0  # known already: what is timed are steps
        events = runner.events()
        peers = {name: PeerProcess("guiapp.bench.lab_peer", name, str(runner.threads), str(count)) for name in _PEERS}
        try:
            on_cuda = runner.device.type == "cuda"
            # Observations are as frequent as they are from step 50 to 6,400 of any run: one in 50.
            steps = (50 if quick else 400) if on_cuda else (3 if quick else 50)

            def stretch(count: int) -> float:
                left = count
                runner.resumed()  # what other programs did while the peers ran is no reason to use fewer threads
                begin = time.perf_counter()
                while left:
                    left -= isinstance(next(events), StepEnd)
                cifar_size.wait(runner.device)
                return time.perf_counter() - begin

            tell("the first steps")
            stretch(4 if quick else 64)
            for peer in peers.values():
                peer.ask(str(1 if quick else 10))
            pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
            for number in range(1 if quick else 6):
                tell(f"round {number + 1}")
                ours = steps / stretch(steps)
                for name, peer in peers.items():
                    pairs[name].append((ours, steps / float(peer.ask(str(steps)))))
            seen = read(runner.folder.path)
            records = len(seen) if seen is not None else 0
        finally:
            events.close()
            runner.close()
            for peer in peers.values():
                peer.close()
    more = {"threads": runner.threads, "device": str(runner.device), "steps": steps, "records": records}
    cases = {
        name: paired(found, "steps/s", "higher", WHAT.format(peer=_PEERS[name]), **more)
        for name, found in pairs.items()
    }
    return worst(cases, WHAT.format(peer="a bare loop and Lightning"))
