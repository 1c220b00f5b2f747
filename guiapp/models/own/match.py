"""Tensors of a file against the weights of a network: by name, by name behind a prefix, or by their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from guiapp.core.notices import UserError

Shape = tuple[int, ...]
Status = Literal["fits", "other shape", "missing", "unexpected", "ignored"]
Shapes = Mapping[str, Shape]

_COUNTER = "num_batches_tracked"  # counts steps of training; nothing depends on it afterwards
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "student.", "teacher.")
_NAMED = 3


@dataclass(frozen=True)
class Row:
    """One tensor of the file, of the network, or of both.

    Attributes:
        status: ``"fits"``; ``"other shape"``; ``"missing"`` in the file; ``"unexpected"``, which the network does not
            have; ``"ignored"``, on which nothing depends.
        name: Name in the network, or empty.
        file_name: Name in the file, or empty.
        shape: In the network, or None.
        file_shape: In the file, or None.
    """

    status: Status
    name: str
    file_name: str
    shape: Shape | None
    file_shape: Shape | None


@dataclass(frozen=True, eq=False)
class Match:
    """How a file and a network fit.

    Attributes:
        rows: One a tensor, in the order of the network, then what only the file has.
        how: ``"name"``, ``"prefix"`` where names fit behind one, ``"order"`` where shapes fit one after another.
        prefix: What stands before the names in the file.
    """

    rows: Sequence[Row]
    how: Literal["name", "prefix", "order"] = "name"
    prefix: str = ""

    def count(self, status: Status) -> int:
        """How many tensors have a status."""
        return sum(row.status == status for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether every tensor of the network is in the file with its shape, and nothing is left over."""
        return all(row.status in ("fits", "ignored") for row in self.rows) and self.count("fits") > 0

    @property
    def filled(self) -> bool:
        """Whether every tensor of the network is in the file with its shape."""
        return not self.count("missing") and not self.count("other shape") and self.count("fits") > 0

    @property
    def share(self) -> float:
        """Tensors that fit, as a share of those that either has, 0 to 1."""
        counted = len(self.rows) - self.count("ignored")
        return self.count("fits") / counted if counted else 0.0

    @property
    def words(self) -> str:
        """One line: what fits and what does not."""
        fits = self.count("fits")
        parts = [f"{fits} tensor{'s' * (fits != 1)} fit" + "s" * (fits == 1)]
        if self.how == "prefix":
            parts[0] += f" behind {self.prefix!r}"
        elif self.how == "order":
            parts[0] += " in their order; their names differ"
        for status, words in (
            ("missing", "missing"), ("unexpected", "not in the network"), ("other shape", "of another shape")
        ):  # fmt: skip
            rows = [row for row in self.rows if row.status == status]
            if rows:
                parts.append(f"{len(rows)} {words} ({_listed(rows)})")
        return "; ".join(parts)


def match(file: Shapes, network: Shapes) -> Match:
    """Find for each tensor of a network the one of a file.

    Names are compared as they are; behind prefixes of common training programs, or one that all names share; and last
    by order, where the shapes of both are the same one after another.

    Args:
        file: Shapes by name, in the order of the file.
        network: Shapes by name, in the order of the network.
    """
    best = _by_name(file, network, "")
    if not best.complete:
        for prefix in _prefixes(file):
            found = _by_name(file, network, prefix)
            if found.share > best.share:
                best = found
    if best.complete:
        return best
    ordered = _by_order(file, network)
    return ordered if ordered is not None and best.share < 1 else best


def _prefixes(names: Iterable[str]) -> list[str]:
    """What the names may begin with that the network's do not."""
    names = list(names)
    found: dict[str, None] = {}
    for name in names[:50]:
        parts = name.split(".")
        for length in range(1, min(4, len(parts))):
            found[".".join(parts[:length]) + "."] = None
    usual = [p for p in found if p.startswith(_PREFIXES) or sum(n.startswith(p) for n in names) > len(names) // 2]
    return usual[:24]


def _by_name(file: Shapes, network: Shapes, prefix: str) -> Match:
    named = {name.removeprefix(prefix): name for name in file if name.startswith(prefix)}
    rows = []
    for name, shape in network.items():
        own = named.get(name)
        if own is None:
            rows.append(Row("ignored" if name.endswith(_COUNTER) else "missing", name, "", shape, None))
        else:
            rows.append(Row("fits" if file[own] == shape else "other shape", name, own, shape, file[own]))
    taken = {row.file_name for row in rows}
    rows += [
        Row("ignored" if name.endswith(_COUNTER) else "unexpected", "", name, None, shape)
        for name, shape in file.items()
        if name not in taken
    ]
    return Match(rows, "prefix" if prefix else "name", prefix)


def _by_order(file: Shapes, network: Shapes) -> Match | None:
    ours = [(name, shape) for name, shape in network.items() if not name.endswith(_COUNTER)]
    theirs = [(name, shape) for name, shape in file.items() if not name.endswith(_COUNTER)]
    if [shape for _, shape in ours] != [shape for _, shape in theirs]:
        return None
    rows = [Row("fits", name, other, shape, shape) for (name, shape), (other, _) in zip(ours, theirs, strict=True)]
    rows += [Row("ignored", name, "", shape, None) for name, shape in network.items() if name.endswith(_COUNTER)]
    return Match(rows, "order")


def load(network: nn.Module, tensors: Mapping[str, torch.Tensor], found: Match, source: str, partial: bool) -> str:
    """Give a network the tensors that fit.

    Args:
        network: Changed in place, all or nothing.
        tensors: Of the file.
        found: From ``match`` of both.
        source: What a message calls the file.
        partial: Whether tensors may be missing or of another shape.

    Returns:
        One line on what was loaded.

    Raises:
        UserError: If not all fit and that is not allowed, or none does; the message says what is wrong.
    """
    rows = [row for row in found.rows if row.status == "fits"]
    if not rows or (not partial and not found.filled):
        raise UserError(f"{source} does not fit: {found.words}")
    own = network.state_dict()
    with torch.no_grad():
        for row in rows:
            own[row.name].copy_(tensors[row.file_name])
    left = sum(row.status in ("missing", "other shape") for row in found.rows)
    return f"{found.words}; {left} tensors are random" if left else found.words


def _listed(rows: Sequence[Row]) -> str:
    words = []
    for row in rows[:_NAMED]:
        text = row.name or row.file_name
        if row.status == "other shape":
            text += f" is {size(row.file_shape)}, the network's {size(row.shape)}"
        words.append(text)
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(words) + more


def size(shape: Shape | None) -> str:
    """A shape as a person reads it: ``64x3x7x7``."""
    return "–" if shape is None else "x".join(map(str, shape)) or "one number"


def shapes_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, Shape]:
    """Shapes by name."""
    return {name: tuple(value.shape) for name, value in tensors.items()}
