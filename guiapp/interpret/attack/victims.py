"""Networks as attacks see them: of a look or a study, of a whole picture or of a box or pixels in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attack.options import TASKS, AttackOptions
from guiapp.interpret.attack.parts import part_of
from guiapp.interpret.attack.space import Victim, padding_mask
from guiapp.interpret.targets import DETECTORS

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.base import Look
    from guiapp.interpret.case import Case

ONLY = "attacks are on networks that tell classes, of a picture, of its pixels or of boxes in it: open one"


def victim_of(look: Look, options: AttackOptions | None = None) -> tuple[Victim, torch.Tensor]:
    """The network of a look as an attack sees it, and its input.

    Raises:
        UserError: If the network takes no single picture.
    """
    if look.task in TASKS and look.task != "classification":
        from guiapp.interpret.attribution.probe import case_of

        return victim_of_part(case_of(look), look.preprocessing.mean, look.preprocessing.std, options)
    inputs = look.input
    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 4 or len(inputs) != 1 or look.task != "classification":
        raise UserError(ONLY)
    preprocessing = look.preprocessing
    mask = None
    if look.picture is not None and preprocessing.fit == "pad":
        mask = padding_mask(
            preprocessing.size,
            fed_size(look.picture, look.dataset.from_picture if look.dataset is not None else None),
            preprocessing.fit,
            inputs.device,
        )
    labels = look.labels or (look.dataset.classes if look.dataset is not None else ())
    return make_victim(look.model, labels, preprocessing.mean, preprocessing.std, inputs, mask), inputs


def victim_of_part(
    case: Case, mean: tuple[float, ...], std: tuple[float, ...], options: AttackOptions | None
) -> tuple[Victim, torch.Tensor]:
    """A box of a detector or the pixels of a segmentation network as an attack sees them, and the input.

    Raises:
        UserError: If there is no such box or class, or the network passes no gradients back.
    """
    part = part_of(case, options or AttackOptions())
    inputs = case.batch
    if case.task in DETECTORS:  # they scale for themselves: their input is the picture
        mean, std = (), ()
    made = make_victim(part, case.labels, mean, std, inputs)
    return replace(made, exclusive=part.exclusive, words=part.words, away=part.away), inputs


def make_victim(
    module: torch.nn.Module,
    labels: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    inputs: torch.Tensor,
    mask: torch.Tensor | None = None,
) -> Victim:
    """A network with the normalisation of its input; empty ``mean`` and ``std`` are 0 and 1."""
    device, dtype = inputs.device, inputs.dtype

    def row(values: tuple[float, ...], otherwise: float) -> torch.Tensor:
        return torch.tensor(values or (otherwise,), device=device, dtype=dtype).reshape(1, -1, 1, 1)

    return Victim(module, tuple(labels), row(mean, 0.0), row(std, 1.0).clamp_min(1e-8), mask)


def fed_size(picture: Picture, from_picture: Any = None) -> tuple[int, int]:
    """Height and width of what of a picture is brought to the size of the input (``Dataset.from_picture``)."""
    from guiapp.datasets.as_drawing import sample_of

    sample = picture.sample if picture.sample is not None else sample_of(picture.pixels, from_picture)[0]
    return sample.shape[0], sample.shape[1]
