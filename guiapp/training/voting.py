"""Test-time voting: a network sees several views of a sample, and their answers are put together.

Course text T2, data augmentation: c = argmax_i |{x_a : i = argmax_j P(j | x_a)}|; T4, section 8.7: average a fixed set
of crops.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import torch

from guiapp.core.notices import SettingError
from guiapp.training import seeds
from guiapp.training.augmentation_geometry import shift
from guiapp.training.augmenter import Augmenter, border
from guiapp.training.recipe import Augmentation

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing

Views = Literal["flip", "crops", "ten", "draws"]
Rule = Literal["majority", "mean"]
VIEWS: tuple[Views, ...] = get_args(Views)
RULES: tuple[Rule, ...] = get_args(Rule)
WORDS = {
    "flip": "the sample and its mirror image",
    "crops": "the middle and four corners",
    "ten": "the middle and four corners, and their mirror images",
    "draws": "random draws of the run's own augmentation",
}
REACH = 0.125
"""How far the corners lie from the middle, as a share of the side: 4 of 32 pixels."""
_SEED = 7_919  # of the draws, apart from those of training

View = Callable[[torch.Tensor], torch.Tensor]
"""From prepared samples (N, C, H, W) to as many of the same shape."""


class Voting(torch.nn.Module):
    """A network whose answer is that of several views; it stands wherever the network does.

    Its output is the logarithm of a distribution, so that a soft-max gives it back: with ``"mean"`` the mean of the
    views' probabilities; with ``"majority"`` the share of the votes, where one more vote is divided by that mean. So
    the class with most votes wins, a tie goes to the larger mean, and no class has probability zero.

    Attributes:
        network: The network.
        views: What it sees of a sample; the first is the sample as it is, unless the views are random draws.
        rule: How answers are put together.
    """

    def __init__(self, network: torch.nn.Module, views: Sequence[View], rule: Rule = "majority") -> None:
        super().__init__()
        if not views:
            raise SettingError("voting needs at least one view")
        self.network, self.views, self.rule = network, tuple(views), rule

    def each(self, inputs: torch.Tensor) -> torch.Tensor:
        """Probabilities by view, sample and class, (V, N, K)."""
        return torch.stack([torch.softmax(self.network(view(inputs)).float(), 1) for view in self.views])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logarithms of the joint answer, (N, K), of prepared samples (N, C, H, W)."""
        return torch.log(joint(self.each(inputs), self.rule).clamp_min(1e-30))


def joint(probabilities: torch.Tensor, rule: Rule) -> torch.Tensor:
    """The answer (N, K) of the views' probabilities (V, N, K); see ``Voting``."""
    mean = probabilities.mean(0)
    if rule == "mean":
        return mean
    votes = torch.nn.functional.one_hot(probabilities.argmax(2), probabilities.shape[2]).sum(0)
    return (votes + mean) / (len(probabilities) + 1)


def views_of(
    kind: Views, preprocessing: Preprocessing, augmentation: Augmentation | None = None, count: int = 8, seed: int = 0
) -> tuple[View, ...]:
    """The views of a kind.

    Args:
        kind: See ``WORDS``.
        preprocessing: How samples are prepared.
        augmentation: For ``"draws"``: what the network was trained with. Mixing with other samples is left out.
        count: For ``"draws"``: how many.
        seed: For ``"draws"``: decides them; the same for every run of this function.

    Raises:
        SettingError: If draws are asked for and there is no augmentation.
    """
    if kind == "draws":
        return _draws(preprocessing, augmentation, count, seed)
    views: list[View] = [_as_it_is]
    if kind in ("crops", "ten"):
        fill = (border(preprocessing) - torch.tensor(preprocessing.mean).reshape(1, -1, 1, 1)) / torch.tensor(
            preprocessing.std
        ).clamp_min(1e-8).reshape(1, -1, 1, 1)
        views += [_corner(across, along, fill) for along in (1, -1) for across in (1, -1)]
    if kind in ("flip", "ten"):
        views += [_mirrored(view) for view in views]
    return tuple(views)


def _as_it_is(inputs: torch.Tensor) -> torch.Tensor:
    return inputs


def _mirrored(view: View) -> View:
    return lambda inputs: view(inputs).flip(3)


def _corner(across: int, along: int, fill: torch.Tensor) -> View:
    """The window that lies towards one corner: the sample moved the other way."""

    def view(inputs: torch.Tensor) -> torch.Tensor:
        height, width = inputs.shape[2:]
        steps = [
            torch.full((len(inputs),), sign * max(round(REACH * side), 1), device=inputs.device)
            for sign, side in ((across, width), (along, height))
        ]
        return shift(inputs, steps[0], steps[1], fill.to(inputs.device))

    return view


def _draws(preprocessing: Preprocessing, augmentation: Augmentation | None, count: int, seed: int) -> tuple[View, ...]:
    options = dataclasses.replace(augmentation or Augmentation("none"), mixup=0.0, cutmix=0.0, pca=0.0)
    change = Augmenter(options, preprocessing) if options.name != "default" else None
    if change is None or change.does_nothing:
        raise SettingError("draws are those of the run's augmentation, and there is none: choose flip, crops or ten")

    def drawn(number: int) -> View:
        def view(inputs: torch.Tensor) -> torch.Tensor:
            draw = seeds.generator(inputs.device, seeds.mix(seed, _SEED, number))
            none = torch.zeros(len(inputs), dtype=torch.int64, device=inputs.device)
            return change(inputs, none, draw)[0]

        return view

    return tuple(drawn(number) for number in range(count))
