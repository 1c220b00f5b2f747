"""``guiapp evaluate``: the figures of a trained network on one part of a data set."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.subject import Subject, open_subject
from guiapp.cli.votes import let_vote
from guiapp.core.notices import SettingError

if TYPE_CHECKING:
    from guiapp.training.metrics.decision import Decision, Outcome
    from guiapp.training.metrics.report import Report


def run(options: argparse.Namespace) -> int:
    """Measure and print, each figure with a 95 % interval and what the most frequent class would get."""
    from guiapp.training.metrics.decision import decide
    from guiapp.training.metrics.plain import summary

    progress = output.Progress()
    subject = open_subject(options.target)
    decision = _decision(subject.task.labels, options.class_name, options.threshold)
    voting = let_vote(subject, options)
    dataset = subject.open_dataset(options.dataset, progress.share)
    found = subject.report(dataset, options.split, progress.share)
    outcome = decide(found.scores, decision)
    own = options.dataset in (None, subject.dataset_name)
    looks = _count(subject, found) if own and options.split == "test" else None
    progress.clear()
    part = dataset.part(options.split)
    result: dict[str, Any] = {
        "model": subject.name,
        "task": subject.task_name,
        "dataset": dataset.name,
        "split": options.split,
        "classes": list(dataset.classes),
        **voting,
        **summary(found, outcome, part.paths, options.worst),
        **({"test_looks": looks} if looks is not None else {}),
    }
    if options.json:
        output.give_json(result)
        return 0
    output.give(f"{subject.name} on {dataset.title}, {options.split} part, {result['count']:,} samples")
    if voting:
        output.give("{count} views of each vote: {views}, {rule}".format(**voting["voting"]))
    _print(found, outcome, result)
    if looks is not None:
        by = ", ".join(f"{looks[who]:,} by {who}" for who in ("train", "evaluate", "window") if looks[who])
        output.give(f"this was look {looks['count']:,} at the test part of this run ({by})")
    return 0


def _decision(labels: Sequence[str], name: str | None, threshold: float | None) -> Decision:
    from guiapp.training.metrics.decision import Decision

    if threshold is not None and not 0 <= threshold <= 1:
        raise SettingError(f"--threshold is a probability, 0 to 1, not {threshold:g}")
    if name is None:
        return Decision(None, threshold or 0.0)
    if name in labels:
        index = list(labels).index(name)
    elif name.isdigit() and int(name) < len(labels):
        index = int(name)
    else:
        raise SettingError(f"there is no class {name}; classes are: {', '.join(labels[:20])}")
    return Decision(index, 0.5 if threshold is None else threshold)


def _count(subject: Subject, found: Report) -> dict[str, int] | None:
    """Count a look at the test part of the run's own data; None where there is no run."""
    if subject.run is None:
        return None
    from guiapp.training.looks import add_look, counted

    scores = found.scores
    return counted(add_look(subject.run, "evaluate", float(scores.right.mean()), subject.step, scores.dataset))


def _print(found: Report, outcome: Outcome, result: dict[str, Any]) -> None:
    from guiapp.training.metrics.decision import decide

    decision = outcome.decision
    if decision.positive is not None:
        output.give(f"{outcome.names[1]} against the others, answered from a probability of {decision.threshold:g} on")
    output.give(f"{'loss':<26}{result['loss']:.4f}")
    output.give(f"{'':<26}{'':>8}  {'95 % interval':>19}  {'majority':>8}")
    for line in found.numbers(outcome):
        reach = f"{_figure(line.interval[0])} to {_figure(line.interval[1])}"
        made = f"  {line.counted}" if line.counted else ""
        output.give(f"{line.title:<26}{_figure(line.value):>8}  {reach:>19}  {_figure(line.majority):>8}{made}")
    if outcome.count <= 30:
        output.give()
        columns = [*outcome.names, *(["no answer"] if outcome.unanswered else [])]
        shown = outcome.matrix if outcome.unanswered else outcome.matrix[:, :-1]
        head = "true \\ answer"
        rows = [
            {head: name, **{column: int(n) for column, n in zip(columns, row, strict=True)}}
            for name, row in zip(outcome.names, shown, strict=True)
        ]
        output.give_table(rows, [head, *columns])
    _name_samples("worst mistakes, least expected truth first", result["worst"], "predicted", "probability")
    doubtful = result["label_candidates"] if decision.positive is None else []
    _name_samples("labels that are perhaps wrong", doubtful, "suggested", "margin")
    pairs = decide(found.scores).pairs()[:5]
    if pairs and outcome.count > 30:
        output.give("\nmost frequent mistakes: " + ", ".join(_pair(found, *pair) for pair in pairs))


def _pair(found: Report, truth: int, answer: int, count: int) -> str:
    names = found.scores.classes
    return f"{names[truth]} taken for {names[answer] if answer < len(names) else 'nothing'} ({count:,})"


def _name_samples(title: str, samples: list[dict[str, Any]], other: str, figure: str) -> None:
    if not samples:
        return
    output.give(f"\n{title}:")
    for sample in samples:
        where = f"  {sample['path']}" if "path" in sample else ""
        value = sample[figure]
        output.give(f"  {sample['index']:>7,}  {sample['label']} → {sample[other]}  {figure} {_figure(value)}{where}")


def _figure(value: float) -> str:
    return (
        f"{value + 0.0:.4f}".replace("-0.0000", "0.0000") if math.isfinite(value) else "–" if math.isnan(value) else "∞"
    )
