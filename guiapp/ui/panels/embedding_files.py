"""Files of a map: its points as a table, chosen pictures as a class of a folder data set, written beside other work."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QFileDialog

from guiapp.core.notices import UserError
from guiapp.ui.panels import embedding_words as words

if TYPE_CHECKING:
    from guiapp.interpret.embedding.place import Map
    from guiapp.ui.panel import Panel
    from guiapp.ui.panels.embedding_own import OwnClasses

_LINES = 5000  # of a table that are written before others have their turn


class MapFiles:
    """Asks for files and writes what is chosen on the work lane.

    Args:
        panel: Over which questions are asked.
        own: Classes of one's own, a column of the table.
    """

    def __init__(self, panel: Panel, own: OwnClasses) -> None:
        self._panel, self._own = panel, own

    def save_table(self, found: Map, chosen: npt.NDArray[np.int64] | None, path: Path) -> None:
        """Write these points, or all, as a table: of a million the window would stand still for seconds."""
        rows = range(len(found.features)) if chosen is None else chosen.tolist()
        own = None if self._own.of_picture is None else self._own.of_picture.copy()
        bridge = self._panel.context.bridge
        work = partial(_write_table, found, rows, own, self._own.names, path)
        bridge.call(bridge.engine.submit(work, title="Saving the table"), lambda _done: None)

    def save_pictures(self, found: Map, chosen: npt.NDArray[np.int64], folder: Path) -> None:
        """Write these pictures into a folder: a class of a folder data set, if it lies among others."""
        numbers = found.features.kept[chosen].tolist()
        context = self._panel.context
        job = context.bridge.engine.submit(
            partial(_write_pictures, found.features.pictures, numbers, folder), title="Saving pictures"
        )
        context.bridge.call(job, lambda count: context.notices.post("info", f"{count:,} pictures are in {folder}"))

    def ask_table(self) -> Path | None:
        """Where the table is to be, or None."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._panel, "Save table", "embedding.csv", "Comma-separated values (*.csv)"
        )
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(".csv")) if chosen else None

    def ask_folder(self) -> Path | None:
        """The folder of a data set, or None."""
        title = "Folder that becomes a data set: one sub-folder a class"
        chosen = QFileDialog.getExistingDirectory(self._panel, title)
        return Path(chosen) if chosen else None


def _write_table(
    found: Map, chosen: Any, own: Any, names: tuple[str, ...], path: Path
) -> Generator[tuple[float, str], None, None]:
    """Write points as a table."""
    from guiapp.ui.widgets.export import save_text

    lines = []
    for number, line in enumerate(words.table_lines(found, chosen, own, names)):
        if number % _LINES == 0:
            yield number / (len(chosen) + 1), "writing the table"
        lines.append(line)
    save_text("".join(lines), path)


def _write_pictures(pictures: Any, numbers: list[int], folder: Path) -> Generator[tuple[float, str], None, int]:
    """Write pictures as PNG files; as they are in a data set, else as they are shown."""
    from PIL import Image

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for done, number in enumerate(numbers):
            yield done / len(numbers), f"writing picture {done + 1:,} of {len(numbers):,}"
            picture = pictures.picture(number)
            pixels = picture.network_pixels
            image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
            name = "".join(c if c.isalnum() or c in "-_" else "-" for c in pictures.caption(number))
            image.save(folder / f"{name}.png")
    except OSError as error:
        raise UserError(f"the pictures cannot be written to {folder}: {error.strerror or error}") from error
    return len(numbers)
