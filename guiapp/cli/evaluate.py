"""``guiapp evaluate``: the figures of a trained network on one part of a data set."""

from __future__ import annotations

import argparse
from typing import Any

from guiapp.cli import output
from guiapp.cli.subject import open_subject
from guiapp.cli.votes import let_vote


def run(options: argparse.Namespace) -> int:
    """Measure and print, with a 95 % interval and what the most frequent class would get."""
    progress = output.Progress()
    subject = open_subject(options.target)
    voting = let_vote(subject, options)
    dataset = subject.open_dataset(options.dataset, progress.share)
    figures = subject.evaluate(dataset, options.split, progress.share)
    progress.clear()
    result: dict[str, Any] = {
        "model": subject.name,
        "task": subject.task_name,
        "dataset": dataset.name,
        "split": options.split,
        "classes": list(dataset.classes),
        **voting,
        **figures,
    }
    if options.json:
        output.give_json(result)
        return 0
    low, high = figures["interval"]
    output.give(f"{subject.name} on {dataset.title}, {options.split} part, {figures['count']:,} samples")
    if voting:
        output.give("{count} views of each vote: {views}, {rule}".format(**voting["voting"]))
    output.give(f"accuracy  {figures['accuracy']:.4f}  (95 % interval {low:.4f} to {high:.4f})")
    output.give(f"majority  {figures['majority']:.4f}  (always the most frequent class)")
    output.give(f"loss      {figures['loss']:.4f}")
    return 0
