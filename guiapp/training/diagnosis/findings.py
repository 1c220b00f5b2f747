"""What is wrong with a run, in words, with the steps that show it: one function a fault.

The shapes of curves and what they mean are those of course text T4, section 8.8, and T1, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from guiapp.training.diagnosis.figures import RunFigures

Severity = Literal["error", "warning", "note"]
Plot = Literal["loss", "accuracy", "rate"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Evidence:
    """A piece of a curve.

    Attributes:
        plot: Which curve: of the loss, the accuracy, or the learning rate.
        first, last: Steps, counted from 1.
        text: What is seen there.
    """

    plot: Plot
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Finding:
    """A fault of a run.

    Attributes:
        id: Its name, such as ``"overfitting"``.
        title: What it is called.
        severity: How bad it is.
        text: What was found, with figures.
        advice: What can be done.
        evidence: Where the curves show it.
        layers: Names of the layers that are concerned.
        samples: Indices of validation samples that are concerned.
    """

    id: str
    title: str
    severity: Severity
    text: str
    advice: str
    evidence: tuple[Evidence, ...] = ()
    layers: tuple[str, ...] = ()
    samples: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


Finder = Callable[[RunFigures], Finding | None]


def findings(figures: RunFigures) -> list[Finding]:
    """All faults that a run shows, the worst first; empty where nothing is wrong or too little is known."""
    from guiapp.training.diagnosis import curve_findings, inner_findings

    found = [one for finder in (*curve_findings.FINDERS, *inner_findings.FINDERS) if (one := finder(figures))]
    found.sort(key=lambda one: SEVERITIES.index(one.severity))
    return found
