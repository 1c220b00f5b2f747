"""The figures of a part as plain data for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Outcome, decide
from guiapp.training.metrics.numbers import by_class
from guiapp.training.metrics.report import Report
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


def class_rows(found: Report, outcome: Outcome) -> list[dict[str, Any]]:
    """One row a class: counts and every measure, with the areas under its curves."""
    measures = by_class(outcome)
    rows = []
    for index, label in enumerate(outcome.names):
        row: dict[str, Any] = {"label": label, "count": int(outcome.matrix[index].sum())}
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
