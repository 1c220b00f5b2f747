"""What a person types or drops, such as ``camera:0``, ``screen:``, an address or a file, as a live source."""

import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from guiapp.core.notices import UserError
from guiapp.sources.camera import Camera, CameraSource, list_cameras
from guiapp.sources.live import LiveSource
from guiapp.sources.screen import ScreenSource, parse_region
from guiapp.sources.slides import SlideSource
from guiapp.sources.stream import SCHEMES, StreamSource
from guiapp.sources.video import VideoSource

_ENDINGS = "mp4 m4v mov avi mkv webm mpg mpeg ts m2ts mts wmv flv 3gp ogv mjpg mjpeg"
VIDEO_SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())
"""Endings by which videos are told from pictures, in lower case."""


def is_live(text: str) -> bool:
    """Whether ``open_live`` is the one to open this: a camera, the screen, a stream, or a name like a video's."""
    start = text.strip().partition(":")[0].lower()
    if start in ("camera", "screen") or (start in SCHEMES and "://" in text):
        return True
    return Path(text).suffix.lower() in VIDEO_SUFFIXES


def open_live(
    text: str | Path,
    *,
    mirror: bool = False,
    cameras: Callable[[], list[Camera] | None] = list_cameras,
    on_frame: Callable[[], None] | None = None,
    on_state: Callable[[], None] | None = None,
) -> LiveSource:
    """Make the source that a text names.

    ``camera:0``, ``camera:NAME``, ``screen:``, ``screen:X,Y,WIDTH,HEIGHT``, ``rtsp://...``, ``http(s)://...``,
    ``file://...``, or the path of a video or of a folder of pictures.

    Nothing is opened yet but what tells a missing file; the source starts with its first ``latest``, ``next`` or
    ``start``.

    Raises:
        UserError: If it is none of these, or the file is missing or empty, or the folder holds no pictures.
    """
    called = str(text).strip()
    start, colon, rest = called.partition(":")
    scheme = start.lower() if colon else ""
    if scheme == "camera" and not Path(called).is_file():
        which = rest.strip()
        if not which:
            raise UserError("camera: needs a number or a name behind it, as in camera:0")
        return CameraSource(
            int(which) if which.isdecimal() else which,
            cameras=cameras, mirror=mirror, on_frame=on_frame, on_state=on_state,
        )  # fmt: skip
    if scheme == "screen" and not Path(called).is_file():
        return ScreenSource(parse_region(rest), mirror=mirror, on_frame=on_frame, on_state=on_state)
    if scheme in SCHEMES and rest.startswith("//"):
        return StreamSource(called, mirror=mirror, on_frame=on_frame, on_state=on_state)
    if scheme == "file":
        called = urllib.request.url2pathname(urllib.parse.urlsplit(called).path)
    elif "://" in called and not Path(called).exists():
        raise UserError(f"{start}:// is no stream that can be opened: rtsp, rtsps, http or https")
    if Path(called).expanduser().is_dir():
        return SlideSource(called, mirror=mirror, on_frame=on_frame, on_state=on_state)
    return VideoSource(called, mirror=mirror, on_frame=on_frame, on_state=on_state)
