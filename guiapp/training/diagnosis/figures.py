"""What findings are made from: the figures of a run, its epochs, and what was observed within."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from guiapp.training.diagnosis.record import Observations, read

Numbers = npt.NDArray[np.floating[Any]]
_BLOCKS = 120
_BEGINNING = 10  # steps whose mean loss stands for that of guessing where classes are not known


class Blocks(NamedTuple):
    """A curve in few points: the mean of each block of steps.

    Attributes:
        steps: Last step of each block, from 1.
        values: Means; blocks without a finite number are left out.
    """

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class Trend(NamedTuple):
    """A straight line through a piece of a curve.

    Attributes:
        change: From the first point to the last.
        error: One standard error of that.
        mean: Mean value.
    """

    change: float
    error: float
    mean: float


@dataclass(frozen=True, eq=False)
class RunFigures:
    """A run as the findings see it.

    Attributes:
        loss, rate: Of each step, float (S,).
        epochs: Records of the epochs, as ``epochs.jsonl`` has them.
        classes: Number of classes; 0 where it is not known, as of a loop of one's own.
        initial_loss: Mean loss before the first step, or None.
        total_steps: Steps of the whole recipe; 0 where that is not known.
        state: As ``RunFolder.state``; ``reason`` why it failed.
        observation: What was noted within, or None.
    """

    loss: Numbers
    rate: Numbers
    epochs: Sequence[Mapping[str, Any]] = ()
    classes: int = 10
    initial_loss: float | None = None
    total_steps: int = 0
    state: str = "done"
    reason: str = ""
    observation: Observations | None = None

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.loss)

    @property
    def chance(self) -> float:
        """Loss of guessing: log C in nats, every class equally probable; the first losses where C is not known."""
        if not self.classes:
            began = self.loss[:_BEGINNING]
            began = began[np.isfinite(began)]
            return float(began.mean()) if len(began) else math.log(2)
        return math.log(max(self.classes, 2))

    @property
    def guess(self) -> str:
        """What ``chance`` is, in words."""
        return "guessing has" if self.classes else "the run began at"

    def curve(self, part: str, name: str) -> npt.NDArray[np.float64]:
        """A figure of each epoch, such as ``("validation", "loss")``; (E,)."""
        return np.array([row[part][name] for row in self.epochs if part in row], np.float64)

    @property
    def epoch_steps(self) -> npt.NDArray[np.int64]:
        """Step at the end of each epoch, (E,)."""
        return np.array([row["step"] for row in self.epochs], np.int64)

    def blocks(self, first: int = 1, last: int | None = None, count: int = _BLOCKS) -> Blocks:
        """The training loss of steps ``first`` to ``last`` in at most ``count`` blocks of five or more steps."""
        values = np.asarray(self.loss[first - 1 : last], np.float64)
        blocks = max(1, min(count, len(values) // 5))
        edges = np.linspace(0, len(values), blocks + 1).astype(int)
        steps, means = [], []
        for start, end in itertools.pairwise(edges):
            piece = values[start:end]
            piece = piece[np.isfinite(piece)]
            if len(piece):
                steps.append(first - 1 + int(end))
                means.append(float(piece.mean()))
        return Blocks(np.array(steps, np.int64), np.array(means, np.float64))


def trend(values: npt.NDArray[np.float64]) -> Trend:
    """Least squares line through values at even distances; at least three of them."""
    count = len(values)
    places = np.arange(count) - (count - 1) / 2
    spread = float((places**2).sum())
    slope = float((places * values).sum()) / spread
    rest = values - values.mean() - slope * places
    error = math.sqrt(float((rest**2).sum()) / max(count - 2, 1) / spread)
    return Trend(slope * (count - 1), error * (count - 1), float(values.mean()))


def figures_of(folder: Path) -> RunFigures:
    """The figures of a run folder, also while it is written.

    Raises:
        UserError: If there is no run.
    """
    from guiapp.training.columns import Columns
    from guiapp.training.run_folder import RunFolder

    run = RunFolder.open(folder)
    columns = Columns(("loss", "lr"), folder / "steps", read_only=True)
    epochs = run.epochs()
    planned = int((run.info.get("watch") or {}).get("total_steps", 0))  # of a loop of one's own, where it says so
    if epochs and epochs[0]["epoch"] and "epochs" in run.info["recipe"]:
        planned = int(run.info["recipe"]["epochs"] * epochs[0]["step"] / epochs[0]["epoch"])
    return RunFigures(
        columns.view("loss"),
        columns.view("lr"),
        epochs,
        len(run.info["classes"]),
        run.info.get("initial_loss"),
        planned,
        run.state,
        str(run.info.get("reason", "")),
        read(folder),
    )
