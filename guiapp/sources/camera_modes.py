"""What a camera offers: resolutions and rates, asked of the Linux video interface (V4L2) without a further library."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMMON = ((640, 480), (800, 600), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
"""Offered where a camera takes any size, or the system does not tell."""
RATES = (60.0, 30.0, 25.0, 15.0, 10.0, 5.0)

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_DISCRETE = 1
_FORMAT = struct.Struct("=3I32s5I")  # v4l2_fmtdesc
_SIZE = struct.Struct("=3I6I2I")  # v4l2_frmsizeenum
_INTERVAL = struct.Struct("=5I6I2I")  # v4l2_frmivalenum
_MOST = 256  # entries of a list; a driver that never ends it is broken

Ask = Callable[[int, bytearray], object]
"""Sends a request with a structure that is filled in place; an OSError where there is no such entry."""


@dataclass(frozen=True)
class Mode:
    """One resolution of a camera.

    Attributes:
        width, height: Pixels.
        rates: Frames a second that it offers with it, the most first; empty where it does not tell.
    """

    width: int
    height: int
    rates: tuple[float, ...] = ()


def request(number: int, size: int) -> int:
    """The code of a request that reads and writes a structure of this size: ``_IOWR('V', number, size)``."""
    return 3 << 30 | size << 16 | ord("V") << 8 | number


FORMATS = request(2, _FORMAT.size)
SIZES = request(74, _SIZE.size)
INTERVALS = request(75, _INTERVAL.size)


def list_modes(number: int) -> list[Mode] | None:
    """Resolutions of the camera ``/dev/video<number>``, the largest first; None where the system does not tell.

    The camera may be in use meanwhile.
    """
    if not sys.platform.startswith("linux"):
        return None
    import fcntl

    try:
        device = os.open(f"/dev/video{number}", os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return modes_of(lambda code, data: fcntl.ioctl(device, code, data)) or None
    finally:
        os.close(device)


def modes_of(ask: Ask) -> list[Mode]:
    """Resolutions with their rates, those of all pixel formats together, the largest first."""
    found: dict[tuple[int, int], set[float]] = {}
    for entry in _entries(ask, FORMATS, _FORMAT, lambda index: (index, _CAPTURE, 0, b"", 0, 0, 0, 0, 0)):
        pixel_format = entry[4]
        for size in _sizes(ask, pixel_format):
            found.setdefault(size, set()).update(_rates(ask, pixel_format, size))
    modes = [Mode(*size, tuple(sorted(rates, reverse=True))) for size, rates in found.items()]
    return sorted(modes, key=lambda mode: (mode.width * mode.height, mode.width), reverse=True)


def _sizes(ask: Ask, pixel_format: int) -> Iterator[tuple[int, int]]:
    for entry in _entries(ask, SIZES, _SIZE, lambda index: (index, pixel_format, *(0,) * 9)):
        if entry[2] == _DISCRETE:
            yield entry[3], entry[4]
            continue
        least_width, most_width, _, least_height, most_height, _ = entry[3:9]
        for width, height in COMMON:
            if least_width <= width <= most_width and least_height <= height <= most_height:
                yield width, height
        return


def _rates(ask: Ask, pixel_format: int, size: tuple[int, int]) -> Iterator[float]:
    for entry in _entries(ask, INTERVALS, _INTERVAL, lambda index: (index, pixel_format, *size, *(0,) * 9)):
        numerator, denominator = entry[5:7]
        if entry[4] == _DISCRETE:
            if numerator:
                yield round(denominator / numerator, 2)
            continue
        shortest, longest = numerator / max(1, denominator), entry[7] / max(1, entry[8])
        yield from (rate for rate in RATES if shortest <= 1 / rate + 1e-6 and 1 / rate <= longest + 1e-6)
        return


def _entries(
    ask: Ask, code: int, layout: struct.Struct, fields: Callable[[int], tuple[object, ...]]
) -> Iterator[tuple[int, ...]]:
    """What the driver says to the questions 0, 1, 2 ... until it has no more."""
    for index in range(_MOST):
        data = bytearray(layout.pack(*fields(index)))
        try:
            ask(code, data)
        except OSError:
            return
        yield layout.unpack(data)
