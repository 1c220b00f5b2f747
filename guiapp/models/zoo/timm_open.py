"""Opens a network of timm: built without its download, around weights that are read safely here, or random ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from guiapp.core.downloads import Progress
from guiapp.core.notices import SettingError, UserError
from guiapp.models.zoo.base import ZooModel
from guiapp.models.zoo.build import Mismatch, complaints, initialising
from guiapp.models.zoo.open import BEST, RANDOM, OpenedModel
from guiapp.models.zoo.timm_names import TIMM, class_names, find_file, where_to_get
from guiapp.models.zoo.weights import read_state


def open_timm(
    entry: ZooModel,
    weights: str | Path = BEST,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    may_fetch: bool = True,
) -> OpenedModel:
    """Open a network of timm; arguments and errors as for ``zoo.open.open_model``.

    Nothing is fetched: weights are those that a person has put into a folder of weights, or that timm has fetched
    before. ``.safetensors`` and torch's formats are read, of these tensors alone, so that no code in a file runs.
    """
    name = entry.name.removeprefix(TIMM)
    if weights == RANDOM:
        path, origin, note = None, RANDOM, "random weights: the network runs and knows nothing"
    else:
        path = weights if isinstance(weights, Path) else _known(entry, name, weights)
        origin = "file" if isinstance(weights, Path) else "published"
        note = f"{path.name}, preprocessing of timm's {entry.best.name}"
    module = _built(name, path)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    known = dataclasses.replace(entry.best, parameters=parameters, bytes=path.stat().st_size if path else 0)
    place = torch.device(device)
    return OpenedModel(
        dataclasses.replace(entry, weights=(known,)), known, module.to(place), class_names(name), origin, path, note,
        place,
    )  # fmt: skip


def _known(entry: ZooModel, name: str, weights: str) -> Path:
    if weights not in (BEST, entry.best.name):
        raise SettingError(f"{entry.name} has no weights {weights}; timm names each set of weights: timm:NAME.SET")
    path = find_file(name)
    if path is None:
        raise UserError(
            f"the weights of {entry.name} are not on this machine: {where_to_get(name)}, or open it with random weights"
        )
    return path


def _built(name: str, path: Path | None) -> torch.nn.Module:
    import timm

    with initialising(0 if path is None else None):
        module: torch.nn.Module = timm.create_model(name, pretrained=False)
    if path is not None:
        try:
            module.load_state_dict(read_state(path), strict=True)
        except RuntimeError as error:
            if "state_dict" not in str(error):
                raise
            raise Mismatch(f"{path} is not of timm's {name}: {complaints(str(error))}") from None
    return module.eval().requires_grad_(False)
