"""The shape of a benchmark's result: a ratio of paired measurements with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

Better = Literal["higher", "lower"]
Tell = Callable[[str], None]
"""Told what is being measured, for the person who waits."""


def paired(pairs: Sequence[tuple[float, float]], unit: str, better: Better, what: str, **more: Any) -> dict[str, Any]:
    """Ratio of ours to the peer's over pairs that were measured in turn.

    Args:
        pairs: ``(ours, peer)``, each pair measured one right after the other.
        unit: Unit of both.
        better: Whether a higher or a lower ratio is better.
        what: What ours is and what the peer is, one line.
        more: Further fields of the result.

    Returns:
        ``ratio`` is the median of the pairs' ratios, ``low`` and ``high`` the smallest and the largest; ``ours`` and
        ``peer`` are medians.
    """
    ratios = [ours / peer for ours, peer in pairs]
    return {
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "ours": statistics.median(ours for ours, _ in pairs),
        "peer": statistics.median(peer for _, peer in pairs),
        "unit": unit,
        "better": better,
        "what": what,
        "pairs": len(pairs),
        **more,
    }


def worst(cases: Mapping[str, dict[str, Any]], what: str) -> dict[str, Any]:
    """Several cases as one result: its figures are those of the case with the worst ratio."""
    better = next(iter(cases.values()))["better"]
    pick = min if better == "higher" else max
    name = pick(cases, key=lambda case: float(cases[case]["ratio"]))
    return {**cases[name], "what": what, "worst": name, "cases": dict(cases)}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lie, linear between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Least-squares slope of ``ys`` over ``xs``."""
    return float(statistics.linear_regression(xs, ys).slope)
