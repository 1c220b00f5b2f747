"""TensorBoard's view of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class EventFile:
    """Writes figures where TensorBoard finds them; the file is made with the first figure.

    Attributes:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None
        self._purge: int | None = None

    def scalars(self, step: int, figures: dict[str, float]) -> None:
        """Add figures of a step."""
        if self._writer is None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=self._purge, flush_secs=10)
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def cut(self, step: int) -> None:
        """Tell TensorBoard to forget figures after ``step``, from a run that was interrupted."""
        self.close()
        self._purge = step + 1

    def close(self) -> None:
        """Write what waits and end the writer's thread."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
