"""The options of the probes that take classical detectors apart: plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _option(default: Any, help: str, unit: str = "", low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class CascadeOptions:
    """What the cascade probe looks at.

    Without ``side`` it chooses the window itself: the one with the greatest margin of the face that most windows
    found, or what came farthest where there is no face.
    """

    left: float | None = _option(None, "left border of the window in the picture; empty for the best", "pixels")
    top: float | None = _option(None, "upper border of the window", "pixels")
    side: float | None = _option(None, "width of the window, brought to the nearest size searched", "pixels", low=1)
    face: int = _option(0, "which face, the one with the most windows first; where no window is chosen", low=0)
    longest: int = _option(320, "longer side of the picture that is searched", "pixels", low=64, high=1920)
    smallest: int = _option(24, "side of the smallest windows in the picture that is searched", "pixels", low=20)


@dataclass(frozen=True)
class GradientOptions:
    """What the gradients probe looks at.

    Without ``height`` it takes the window that the detector of people likes best, or the middle of the picture.
    """

    left: float | None = _option(None, "left border of the window in the picture; empty for the best", "pixels")
    top: float | None = _option(None, "upper border of the window", "pixels")
    height: float | None = _option(None, "height of the window: the picture is shrunk to make it 128", "pixels", low=32)
    longest: int = _option(640, "longer side that the picture is at most given", "pixels", low=128, high=1920)
