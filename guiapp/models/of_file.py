"""The network in a weight file of this program, built anew from what is written beside the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from guiapp.core.notices import UserError
from guiapp.core.registry import UnknownName
from guiapp.models.backbones import find_entry, without_weights
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.models.weights import load_into, load_weights


@dataclass(frozen=True, eq=False)
class FileNetwork:
    """A network with what it needs.

    Attributes:
        module: With its weights, on the CPU.
        entry: What built it; ``options``: of that, without weights to begin with.
        preprocessing: How pictures become its input.
        classes: What its scores stand for.
        about: All that is written beside the numbers.
    """

    module: nn.Module
    entry: ModelEntry
    options: dict[str, Any]
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    about: dict[str, Any]


def network_of(file: Path) -> FileNetwork:
    """Open a weight file.

    Raises:
        UserError: If it cannot be read, does not say what it is, or names a network that is not known.
    """
    state, about = load_weights(file)
    missing = [key for key in ("model", "preprocessing", "classes") if key not in about]
    if missing:
        raise UserError(f"{file} was not written by this program: it does not say {', '.join(missing)}")
    try:
        entry = find_entry(about["model"])
    except UnknownName as error:
        raise UserError(f"{file}: {error}") from None
    preprocessing, classes = Preprocessing.from_dict(about["preprocessing"]), tuple(about["classes"])
    options = without_weights(entry, about.get("options", {}))
    module = entry.make(preprocessing, len(classes), **options)
    load_into(module, state, file.name)
    return FileNetwork(module, entry, options, preprocessing, classes, about)
