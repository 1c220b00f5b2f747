"""Picture files into pixels: any common format, upright, eight bits, RGB; what is broken is named in one line."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.memory import give_back
from guiapp.core.notices import UserError

if TYPE_CHECKING:
    from PIL import Image

_ENDINGS = "png apng jpg jpeg jpe jfif mpo webp tif tiff bmp dib gif pbm pgm ppm pnm ico jp2 avif"
SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())
"""Endings by which folders are searched for pictures, in lower case."""

# Formats by content, whatever the name says. Others that Pillow knows start programs (EPS) or take any bytes (TGA).
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "ICO", "JPEG2000", "AVIF")
_LARGEST = 50_000_000  # pixels; what is larger is shown smaller
_LARGE = 8_000_000  # pixels; decoding so many leaves freed memory behind that is worth handing back
_TWELVE = 4095.0  # largest value of 12 bits
_TWELVE_NOTE = "values up to 4095 of 65535: shown as 12 bits, 16 times as bright as 16 bits would be"
_BYTES_A_PIXEL = 8  # as Pillow holds them, and a copy in RGB


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of a picture file.

    Attributes:
        pixels: RGB, uint8, shape (H, W, 3), contiguous.
        grey: Whether the file holds no colour: all three channels are equal.
        size: Width and height in the file, upright.
        note: What a person should know about how it is shown, or ``""``.
    """

    pixels: npt.NDArray[np.uint8]
    grey: bool
    size: tuple[int, int]
    note: str = ""


def decode(
    source: Path | bytes,
    name: str = "",
    *,
    at_least: tuple[int, int] | None = None,
    exactly: tuple[int, int] | None = None,
    largest: int = _LARGEST,
) -> Decoded:
    """Decode the first picture in a file.

    Transparent parts lie on white, EXIF orientation is applied, colour profiles are ignored (networks are trained that
    way), CMYK follows Adobe's inverted convention in JPEG. Sixteen bits are scaled by the bits that the file names; a
    grey PNG or TIFF that names none but 16 and holds nothing above 4095 is of a 12-bit camera and scaled so, with a
    note.

    Args:
        source: A file or the content of one.
        name: What the picture is called in messages; by default the file's name.
        at_least: Width and height that are enough: a larger picture may come smaller, but not below these.
        exactly: Width and height to resample to, aspect not kept.
        largest: Pixels beyond which the picture is reduced by a whole factor, with a note.

    Raises:
        UserError: If it is missing, empty, damaged, no picture, or too large for the memory.
    """
    called = name or (source.name if isinstance(source, Path) else "the picture")
    try:
        content: Any = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise UserError(_unopened(source, called, error)) from error
    with content as stream:
        if not stream.read(1):
            raise UserError(f"{called} is empty")
        stream.seek(0)
        try:
            decoded = _decode(stream, called, at_least, exactly, largest)
            if decoded.size[0] * decoded.size[1] >= _LARGE:
                give_back()
            return decoded
        except (UserError, KeyboardInterrupt):
            raise
        except MemoryError as error:
            raise UserError(f"{called} is too large for the memory of this machine") from error
        except Exception as error:
            # Decoders of damaged files raise nearly anything: OSError, SyntaxError, struct.error, IndexError ...
            if type(error).__name__ == "UnidentifiedImageError":
                text = f"{called} is no picture that can be read (PNG, JPEG, WebP, TIFF, BMP, GIF ...)"
            else:
                text = f"{called} is damaged and cannot be read: {' '.join(str(error).split()) or type(error).__name__}"
            raise UserError(text) from error


