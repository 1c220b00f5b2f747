"""``guiapp ensemble``: several trained networks alone and together on one part of their data set."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from guiapp.cli import output
from guiapp.core import paths
from guiapp.core.notices import SettingError


def run(options: argparse.Namespace) -> int:
    """Measure and print: each member, all of them together, and how much they disagree."""
    from guiapp.training.ensembles import measuring, members_of
    from guiapp.training.evaluation import finish

    progress = output.Progress()
    members = members_of([_folder(name) for name in options.runs], options.last)
    found = finish(measuring(members, options.split, "evaluate"), lambda step: progress.share(*step))
    progress.clear()
    lines = [_line(figures) for figures in (*found.members, *found.answers)]
    count = len(found.names)
    disagreement = float(found.disagreement.sum() / (count * (count - 1)))
    result: dict[str, Any] = {
        "dataset": found.dataset,
        "split": found.part,
        "count": len(found.truth),
        "members": lines[:count],
        "together": lines[count:],
        "disagreement": disagreement,
        "by_size": [{"members": n, "mean": m, "low": a, "high": b} for n, (m, a, b) in enumerate(found.growth, 1)],
        **({"test_looks": list(found.looks)} if found.looks else {}),
    }
    if options.json:
        output.give_json(result)
        return 0
    output.give(f"{count} networks on {found.dataset}, {found.part} part, {len(found.truth):,} samples")
    rows = [
        {
            "answer": line["name"],
            "accuracy": f"{line['accuracy']:.4f}",
            "95 % interval": "{:.4f} to {:.4f}".format(*line["interval"]),
            "loss": "–" if line["loss"] is None else f"{line['loss']:.4f}",
        }
        for line in lines
    ]
    output.give_table(rows, ["answer", "accuracy", "95 % interval", "loss"])
    output.give(f"two members name different classes for {100 * disagreement:.2f} % of the samples on average")
    output.give("accuracy by number of members: " + ", ".join(f"{n}: {m:.4f}" for n, m in _sizes(found.growth)))
    if found.looks:
        output.give(f"looks at the test part of these runs so far: {', '.join(map(str, found.looks))}")
    return 0


def _sizes(growth: tuple[tuple[float, float, float], ...]) -> list[tuple[int, float]]:
    return [(number, row[0]) for number, row in enumerate(growth, 1)]


def _line(figures: Any) -> dict[str, Any]:
    loss = figures.loss if math.isfinite(figures.loss) else None
    return {"name": figures.name, "accuracy": figures.accuracy, "interval": list(figures.interval), "loss": loss}


def _folder(name: str) -> Path:
    for path in (Path(name).expanduser(), paths.runs() / name):
        if (path / "run.json").is_file():
            return path
    raise SettingError(f"there is no run {name}: name runs as `guiapp runs` does")
