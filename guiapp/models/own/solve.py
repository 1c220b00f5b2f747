"""What an architecture was built with, found from the shapes of its weights.

How each size follows from a number (of classes, of channels, of hidden units) is learnt by building the network without
memory with that number one and two larger: sizes that grow by the same amount each time tell it. So nothing about any
architecture is written down here: the nine anchors of a RetinaNet count as well as a plain last layer.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from guiapp.core.notices import UserError
from guiapp.models.own.architectures import Architecture, Spec
from guiapp.models.own.match import Match, Shape, match

_SIZES = (28, 32, 8, 64, 16, 20, 24, 48, 96, 112, 128, 160, 192, 224, 256, 12, 14, 40, 56, 299, 384)
"""Sides of an input that are tried, the commonest first."""
_MOST = 1_000_000


def solve(
    architecture: Architecture, file: Mapping[str, Shape], start: Spec, fixed: frozenset[str] = frozenset()
) -> tuple[Spec, Match]:
    """The numbers with which an architecture fits a file best, and how it fits then.

    Args:
        architecture: The architecture.
        file: Shapes by name.
        start: What is known or assumed; its task's own number of classes for example.
        fixed: Names of what a person has set and is not looked for: ``"classes"``, ``"size"``, names of options.

    Raises:
        UserError: If it cannot be built with ``start``.
    """
    spec, found = start, match(file, _shapes(architecture, start))
    if found.complete:
        return spec, found
    for name in _unknowns(architecture, start):
        if name in fixed:
            continue
        value = _number(architecture, file, spec, name)
        if value is None:
            continue
        changed = spec.change(name, value)
        try:
            fits = match(file, _shapes(architecture, changed))
        except UserError:
            continue
        if fits.share >= found.share or name == "classes":
            spec, found = changed, fits
    if architecture.ours and not found.filled and "size" not in fixed:
        spec, found = _sized(architecture, file, spec, found)
    return spec, found


def _unknowns(architecture: Architecture, spec: Spec) -> list[str]:
    """What shapes may tell: inner numbers first, the classes last."""
    names = [name for name, value in spec.options.items() if type(value) is int]
    if architecture.ours or architecture.name.startswith("timm:"):
        names.append("channels")
    return [*names, "classes"]


def _number(architecture: Architecture, file: Mapping[str, Shape], spec: Spec, name: str) -> int | None:
    """The value of one number that most sizes of a file agree on; None where no size tells it."""
    now = spec.classes if name == "classes" else spec.channels if name == "channels" else spec.options[name]
    try:
        first, second, third = (_shapes(architecture, spec.change(name, now + step)) for step in range(3))
    except UserError:  # this number cannot be just any
        return None
    votes: Counter[int] = Counter()
    by_order = _in_order(file, first)
    for key, shape in first.items():
        theirs = by_order.get(key)
        if theirs is None or not len(theirs) == len(shape) == len(second.get(key, ())) == len(third.get(key, ())):
            continue
        for size, next_size, last, wanted in zip(shape, second[key], third[key], theirs, strict=True):
            grows = next_size - size
            if grows > 0 and last - next_size == grows and (wanted - size) % grows == 0:
                votes[now + (wanted - size) // grows] += 1
    votes = Counter({value: count for value, count in votes.items() if 0 < value < _MOST})
    return votes.most_common(1)[0][0] if votes else None


def _in_order(file: Mapping[str, Shape], network: Mapping[str, Shape]) -> dict[str, Shape]:
    """Shapes of a file by the names of a network: by name, behind a prefix, or one after another where as many."""
    found = match(file, network)
    named = {row.name: row.file_shape for row in found.rows if row.name and row.file_shape is not None}
    if len(named) < len(network) // 2 and len(file) == len(network):
        return dict(zip(network, file.values(), strict=True))
    return named


def _sized(architecture: Architecture, file: Mapping[str, Shape], spec: Spec, best: Match) -> tuple[Spec, Match]:
    """Try sides of the input."""
    chosen = spec
    for channels, side in _inputs(file, spec.channels):
        changed = dataclasses.replace(spec, channels=channels, height=side, width=side)
        try:
            found = match(file, _shapes(architecture, changed))
        except UserError:
            continue
        if found.share > best.share:
            chosen, best = changed, found
        if best.filled:
            break
    return chosen, best


def _inputs(file: Mapping[str, Shape], channels: int) -> Sequence[tuple[int, int]]:
    """Channels and sides to try; of a file whose first tensor sees all pixels at once, those that make as many."""
    first = next((shape for shape in file.values() if len(shape) > 1), ())
    whole = [(c, round((first[1] / c) ** 0.5)) for c in (1, 3)] if len(first) == 2 else []
    fitting = [(c, side) for c, side in whole if c * side * side == first[1] and side < 1000]
    return [*fitting, *((channels, side) for side in _SIZES)]


def _shapes(architecture: Architecture, spec: Spec) -> dict[str, Shape]:
    return architecture.shapes(spec)