def resized(image: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Resample uint8 (H, W) or (H, W, 3), bilinear, antialiased where it shrinks."""
    from PIL import Image

    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def within(size: tuple[int, int], limit: int) -> tuple[int, int]:
    """Width and height with the same aspect whose longer side is at most ``limit``; never larger than ``size``."""
    factor = min(1.0, limit / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def over_white(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Lay uint8 (H, W, 4) on white: (H, W, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _unopened(source: Path | bytes, called: str, error: OSError) -> str:
    if isinstance(source, Path):
        if source.is_dir():
            return f"{called} is a folder, not a picture"
        if isinstance(error, FileNotFoundError):
            return f"{source} is not there"
    return f"{called} cannot be opened: {error.strerror or error}"


def _decode(
    stream: Any, called: str, at_least: tuple[int, int] | None, exactly: tuple[int, int] | None, largest: int
) -> Decoded:
    from PIL import Image

    # Of slightly damaged files Pillow warns on standard error, where no one looks; what matters raises.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    # Pillow refuses large pictures by a fixed count; here the machine's memory decides, see _check_memory.
    Image.MAX_IMAGE_PIXELS = None
    Image.init()
    with Image.open(stream, formats=_FORMATS) as image:
        full = image.size
        if min(full) < 1:
            raise UserError(f"{called} has no pixels")
        factor = 1
        while full[0] * full[1] > largest * factor**2:
            factor += 1
        enough = at_least or (exactly and (2 * exactly[0], 2 * exactly[1]))
        if enough:
            # JPEG decodes to 1/2, 1/4 or 1/8 at a fraction of the time; upright or not is unknown before decoding.
            image.draft(None, (max(enough), max(enough)))
        elif factor > 1:
            image.draft(None, (full[0] // factor, full[1] // factor))
        _check_memory(image.size, called)
        image.load()
        upright = _upright(image)
        turned = upright.size != image.size and upright.size == image.size[::-1]
        size = full[::-1] if turned else full
        deep = image.mode.startswith("I")
        twelve = deep and _is_twelve_bits(image)
        top = _TWELVE if twelve else float(2 ** _bits(image) - 1) if deep else 0.0
        # What draft has not done; it reduces by powers of two only, and only JPEG.
        left = min(upright.size[0] // at_least[0], upright.size[1] // at_least[1]) if at_least else 1
        if factor > 1 and not exactly:
            left = max(left, math.ceil(math.sqrt(upright.size[0] * upright.size[1] / largest)))
        upright = _colours(upright, top).reduce(left) if left > 1 else upright
        grey = upright.mode in ("1", "L", "LA", "La", "F") or upright.mode.startswith("I")
        colours = _colours(upright, top)
        if exactly and colours.size != exactly:
            colours = colours.resize(exactly, Image.Resampling.BILINEAR, reducing_gap=3.0)
        pixels = np.array(colours)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    elif not grey:
        grey = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())
    note = ""
    if factor > 1 and not exactly and not at_least:
        note = f"{size[0]} x {size[1]} pixels are shown as {pixels.shape[1]} x {pixels.shape[0]}"
    if twelve:
        note = f"{note}; {_TWELVE_NOTE}" if note else _TWELVE_NOTE
    return Decoded(np.ascontiguousarray(pixels), grey, size, note)


def _check_memory(size: tuple[int, int], called: str) -> None:
    needed = size[0] * size[1] * _BYTES_A_PIXEL
    if needed < 500_000_000:  # asking the system costs more than most pictures
        return
    import psutil

    free = psutil.virtual_memory().available
    if needed > free // 2:
        raise UserError(
            f"{called} has {size[0]} x {size[1]} pixels and needs {needed / 1e9:.1f} GB of memory; a picture may take "
            f"{free / 2e9:.1f} GB here, half of what is free: make it smaller"
        )


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a damaged EXIF block turns nothing. TIFF is turned by Pillow while it loads."""
    from PIL import Image

    turns = Image.Transpose
    methods = {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }
    try:
        method = methods.get(int(image.getexif().get(0x0112, 1)))
    except Exception:  # noqa: BLE001 a damaged block raises nearly anything, and the pixels are fine
        method = None
    return image if method is None else image.transpose(method)


def _colours(image: Image.Image, top: float) -> Image.Image:
    """Bring any mode to L or RGB; ``top`` is the value of white in a grey picture of sixteen bits."""
    from PIL import Image

    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if mode == "1":
        return image.convert("L")
    if mode == "F" or mode.startswith("I"):
        return Image.fromarray(_eight_bits(image, top))
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        through = image.convert("LA") if mode == "La" else image
        return Image.fromarray(over_white(np.asarray(through.convert("RGBA"))))
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
        return turned if turned is not None else image.convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image, top: float) -> npt.NDArray[np.uint8]:
    """Scale deep grey values to 0..255, sixteen bits from 0 to ``top``; by their own range where they have none."""
    values: npt.NDArray[Any] = np.asarray(image).astype(np.float32 if image.mode.startswith("I;16") else np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and 255 < high <= 65535):
        low, high = 0.0, top
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.nan_to_num((values - low) * (255.0 / (high - low)), nan=0.0, posinf=255.0, neginf=0.0)
    result: npt.NDArray[np.uint8] = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return result


def _is_twelve_bits(image: Image.Image) -> bool:
    """Whether a file that names 16 bits holds those of a 12-bit camera, by its largest value.

    By the full range such a picture is nearly black: 4095 of 65535 is 16 of 255. Other numbers of bits are not
    guessed: 10 and 14 bits stay within a factor of four of their brightness, and pictures of one camera have one scale.
    What PGM and JPEG 2000 name is their range, not their storage.
    """
    tags = getattr(image, "tag_v2", None) or {}
    try:
        named = int(np.atleast_1d(tags.get(281, 0))[0])  # MaxSampleValue
    except (TypeError, ValueError):
        named = 0
    if image.format not in ("PNG", "TIFF") or _bits(image) < 16 or named > _TWELVE:
        return False
    return 255 < int(np.asarray(image).max()) <= _TWELVE


def _bits(image: Image.Image) -> int:
    """Bits that a sample of a 16-bit picture really has: TIFF names 12 where a camera has 12."""
    tags = getattr(image, "tag_v2", None) or {}
    try:
        bits = int(np.atleast_1d(tags.get(258, 16))[0])
    except (TypeError, ValueError):
        return 16
    return bits if 8 < bits <= 16 else 16
