"""Runs a network over a part of a data set and keeps the probabilities of every sample."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import torch

from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset, Part
from guiapp.models.base import Preprocessing
from guiapp.tasks.base import Task
from guiapp.training.metrics.scores import Scores

BATCH = 256
_MOST_BYTES = 4 << 30


def scoring(
    model: torch.nn.Module,
    task: Task,
    preprocessing: Preprocessing,
    dataset: Dataset,
    part: Part,
    step: int = 0,
    batch: int = BATCH,
) -> Generator[tuple[float, str], None, Scores]:
    """Score every sample of a part in evaluation mode; yields the share done and words after each batch.

    The network's mode is put back, also when the generator is closed early; no gradient is kept.

    Args:
        model: The network; where its weights are is where it runs.
        task: What its output means; its outputs are logits of the classes.
        preprocessing: How samples become its input.
        dataset: The data set.
        part: Which part of it.
        step: Step of the weights.
        batch: Samples at a time.

    Raises:
        UserError: If the part is empty, the probabilities would not fit into memory, or the outputs are no logits.
    """
    samples, classes = dataset.part(part), tuple(dataset.classes)
    total = len(samples)
    if not total:
        raise UserError(f"{dataset.title} has no {part} part: choose another")
    if 4 * total * len(classes) > _MOST_BYTES:
        raise UserError(f"{total:,} samples of {len(classes):,} classes need more than 4 GiB: choose a smaller part")
    owned = next((tensor for tensor in (*model.parameters(), *model.buffers())), None)
    device = torch.device("cpu") if owned is None else owned.device
    probabilities = np.empty((total, len(classes)), np.float32)
    truth = np.asarray(samples.labels, np.int64)
    losses = np.empty(total)
    mean = 0.0
    was_training = model.training
    try:
        for start in range(0, total, batch):
            place = slice(start, min(start + batch, total))
            labels = torch.from_numpy(truth[place]).to(device)
            model.eval()
            with torch.no_grad():
                output = model(preprocessing(np.asarray(samples.images[place]), device))
                if output.ndim != 2 or output.shape[1] != len(classes):
                    raise UserError(f"the network gives {tuple(output.shape)} numbers, not one for each class")
                mean += float(task.loss(output, labels)) * len(labels) / total
                logs = torch.log_softmax(output.double() if device.type != "mps" else output.float(), 1)
                probabilities[place] = logs.exp().float().cpu().numpy()
                losses[place] = -logs.gather(1, labels[:, None])[:, 0].cpu().numpy()
            yield place.stop / total, f"{place.stop:,} of {total:,} samples"
    finally:
        model.train(was_training)
    return Scores(
        probabilities, truth, classes, part, dataset.name, step, losses, mean if math.isfinite(mean) else math.nan,
        np.bincount(np.asarray(dataset.train.labels, np.int64), minlength=len(classes)).astype(np.int64),
    )  # fmt: skip
