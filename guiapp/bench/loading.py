"""How fast a folder of JPEGs comes to the device while a network learns, against PyTorch's DataLoader."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.bench.figures import Tell, paired, worst

if TYPE_CHECKING:
    import torch

    from guiapp.training.setup import Setup

WHAT = (
    "samples a second of a small network on a folder of 500x375 JPEGs brought to 64x64, from the second epoch on: kept "
    "decoded, against a plain DataLoader; a third kept, against a DataLoader with as many spawned workers, at least one"
)
_SIDE, _BATCH, _WIDE, _HIGH = 64, 64, 500, 375


class Files:
    """The peer's data set: decodes a file and resizes it whenever it is asked for.

    Attributes:
        files: Paths.
        labels: Class of each.
    """

    def __init__(self, files: list[str], labels: list[int]) -> None:
        self.files, self.labels = files, labels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """The sample, float32 (3, 64, 64), and its class."""
        import torch
        from PIL import Image

        with Image.open(self.files[index]) as image:
            pixels = np.asarray(image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div_(255.0), self.labels[index]


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Epoch after epoch in turn, ours and the peer's."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            tell("writing pictures")
            place = Path(folder)
            _write(place, 256 if quick else 3000)
            pairs = 2 if quick else 5
            kept = _case(place, pairs, bounded=False, tell=tell)
            return worst({"kept": kept, "a third kept": _case(place, pairs, bounded=True, tell=tell)}, WHAT)
    finally:
        torch.set_num_threads(threads)


def _write(folder: Path, count: int) -> None:
    """Smooth pictures with some noise, which compress as photographs do."""
    from PIL import Image

    draw = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(draw.integers(0, 256, (12, 16, 3), np.uint8)).resize((_WIDE, _HIGH), 3)
        noisy = np.asarray(coarse).astype(np.int16) + draw.integers(-12, 13, (_HIGH, _WIDE, 3))
        place = folder / f"class{number % 10}"
        place.mkdir(exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(place / f"{number}.jpg", quality=90)


def _case(folder: Path, pairs: int, bounded: bool, tell: Tell) -> dict[str, Any]:
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.setup import prepare

    count = sum(1 for _ in folder.rglob("*.jpg"))
    settings: dict[str, Any] = {
        "dataset": f"folder:{folder}@{_SIDE}", "augmentation": "none", "batch": _BATCH, "device": "cpu",
        "loading.memory": 0 if bounded else 1024,
    }  # fmt: skip
    name = "a third kept" if bounded else "kept"
    with _home(count * _SIDE * _SIDE * 3 / 3e9 if bounded else None):
        tell(f"{name}: opening the folder")
        began = time.perf_counter()
        setup = prepare(EXPERIMENTS["cifar-cnn"], settings)
        opening = time.perf_counter() - began
        rates, workers = _epochs(setup, pairs, bounded, lambda number: tell(f"{name}: pair {number + 1}"))
    samples = len(setup.dataset.train)
    return paired(
        rates,
        "samples/s",
        "higher",
        WHAT,
        workers=workers[0],
        peer_workers=workers[1],
        samples=samples,
        opening_seconds=opening,
    )


def _epochs(
    setup: Setup, pairs: int, bounded: bool, begin: Callable[[int], None]
) -> tuple[list[tuple[float, float]], tuple[int, int]]:
    """Samples a second of ours and of the peer, in turn, and the number of reading processes of each."""
    import torch
    from torch.utils.data import DataLoader

    from guiapp.training.data import TrainingData

    train, learn, rates = setup.dataset.train, _learner(), []
    data = TrainingData(setup, torch.device("cpu"))
    try:
        for _ in data.prepare():
            pass
        steps = data.steps_per_epoch
        for step in range(steps):  # the first epoch starts processes
            learn(*data.batch(step))
        workers = max(data.workers, 1) if bounded else 0
        files: Any = Files([str(path) for path in train.paths], train.labels.tolist())
        peer: Any = DataLoader(
            files, _BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0,
            multiprocessing_context="spawn" if workers else None,
        )  # fmt: skip
        for batch in peer if workers else ():
            learn(*batch)
        for number in range(pairs):
            begin(number)
            began = time.perf_counter()
            for step in range((number + 1) * steps, (number + 2) * steps):
                learn(*data.batch(step))
            ours = time.perf_counter() - began
            began = time.perf_counter()
            for batch in peer:
                learn(*batch)
            rates.append((len(train) / ours, len(train) / (time.perf_counter() - began)))
        return rates, (data.workers, workers)
    finally:
        data.close()


def _learner() -> Any:
    """A step of a small network, so that there is something to read beside."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)

    def learn(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        optimiser.zero_grad()
        functional.cross_entropy(model(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return learn


@contextmanager
def _home(gigabytes: float | None) -> Iterator[None]:
    """A user folder of its own, in which decoded pictures take so much room."""
    names = ("GUIAPP_DECODED_GB", "GUIAPP_HOME")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["GUIAPP_HOME"] = home
        if gigabytes is not None:
            os.environ["GUIAPP_DECODED_GB"] = str(gigabytes)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
