"""A video file through a published network, frame by frame, into a copy with what it says painted in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError, UserError
from guiapp.core.picture import Origin, Picture
from guiapp.sources.record import Recorder
from guiapp.tasks.compare import difference, translated
from guiapp.tasks.live_options import LiveOptions, SeriesTask, make_live_task
from guiapp.tasks.predictions import Detections

if TYPE_CHECKING:
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.sources.video_reader import VideoReader
    from guiapp.tasks.compare import Difference
    from guiapp.tasks.predictions import Drawn

Pixels = npt.NDArray[np.uint8]
Answer = TypeVar("Answer")


class Asker:
    """Asks a published network about one picture after another, on one thread.

    Attributes:
        opened: The network.
        frames: How many pictures in a row it takes.
    """

    def __init__(self, opened: OpenedModel, options: LiveOptions) -> None:
        from guiapp.models.zoo.fused import Fusing
        from guiapp.models.zoo.open import LASTING

        self.opened = opened
        self._options = options
        self._task = make_live_task(opened.entry.task, opened.labels, opened.entry)
        self.frames = self._task.frames
        self._fusing = Fusing(opened.module, opened.origin in LASTING and self.frames == 1)

    def __call__(self, picture: Picture) -> Drawn:
        """What is shown of the answer; clips and flow remember the pictures before.

        Raises:
            UserError: If the network gives NaN, which is no answer.
        """
        import torch

        with torch.inference_mode():
            inputs = self.opened.prepare(picture.pixels, self.opened.device)
            if isinstance(self._task, SeriesTask) and picture.origin.seconds is not None:
                self._task.feed(inputs, picture.origin.seconds)
            ask = functools.partial(self._task.run, self.opened.module, inputs, picture.size)
            with self._fusing.running(ask):
                raw = ask()
        drawn = self._task.drawn(raw, self._options)
        from guiapp.models.finite import without_numbers

        if without_numbers(raw) or (self.opened.flaws and isinstance(drawn, Detections) and not len(drawn)):
            why = self.opened.flaws or "its answer is NaN"
            raise UserError(f"{self.opened.entry.title} gives no answer to {picture.origin.name}: {why}")
        return drawn


class PairAsker:
    """Asks two published networks about the same pictures, one after the other, on one thread.

    Args:
        first, second: The networks.
        options: Thresholds; chosen classes are those of the first network.
    """

    def __init__(self, first: OpenedModel, second: OpenedModel, options: LiveOptions) -> None:
        theirs = options
        if options.classes is not None:
            theirs = replace(options, classes=translated(options.classes, first.labels, second.labels))
        self._first, self._second = Asker(first, options), Asker(second, theirs)

    def __call__(self, picture: Picture) -> tuple[Drawn, Drawn, Difference | None]:
        """Both answers, and what they differ by."""
        first, second = self._first(picture), self._second(picture)
        return first, second, difference(first, second)


def check_target(out: Path, source: Path) -> None:
    """Refuse a file that a copy cannot be written to.

    Raises:
        SettingError: If its name does not end in ``.mp4``, or it is the video itself.
    """
    if out.suffix.lower() != ".mp4":
        raise SettingError(f"{out.name}: videos are written as MP4, so end the name in .mp4")
    if out.exists() and source.exists() and out.samefile(source):
        raise SettingError(f"{out} is the video itself: name another file")


def annotate(
    reader: VideoReader,
    ask: Callable[[Picture], Answer],
    paint: Callable[[Pixels, Answer], Pixels] | None = None,
    out: Path | None = None,
) -> Generator[tuple[int, Answer, int], None, None]:
    """Follow a video from where it is to its end; stopped or broken off, the copy holds the frames so far.

    Frames that follow evenly are written once each, as they were read, and the one before again for each damaged one.
    Those of a varying rate are repeated or left out by their times instead, so that the copy lasts as long. A video
    without a frame that can be decoded leaves no file.

    Args:
        reader: The video, with its time stamps scanned.
        ask: What is to be painted into a frame.
        paint: Paints it: a new array, the same size for every frame.
        out: Where the copy goes, or None for none.

    Yields:
        After each frame its index, the answer, and the bytes of the copy so far.

    Raises:
        UserError: If the copy cannot be written: see ``Recorder``.
    """
    recorder, even = None, True
    before: Pixels | None = None
    last = -1
    if out is not None:
        fps = min(120.0, max(1.0, reader.fps))
        even = fps == reader.fps and all(abs(reader.time_of(i) - i / fps) < 0.75 / fps for i in range(reader.count))
        recorder = Recorder(out, fps)
    try:
        for index, seconds, pixels in reader.frames():
            origin = Origin("video", reader.path.name, path=reader.path, index=index, seconds=seconds)
            drawn = ask(Picture(pixels, origin))
            if recorder is not None and paint is not None:
                painted = paint(pixels, drawn)
                if even and before is not None:
                    for _ in range(index - 1 - last):
                        recorder.write(before)
                recorder.write(painted, None if even else seconds)
                before, last = painted, index
            yield index, drawn, recorder.bytes if recorder is not None else 0
        if recorder is not None and recorder.frames:
            recorder.finish()
    finally:
        if recorder is not None:
            recorder.keep()
