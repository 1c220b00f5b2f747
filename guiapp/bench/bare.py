"""The peer of the training benchmark: a plain PyTorch loop in a process of its own, with no window near.

``python -m guiapp.bench.bare`` reads ``STEPS`` on a line of its own and answers with the seconds they took, until its
input ends. The first line that it writes is the number of threads that was fastest.
"""

from __future__ import annotations

import os
import sys
import time

from guiapp.bench.peer import PeerProcess, write

BATCH = 64


def serve() -> None:
    """Find the fastest number of threads, then run the steps that are asked for."""
    loop = _Loop()
    speeds = {}
    for threads in sorted({1, 2, 4, 8, os.cpu_count() or 1} & set(range(1, (os.cpu_count() or 1) + 1))):
        loop.threads(threads)
        loop.run(20)
        speeds[threads] = min(loop.run(60) for _ in range(3))
    best = min(speeds, key=lambda threads: speeds[threads])
    loop.threads(best)
    write(str(best))
    for line in sys.stdin:
        write(repr(loop.run(int(line))))


class _Loop:
    """LeNet-5 at batch 64 on pictures of MNIST's size, momentum, nothing else."""

    def __init__(self) -> None:
        import torch

        from guiapp.bench.stand_in import dataset
        from guiapp.models import MODELS

        data = dataset()
        entry = MODELS["lenet5"]
        preprocessing = entry.preprocessing(data)
        torch.manual_seed(0)
        self._torch = torch
        self._model = entry.make(preprocessing, len(data.classes)).train()
        self._inputs = preprocessing(data.train.images)
        self._targets = torch.from_numpy(data.train.labels)
        self._optimiser = torch.optim.SGD(self._model.parameters(), lr=0.05, momentum=0.9)
        self._order = torch.randperm(len(self._targets))
        self._place = 0

    def threads(self, number: int) -> None:
        self._torch.set_num_threads(number)

    def run(self, steps: int) -> float:
        """Seconds that ``steps`` steps take."""
        model, optimiser = self._model, self._optimiser
        loss_of = self._torch.nn.functional.cross_entropy
        begin = time.perf_counter()
        for _ in range(steps):
            if self._place + BATCH > len(self._order):
                self._place = 0
            chosen = self._order[self._place : self._place + BATCH]
            self._place += BATCH
            optimiser.zero_grad()
            loss_of(model(self._inputs[chosen]), self._targets[chosen]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return time.perf_counter() - begin


class Peer:
    """The loop in its own process, idle until it is asked.

    Attributes:
        threads: Its fastest number of threads.
    """

    def __init__(self) -> None:
        self._process = PeerProcess("guiapp.bench.bare")
        self.threads = int(self._process.read())

    def seconds(self, steps: int) -> float:
        """Seconds that ``steps`` steps take it."""
        return float(self._process.ask(str(steps)))

    def close(self) -> None:
        """End the process."""
        self._process.close()


if __name__ == "__main__":
    serve()
