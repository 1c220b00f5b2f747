"""``guiapp predict`` of a video file: every frame, into an annotated MP4 and a summary."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.cli import output
from guiapp.cli.interrupt import Interrupt
from guiapp.cli.network import Network, open_network
from guiapp.cli.screenshot import check_folder
from guiapp.cli.totals import Totals
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.sources.video_reader import VideoReader
    from guiapp.tasks.predictions import Drawn

_TOP = 5  # classes of a summary, where --top does not say otherwise


def run(options: argparse.Namespace) -> int:
    """Predict every frame; stopped by Ctrl-C, the recording holds the frames so far."""
    if options.out is not None:
        _check_out(options.out, options.input)
    from guiapp.sources.video_reader import VideoReader

    with contextlib.closing(VideoReader(options.input)) as reader:
        reader.scan(float("inf"))
        network = open_network(options, output.Progress())
        totals = Totals()
        with Interrupt() as interrupt:
            size = _follow(reader, network, options.out, totals, interrupt)
        if size is None:
            raise UserError(f"{options.input.name} holds no picture that can be decoded")
        done = reader.index + 1
        if interrupt.asked:
            kept = "" if options.out is None else f"; {options.out} holds these"
            raise UserError(f"stopped after {done} of {reader.count} frames{kept}")
        trouble = reader.cut_off()
    if trouble:
        output.say(trouble)
    top = _TOP if options.top is None else options.top
    summary = {
        "model": network.name,
        "task": network.task,
        **network.about,
        "input": options.input,
        "size": list(size),
        "frames": done,
        "answers": totals.answers,
        "fps": reader.fps,
        "seconds": reader.duration,
        **({"note": trouble} if trouble else {}),
        **({"out": options.out} if options.out is not None else {}),
        "prediction": totals.as_dict(top),
    }
    if options.json:
        output.give_json(summary)
        return 0
    from guiapp.cli.predict import words_of

    for line in words_of({**summary["prediction"], "frames": totals.taken, "wanted": network.frames}):
        output.give(line)
    output.give(f"{done} frames" + (f": {options.out}" if options.out is not None else ""))
    return 0


def _follow(
    reader: VideoReader, network: Network, out: Path | None, totals: Totals, interrupt: Interrupt
) -> tuple[int, int] | None:
    """Predict frame by frame; return width and height of the first, or None where there is none."""
    from guiapp.cli.overlay import Overlay
    from guiapp.engine.annotate import annotate

    size: tuple[int, int] | None = None

    def ask(picture: Picture) -> Drawn:
        nonlocal size
        size = size or picture.size
        return network.ask(picture)[0]

    paint = Overlay(network, moving=True) if out is not None else None
    frames = annotate(reader, ask, paint, out)
    with output.Counter(reader.count, "frames") as counter, contextlib.closing(frames):
        for index, drawn, _ in frames:
            totals.add(drawn)
            counter.show(index + 1)
            if interrupt.asked:
                break
    return size


def _check_out(out: Path, source: Path) -> None:
    from guiapp.engine.annotate import check_target

    check_folder(out)
    try:
        check_target(out, source)
    except SettingError as error:
        raise SettingError(f"--out {error}") from None
