"""The screen, or a region of it, as a source of pictures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import OriginKind
from guiapp.sources.live import LiveSource
from guiapp.sources.opencv import to_rgb

FPS = 30.0  # pictures a second at most


@dataclass(frozen=True)
class Region:
    """A part of the screen in its own pixels; with several screens the origin is that of the first.

    Attributes:
        x, y: Left upper corner; negative where a screen stands left of the first or above it.
        width, height: At least 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    def within(self, whole: Region) -> Region | None:
        """The part that lies in ``whole``, or None where they do not meet."""
        left, top = max(self.x, whole.x), max(self.y, whole.y)
        right = min(self.x + self.width, whole.x + whole.width)
        bottom = min(self.y + self.height, whole.y + whole.height)
        return Region(left, top, right - left, bottom - top) if right > left and bottom > top else None


def parse_region(text: str) -> Region | None:
    """The region of ``"x,y,width,height"``; None for an empty text, the whole screen.

    Raises:
        UserError: If it is neither.
    """
    if not text.strip():
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise UserError(
            f"screen:{text} is no region: write screen:X,Y,WIDTH,HEIGHT, as in screen:0,0,640,480"
        ) from None
    if width < 1 or height < 1:
        raise UserError(f"screen:{text} is empty: width and height are at least 1 pixel")
    return Region(x, y, width, height)


class Grabber(Protocol):
    """Reads pixels of the screen; made, used and closed on one thread.

    Attributes:
        whole: All screens together.
    """

    @property
    def whole(self) -> Region:
        """All screens together."""
        ...

    def grab(self, region: Region) -> npt.NDArray[np.uint8]:
        """Pixels of a region within ``whole``, uint8 (H, W, 4), blue first, or (H, W, 3)."""
        ...

    def close(self) -> None:
        """Let go of the screen."""
        ...


class MssGrabber:
    """Reads the screen by the package mss: 0.3 ms for 640 x 480 and 1.4 ms for Full HD on X11, without Qt's thread.

    Raises:
        UserError: If this session lets no program read the screen.
    """

    def __init__(self) -> None:
        check_session()
        import mss

        try:
            self._mss: Any = mss.MSS()
        except Exception as error:
            raise UserError(f"the screen cannot be read: {' '.join(str(error).split())}") from error

    @property
    def whole(self) -> Region:
        """All screens together."""
        area = self._mss.monitors[0]
        return Region(area["left"], area["top"], area["width"], area["height"])

    def grab(self, region: Region) -> npt.NDArray[np.uint8]:
        """Pixels, blue first, with a fourth channel that means nothing."""
        shot = self._mss.grab({"left": region.x, "top": region.y, "width": region.width, "height": region.height})
        return np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)

    def close(self) -> None:
        """Let go of the screen."""
        self._mss.close()


class ScreenSource(LiveSource):
    """Pictures of the screen, at most 30 a second.

    Attributes:
        region: What is read, or None for all screens together.
    """

    kind: ClassVar[OriginKind] = "screen"

    def __init__(
        self,
        region: Region | None = None,
        *,
        fps: float = FPS,
        grabber: Callable[[], Grabber] = MssGrabber,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            region: What is read; what lies outside of the screens is left out. None for all of them.
            fps: Pictures a second.
            grabber: Makes what reads pixels; called on the reader's thread.
            mirror: Whether left and right are exchanged.
            on_frame: See ``LiveSource``.
            on_state: See ``LiveSource``.
        """
        name = "Screen" if region is None else f"Screen {region}"
        super().__init__(name, mirror=mirror, on_frame=on_frame, on_state=on_state)
        self.region = region
        self._fps = fps
        self._grabber = grabber

    def _read(self) -> None:
        grabber = self._grabber()
        try:
            due = time.monotonic()
            while not self._stopped():
                whole = grabber.whole  # screens may be plugged in, or get another resolution
                region = whole if self.region is None else self.region.within(whole)
                if region is None:
                    raise UserError(f"{self.name} lies outside of the screen, which is {whole.width} × {whole.height}")
                try:
                    pixels = grabber.grab(region)
                except Exception as error:
                    raise UserError(f"the screen cannot be read: {' '.join(str(error).split())}") from error
                self._publish(to_rgb(pixels))
                self._say("playing")
                due = max(due + 1 / self._fps, time.monotonic())
                self._rest(due - time.monotonic())
        finally:
            grabber.close()


def check_session() -> None:
    """See that screens can be read at all.

    Raises:
        UserError: Under Wayland, and on Linux without a display.
    """
    if not sys.platform.startswith("linux"):
        return
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise UserError(
            "Wayland lets no program read the screen unasked: log in to a session with X11, or open a recording of it"
        )
    if not os.environ.get("DISPLAY"):
        raise UserError("there is no screen to read: DISPLAY is not set")
