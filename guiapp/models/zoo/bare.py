"""Networks of the zoo as shapes alone: no weight is read, drawn or kept, so the largest opens at once."""

from __future__ import annotations

from guiapp.models.zoo.base import ZooModel
from guiapp.models.zoo.open import RANDOM, OpenedModel, open_model

_BY_SHAPE = ("classification", "segmentation")  # what other tasks compute depends on numbers


def open_shape(entry: ZooModel) -> OpenedModel:
    """A network on the meta device; with random weights where shapes alone do not do.

    Raises:
        UserError: If it cannot be built here.
    """
    import torch

    if entry.task not in _BY_SHAPE:
        return open_model(entry.name, RANDOM)
    try:
        with torch.device("meta"):
            return open_model(entry.name, RANDOM, "meta")
    except (NotImplementedError, RuntimeError):  # some builders compute with the numbers of their weights
        return open_model(entry.name, RANDOM)
