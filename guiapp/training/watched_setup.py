"""The setup of a run that ``guiapp.watch`` wrote: its network from its program or weights, its data as far as known.

Nothing in the folder is executed unseen: a program is read first and refused where it is more than arithmetic.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.datasets.base import UNLABELLED, Dataset, Part, Samples
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.training.recipe import Recipe
from guiapp.training.snapshots import SnapshotStore
from guiapp.training.watch import INPUTS, PROGRAM

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Progress
    from guiapp.training.setup import Setup

WEIGHTS_ALONE = "watched-weights"
"""Name of the entry of a network of which only the weights are known: it cannot be run."""
STAND_IN = "watched"
"""Name of the data set of a run whose data is not known or not here: its first inputs, unlabelled."""
_BLANK = (3, 32, 32)


@dataclasses.dataclass(frozen=True, eq=False)
class Unlabelled(Dataset):
    """Pictures of which nobody has said what they show."""

    def picture(self, part: Part, index: int) -> Picture:
        """The picture without a true class."""
        return dataclasses.replace(super().picture(part, index), label=None)


def setup_of_watch(folder: Path, info: Mapping[str, Any], progress: Progress | None = None) -> Setup:
    """The setup of a run folder of ``guiapp.watch``.

    Raises:
        UserError: If it has no weights.
    """
    from guiapp.tasks.base import make_task
    from guiapp.training.setup import Setup

    said: Mapping[str, Any] = info["watch"]
    weights = _newest(folder)
    module = _program(folder) if said.get("program") else None
    runs = module is not None
    size = tuple(int(side) for side in said.get("shape") or ())
    size = size if len(size) == 3 else _BLANK
    dataset, refused = _dataset(folder, info, size, progress)
    given = tuple(said.get("mean") or ()), tuple(said.get("std") or ())
    mean, std = given if all(given) else _scale(said, dataset)
    preprocessing = Preprocessing((size[0], size[1], size[2]), tuple(mean), tuple(std))
    outputs = _outputs(module, size) if module is not None else 0
    classes = tuple(info.get("classes") or ()) or (tuple(dataset.classes) if info.get("dataset") else ())
    if len(classes) != outputs and outputs:
        classes = tuple(f"output {number}" for number in range(outputs))
    classes = classes or ("output 0",)
    dataset = named(dataset, classes)
    title = str((info.get("experiment") or {}).get("title") or folder.name)

    def build(*_: Any, **__: Any) -> torch.nn.Module:
        made = _program(folder) if runs else from_weights(weights)
        assert made is not None
        return made

    reason = without_program(info)
    entry = ModelEntry(
        "watched" if runs else WEIGHTS_ALONE, title, build, source="watched from its run folder",
        description="A network of a training script of your own." if runs
        else f"Weights of a training script of your own: its layers can be seen, not run{reason}.",
    )  # fmt: skip
    experiment = Experiment("watched", "", title, (), entry.name, dataset.name, "A run of a script of your own.")
    alone = f"{title}: only its weights are known{reason}; curves and filters are shown. {how_to_run(folder)}"
    comes = bool(said.get("awaited")) and not said.get("program") and not said.get("reason")
    comes = comes and info.get("state") == "running"  # it is kept with the first figures
    notices = (*(() if runs or comes else (alone,)), *((refused,) if refused else ()))
    return Setup(
        experiment=experiment,
        recipe=dataclasses.replace(Recipe(), epochs=1, device="cpu"),
        dataset_name=dataset.name,
        entry=entry,
        preprocessing=preprocessing,
        classes=classes,
        task=make_task("classification", classes),
        notices=notices,
        open_data=lambda: dataset,
    )


def without_program(info: Mapping[str, Any]) -> str:
    """Why a watched network has no program, with a semicolon before it; empty where the script wanted none."""
    said: Mapping[str, Any] = info["watch"]
    return f"; its program could not be kept ({said['reason']})" if said.get("reason") else ""


def how_to_run(folder: Path) -> str:
    """How a network is asked of which the run keeps the weights alone.

    Its architecture is found from the shapes, which do not tell everything, such as activations: so a person asks for
    it, and is told what was found.
    """
    steps = SnapshotStore(folder / "snapshots").steps()
    file = folder / "snapshots" / f"{steps[-1] if steps else 0:09d}.safetensors"
    return f"To run a network with them, open {file}: its architecture is found from the shapes, or named"


def refuse_weights_alone(setup: Setup, folder: Path) -> None:
    """Say what to do where the network of a watched run cannot be asked.

    Raises:
        UserError: If nothing but its weights is known.
    """
    if setup.entry.name == WEIGHTS_ALONE:
        from guiapp.training.run_folder import RunFolder

        reason = without_program(RunFolder.open(folder).info)
        raise UserError(f"of {folder.name} only the weights are known{reason}. {how_to_run(folder)}")


def from_weights(weights: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """Modules under the names of a state dict, with its shapes: 2-D convolutions, dense layers, and what is left.

    They hold weights and stand in no order: calling the network raises ``UserError``.
    """
    from torch import nn

    class Weights(nn.Module):
        def forward(self, *_: Any) -> torch.Tensor:
            raise UserError("of this network only the weights are known: it cannot be run")

    top = Weights()
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in weights.items():
        owner, _, own = name.rpartition(".")
        groups.setdefault(owner, {})[own] = tensor
    for owner in sorted(groups, key=lambda name: name.count(".")):
        place: nn.Module = top
        parts = owner.split(".") if owner else []
        for part in parts[:-1]:
            if part not in dict(place.named_children()):
                place.add_module(part, nn.Module())
            place = place.get_submodule(part)
        leaf = _leaf(groups[owner]) if parts else top
        if parts:
            place.add_module(parts[-1], leaf)
        known = dict(leaf.named_parameters(recurse=False)) | dict(leaf.named_buffers(recurse=False))
        for own, tensor in groups[owner].items():
            if own not in known:
                leaf.register_buffer(own, tensor.clone())
    top.load_state_dict(dict(weights))
    return top.eval()


def _leaf(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from torch import nn

    weight, bias = tensors.get("weight"), "bias" in tensors
    if weight is not None and weight.ndim == 4:
        out, channels, height, width = weight.shape
        return nn.Conv2d(channels, out, (height, width), bias=bias)
    if weight is not None and weight.ndim == 2:
        return nn.Linear(weight.shape[1], weight.shape[0], bias=bias)
    if weight is not None and weight.ndim == 1 and "running_mean" in tensors:
        return nn.BatchNorm2d(len(weight))
    return nn.Module()


def _newest(folder: Path) -> dict[str, torch.Tensor]:
    store = SnapshotStore(folder / "snapshots")
    steps = store.steps()
    if not steps:
        raise UserError(f"the run in {folder} has no weights yet")
    return store.load(steps[-1])


def _program(folder: Path) -> torch.nn.Module | None:
    """The network of the folder, runnable; None where its program cannot be read."""
    from guiapp.models.own.programs import load_program

    try:
        module, _ = load_program(folder / PROGRAM)
        module.load_state_dict(_newest(folder))
    except (UserError, RuntimeError):
        return None
    for part in module.modules():
        for node in getattr(getattr(part, "graph", None), "nodes", ()):
            node.meta.clear()  # tensors without numbers, which nobody can copy
    return module


def _outputs(module: torch.nn.Module, size: tuple[int, ...]) -> int:
    """Number of outputs of one input; 0 where they are no row of numbers."""
    import torch

    with torch.no_grad():
        output = module(torch.zeros(1, *size))
    return int(output.shape[1]) if isinstance(output, torch.Tensor) and output.ndim == 2 else 0


def _scale(said: Mapping[str, Any], dataset: Dataset) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation that bring the pictures to the numbers that the network was fed.

    A script that says neither may bring its pictures to 0 to 1, to -1 to 1, leave them at 0 to 255, or standardise
    them as the data set is: the range of its first inputs tells which.
    """
    low, high = said.get("low"), said.get("high")
    if low is None or high is None or not math.isfinite(high - low):
        return dataset.mean, dataset.std
    low, high = float(low), float(high)
    channels = dataset.sample_shape[0]
    if isinstance(dataset, Unlabelled):
        spread = max(high - low, 1e-6)
        return (-low / spread,) * channels, (1.0 / spread,) * channels
    usual = [(mean, std) for mean, std in ((0.0, 1.0), (0.5, 0.5), (0.0, 1.0 / 255.0))]
    scales = [
        (tuple(dataset.mean), tuple(dataset.std)),
        *(((mean,) * channels, (std,) * channels) for mean, std in usual),
    ]
    return min(scales, key=lambda scale: _off(scale, low, high))


