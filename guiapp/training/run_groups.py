"""Mean and spread over runs that differ in seed, fold or draw alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guiapp.training.run_records import RunRecord, Value, configuration, differing, short_name
from guiapp.training.search_record import REPEATS

MEASURED = ("validation.accuracy", "validation.loss", "train.accuracy", "gap", "seconds")


@dataclass(frozen=True)
class Spread:
    """One figure over the runs of a group.

    Attributes:
        count: Runs that have it.
        mean: Their mean; NaN for none.
        deviation: Standard deviation with n - 1; NaN for fewer than two.
        error: Standard error of the mean, deviation / sqrt(n).
        low, high: Smallest and largest.
    """

    count: int
    mean: float
    deviation: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """Repetitions of one configuration.

    Attributes:
        runs: They.
        settings: The settings in which this group differs from the others.
        repeats: What its runs differ in: ``seed``, ``data.fold``, ``data.draw``.
        figures: Spread of each figure in ``MEASURED``.
    """

    runs: tuple[RunRecord, ...]
    settings: Mapping[str, Value]
    repeats: tuple[str, ...]
    figures: Mapping[str, Spread]

    @property
    def label(self) -> str:
        """What tells it from the others, in words."""
        words = [f"{short_name(name)} {_text(value)}" for name, value in self.settings.items() if value is not None]
        return ", ".join(words) or str(self.runs[0].about["experiment"])


def spread(values: Sequence[float]) -> Spread:
    """Mean, deviation and range of some numbers."""
    if not values:
        return Spread(0, math.nan, math.nan, math.nan, math.nan, math.nan)
    deviation = statistics.stdev(values) if len(values) > 1 else math.nan
    error = deviation / math.sqrt(len(values))
    return Spread(len(values), statistics.fmean(values), deviation, error, min(values), max(values))


def groups_of(records: Sequence[RunRecord]) -> list[Group]:
    """Runs by configuration, in the order of their first run; a run without repetitions is a group of one.

    Runs that stopped before others of their configuration are left out where one of it is done: a mean over runs of
    different length would say nothing.
    """
    by_key: dict[object, list[RunRecord]] = {}
    for record in records:
        by_key.setdefault(configuration(record), []).append(record)
    told = [name for name in differing(records) if name not in REPEATS]
    made = []
    for mine in by_key.values():
        length = max(_epochs(record) for record in mine)
        runs = tuple(r for r in mine if r.about["state"] == "done" or _epochs(r) == length)
        repeats = tuple(name for name in REPEATS if len({r.settings.get(name) for r in runs}) > 1)
        figures = {name: spread([v for r in runs if isinstance(v := r.figures[name], float)]) for name in MEASURED}
        made.append(Group(runs, {name: mine[0].settings.get(name) for name in told}, repeats, figures))
    return made


def _epochs(record: RunRecord) -> int:
    done = record.figures["epochs.done"]
    return done if isinstance(done, int) else 0


def by_settings(groups: Sequence[Group]) -> list[Group]:
    """In the order of their settings: numbers ascending, words by the alphabet."""

    def key(group: Group) -> list[tuple[bool, float, str]]:
        values = group.settings.values()
        return [
            (isinstance(v, str), float(v), "") if isinstance(v, (int, float)) else (True, 0.0, str(v)) for v in values
        ]

    return sorted(groups, key=key)


def _text(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
