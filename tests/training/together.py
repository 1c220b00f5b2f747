"""Run by ``test_ranks``, once for each process: trains a small network together with the others, in several ways.

Arguments: folder, then the pictures' seed. Each way has its own port, and what it found out is written as JSON.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from guiapp.catalogue.entry import Experiment
from guiapp.datasets.base import Dataset, Samples, channel_statistics
from guiapp.models.base import MODELS, ModelEntry
from guiapp.tasks.classification import ClassificationTask
from guiapp.training.recipe import Recipe, change
from guiapp.training.setup import Setup


def net(channels, height, width, classes, noisy=False):
    """Convolution and dense layer; with ``noisy`` batch normalisation and dropout as well."""
    more = [nn.BatchNorm2d(4), nn.Dropout(0.2)] if noisy else []
    return nn.Sequential(nn.Conv2d(channels, 4, 3), *more, nn.ReLU(), nn.Flatten(), nn.Linear(64, classes))


def setup_of(**fields):
    draw = np.random.default_rng(0)
    parts = []
    for count in (51, 21, 24):
        labels = np.arange(count) % 3
        images = draw.integers(0, 90, (count, 6, 6, 1), np.uint8)
        images[np.arange(count), labels, labels] = 255
        parts.append(Samples(images, labels))
    data = Dataset("tiny", "Tiny", ("a", "b", "c"), *parts, *channel_statistics(parts[0].images))
    options = {"noisy": bool(fields.pop("noisy", False))}
    entry = ModelEntry("together", "Together", net, options={"noisy": False})
    start = {"epochs": 2, "batch": 7, "device": "cpu", "augmentation": "none", "optimiser.lr": 0.1}
    recipe = change(Recipe(), {**start, **{name.replace("__", "."): value for name, value in fields.items()}})
    return Setup(
        Experiment("tiny", "test", "Tiny", (), entry.name, "tiny", "tiny"), recipe, "tiny", entry,
        entry.preprocessing(data), data.classes, ClassificationTask(data.classes), options, open_data=lambda: data,
    )  # fmt: skip


def main(folder: Path, rank: int) -> None:
    from guiapp.core.notices import UserError
    from guiapp.training.helper import Helper
    from guiapp.training.ranks import Place, Ranks
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner

    torch.set_num_threads(1)
    port = int(os.environ["MASTER_PORT"])

    def train(name, number, stop_at=0, die_at=0, resume=False, **fields):
        os.environ["MASTER_PORT"] = str(port + number)
        ranks = Ranks(Place(rank, 2, rank, 2), "cpu")
        setup = setup_of(**fields)
        wishes = type("Wishes", (), {"asked": False})()
        agreed = ranks.follow_wish(wishes)
        if rank == 0:
            opened = RunFolder.open(folder / name) if resume else RunFolder.create(folder / name, setup, exact=True)
            one = Runner(setup, opened, ranks.announce(setup), resume=resume, ranks=ranks)
        else:
            told = ranks.tell()
            assert told["recipe"]["batch"] == 7
            one = Helper(setup, ranks)
        events = one.events()
        try:
            for _ in events:
                if rank == 1 and stop_at and one.trainer.step == stop_at:
                    wishes.asked = True
                if rank == 1 and die_at and one.trainer.step == die_at:
                    os._exit(0)
                if agreed.asked:
                    break
        finally:
            events.close()
        weights = one.trainer.model.state_dict()
        result = {"step": one.trainer.step, "weights": [w.flatten().tolist() for w in weights.values()]}
        if rank == 0:
            one.close()
        ranks.leave()
        (folder / f"{name}-{rank}{'-resumed' if resume else ''}.json").write_text(json.dumps(result))

    train("plain", 0)
    train("parts", 1, accumulate=3, epochs=1)
    train("noisy", 2, noisy=True, epochs=1)
    train("stopped", 3, stop_at=5, optimiser__name="adam", optimiser__lr=0.01)
    train("stopped", 4, resume=True, optimiser__name="adam", optimiser__lr=0.01)
    try:
        train("dies", 5, die_at=6)
    except UserError as error:
        (folder / "lost.json").write_text(json.dumps([type(error).__name__, str(error)]))


if __name__ == "__main__":
    MODELS  # noqa: B018 - imported for what it registers
    main(Path(sys.argv[1]), int(os.environ["RANK"]))
