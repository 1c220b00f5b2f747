"""Pictures with the prediction on them, for ``guiapp predict --out``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.cli.screenshot import check_folder
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.cli.network import Network
    from guiapp.tasks.predictions import ClassScores, Drawn


class Overlay:
    """Draws predictions over pictures as the window does.

    What a network that was trained here says of a picture stands beside it instead: those pictures are small.

    Args:
        network: Whose predictions.
        moving: Whether they are frames of a video, which keep their size.
    """

    def __init__(self, network: Network, moving: bool = False) -> None:
        self._paint: Any = beside
        if network.published or moving:
            from guiapp import drive

            self._paint = drive.Overlay()

    def __call__(self, pixels: npt.NDArray[np.uint8], drawn: Drawn) -> npt.NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3), with the prediction on it: a new array."""
        painted: npt.NDArray[np.uint8] = self._paint(pixels, drawn)
        return painted


def check_picture_file(file: Path, source: Path | None = None) -> None:
    """Refuse a file that no picture can be written to, before anything long is begun.

    Args:
        file: Where the picture is to go.
        source: The picture itself, which must not be replaced.

    Raises:
        SettingError: If it is a folder, its folder is missing, its name is of no picture format, or it is the source.
    """
    check_folder(file)
    if not _writable(file):
        raise SettingError(f"--out {file.name}: end the name in .png, .jpg, .webp, .tif or .bmp")
    if source is not None and file.exists() and file.samefile(source):
        raise SettingError(f"--out {file} is the picture itself: name another file")


def named(file: Path) -> Path:
    """The same name, or with ``.png`` behind it where pictures of its format cannot be written."""
    return file if _writable(file) else file.with_name(f"{file.name}.png")


def save(file: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write a picture in the format of the file's name.

    Raises:
        UserError: If that fails.
    """
    from PIL import Image

    content = io.BytesIO()
    Image.init()
    kind = Image.registered_extensions()[file.suffix.lower()]
    try:
        Image.fromarray(pixels).save(content, kind, **({"quality": 92} if kind in ("JPEG", "WEBP") else {}))
        file.write_bytes(content.getbuffer())
    except (OSError, ValueError) as error:
        raise UserError(f"{file} could not be written: {error}") from None


def _writable(file: Path) -> bool:
    return file.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def beside(pixels: npt.NDArray[np.uint8], prediction: ClassScores) -> npt.NDArray[np.uint8]:
    """The picture, enlarged where it is small, and beside it the best classes with bars as long as their scores."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(np.asarray(pixels))
    factor = max(1, round(320 / max(image.size)))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    best = prediction.ranked()[:5]
    width, line = 260, 34
    canvas = Image.new("RGB", (image.width + width, max(image.height, line * len(best) + 16)), "#1b1d21")
    canvas.paste(image)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    left = image.width + 12
    for row, (_, label, score) in enumerate(best):
        top = 8 + row * line
        draw.text((left, top), label[:24], fill="#e8eaed", font=font)
        draw.text((image.width + width - 12, top), f"{score:.1%}", fill="#a6adb8", font=font, anchor="ra")
        draw.rectangle((left, top + 20, left + round((width - 24) * score), top + 25), fill="#3b82f6")
    return np.asarray(canvas)
