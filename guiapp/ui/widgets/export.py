"""Pictures, plots and numbers out of the window: to the clipboard, PNG, SVG and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QBuffer, QIODevice, QRect, QSize
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QWidget

from guiapp.core.files import write_atomic
from guiapp.core.notices import UserError


class Plot(Protocol):
    """What can be painted with vectors."""

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything."""

    def size(self) -> QSize:
        """Size in pixels."""

    def rect(self) -> QRect:
        """Area in pixels."""


def copy_widget(widget: QWidget) -> None:
    """Put a picture of the widget, as it looks, on the clipboard."""
    QGuiApplication.clipboard().setImage(widget.grab().toImage())


def copy_image(image: QImage) -> None:
    """Put an image on the clipboard."""
    QGuiApplication.clipboard().setImage(image.convertToFormat(QImage.Format.Format_RGB32))


def save_image(image: QImage, path: Path) -> None:
    """Write an image file; the ending names the format. Where the disk is full nothing is left behind.

    Raises:
        UserError: If the ending names no format, or the file cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, path.suffix.removeprefix(".").upper() or "?"):
        raise UserError(f"cannot write {path}: choose the ending .png")
    _write(bytes(buffer.data().data()), path)


def save_svg(plot: Plot, path: Path) -> None:
    """Write a plot as vectors.

    Raises:
        UserError: If the file cannot be written.
    """
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(plot.size())
    generator.setViewBox(plot.rect())
    painter = QPainter(generator)
    plot.paint_to(painter)
    painter.end()
    buffer.close()
    _write(bytes(buffer.data().data()), path)


def save_text(text: str, path: Path) -> None:
    """Write a text file.

    Raises:
        UserError: If the file cannot be written.
    """
    _write(text, path)


def _write(content: bytes | str, path: Path) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from error


def save_plot(widget: QWidget, path: Path) -> None:
    """Write a plot as SVG where the name ends so, else as the picture on screen."""
    if path.suffix.lower() == ".svg":
        save_svg(widget, path)
    else:
        save_image(widget.grab().toImage(), path)


def ask_save_plot(widget: QWidget, name: str) -> None:
    """Ask where to save a plot, then save it."""
    path = _ask(widget, "Save plot", f"{name}.png", "PNG picture (*.png);;SVG drawing (*.svg)")
    if path is not None:
        save_plot(widget, path)


def ask_save_image(parent: QWidget, name: str, image: QImage) -> None:
    """Ask where to save an image, then save it."""
    path = _ask(parent, "Save picture", name, "PNG picture (*.png)")
    if path is not None:
        save_image(image, path)


def ask_save_text(parent: QWidget, name: str, text: str) -> None:
    """Ask where to save numbers, then save them."""
    path = _ask(parent, "Save numbers", name, "Comma-separated values (*.csv)")
    if path is not None:
        save_text(text, path)


def _ask(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    chosen, kind = QFileDialog.getSaveFileName(parent, title, name.replace("/", "-"), kinds)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix("." + kind.rpartition("*.")[2].rstrip(")"))


def pixels_csv(array: npt.NDArray[np.uint8]) -> str:
    """A picture's stored numbers, one line a row of each channel.

    Args:
        array: uint8 (H, W) or (H, W, C).
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    array = array if array.ndim == 3 else array[..., None]
    names = ("value",) if array.shape[2] == 1 else ("red", "green", "blue", "alpha")[: array.shape[2]]
    writer.writerow(["channel", "row", *(f"x{i}" for i in range(array.shape[1]))])
    for channel, name in enumerate(names):
        for row, line in enumerate(array[:, :, channel].tolist()):
            writer.writerow([name, row, *line])
    return stream.getvalue()
