"""The words of a recipe's form: labels of fields, titles of groups, formulas of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABELS = {
    "preprocessing.name": "input", "preprocessing.components": "principal axes", "preprocessing.epsilon": "epsilon",
    "preprocessing.back": "turned back", "initialisation.name": "first weights",
    "initialisation.deviation": "small deviation", "initialisation.distribution": "drawn as",
    "normalisation.name": "normalisation", "normalisation.groups": "groups", "leave_out.dropout": "dropout",
    "leave_out.dropconnect": "DropConnect", "leave_out.depth": "stochastic depth", "leave_out.pooling": "pooling",
    "leave_out.pool_share": "pooled size",
    "augmentation.name": "augmentation",
    "loading.memory": "kept on the device", "loading.ahead": "batches ahead", "loading.workers": "reading processes",
    **{f"augmentation.{name}": name.replace("_", " ") for name in (
        "flip", "flip_vertical", "shift", "crop", "rotation", "scale", "shear", "brightness", "contrast", "saturation",
        "hue", "cutout", "cutout_chance", "mixup", "cutmix",
    )}, "augmentation.pca": "PCA colour",
    "data.folds": "folds", "data.fold": "validated fold", "data.share": "share of samples", "data.draw": "draw",
    "observe.name": "observation", "observe.every": "observe every",
    "optimiser.name": "optimiser", "optimiser.lr": "rate", "optimiser.momentum": "momentum",
    "optimiser.weight_decay": "weight decay", "optimiser.beta1": "beta 1", "optimiser.beta2": "beta 2",
    "transfer.name": "layers that learn", "transfer.every": "join every", "transfer.groups": "groups of layers",
    "transfer.decay": "rate per group", "transfer.statistics": "statistics", "transfer.views": "kept versions",
    "schedule.name": "schedule", "schedule.every": "drop every", "schedule.factor": "drop to",
    "optimiser.damping": "damping", "optimiser.iterations": "Hessian products", "schedule.points": "drop after",
    "schedule.power": "power", "schedule.gamma": "gamma", "schedule.rho": "rho", "schedule.cycles": "cycles",
    "schedule.warmup": "warm-up", "schedule.warmup_from": "warm-up from", "schedule.rise": "rising share",
    "schedule.start": "share at start", "schedule.momentum_low": "momentum at peak", "schedule.curve": "one-cycle form",
    "accumulate": "parts of a step", "clipping.name": "clipping", "clipping.limit": "clip at",
    "penalty.name": "penalty", "penalty.strength": "lambda", "penalty.beta": "elastic beta",
    "loss.smoothing": "label smoothing", "balance.name": "balance classes", "stopping.patience": "stop after",
    "stopping.watch": "stop by", "stopping.margin": "least gain", "schedule.final": "final share",
    "keep": "keep weights", "checkpoint_seconds": "checkpoint every",
    "average.name": "average of weights", "average.rho": "rho", "average.start": "average from",
    "average.every": "length of a cycle", "members.name": "kept weights", "members.every": "length of a cycle",
    "distillation.teacher": "teacher", "distillation.temperature": "temperature",
    "distillation.share": "teacher's share", "model.residual": "residual shortcuts",
}  # fmt: skip
RUN = "run"
"""The section with the fields that belong to no group."""
TITLES = {
    "optimiser": "Optimiser", "schedule": "Schedule of the rate", RUN: "Run", "model": "Network", "loss": "Loss",
    "penalty": "Penalty of weights", "clipping": "Clipping of gradients", "balance": "Balance of classes",
    "stopping": "Early stopping", "augmentation": "Augmentation", "preprocessing": "Input",
    "initialisation": "First weights", "normalisation": "Normalisation", "leave_out": "Leaving out",
    "average": "Average of weights", "members": "Kept for an ensemble", "distillation": "Distillation",
    "transfer": "Transfer", "data": "Which samples", "loading": "Loading of samples", "observe": "Observation",
}  # fmt: skip
"""Titles of the groups, in the order of the form; others follow by their names."""
FORMULAS = {
    "constant": "η",
    "step": "η · factorᵏ, k drops so far",
    "exponential": "η · factor^(e / every)",
    "polynomial": "η · [f + (1 − f)(1 − t/T)^power]",
    "inverse": "η · (1 + γ e)^−ρ",
    "inverse-sqrt": "η / √(1 + e)",
    "linear": "η · [f + (1 − f)(1 − t/T)]",
    "cosine": "η · [f + (1 − f)(1 + cos πt/T) / 2]",
    "one-cycle": "start η → η → f η; momentum the other way",
}
"""What a schedule is: rate η, step t of T, epoch e, final share f."""


_LONG = 40
"""Differences that would take more letters are counted."""


def augmentations() -> tuple[str, ...]:
    """Names of the augmentations that can be chosen."""
    import sys

    # The module draws with torch, which must not be loaded from the window's thread.
    module = sys.modules.get("guiapp.training.augmentation")
    return ("default", *(module.AUGMENTATIONS if module is not None else ("none",)))


def title_of(group: str) -> str:
    """Title of a group's section."""
    return TITLES.get(group, group.replace("_", " ").capitalize())


def label_of(dotted: str) -> str:
    """Label of a field."""
    return LABELS.get(dotted, dotted.rpartition(".")[2].replace("_", " "))


def value_text(value: Any) -> str:
    """A value in few words."""
    if value is None:
        return "as it is"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if value != "" else "–"


def said(changes: Mapping[str, Any]) -> str:
    """Changed settings in few words, as a run is called; empty where there are none."""
    words = [f"{label_of(name)} {value_text(value)}" for name, value in changes.items() if value != ""]
    words = words or [f"no {label_of(name)}" for name in changes]
    text = ", ".join(words)
    return text if len(text) <= _LONG else f"{words[0]} and {len(words) - 1} more"
