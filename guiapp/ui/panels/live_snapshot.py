"""Saves the live picture, or both of a comparison, with what is painted over it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.widgets.buttons import declare

if TYPE_CHECKING:
    from guiapp.ui.context import Context
    from guiapp.ui.panels.live_compare_view import ComparedPicture


class LiveSnapshot:
    """Pictures at their full size, written on the work lane.

    Attributes:
        action: ``live.snapshot``.
    """

    def __init__(self, context: Context, image: ComparedPicture, window: QWidget) -> None:
        self._context, self._image, self._window = context, image, window
        self.action = declare(context.commands, Command(
            "live.snapshot", "Save live picture…", self.ask,
            "Save the picture with what is painted over it as a PNG file", "", "save", menu="Source",
        ))  # fmt: skip

    def ask(self) -> None:
        """Ask for a file name and save."""
        if self._image.array is None:
            return
        name, _ = QFileDialog.getSaveFileName(self._window, "Save live picture", "live.png", "PNG (*.png)")
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> None:
        """Save what is seen: of a comparison side by side both pictures, beside each other."""
        shown = self._image.seen()
        if not shown:
            return
        path = path if path.suffix else path.with_suffix(".png")

        def work() -> Generator[None, None, Path]:
            from guiapp.ui.painters.pairs import side_by_side
            from guiapp.ui.painters.still import painted
            from guiapp.ui.widgets.export import save_image
            from guiapp.ui.widgets.painting import image_of

            yield
            save_image(image_of(side_by_side([painted(array, layers) for array, layers in shown])), path)
            return path

        bridge, notices = self._context.bridge, self._context.notices
        job = bridge.engine.submit(work, title="Saving the live picture")
        bridge.call(job, lambda saved: notices.post("info", f"{saved} is saved.", topic="live source"))
