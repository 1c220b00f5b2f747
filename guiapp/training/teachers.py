"""The networks that a run learns from: finished runs or weight files, fed with what the student is fed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from guiapp.core import paths
from guiapp.core.notices import SettingError
from guiapp.models.base import ModelEntry, Preprocessing

if TYPE_CHECKING:
    from guiapp.training.setup import Setup

_ENDING = ".safetensors"


@dataclass(frozen=True, eq=False)
class Teacher:
    """One network that is asked.

    Attributes:
        name: As it was given.
        module: In evaluation mode, without gradients.
        preprocessing: How samples become its input.
        classes: Its class names.
        setup: Of a run: how it was trained; None for a weight file.
        entry: The entry of its network, where it is known.
        options: Of its builder.
    """

    name: str
    module: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    setup: Setup | None = None
    entry: ModelEntry | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Teachers:
    """One or several teachers as one: the mean of their softened probabilities.

    Attributes:
        all: They, on the device of the run.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        fed: Preprocessing,
        device: torch.device,
        side: tuple[int, int] | None = None,
    ) -> None:
        """Take the teachers to a device.

        Args:
            teachers: At least one.
            fed: How samples become the student's input, which they are asked about.
            device: Of the run.
            side: Height and width of the samples before they were prepared; see ``translated``.
        """
        self.all = tuple(teachers)
        self._fed, self._side = fed, side
        for teacher in teachers:
            teacher.module.to(device)

    def softened(self, inputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """softmax(z / T), the mean over the teachers, (N, K), for the student's inputs (N, C, H, W)."""
        with torch.no_grad():
            found = [torch.softmax(one.module(self._given(inputs, one)).float() / temperature, 1) for one in self.all]
        return found[0] if len(found) == 1 else torch.stack(found).mean(0)

    def _given(self, inputs: torch.Tensor, teacher: Teacher) -> torch.Tensor:
        return translated(inputs, self._fed, teacher.preprocessing, self._side)

    def digest(self) -> str:
        """Of all their numbers, so that a run that goes on knows whether it has the same teachers."""
        found = hashlib.blake2b(digest_size=16)
        for teacher in self.all:
            for name, value in teacher.module.state_dict().items():
                found.update(name.encode())
                found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return found.hexdigest()


def translated(
    inputs: torch.Tensor, fed: Preprocessing, wanted: Preprocessing, side: tuple[int, int] | None = None
) -> torch.Tensor:
    """Prepared samples as another network takes them: other mean and deviation, channels, size.

    Args:
        inputs: Prepared by ``fed``, (N, C, H, W).
        fed: See above.
        wanted: The other network's.
        side: Height and width of the samples before they were prepared: a black border that ``fed`` put around them is
            taken off again. None where there is none.
    """
    if fed == wanted or (fed.size, fed.mean, fed.std) == (wanted.size, wanted.mean, wanted.std):
        return inputs
    from guiapp.models.prepare import LUMA, fitted, pads

    pixels = inputs * _column(fed.std, inputs) + _column(fed.mean, inputs)
    if wanted.size[0] == 3 and fed.size[0] == 1:
        pixels = pixels.expand(-1, 3, -1, -1)
    elif wanted.size[0] == 1 and fed.size[0] == 3:
        pixels = (pixels * _column(LUMA, inputs)).sum(1, keepdim=True)
    if side is not None and fed.fit == "pad" and side != fed.size[1:] and pads(*side, *fed.size[1:]):
        top, left = ((whole - inner) // 2 for whole, inner in zip(fed.size[1:], side, strict=True))
        pixels = pixels[:, :, top : top + side[0], left : left + side[1]]
    pixels = fitted(pixels, *wanted.size[1:], wanted.fit)
    return (pixels - _column(wanted.mean, inputs)) / _column(wanted.std, inputs).clamp_min(1e-8)


def _column(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(1, -1, 1, 1)


def names_of(text: str) -> list[str]:
    """The names in ``distillation.teacher``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def open_teacher(name: str) -> Teacher:
    """The network with a name, on the CPU.

    Args:
        name: A run's folder or its name, a ``.safetensors`` file that this program wrote, or the name of one that it
            came with, such as ``lenet5-mnist``.

    Raises:
        SettingError: If there is none.
        UserError: If it cannot be read.
    """
    path = Path(name).expanduser()
    for folder in (path, paths.runs() / name):
        if (folder / "run.json").is_file():
            from guiapp.training.load import load_run

            setup, model = load_run(folder)
            about = setup.preprocessing, setup.classes, setup, setup.entry, setup.model_options
            return Teacher(name, still(model), *about)
    for file in (path, paths.resources() / "weights" / f"{name}{_ENDING}"):
        if file.is_file() and file.suffix == _ENDING:
            return _of_file(name, file)
    raise SettingError(f"there is no run and no weight file {name} to learn from: name a run as `guiapp runs` does")


def _of_file(name: str, file: Path) -> Teacher:
    from guiapp.models.of_file import network_of

    found = network_of(file)
    return Teacher(name, still(found.module), found.preprocessing, found.classes, None, found.entry, found.options)


def still(model: nn.Module) -> nn.Module:
    """In evaluation mode, asking for no gradients."""
    return model.eval().requires_grad_(False)
