"""The figures of a part as plain data for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Outcome, decide
from guiapp.training.metrics.numbers import by_class
from guiapp.training.metrics.report import Report, wilson
from guiapp.training.metrics.scores import NOTHING, Scores
from guiapp.training.metrics.suspects import suspects, worst


def as_dict(found: Report, outcome: Outcome, listed: int = 10, paths: Sequence[str] = ()) -> dict[str, Any]:
    """Plain data for JSON; NaN stands for what does not exist.

    Args:
        found: The report.
        outcome: At which threshold.
        listed: How many of the worst mistakes and of the suspect labels.
        paths: Files of the samples, where there are files.
    """
    scores = found.scores
    bins = calibration(scores, outcome.decision.positive)
    wrong = suspects(scores)
    return {
        "metrics": {
            line.name: {"value": line.value, "interval": list(line.interval), "majority": line.majority}
            for line in found.numbers(outcome)
        },
        "decision": {
            "class": None if outcome.decision.positive is None else scores.classes[outcome.decision.positive],
            "threshold": outcome.decision.threshold,
            "unanswered": outcome.unanswered,
        },
        "by_class": class_rows(found, outcome if outcome.decision.positive is None else decide(scores)),
        "calibration": {
            "ece": bins.ece,
            "mce": bins.mce,
            "overconfidence": bins.over,
            "bins": [
                {"from": low, "to": high, "count": count, "promised": promised, "came": came}
                for low, high, count, promised, came in zip(
                    bins.edges[:-1].tolist(), bins.edges[1:].tolist(), bins.counts.tolist(), bins.promised.tolist(),
                    bins.came.tolist(), strict=True,
                )
            ],
        },
        "worst": [_sample(scores, int(index), paths) for index in worst(outcome)[:listed]],
        "label_candidates": [
            {**_sample(scores, int(index), paths), "suggested": scores.classes[int(seen)], "margin": float(margin)}
            for index, seen, margin in zip(
                wrong.indices[:listed], wrong.suggested[:listed], wrong.margins[:listed], strict=True
            )
        ],
    }  # fmt: skip


def summary(found: Report, outcome: Outcome, paths: Sequence[str] = (), listed: int = 10) -> dict[str, Any]:
    """What ``guiapp evaluate --json`` says of a part: the main figures at the top level, then ``as_dict``.

    At the top level the most probable class is the answer, whatever the decision; ``confusion`` has a row for each true
    class and a column for each answer, and samples without one are in none.
    """
    plain = decide(found.scores)
    count, right = len(plain.truth), int(plain.right.sum())
    return {
        "count": count,
        "loss": mean_loss(found.scores),
        "accuracy": right / count if count else math.nan,
        "interval": list(wilson(right, count)),
        "majority": float((found.chance.top == plain.truth).mean()) if count else math.nan,
        "chance": 1.0 / found.scores.count,
        "confusion": plain.matrix[:, :-1].tolist(),
        **as_dict(found, outcome, listed, paths),
    }


def mean_loss(scores: Scores) -> float:
    """Mean of the task's loss, or of -log p(true class) where that is not known."""
    return scores.loss if scores.loss is not None else float(scores.surprise.mean()) if len(scores) else math.nan


def class_rows(found: Report, outcome: Outcome) -> list[dict[str, Any]]:
    """One row a class: counts and every measure, with the areas under its curves."""
    measures = by_class(outcome)
    rows = []
    for index, label in enumerate(outcome.names):
        row: dict[str, Any] = {"label": label, "count": int(outcome.totals[index])}
        row |= {kind: int(getattr(outcome, kind)[index]) for kind in ("tp", "fp", "fn", "tn")}
        row |= {name: float(values[index]) for name, values in measures.items()}
        row |= {
            "auc": float(found.ranking.auc[index]),
            "average_precision": float(found.ranking.average_precision[index]),
        }
        rows.append(row)
    return rows


def _sample(scores: Scores, index: int, paths: Sequence[str]) -> dict[str, Any]:
    top = int(scores.top[index])
    row: dict[str, Any] = {
        "index": index,
        "label": scores.classes[int(scores.truth[index])],
        "predicted": None if top == NOTHING else scores.classes[top],
        "confidence": float(scores.confidence[index]),
        "probability": float(scores.of_truth[index]),
    }
    if len(paths) > index:
        row["path"] = str(paths[index])
    return row
