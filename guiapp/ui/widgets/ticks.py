"""Tidy axis marks and ranges that grow in steps, so that axes are not drawn anew for each value."""

import math
from collections.abc import Sequence

_STEPS = (1.0, 2.0, 5.0, 10.0)
_ENDS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def tick_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides ``span`` into at most ``most`` intervals."""
    raw = span / max(most, 1)
    if not raw > 0 or not math.isfinite(raw):
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * s for s in _STEPS if power * s >= raw * (1 - 1e-9))


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values within ``low`` to ``high``, at most ``most + 1`` of them."""
    step = tick_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten within ``low`` to ``high`` (both positive), with 2 and 5 between where there is room."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**e for e in range(first, last + 1) for d in digits]
        ticks = [t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(ticks) <= most + 1:
            return ticks
    every = math.ceil(len(ticks) / (most + 1))
    return ticks[::every]


def tick_text(value: float, step: float | None = None) -> str:
    """A mark in as few characters as it needs; ``step`` (the distance of two marks) sets the decimals."""
    if value == 0 or (step is not None and abs(value) < step * 1e-6):
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if step is None:
        return f"{value:.6g}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{decimals}f}"


def grown_end(value: float) -> float:
    """The first of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is at least ``value`` (positive)."""
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * e for e in _ENDS if power * e >= value * (1 - 1e-9))


def grown_range(low: float, high: float, log: bool) -> tuple[float, float]:
    """Round bounds around ``low`` to ``high`` with a little room, so that a growing curve seldom changes them."""
    if log:
        low = max(low, 1e-12)
        high = max(high, low)
        digits = (1, 2, 5, 10)
        bottom = 10.0 ** math.floor(math.log10(low) + 1e-9)
        top = 10.0 ** math.floor(math.log10(high) - 1e-9)
        bottom = max(bottom * d for d in digits if bottom * d <= low * (1 + 1e-9))
        top = next(top * d for d in digits if top * d >= high * (1 - 1e-9))
        return (bottom, top) if top > bottom else (bottom / 10, top * 10)
    if low >= 0 and low < 0.5 * high:
        return 0.0, grown_end(high)
    if high <= low:  # one value stands in the middle
        half = abs(high) / 2 or 0.5
        low, high = low - half, high + half
    span = high - low
    step = tick_step(span, 4)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def nearest(values: Sequence[float], target: float) -> int:
    """Index of the value nearest to ``target`` in a sorted sequence that is not empty."""
    import bisect

    right = bisect.bisect_left(values, target)
    if right == 0:
        return 0
    if right == len(values):
        return right - 1
    return right if values[right] - target < target - values[right - 1] else right - 1
