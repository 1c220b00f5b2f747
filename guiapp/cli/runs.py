"""``guiapp runs``: runs against each other, any column; settings that differ, groups over seeds, bias and variance."""

from __future__ import annotations

import argparse
import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from guiapp.cli import output
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError, UserError
from guiapp.training.bias_variance import measure
from guiapp.training.evaluation import finish
from guiapp.training.run_groups import MEASURED, groups_of
from guiapp.training.run_records import (
    RunRecord,
    check_columns,
    check_filter,
    columns_of,
    differing,
    in_order,
    matches,
    read_all,
    run_folders,
    shown_columns,
)


def run(options: argparse.Namespace) -> int:
    """Read the runs, choose among them and print them."""
    records = finish(read_all(run_folders(options.folders or None)))
    for text in options.where:
        check_filter(records, text)
    if options.csv is not None and not options.csv.absolute().parent.is_dir():
        raise SettingError(f"there is no folder {options.csv.absolute().parent} for {options.csv.name}")
    records = [record for record in records if all(matches(record, text) for text in options.where)]
    if not records:
        raise UserError("no run passes: train one, or choose other filters")
    if options.sort:
        (column,) = check_columns(records, [options.sort])
        records = in_order(records, column, options.descending)
    make = {"runs": _runs, "differences": _differences, "groups": _groups, "bias-variance": _bias_variance}
    rows, columns = make[options.show](records, options)
    if options.csv is not None:
        write_atomic(options.csv, _csv(rows, columns))
        output.say(f"written: {options.csv}")
    if options.json:
        output.give_json({options.show: rows})
    elif options.csv is None:
        output.give_table(rows, columns)
    return 0


Rows = tuple[list[dict[str, Any]], list[str]]


def _runs(records: Sequence[RunRecord], options: argparse.Namespace) -> Rows:
    if options.columns:
        columns = check_columns(records, [word.strip() for word in options.columns.split(",") if word.strip()])
    else:
        columns = columns_of(records) if options.json else shown_columns(records)
    return [{column: record.value(column) for column in columns} for record in records], columns


def _differences(records: Sequence[RunRecord], options: argparse.Namespace) -> Rows:
    """A row a setting, a column a run."""
    names = [record.name for record in records]
    heads = [
        name if names.count(name) == 1 or name == record.folder.name else f"{name} ({record.folder.name})"
        for name, record in zip(names, records, strict=True)
    ]
    rows = []
    for name in [*differing(records), "validation.accuracy", "gap"]:
        rows.append({"setting": name, **{h: r.value(name) for h, r in zip(heads, records, strict=True)}})
    return rows, ["setting", *heads]


def _groups(records: Sequence[RunRecord], options: argparse.Namespace) -> Rows:
    rows = []
    for group in groups_of(records):
        row: dict[str, Any] = {**group.settings, "runs": len(group.runs), "over": list(group.repeats)}
        for name in MEASURED:
            found = group.figures[name]
            row[name] = found.mean if found.count else None
            row[f"{name} ±"] = None if math.isnan(found.deviation) else found.deviation
        rows.append(row)
    return rows, list(rows[0])


def _bias_variance(records: Sequence[RunRecord], options: argparse.Namespace) -> Rows:
    groups = [group for group in groups_of(records) if len(group.runs) > 1]
    if not groups:
        raise UserError("bias and variance need repeated fits: guiapp search EXPERIMENT --draws 10, or --seeds 10")
    progress = output.Progress()
    found = finish(
        measure([[r.folder for r in group.runs] for group in groups]), lambda step: progress.share(step[0], step[1])
    )
    progress.clear()
    rows = [
        {
            **group.settings, "fits": one.fits, "error": one.error, "bias²": one.bias, "variance": one.variance,
            "wrong": one.wrong, "wrong together": one.wrong_together, "disagreement": one.disagreement,
        }
        for group, one in zip(groups, found, strict=True)
    ]  # fmt: skip
    return rows, list(rows[0])


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
