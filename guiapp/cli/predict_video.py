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
    from guiapp.sources.record import Recorder
    from guiapp.sources.video_reader import VideoReader

_TOP = 5  # classes of a summary, where --top does not say otherwise


def run(options: argparse.Namespace) -> int:
    """Predict every frame; stopped by Ctrl-C, the recording holds the frames so far."""
    if options.out is not None:
        _check_out(options.out, options.input)
    from guiapp.sources.video_reader import VideoReader

    with contextlib.closing(VideoReader(options.input)) as reader:
        reader.scan(float("inf"))
        network = open_network(options, output.Progress())
        recorder, even = _recorder(options.out, reader)
        totals = Totals()
        with Interrupt() as interrupt, recorder or contextlib.nullcontext():
            size = _follow(reader, network, recorder, even, totals, interrupt)
            if size is None and recorder is not None:
                recorder.discard()
            if size is None and not interrupt.asked:
                raise UserError(f"{options.input.name} holds no picture that can be decoded")
            if size is None:
                raise UserError("stopped before the first frame was done; nothing was written")
        done = reader.index + 1
        if interrupt.asked:
            kept = "" if recorder is None else f"; {options.out} holds these"
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

    for line in words_of({**summary["prediction"], "frames": done, "wanted": network.frames}):
        output.give(line)
    output.give(f"{done} frames" + (f": {options.out}" if options.out is not None else ""))
    return 0


def _follow(
    reader: VideoReader,
    network: Network,
    recorder: Recorder | None,
    even: bool,
    totals: Totals,
    interrupt: Interrupt,
) -> tuple[int, int] | None:
    """Predict frame by frame; return width and height of the first, or None where there is none."""
    from guiapp.cli.overlay import Overlay
    from guiapp.core.picture import Origin, Picture

    overlay = Overlay(network, moving=True) if recorder is not None else None
    size = None
    with output.Counter(reader.count, "frames") as counter:
        for index, seconds, pixels in reader.frames():
            origin = Origin("video", reader.path.name, path=reader.path, index=index, seconds=seconds)
            drawn, _ = network.ask(Picture(pixels, origin))
            totals.add(drawn)
            if recorder is not None and overlay is not None:
                recorder.write(overlay(pixels, drawn), None if even else seconds)
            size = size or (pixels.shape[1], pixels.shape[0])
            counter.show(index + 1)
            if interrupt.asked:
                break
    return size


def _recorder(out: Path | None, reader: VideoReader) -> tuple[Recorder | None, bool]:
    """What writes the video, and whether its frames follow evenly: then each is written once, as it was read.

    Frames of a varying rate are repeated or left out by their times instead, so that the copy lasts as long.
    """
    if out is None:
        return None, True
    from guiapp.sources.record import Recorder

    fps = min(120.0, max(1.0, reader.fps))
    even = fps == reader.fps and all(abs(reader.time_of(i) - i / fps) < 0.75 / fps for i in range(reader.count))
    return Recorder(out, fps), even


def _check_out(out: Path, source: Path) -> None:
    check_folder(out)
    if out.suffix.lower() != ".mp4":
        raise SettingError(f"--out {out.name}: videos are written as MP4, so end the name in .mp4")
    if out.exists() and out.samefile(source):
        raise SettingError(f"--out {out} is the video itself: name another file")
