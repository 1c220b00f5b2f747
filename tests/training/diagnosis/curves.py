"""Figures of runs with and without a fault, drawn instead of trained."""

import itertools

import numpy as np

from guiapp.training.diagnosis.figures import RunFigures

STEPS, EPOCHS = 1000, 10


def noisy(values, seed=0, share=0.05):
    """Values with the noise of batches."""
    draw = np.random.default_rng(seed)
    return np.asarray(values) * (1 + share * draw.standard_normal(len(values)))


def falling(first=2.3, last=0.05, pace=6.0, steps=STEPS):
    """An exponential that goes from ``first`` to about ``last``."""
    return last + (first - last) * np.exp(-pace * np.linspace(0, 1, steps))


def run(loss=None, rate=None, held=None, learned=None, kept=None, **more):
    """Figures of a healthy run, where nothing else is given: both losses fall, accuracies rise together."""
    loss = noisy(falling()) if loss is None else np.asarray(loss)
    steps = len(loss)
    rate = 0.05 * (1 + np.cos(np.pi * np.arange(steps) / steps)) if rate is None else np.asarray(rate)
    ends = np.linspace(0, steps, EPOCHS + 1).astype(int)
    finite = np.nan_to_num(loss, nan=99.0)
    means = [float(finite[a:b].mean()) for a, b in itertools.pairwise(ends)]
    held = np.asarray(means) * 1.1 if held is None else held
    learned = np.clip(1 - np.asarray(means) / 2.3, 0.1, 1) if learned is None else learned
    kept = np.asarray(learned) - 0.01 if kept is None else kept
    rows = [
        {
            "epoch": e + 1,
            "step": int(ends[e + 1]),
            "train": {"loss": means[e], "accuracy": float(learned[e])},
            "validation": {"loss": float(held[e]), "accuracy": float(kept[e])},
        }
        for e in range(EPOCHS)
    ]
    return RunFigures(loss, rate, rows, **{"initial_loss": 2.3, "total_steps": steps, **more})
