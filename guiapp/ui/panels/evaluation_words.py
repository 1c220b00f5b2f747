"""What the evaluation panel says: numbers as texts, what is under the pointer, how often the test part was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from guiapp.datasets.base import UNLABELLED
from guiapp.engine.evaluate import NOT_LABELLED
from guiapp.training.looks import counted

if TYPE_CHECKING:
    from pathlib import Path

    from guiapp.datasets.base import Dataset
    from guiapp.engine.evaluate import Evaluated
    from guiapp.engine.state import EngineState
    from guiapp.training.metrics.calibration import Calibration
    from guiapp.training.metrics.decision import Outcome
    from guiapp.training.metrics.ranking import Curve, Ranking

_NOTHING = "Choose an experiment in the catalogue to measure what its network gets right and wrong."
PARTS = {"train": "Training", "validation": "Validation", "test": "Test"}


def nothing(dataset: Dataset | None) -> str:
    """Why there is nothing to measure; empty where there is."""
    if dataset is None:
        return _NOTHING
    return NOT_LABELLED if UNLABELLED in dataset.classes else ""


def figure(value: float, digits: int = 4) -> str:
    """A number with its digits; a dash where it does not exist."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value + 0.0:.{digits}f}".replace("-", "−")


def reach(interval: tuple[float, float], digits: int = 4) -> str:
    """An interval as text."""
    low, high = interval
    return "–" if math.isnan(low) or math.isnan(high) else f"{figure(low, digits)} – {figure(high, digits)}"


def share(part: float, whole: float) -> str:
    """A share in per cent."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def best_step(state: EngineState) -> int | None:
    """Step of the best weights on validation, which a run goes back to at its end; None where it has not."""
    opened, rows = state.opened, state.epoch_rows
    if state.phase != "finished" or opened is None or opened.recipe.keep != "best" or state.epoch < state.epochs:
        return None
    read = [(row["validation"], int(row["step"])) for row in rows if "accuracy" in (row.get("validation") or {})]
    best = max(read, key=lambda row: (row[0]["accuracy"], -row[0]["loss"]), default=None)  # the first of equals
    return None if best is None or best[1] == state.step else best[1]


def status(found: Evaluated, outcome: Outcome, moved: int | None, best: int | None = None) -> str:
    """What was measured; ``moved`` is the step that the weights have gone to since, ``best`` where they are from."""
    count, wrong = len(outcome.truth), int((~outcome.right).sum())
    accuracy = (count - wrong) / count if count else math.nan
    none = f", {outcome.unanswered:,} without answer" if outcome.unanswered else ""
    gone = f" (now {moved:,})" if moved is not None and moved != found.step else ""
    positive = outcome.decision.positive
    who = "" if positive is None else f"{outcome.names[1]} or not: "
    text = f"{who}accuracy {figure(accuracy)} · {wrong:,} of {count:,} wrong{none}"
    weights = ", averaged weights" if found.averaged else ""
    step = f"{found.step:,}{gone}" if best is None else f"{best:,} (best)"
    return f"{text} · {PARTS[found.part].lower()}, step {step}{weights}"


def of_cell(row: str, column: str, count: int, total: int) -> str:
    """A cell of the matrix."""
    what = f"{row} taken for {column}" if row != column else f"{row} right"
    return f"{what}: {count:,} of {total:,}, {share(count, total)} · click shows them"


def of_curve(name: str, curve: Curve, at: int) -> str:
    """A point of a curve."""
    threshold = curve.thresholds[at]
    where = "above every score" if math.isinf(threshold) else f"from {threshold:.4g} on"
    return (
        f"{name} {where}: TPR {figure(curve.tpr[at], 3)}, FPR {figure(curve.fpr[at], 3)}, precision "
        f"{figure(curve.precision[at], 3)} · click decides there"
    )


def of_areas(name: str | None, index: int | None, ranking: Ranking) -> str:
    """The areas under the curves of a class, and their means."""
    mean = f"mean AUC {figure(ranking.mean_auc[0])}, AP {figure(ranking.mean_precision[0])}"
    if name is None or index is None:
        return mean
    low, high = ranking.auc_intervals[index]
    area = f"{name}: AUC {figure(ranking.auc[index])} ({reach((float(low), float(high)))})"
    return f"{area}, AP {figure(ranking.average_precision[index])} · {mean}"


def of_bins(found: Calibration) -> str:
    """The errors of calibration."""
    how = "too sure" if found.over > 0 else "too unsure"
    text = f"ECE {figure(found.ece)} ({reach(found.ece_interval)}) · largest gap {figure(found.mce, 3)}"
    return f"{text} · on the whole {figure(abs(found.over), 3)} {how}" if math.isfinite(found.over) else text


def of_bin(found: Calibration, index: int) -> str:
    """One bin."""
    ends = reach((float(found.low[index]), float(found.high[index])), 3)
    return (
        f"{found.edges[index]:.3g} to {found.edges[index + 1]:.3g}: {found.counts[index]:,} samples, promised "
        f"{figure(found.promised[index], 3)}, came {figure(found.came[index], 3)} ({ends}) · click shows them"
    )


def of_doubts(part: str) -> str:
    """How labels that are perhaps wrong were found."""
    text = "confident learning: another class is more probable than is usual for it"
    return f"{text} · this part was learned, wrong labels with it: less is found" if part == "train" else text


def looks(found: Sequence[Mapping[str, Any]], run: Path | None, here: int) -> str:
    """How often the test part was looked at."""
    if run is None:
        return f"test part: {_looks(here)}, no run" if here else "test part: not looked at"
    number = counted(list(found))
    each = ", ".join(f"{number[who]:,} {who}" for who in ("train", "evaluate", "window") if number[who])
    return f"test part: {_looks(number['count'])} ({each})" if each else "test part: never looked at"


def _looks(number: int) -> str:
    return "1 look" if number == 1 else f"{number:,} looks"


def question(number: int, run: Path | None) -> str:
    """What is asked before a look at the test part."""
    kept = "kept in run.json" if run is not None else "counted here alone: there is no run to keep it in"
    return f"Look {number} at the test part ({kept})? What is chosen after that is no longer tested by it."