def _off(scale: tuple[tuple[float, ...], tuple[float, ...]], low: float, high: float) -> float:
    """How far black and white on a scale lie from the range that was seen, against the reach of the scale."""
    black = min(-mean / max(std, 1e-6) for mean, std in zip(*scale, strict=True))
    white = max((1.0 - mean) / max(std, 1e-6) for mean, std in zip(*scale, strict=True))
    return (abs(low - black) + abs(high - white)) / (white - black)


def _dataset(
    folder: Path, info: Mapping[str, Any], size: tuple[int, ...], progress: Progress | None
) -> tuple[Dataset, str]:
    """The data set that the run names, as its network counts the classes; else its first inputs, and why."""
    from guiapp.datasets import open_dataset
    from guiapp.datasets.order import in_order_of

    name, refused = str(info.get("dataset") or ""), ""
    if name:
        try:
            return in_order_of(open_dataset(name, progress), tuple(info.get("classes") or ())), ""
        except UserError as error:  # it lies on the machine that trains, or has other classes
            refused = f"the data of {folder.name} is not shown ({error}): drop pictures to ask its network about them"
    try:
        images = np.load(folder / INPUTS, allow_pickle=False)
    except (OSError, ValueError):
        images = np.zeros((0,), np.uint8)
    known = images.ndim == 4 and images.dtype == np.uint8 and len(images) > 0
    blank = np.zeros((1, size[1], size[2], 3 if size[0] == 3 else 1), np.uint8)
    return stand_in(images if known else blank, known), refused


def named(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The data set with the names of the network's outputs: each prediction has one, and what is not labelled."""
    if isinstance(dataset, Unlabelled):
        labels = np.full(len(dataset.train), len(classes), np.int64)
        part = dataclasses.replace(dataset.train, labels=labels)
        names = (*classes, UNLABELLED)
        return dataclasses.replace(dataset, classes=names, train=part, validation=part, test=part)
    more = tuple(classes[len(dataset.classes) :])
    return dataclasses.replace(dataset, classes=(*dataset.classes, *more)) if more else dataset


def stand_in(images: np.ndarray[Any, Any], known: bool) -> Dataset:
    """A data set of unlabelled pictures, the same in each part."""
    samples = Samples(images, np.zeros(len(images), np.int64))
    channels = images.shape[-1]
    title = "First inputs of the run (what they show is not known)" if known else "No pictures of the run"
    return Unlabelled(STAND_IN, title, (UNLABELLED,), samples, samples, samples, (0.0,) * channels, (1.0,) * channels)
