"""Which architecture a file of weights belongs to: those of about as many parameters are built without memory first."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guiapp.core.notices import UserError
from guiapp.models.base import ModelEntry
from guiapp.models.own.architectures import Architecture, Spec, find, known, parts_of
from guiapp.models.own.match import Match, Shape, match
from guiapp.models.own.solve import solve

Progress = Callable[[float, str], None]
_NEAR = 0.35
"""Of the tensors, so many must fit before an architecture is named as a near one."""
_NAMES = 0.3
"""Of the names, so many must be the same before it is worth finding out the number of classes."""
_RATIO = 3.0
"""A network with other last layers has at most so many times as many parameters, or so few: 1.7 for SqueezeNet."""


@dataclass(frozen=True, eq=False)
class Guess:
    """One architecture for a file.

    Attributes:
        architecture: It.
        spec: What it is built with.
        match: How the file fits.
    """

    architecture: Architecture
    spec: Spec
    match: Match


def first_spec(architecture: Architecture, file: Mapping[str, Shape]) -> Spec:
    """What is assumed of an architecture before the shapes of a file are looked at."""
    entry = architecture.entry
    if isinstance(entry, ModelEntry):
        height, width = entry.input_size or (32, 32)
        return Spec(10, _channels(file), height, width, dict(entry.options or {}))
    return Spec(architecture.classes, parts=parts_of(file))


def _channels(file: Mapping[str, Shape]) -> int:
    """Channels that the first convolution takes, else 1."""
    first = next((shape for shape in file.values() if len(shape) > 1), ())
    return first[1] if len(first) == 4 and first[1] in (1, 3) else 1


def guess(file: Mapping[str, Shape], path: Path | None = None, progress: Progress | None = None) -> list[Guess]:
    """Architectures that a file fits: what ``looking`` returns, at once.

    Args:
        file: Shapes by name.
        path: The file.
        progress: Told the share done; an exception that it raises stops the search.
    """
    search = looking(file, path)
    while True:
        try:
            share, text = next(search)
        except StopIteration as done:
            found: list[Guess] = done.value
            return found
        if progress is not None:
            progress(share, text)


def looking(file: Mapping[str, Shape], path: Path | None = None) -> Generator[tuple[float, str], None, list[Guess]]:
    """Search for the architectures that a file fits, telling how far it is.

    Args:
        file: Shapes by name.
        path: The file: one whose name begins with an architecture's is tried with that first.

    Returns:
        Best first: those that fit wholly, else the nearest one, else none.
    """
    candidates = _ordered(file, path)
    found: list[Guess] = []
    whole = False
    for place, architecture in enumerate(candidates):
        yield place / len(candidates), f"comparing with {architecture.title}"
        if whole and not architecture.ours and place > _enough(candidates, found):
            break
        start = first_spec(architecture, file)
        try:
            if not _resembles(file, architecture.shapes(start)):
                continue
            spec, fits = solve(architecture, file, start)
        except UserError:
            continue
        if fits.complete or (not whole and fits.share >= _NEAR):
            found.append(Guess(architecture, spec, fits))
            whole = whole or fits.complete
            if _called(path, architecture):  # its name says so as well
                break
    found.sort(key=lambda one: (not one.match.complete, one.match.how == "order", -one.match.share))
    complete = [one for one in found if one.match.complete]
    return complete or found[:1]


def _resembles(file: Mapping[str, Shape], network: Mapping[str, Shape]) -> bool:
    """Whether there are as many tensors, or names or shapes in their order are much the same."""
    if len(file) == len(network):
        return True
    rows = match(file, network).rows
    same = sum(bool(row.name and row.file_name) for row in rows)
    return same >= _NAMES * max(len(network), len(file))


def _enough(candidates: Sequence[Architecture], found: Sequence[Guess]) -> int:
    """Place after the best that need not be passed: what is much larger or smaller cannot fit as well."""
    best = next(one for one in found if one.match.complete)
    return candidates.index(best.architecture) + 3


def _ordered(file: Mapping[str, Shape], path: Path | None) -> list[Architecture]:
    """By the name of the file, then networks to train, then those of the zoo with about as many parameters."""
    count = sum(math.prod(shape) for name, shape in file.items() if "running_" not in name)
    everything = known()

    def distance(architecture: Architecture) -> tuple[int, float]:
        called = _called(path, architecture)
        entry = architecture.entry
        if isinstance(entry, ModelEntry):
            return (0 if called else 1), 0.0
        if called:
            return 0, 0.0
        return 2, abs(math.log(max(count, 1) / max(entry.parameters, 1)))

    ordered = [one for one in sorted(everything, key=distance) if distance(one)[1] < math.log(_RATIO)]
    timm = _of_timm(path)
    return [timm, *ordered] if timm is not None else ordered


def _called(path: Path | None, architecture: Architecture) -> bool:
    return path is not None and path.name.startswith((f"{architecture.name}-", f"{architecture.name}."))


def _of_timm(path: Path | None) -> Architecture | None:
    """The network of timm that a file is named after, as ``timm:resnet10t.c3_in1k`` or ``resnet10t.c3_in1k``."""
    stem = path.stem if path is not None else ""
    if "." not in stem or not stem.partition(".")[0].isidentifier():
        return None
    try:
        return find(f"timm:{stem}")
    except UserError:
        return None
