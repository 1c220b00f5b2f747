"""Figures of the last steps, on their way from the device to the columns and to TensorBoard."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch

from guiapp.training.columns import Columns
from guiapp.training.events import StepEnd
from guiapp.training.tensorboard import EventFile

COLUMNS = ("loss", "accuracy", "lr")
_BOARD_SECONDS = 1.0


class Drained(NamedTuple):
    """Figures of steps ``first`` to ``last`` have moved to the columns."""

    first: int
    last: int


class StepFigures:
    """Keeps figures on the device, where reading each would hold up training, until they are drained together.

    Attributes:
        columns: Where they go.
        board: Where their means go, about once a second.
        waiting: Steps whose figures are still on the device.
        lost_at: First step drained last whose loss is not finite, or None.
    """

    def __init__(self, columns: Columns, board: EventFile) -> None:
        self.columns, self.board = columns, board
        self.waiting: list[StepEnd] = []
        self.lost_at: int | None = None
        self._block: list[float] = []
        self._board_at = time.monotonic()

    def restart(self) -> None:
        """Training goes on after a pause: the next mean covers a second from now."""
        self._board_at = time.monotonic()

    def drain(self) -> Drained | None:
        """Move what waits to the columns and see whether every loss is finite."""
        pending, self.waiting, self.lost_at = self.waiting, [], None
        if not pending:
            return None
        losses = torch.stack([e.loss for e in pending]).float().cpu().numpy()
        correct = torch.stack([e.correct for e in pending]).cpu().numpy()
        accuracy = correct / np.array([e.count for e in pending])
        self.columns.append({"loss": losses, "accuracy": accuracy, "lr": np.array([e.lr for e in pending])})
        drained = Drained(pending[0].step, pending[-1].step)
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self.lost_at = pending[int(bad[0])].step
            return drained
        self._block.extend(losses.tolist())
        clock = time.monotonic()
        if clock - self._board_at >= _BOARD_SECONDS:
            self._board_at = clock
            mean = sum(self._block) / len(self._block)
            self.board.scalars(drained.last, {"train/loss_of_steps": mean, "train/lr": pending[-1].lr})
            self._block = []
        return drained
