"""What was observed within a run as a short table: each layer's figures late in the run, and where the time goes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from guiapp.training.diagnosis.record import FIGURES, Observations


def late(seen: Observations, name: str) -> np.ndarray:
    """Median of a figure of each layer over the last half of the records, float64 (L,); NaN where there is none."""
    rows = np.asarray(seen.figures[name][len(seen) // 2 :], np.float64)
    columns = [rows[np.isfinite(rows[:, i]), i] for i in range(len(seen.layers))]
    return np.array([float(np.median(values)) if len(values) else math.nan for values in columns])


def summary(seen: Observations) -> dict[str, Any]:
    """Plain data: ``records``, ``layers`` with their figures, ``time`` (shares of a step), ``samples_per_second``."""
    figures = {name: late(seen, name).tolist() for name in FIGURES}
    layers = [
        {"name": layer.name, "type": layer.type, "activation": layer.activation_type}
        | {name: values[i] for name, values in figures.items()}
        for i, layer in enumerate(seen.layers)
    ]
    return {
        "records": len(seen),
        "layers": layers,
        "time": seen.stage_shares,
        "samples_per_second": seen.rate,
    }
