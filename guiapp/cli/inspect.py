"""``guiapp inspect``: what a file with a network is, what of it fits, and how it is set up from now on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.engine.open_own import Examined

_SHOWN = 30  # rows that a person is shown of those that do not fit


def run(options: argparse.Namespace) -> int:
    """Look into FILE with the settings that are remembered and given; remember them where it opens."""
    from guiapp.engine.open_own import examine
    from guiapp.models.own.files import ENDINGS, is_own
    from guiapp.models.own.settings import Kept, forget, recall, remember
    from guiapp.training.recipe import change

    path = Path(options.file).expanduser()
    if not path.is_file():
        raise SettingError(f"there is no file {path}")
    if not is_own(path.name):
        raise SettingError(f"{path.name} ends in none of {', '.join(ENDINGS)}")
    if options.forget:
        forget(path)
    kept = recall(path) if not options.forget else Kept()
    settings = change(kept.settings, dict(options.set))
    trusted = kept.trusted or options.trust
    progress = output.Progress()
    try:
        found = examine(path, settings, progress.share, trusted)
    finally:
        progress.clear()
    if not found.reason:
        remember(path, settings, trusted)
    if options.json:
        output.give_json(as_dict(found))
        return 1 if found.reason else 0
    _tell(found)
    if found.reason:
        raise UserError(found.reason)
    return 0


def as_dict(found: Examined) -> dict[str, Any]:
    """What was found, as plain data."""
    opened = found.opened
    feed = opened.preprocessing if opened is not None else None
    return {
        "file": found.path,
        "kind": found.kind,
        "opens": not found.reason,
        "reason": found.reason,
        "architecture": found.architectures[0] if found.architectures else "",
        "fits_as_well": list(found.architectures[1:]),
        "task": opened.entry.task if opened is not None else "",
        "classes": len(opened.labels) if opened is not None else found.classes,
        "labels": list(opened.labels) if opened is not None else [],
        "input": feed.as_dict() if feed is not None else None,
        "parameters": opened.entry.parameters if opened is not None else 0,
        "note": opened.note if opened is not None else "",
        "functions": list(found.functions),
        "settings": found.settings.as_dict(),
        "beside": dict(found.about),
        "tensors": [
            {
                "status": row.status,
                "name": row.name,
                "file_name": row.file_name,
                "shape": row.shape,
                "file_shape": row.file_shape,
            }
            for row in (found.match.rows if found.match is not None else ())
        ],
    }


def _tell(found: Examined) -> None:
    from guiapp.models.own.match import size
    from guiapp.models.own.opened import described

    output.give(f"{found.path.name}: {described(found.kind)}")
    if found.title:
        also = f" (fits {', '.join(found.architectures[1:])} as well)" if found.architectures[1:] else ""
        output.give(f"architecture  {found.architectures[0]}, {found.title}{also}")
    if found.match is not None:
        output.give(f"tensors       {found.match.words}")
    if found.functions:
        output.give(f"functions     {', '.join(found.functions)}")
    opened = found.opened
    if opened is not None:
        feed = opened.preprocessing
        output.give(f"task          {opened.entry.task}, {len(opened.labels)} classes")
        if feed is not None:
            scale = f"(x - {list(feed.mean)}) / {list(feed.std)}"
            output.give(f"input         {'x'.join(map(str, feed.size))}, {feed.fit}, {scale}")
        output.give(f"parameters    {opened.entry.parameters:,}")
        output.give(f"note          {opened.note}")
    rows = [row for row in found.match.rows if row.status not in ("fits", "ignored")] if found.match is not None else []
    if rows:
        output.give_table(
            [
                {
                    "status": row.status, "network": row.name or "–", "file": row.file_name or "–",
                    "network's shape": size(row.shape), "file's shape": size(row.file_shape),
                }
                for row in rows[:_SHOWN]
            ],
            ("status", "network", "file", "network's shape", "file's shape"),
        )  # fmt: skip
        if len(rows) > _SHOWN:
            output.give(f"… and {len(rows) - _SHOWN} more (all of them with --json)")
