"""The sanity check of a map: it should change when what the network has learned is taken from it, layer by layer."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.method import Attribution
from guiapp.interpret.attribution.options import SanityOptions
from guiapp.interpret.attribution.work import Step, answer, plain_score, reasons_against
from guiapp.interpret.case import Case
from guiapp.interpret.targets import Target


@dataclass(frozen=True, eq=False)
class Stage:
    """The network with some layers randomised.

    Attributes:
        layer: The layer that was reached, from the output down; empty for the network as it is.
        layers: How many layers with weights are randomised.
        found: The map, or the reason why there is none.
        likeness: Rank correlation (Spearman) of the sizes of its values with those of the first map, -1 to 1; None
            where a map is flat.
    """

    layer: str
    layers: int
    found: Attribution | str
    likeness: float | None


@dataclass(frozen=True, eq=False)
class Sanity:
    """The cascading randomisation of Adebayo et al. 2018, Sanity Checks for Saliency Maps.

    Attributes:
        method: Whose maps these are.
        target: What is explained.
        stages: The network as it is, then from the output down.
        total: How many layers have weights.
        share: Share of the work that is in it.
    """

    method: str
    target: str
    stages: tuple[Stage, ...]
    total: int
    share: float = 1.0

    def atlases(self) -> Iterator[tuple[str, Any]]:
        """The maps as the command line draws them."""
        for stage in self.stages:
            if not isinstance(stage.found, str):
                for _, atlas in stage.found.atlases():
                    likeness = "" if stage.likeness is None else f", likeness {stage.likeness:.2f}"
                    yield f"random from {stage.layer} on{likeness}" if stage.layer else "as it is", atlas


def sanity(
    case: Case,
    target: Target,
    method: str,
    options: Any = None,
    how: SanityOptions | None = None,
    tell: Callable[[Sanity], None] | None = None,
) -> Generator[Step, None, Sanity]:
    """See ``guiapp.interpret.attribution.sanity``."""
    how = how or SanityOptions()
    reason = reasons_against(method, case)
    if reason:
        raise UserError(reason)
    score = plain_score(case, target)
    names = weighted_layers(case)
    if not names:
        raise UserError("this network has no weights to randomise")
    groups = [list(part) for part in np.array_split(names, min(how.stages, len(names)))]
    first = yield from _shared(answer(case, score, method, options), 0, len(groups) + 1, "the network as it is")
    stages = [Stage("", 0, first, 1.0)]
    # The layer of a CAM stays the first one's, also where a random network has no gradient there.
    options = _at(options, first.layer, method)
    random = torch.Generator().manual_seed(how.seed)
    own = copy.deepcopy(case.module)  # the weights may be shared with what runs
    other = dataclasses.replace(case, module=own)
    moved = score.moved(other)
    count = 0
    for number, group in enumerate(groups, 1):
        for name in group:
            shuffle(own.get_submodule(name), random)
        count += len(group)
        try:
            found: Attribution | str = yield from _shared(
                answer(other, moved, method, options), number, len(groups) + 1, f"random from {group[-1]} on"
            )
        except UserError as error:
            found = str(error)
        likeness = None if isinstance(found, str) else rank_correlation(np.abs(first.map), np.abs(found.map))
        stages.append(Stage(str(group[-1]), count, found, likeness))
        if tell is not None and number < len(groups):
            share = (number + 1) / (len(groups) + 1)
            tell(Sanity(method, score.words, tuple(stages), len(names), share))
    return Sanity(method, score.words, tuple(stages), len(names))


def weighted_layers(case: Case) -> list[str]:
    """Layers with weights of their own, from the output to the input."""
    order = [layer.name for layer in case.layers if _has_weights(case.module.get_submodule(layer.name))]
    if not order:
        order = [name for name, part in case.module.named_modules() if name and _has_weights(part)]
    return order[::-1]


def _has_weights(module: nn.Module) -> bool:
    return any(weight.ndim > 1 for weight in module.parameters(recurse=False))


def shuffle(module: nn.Module, random: torch.Generator) -> None:
    """Put the numbers of each of a layer's own parameters into a random order: as large as before, and learned nothing.

    Args:
        module: The layer; its weights are exchanged in place.
        random: Says into which order.
    """
    for weight in module.parameters(recurse=False):
        order = torch.randperm(weight.numel(), generator=random).to(weight.device)
        with torch.no_grad():
            weight.copy_(weight.flatten()[order].reshape(weight.shape))


def rank_correlation(a: Any, b: Any) -> float | None:
    """Spearman's rank correlation of two maps of one size, equal values sharing their mean rank; None for flat ones."""
    if a.shape != b.shape:
        return None
    ranks = [_ranks(values.ravel()) for values in (a, b)]
    centred = [rank - rank.mean() for rank in ranks]
    size = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / size) if size > 0 else None


def _ranks(values: Any) -> Any:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return (ends - (counts - 1) / 2)[place]


def _at(options: Any, layer: str, method: str) -> Any:
    if not layer:
        return options
    from guiapp.interpret.attribution.method import METHODS

    return dataclasses.replace(options if options is not None else METHODS[method].options(), layer=layer)


def _shared(
    steps: Generator[Step, None, Attribution], number: int, count: int, title: str
) -> Generator[Step, None, Attribution]:
    """The steps of one of several pieces of work."""
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                found: Attribution = end.value
                return found
            yield ((number + (step[0] if step else 0.0)) / count, title)
    finally:
        steps.close()
