"""How much a search may spend: time, epochs or runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from guiapp.core.notices import SettingError

_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$")


@dataclass(frozen=True)
class Budget:
    """Bounds of a search; None is no bound.

    Attributes:
        seconds: Time spent on runs, all sessions together.
        epochs: Epochs trained, all runs together.
        runs: Runs begun.
    """

    seconds: float | None = None
    epochs: int | None = None
    runs: int | None = None

    def spent(self, seconds: float, epochs: int) -> bool:
        """Whether nothing is left for a run that goes on."""
        return (self.seconds is not None and seconds >= self.seconds) or (
            self.epochs is not None and epochs >= self.epochs
        )

    def allows(self, runs: int) -> bool:
        """Whether one more run may begin after ``runs``."""
        return self.runs is None or runs < self.runs


def parse_budget(text: str) -> Budget:
    """Read ``"30s"``, ``"10m"``, ``"2h"``, ``"200epochs"``, ``"12runs"``; empty for no bound.

    Raises:
        SettingError: If it is none of them.
    """
    if not text.strip():
        return Budget()
    found = _FORM.match(text.lower())
    if found is not None:
        amount, unit = float(found[1]), found[2]
        if unit in _UNITS and amount > 0:
            return Budget(seconds=amount * _UNITS[unit])
        if unit.rstrip("s") in ("epoch", "run") and amount >= 1:
            return Budget(epochs=int(amount)) if unit.startswith("epoch") else Budget(runs=int(amount))
    raise SettingError(f"a budget is a time (30s, 10m, 2h), epochs (200epochs) or runs (12runs), not {text!r}")
