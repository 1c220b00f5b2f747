"""A picture into the input of an ONNX file: resized, placed, normalised, in NumPy and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.models.zoo.onnx.description import Feed

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where the picture lies in the input, in its pixels; all of the input where nothing was filled.

    Attributes:
        left, top: First column and row.
        width, height: Size of the picture there.
    """

    left: int
    top: int
    width: int
    height: int


def placed(size: tuple[int, int], room: tuple[int, int], fit: str, position: str) -> Place:
    """Where a picture goes.

    Args:
        size: Height and width of the picture.
        room: Height and width of the input.
        fit: As in ``Feed``.
        position: As in ``Feed``.
    """
    if fit != "letterbox":
        return Place(0, 0, room[1], room[0])
    ratio = min(room[0] / size[0], room[1] / size[1])
    height, width = (min(room[i], max(1, int(size[i] * ratio))) for i in (0, 1))
    left, top = (0, 0) if position == "corner" else ((room[1] - width) // 2, (room[0] - height) // 2)
    return Place(left, top, width, height)


def fitted(pixels: npt.NDArray[np.uint8], feed: Feed, room: tuple[int, int]) -> tuple[Floats, Place]:
    """The input for one picture.

    Args:
        pixels: uint8 (H, W, 3), RGB.
        feed: How.
        room: Height and width of the input.

    Returns:
        float32 (C, h, w), or (h, w, C) for ``"NHWC"``, and where the picture lies in it.
    """
    import cv2

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"a picture is uint8 (H, W, 3), not {pixels.dtype} {pixels.shape}")
    if feed.fit == "crop":
        pixels = _middle(pixels, room, feed)
    place = placed((pixels.shape[0], pixels.shape[1]), room, feed.fit, feed.position)
    image = _resized(np.ascontiguousarray(pixels), place.width, place.height, feed.interpolation)
    if feed.colour != "RGB":
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR if feed.colour == "BGR" else cv2.COLOR_RGB2GRAY)
    channels = 1 if image.ndim == 2 else 3
    values = np.full((channels, *room), feed.fill, np.float32)
    inside = values[:, place.top : place.top + place.height, place.left : place.left + place.width]
    inside[:] = image[None] if channels == 1 else image.transpose(2, 0, 1)
    if feed.scale != 1:
        values *= np.float32(feed.scale)
    if feed.mean:
        values -= np.array(feed.mean, np.float32).reshape(-1, 1, 1)
    if feed.std:
        values /= np.array(feed.std, np.float32).reshape(-1, 1, 1)
    return (values if feed.layout == "NCHW" else np.ascontiguousarray(values.transpose(1, 2, 0))), place


def _resized(pixels: Any, width: int, height: int, interpolation: str) -> Any:
    import cv2

    if pixels.shape[:2] == (height, width):
        return pixels
    if interpolation.startswith("antialias"):
        from PIL import Image

        kind = Image.Resampling.BICUBIC if interpolation.endswith("bicubic") else Image.Resampling.BILINEAR
        return np.asarray(Image.fromarray(pixels).resize((width, height), kind))
    how = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
    return cv2.resize(pixels, (width, height), interpolation=how.get(interpolation, cv2.INTER_NEAREST))


def _middle(pixels: Any, room: tuple[int, int], feed: Feed) -> Any:
    """The middle of the picture once its short side is ``feed.resize`` long, or just long enough."""
    height, width = pixels.shape[:2]
    cover = max(room[0] / height, room[1] / width)
    scale = max(feed.resize, *room) / min(height, width) if feed.resize else cover
    rows, columns = (max(side, int(n * scale + 1e-9)) for n, side in zip((height, width), room, strict=True))
    large = _resized(np.ascontiguousarray(pixels), columns, rows, feed.interpolation)
    top, left = round((rows - room[0]) / 2), round((columns - room[1]) / 2)
    return large[top : top + room[0], left : left + room[1]]
