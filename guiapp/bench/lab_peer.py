"""The peers of the lab benchmark: a plain loop, and Lightning with its TensorBoard logger, each in its own process.

``python -m guiapp.bench.lab_peer bare|lightning|lightning-tuned THREADS SAMPLES`` reads ``STEPS`` on a line of its own
and answers with the seconds they took, until its input ends. ``bare`` and ``lightning-tuned`` get their batches as
quickly as can be, rows of a device tensor, and have the order in memory that is fastest; ``lightning`` is what its
documentation teaches: a data loader that shuffles prepared tensors, and a network as it was built.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from guiapp.bench import cifar_size
from guiapp.bench.peer import write


class _Work:
    """ResNet-20, momentum, and batches on the device, with the fastest order in memory where ``tuned``."""

    def __init__(self, threads: int, count: int, tuned: bool = True) -> None:
        import torch

        from guiapp.models import MODELS
        from guiapp.training.devices import choose

        torch.set_num_threads(threads)
        data = cifar_size.dataset(count)
        entry = MODELS["resnet20"]
        preprocessing = entry.preprocessing(data)
        torch.manual_seed(0)
        self.device = choose("auto")
        self.torch = torch
        model = entry.make(preprocessing, len(data.classes)).train().to(self.device)
        self.model = model.to(memory_format=torch.channels_last) if tuned else model
        blocks = [preprocessing(data.train.images[i : i + 5000], self.device) for i in range(0, count, 5000)]
        self.inputs = torch.cat(blocks)
        self.targets = torch.from_numpy(data.train.labels).to(self.device)
        self.order = torch.randperm(len(self.targets)).to(self.device)

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Batches without end."""
        place = 0
        while True:
            if place + cifar_size.BATCH > len(self.order):
                place = 0
            chosen = self.order[place : place + cifar_size.BATCH]
            place += cifar_size.BATCH
            inputs = self.inputs[chosen].contiguous(memory_format=self.torch.channels_last)
            yield inputs, self.targets[chosen]


def bare(work: _Work) -> Any:
    """What trains a number of steps in a plain loop and gives the seconds."""
    torch, model = work.torch, work.model
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, fused=True)
    loss_of = torch.nn.functional.cross_entropy
    batches = work.batches()

    def run(steps: int) -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            inputs, targets = next(batches)
            optimiser.zero_grad()
            loss_of(model(inputs), targets).backward()
            optimiser.step()
        cifar_size.wait(work.device)
        return time.perf_counter() - begin

    return run


def with_lightning(work: _Work, folder: str, tuned: bool) -> Any:
    """What trains a number of steps with Lightning, loss and accuracy logged, and gives the seconds of the steps."""
    import lightning
    from lightning.pytorch.loggers import TensorBoardLogger

    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch, loss_of = work.torch, work.torch.nn.functional.cross_entropy

    # Lightning is a peer: without the group "bench" it is not there, and its classes are of no known type.
    class Module(lightning.LightningModule):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.net = work.model

        def training_step(self, batch: Any, _index: int) -> Any:
            inputs, targets = batch
            output = self.net(inputs)
            loss = loss_of(output, targets)
            self.log("loss", loss)
            self.log("accuracy", (output.argmax(1) == targets).float().mean())
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)

    class Clock(lightning.Callback):  # type: ignore[misc, unused-ignore]
        began = ended = 0.0

        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == 0:
                self.began = time.perf_counter()

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == trainer.max_steps:
                cifar_size.wait(work.device)
                self.ended = time.perf_counter()

    class Batches:
        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            return work.batches()

    samples = torch.utils.data.TensorDataset(work.inputs, work.targets)
    plain = torch.utils.data.DataLoader(samples, cifar_size.BATCH, shuffle=True, drop_last=True)
    module, logger = Module(), TensorBoardLogger(folder)

    def run(steps: int) -> float:
        clock = Clock()
        trainer = lightning.Trainer(
            max_steps=steps, logger=logger, callbacks=[clock], enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, accelerator="gpu" if work.device.type == "cuda" else "cpu", devices=1,
        )  # fmt: skip
        trainer.fit(module, Batches() if tuned else plain)
        return clock.ended - clock.began

    return run


def serve(kind: str, threads: int, count: int) -> None:
    """Answer until the input ends."""
    work = _Work(threads, count, tuned=kind != "lightning")
    with TemporaryDirectory(prefix="guiapp-", ignore_cleanup_errors=True) as folder:
        run = bare(work) if kind == "bare" else with_lightning(work, folder, tuned=kind != "lightning")
        for line in sys.stdin:
            write(repr(run(int(line))))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
