"""Faults that show within: dead and saturated units, gradients by depth, waiting for data, wrong labels."""

from __future__ import annotations

import numpy as np

from guiapp.training.diagnosis.figures import RunFigures
from guiapp.training.diagnosis.findings import Evidence, Finder, Finding
from guiapp.training.diagnosis.record import Observations
from guiapp.training.diagnosis.summary import late

_LEAST_RECORDS = 4
_LEAST_WAIT = 3e-3
"""Seconds of a step; a network that is through sooner than its few lines of preparation waits for nothing."""
_WORDS = {
    "data": "reading samples", "transfer": "bringing them to the device", "forward": "the forward pass",
    "backward": "the backward pass", "update": "the update",
}  # fmt: skip


def _enough(run: RunFigures) -> Observations | None:
    seen = run.observation
    return seen if seen is not None and len(seen) >= _LEAST_RECORDS and len(seen.layers) else None


def _named(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def dead_units(run: RunFigures) -> Finding | None:
    """Rectified units that are zero for whole batches learn nothing any more."""
    seen = _enough(run)
    if seen is None:
        return None
    dead = late(seen, "dead")
    bad = [i for i in range(len(dead)) if dead[i] >= 0.4]
    if not bad:
        return None
    names = [seen.layers[i].name for i in bad]
    first = int(seen.steps[np.flatnonzero((seen.figures["dead"][:, bad] >= 0.4).any(1))[0]])
    text = f"{np.nanmax(dead):.0%} of the units of {_named(names)} are zero for every sample of a batch."
    advice = "Take a smaller rate, Kaiming's initial weights, or an activation that is not flat below zero."
    where = Evidence("loss", first, run.steps, "units are dead")
    return Finding("dead-units", "Dead units", "warning", text, advice, (where,), tuple(names))


def saturated_units(run: RunFigures) -> Finding | None:
    """Outputs at the ends of a sigmoid or hyperbolic tangent pass on almost no gradient."""
    seen = _enough(run)
    if seen is None:
        return None
    flat = late(seen, "saturated")
    bad = [i for i in range(len(flat)) if flat[i] >= 0.5]
    if not bad:
        return None
    names = [seen.layers[i].name for i in bad]
    first = int(seen.steps[np.flatnonzero((seen.figures["saturated"][:, bad] >= 0.5).any(1))[0]])
    text = f"{np.nanmax(flat):.0%} of the outputs after {_named(names)} lie where the activation is flat."
    advice = "Take smaller initial weights (Xavier), normalise the layers, or take ReLU."
    where = Evidence("loss", first, run.steps, "units are saturated")
    return Finding("saturated-units", "Saturated units", "warning", text, advice, (where,), tuple(names))


def gradients_by_depth(run: RunFigures) -> Finding | None:
    """Gradients that shrink or grow by a thousand from the last layers to the first, for the size of the weights."""
    seen = _enough(run)
    if seen is None or len(seen.layers) < 3:
        return None
    norms = late(seen, "gradient") / np.maximum(late(seen, "weight"), 1e-30)
    there = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    if len(there) < 3:
        return None
    first, last = norms[there[0]], norms[there[-1]]
    factor = last / first
    if 1e-3 < factor < 1e3:
        return None
    vanish = factor >= 1e3
    ends = seen.layers[there[0]].name, seen.layers[there[-1]].name
    text = (
        f"Beside its weights the gradient of {ends[0]} is {first:.1e}, that of {ends[1]} {last:.1e}: "
        f"it {'vanishes' if vanish else 'explodes'} on the way to the first layers."
    )
    advice = "Take Kaiming's initial weights with ReLU, normalise the layers, or add shortcuts (residual blocks)."
    title = "Vanishing gradients" if vanish else "Exploding gradients"
    where = Evidence("loss", int(seen.steps[len(seen) // 2]), run.steps, title.lower())
    return Finding("gradients-by-depth", title, "warning", text, advice, (where,), ends)


def data_bottleneck(run: RunFigures) -> Finding | None:
    """A step waits for its samples longer than it computes."""
    seen = run.observation
    shares = seen.stage_shares if seen is not None else {}
    waits = shares.get("data", 0.0) + shares.get("transfer", 0.0)
    if seen is None or waits < 0.4 or np.isfinite(seen.times).all(1).sum() < 3:
        return None
    timed = np.flatnonzero(np.isfinite(seen.times).all(1))
    if waits * float(np.median(seen.times[timed].sum(1))) < _LEAST_WAIT:
        return None  # the least that there is to do for a batch
    worst = max(("data", "transfer"), key=lambda name: shares[name])
    text = (
        f"{waits:.0%} of a step is spent before the network begins, most of it {_WORDS[worst]} ({shares[worst]:.0%})."
    )
    advice = "Keep decoded or resized samples in memory, read ahead with workers, or augment less."
    where = Evidence("loss", int(seen.steps[timed[0]]), int(seen.steps[timed[-1]]), f"{waits:.0%} of the time for data")
    return Finding("data-bottleneck", "Data bottleneck", "warning", text, advice, (where,))


def wrong_labels(run: RunFigures) -> Finding | None:
    """Many mistakes of the validation are as sure as right answers: labels that are wrong, rather than hard samples."""
    seen = run.observation
    if seen is None or not seen.epochs or not run.epochs:
        return None
    held = {int(row["epoch"]): float(row["validation"]["loss"]) for row in run.epochs}
    lines = [line for line in seen.epochs if line["epoch"] in held]
    if len(lines) < 2:
        return None
    best = min(lines, key=lambda line: held[line["epoch"]])  # before anything is learned by heart
    return of_mistakes(best, run.classes)


def of_mistakes(noted: dict[str, object], classes: int) -> Finding | None:
    """The finding of one validation, as ``labels.confident_mistakes`` gives it with ``step``, or None."""
    count, errors, suspects = (int(noted[name]) for name in ("count", "errors", "suspects"))  # type: ignore[call-overload]
    accuracy = 1 - errors / max(count, 1)
    if accuracy < 1.5 / classes + 0.1 or suspects < max(5, 0.02 * count) or suspects < 0.35 * errors:
        return None
    pairs = ", ".join(f"{truth} read as {read} ({times})" for truth, read, times in noted["pairs"][:3])  # type: ignore[index]
    text = (
        f"{suspects} of {errors} mistakes on {count} validation samples are as sure as right answers; with right "
        f"labels most would be doubtful. By class index: {pairs}."
    )
    advice = "Look at the samples named here with their labels; correct or leave out what is wrong."
    step = int(noted.get("step", 0))  # type: ignore[call-overload]
    where = (Evidence("accuracy", max(step, 1), max(step, 1), "sure mistakes counted here"),) if step else ()
    samples = tuple(int(i) for i in noted["samples"])  # type: ignore[attr-defined]
    return Finding("label-problems", "Label problems", "warning", text, advice, where, samples=samples)


FINDERS: tuple[Finder, ...] = (
    wrong_labels, data_bottleneck, dead_units, saturated_units, gradients_by_depth,
)  # fmt: skip
