"""``guiapp predict`` of a folder: every picture in it and below it; what cannot be read is told and passed over."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.interrupt import Interrupt
from guiapp.cli.network import Network, open_network
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.sources.folder import FolderSource
    from guiapp.tasks.predictions import Drawn

_TOP = 5  # classes of each picture, where --top does not say otherwise


def run(options: argparse.Namespace) -> int:
    """Predict every picture, in natural order."""
    if options.out is not None:
        _check_out(options.out, options.input)
    from guiapp.sources.folder import FolderSource

    with contextlib.closing(FolderSource(options.input)) as source:
        while not source.more(1.0):
            pass
        files = [index for index in range(len(source)) if not _inside(source.file(index), options.out)]
        if not files:
            raise UserError(f"{options.input} holds no pictures beside those in {options.out}")
        network = open_network(options, output.Progress())
        done, failed = _follow(source, files, network, options)
    if not done:
        raise UserError(f"none of the {len(failed)} pictures in {options.input} could be read")
    if options.json:
        output.give_json(
            {
                "model": network.name,
                "task": network.task,
                **network.about,
                "input": options.input,
                **({"out": options.out} if options.out is not None else {}),
                "pictures": done,
                "failed": failed,
            }
        )
    elif options.out is not None:
        output.give(f"{len(done)} pictures: {options.out}")
    if failed:
        output.say(f"{len(failed)} of {len(files)} pictures could not be read")
    return 0


def _follow(
    source: FolderSource, files: list[int], network: Network, options: argparse.Namespace
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Predict picture by picture; return what was found and what could not be read.

    Raises:
        UserError: If somebody asked to stop.
    """
    from guiapp.cli.overlay import Overlay
    from guiapp.tasks.plain import as_dict, has_answer

    top = _TOP if options.top is None else options.top
    overlay = Overlay(network) if options.out is not None else None
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    with Interrupt() as interrupt, output.Counter(len(files), "pictures") as counter:
        for number, index in enumerate(files, 1):
            if interrupt.asked:
                raise UserError(f"stopped after {number - 1} of {len(files)} pictures")
            name = source.file(index).relative_to(source.path).as_posix()
            try:
                picture = source.picture(index)
                drawn, read = network.ask(picture)
            except (UserError, RuntimeError, ValueError) as error:  # torch's own say what a network cannot take
                reason = " ".join(str(error).split())
                counter.line(reason if name in reason else f"{name}: {reason}")
                failed.append({"input": name, "reason": reason})
                counter.show(number)
                continue
            plain = as_dict(drawn, top) if has_answer(drawn) else None
            entry: dict[str, Any] = {"input": name, "size": list(picture.size), **read, "prediction": plain}
            if picture.note:
                entry["note"] = picture.note
            if overlay is not None:
                entry["out"] = _save(options.out, name, overlay, picture.pixels, drawn)
            done.append(entry)
            if not options.json and overlay is None:
                counter.clear()
                output.give(f"{name}: {_in_short(drawn)}")
            counter.show(number)
    return done, failed


def _save(folder: Path, name: str, overlay: Any, pixels: Any, drawn: Drawn) -> str:
    """Write the picture below the folder as it lay below the input; return its name there."""
    from guiapp.cli.overlay import named, save

    file = named(folder / name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{file.parent} could not be made: {error.strerror or error}") from None
    save(file, overlay(pixels, drawn))
    return file.relative_to(folder).as_posix()


def _in_short(drawn: Drawn) -> str:
    from guiapp.cli.predict import in_words

    lines = [" ".join(line.split()) for line in in_words(drawn, 3)]
    return ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")


def _inside(file: Path, out: Path | None) -> bool:
    """Whether a picture lies in the folder that results go to: what an earlier call wrote is not predicted again."""
    return out is not None and out.resolve() in file.resolve().parents


def _check_out(out: Path, source: Path) -> None:
    if out.exists() and not out.is_dir():
        raise SettingError(f"--out {out} is a file: for a folder of pictures name a folder")
    if not out.absolute().parent.is_dir():
        raise SettingError(f"there is no folder {out.absolute().parent} for {out.name}")
    if out.resolve() == source.resolve():
        raise SettingError(f"--out {out} is the folder of the pictures itself: name another one")
