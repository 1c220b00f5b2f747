"""What a search varies: settings with values or ranges, and the configurations taken from them by grid or chance."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guiapp.core.notices import SettingError

Value = str | int | float | bool
DECADES = 2.0
"""A range that spans this many powers of ten is drawn on the logarithmic scale, unless it says otherwise."""
_RANGE = re.compile(r"^(?P<low>[^:/]+?)\.\.(?P<high>[^:/]+?)(?:/(?P<points>\d+))?(?::(?P<scale>log|linear))?$")
_MOST = 10_000


@dataclass(frozen=True)
class Axis:
    """One setting that is varied: some values, or a range of numbers.

    Attributes:
        name: Dotted setting, as for ``--set``: ``"optimiser.lr"``, ``"model.hidden"``, ``"dataset"``.
        values: The values of a grid or a choice; empty for a range.
        low, high: Ends of a range.
        log: Whether the range is even in the logarithm.
        whole: Whether only whole numbers are meant.
    """

    name: str
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    @property
    def text(self) -> str:
        """As it is typed behind the name."""
        if self.values:
            return ",".join(plain_text(value) for value in self.values)
        return f"{plain_text(self.low)}..{plain_text(self.high)}:{'log' if self.log else 'linear'}"

    def at(self, share: float) -> Value:
        """The value at ``share`` (0 to 1) of the way along the axis."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return round(value) if self.whole else float(f"{value:.6g}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        if self.values:
            return {"name": self.name, "values": list(self.values)}
        return {"name": self.name, "low": self.low, "high": self.high, "log": self.log, "whole": self.whole}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Axis:
        """The inverse of ``as_dict``."""
        return cls(**{**data, "values": tuple(data.get("values", ()))})


def plain_text(value: Value) -> str:
    """A value in as few characters as it needs."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def parse_axis(name: str, text: str) -> Axis:
    """Read ``"0.1,0.01"`` (values), ``"1e-4..1e-1"`` (a range) or ``"1e-4..1e-1/5"`` (five points of it).

    ``:log`` or ``:linear`` at the end of a range says how it is divided; by default it is the logarithm where the
    range spans two powers of ten or more. Both ends being whole numbers means whole numbers.

    Raises:
        SettingError: If it is neither.
    """
    found = _RANGE.match(text.strip())
    if found is None:
        values = tuple(_value(word) for word in text.split(",") if word.strip())
        if not values or ".." in text:
            raise SettingError(f"{name}={text!r} is neither values (0.1,0.01) nor a range (1e-4..1e-1)")
        return Axis(name, tuple(dict.fromkeys(values)))
    low, high = _value(found["low"]), _value(found["high"])
    if isinstance(low, (str, bool)) or isinstance(high, (str, bool)) or not low < high:
        raise SettingError(f"{name}={text!r}: a range goes from a number to a larger one, such as 1e-4..1e-1")
    log = found["scale"] == "log" if found["scale"] else low > 0 and math.log10(high / low) >= DECADES
    if log and low <= 0:
        raise SettingError(f"{name}={text!r}: a logarithmic range begins above 0")
    axis = Axis(name, (), float(low), float(high), log, isinstance(low, int) and isinstance(high, int))
    if found["points"] is None:
        return axis
    count = int(found["points"])
    if count < 2:
        raise SettingError(f"{name}={text!r}: a range is divided into at least 2 points")
    return Axis(name, tuple(dict.fromkeys(axis.at(i / (count - 1)) for i in range(count))))


def grid(axes: Sequence[Axis]) -> list[dict[str, Value]]:
    """Every combination of the values, the last axis changing fastest.

    Raises:
        SettingError: If an axis is a range, or there are too many.
    """
    for axis in axes:
        if not axis.values:
            raise SettingError(
                f"a grid takes values of {axis.name}: list them, or say how many of the range, as in {axis.text}/5"
            )
    count = math.prod(len(axis.values) for axis in axes)
    if count > _MOST:
        raise SettingError(f"this grid has {count:,} points, and a search takes {_MOST:,} at most: choose fewer values")
    names = [axis.name for axis in axes]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(axis.values for axis in axes))]


def draw(axes: Sequence[Axis], count: int, seed: int) -> list[dict[str, Value]]:
    """``count`` configurations drawn at random, each setting by itself (Bergstra and Bengio 2012).

    The first ones stay the same when more are drawn. A configuration that was drawn before is drawn anew, where
    there are enough of them.
    """
    chance = random.Random(seed)
    found: list[dict[str, Value]] = []
    seen: set[tuple[Value, ...]] = set()
    for _ in range(20 * count):
        if len(found) == count:
            break
        drawn = {axis.name: axis.at(chance.random()) for axis in axes}
        key = tuple(drawn.values())
        if key not in seen:
            seen.add(key)
            found.append(drawn)
    return found


def configurations(fixed: Sequence[Axis], varied: Sequence[Axis], count: int, seed: int = 0) -> list[dict[str, Value]]:
    """What a search tries: ``count`` random draws of ``varied`` for each point of the grid of ``fixed``."""
    drawn = draw(varied, count, seed) if varied else [{}]
    return [{**point, **draws} for draws in drawn for point in grid(fixed)]


def around(axis: Axis, best: Value, points: int = 5) -> Axis:
    """The axis of a finer search about the best value: of a range the middle third, of values those between neighbours.

    At an end the new axis reaches beyond the old one: the best may lie there. What is no number stays at its best.
    """
    if isinstance(best, (str, bool)):
        return Axis(axis.name, (best,))
    if not axis.values:
        if axis.log:
            reach = (axis.high / axis.low) ** (1 / 6)
            low, high = best / reach, best * reach
        else:
            step = (axis.high - axis.low) / 6
            low, high = best - step, best + step
        if axis.whole:
            low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
        return Axis(axis.name, (), float(f"{low:.6g}"), float(f"{high:.6g}"), axis.log, axis.whole)
    numbers = sorted(v for v in axis.values if not isinstance(v, (str, bool)))
    if len(numbers) < 2:
        return Axis(axis.name, (best,))
    log = numbers[0] > 0 and all(b / a >= 2 for a, b in itertools.pairwise(numbers))
    place = min(range(len(numbers)), key=lambda i: abs(numbers[i] - best))
    below = numbers[place - 1] if place else _beyond(best, numbers[1], log)
    above = numbers[place + 1] if place + 1 < len(numbers) else _beyond(best, numbers[-2], log)
    whole = all(isinstance(v, int) for v in numbers)
    ends = Axis(axis.name, (), float(below), float(above), log, whole)
    inner = [ends.at((i + 1) / (points + 1)) for i in range(points)]
    return Axis(axis.name, tuple(sorted({best, *inner}, key=float)))


def _beyond(best: float, neighbour: float, log: bool) -> float:
    """The value on the other side of the best, as far away as its neighbour."""
    return best * best / neighbour if log else 2 * best - neighbour


def _value(text: str) -> Value:
    text = text.strip()
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return {"true": True, "false": False}.get(text.lower(), text)
