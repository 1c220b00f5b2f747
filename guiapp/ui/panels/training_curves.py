"""The three plots of a run: loss, accuracy, learning rate, fed from its columns in few points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, Opened
from guiapp.ui.panels.recipe_words import said
from guiapp.ui.panels.runs_table import date
from guiapp.ui.widgets.curve_data import Earlier, Marker, Span
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.line_legend import LineLegend
from guiapp.ui.widgets.running_mean import RunningMean

if TYPE_CHECKING:
    from guiapp.training.columns import Columns
    from guiapp.ui.theme import Theme

_COLUMN = {"loss": "loss", "accuracy": "accuracy", "rate": "lr"}
_SCALE = {"loss": 1.0, "accuracy": 100.0, "rate": 1.0}
_ORDER = ("loss", "accuracy", "loss", "accuracy", "rate")
_SELDOM_MS = 250
"""States of a run that is watched, or whose steps take long, come less often: the other plots do not wait for them."""

Previous = Sequence[Mapping[str, Earlier]]


class TrainingCurves(QWidget):
    """Plots of one run.

    While a run goes on each call brings one plot up to date, in turn: none waits long, and no event paints more. Where
    no call comes for a quarter of a second the other plots follow by themselves.

    Attributes:
        plots: ``"loss"``, ``"accuracy"`` and ``"rate"``.
        legend: Names of the other runs, ``training.earlier-runs``.
        smoothing: Number of steps over which the training curves are averaged.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.smoothing = 20
        self._state: EngineState | None = None
        self._columns: Columns | None = None
        self._means = {"loss": RunningMean(), "accuracy": RunningMean()}
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._turn = 0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._draw_rest)
        self._recent = False
        self._previous: Previous = ()
        self.plots = {
            "loss": CurvePlot(theme, "loss", unit="nats", parent=self),
            "accuracy": CurvePlot(theme, "accuracy", unit="%", parent=self),
            "rate": CurvePlot(theme, "learning rate", parent=self),
        }
        self.legend = LineLegend("training.earlier-runs", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(4)
        column.addLayout(row, 1)
        column.addWidget(self.legend)
        for (name, plot), stretch in zip(self.plots.items(), (3, 3, 2), strict=True):
            plot.setObjectName(f"training.{name}")
            plot.add_series("train", "training" if name != "rate" else "rate", theme.training)
            if name != "rate":
                plot.add_series("validation", "validation", theme.validation, dots=True)
            plot.view_changed.connect(lambda n=name: self._draw(n))
            plot.crosshair_moved.connect(self._cross)
            row.addWidget(plot, stretch)
        theme.changed.connect(self._restyle)
        self.plots["accuracy"].set_limits(0.0, 100.0)
        for name in ("loss", "rate"):
            self.plots[name].set_limits(0.0, None)

    def _restyle(self) -> None:
        self._name_previous(self._previous)

    def show_rate(self, shown: bool) -> None:
        """Leave the plot of the rate out where there is none."""
        self.plots["rate"].setVisible(shown)

    def _cross(self, x: float | None) -> None:
        for plot in self.plots.values():
            plot.set_crosshair(x)

    # ------------------------------------------------------------------ data

    def show_state(self, state: EngineState, everything: bool = False) -> None:
        """Follow a run; ``everything`` brings all plots up to date at once."""
        self._state = state
        if state.columns is not self._columns:
            self._columns = state.columns
            self._means = {"loss": RunningMean(), "accuracy": RunningMean()}
            self._drawn.clear()
            for plot in self.plots.values():
                plot.clear()
            self._name_previous(())
            everything = True
        if everything or state.phase != "running":
            for name in self.plots:
                self._draw(name)
            return
        self._turn = (self._turn + 1) % len(_ORDER)
        self._draw(_ORDER[self._turn])
        self._rest.start(_SELDOM_MS)

    def _draw_rest(self) -> None:
        """Bring the next plot up to date that is not."""
        if any(self._draw(name) for name in self.plots):
            self._rest.start(0)

    def refresh(self) -> None:
        """Draw everything anew, as after a change of smoothing."""
        self._drawn.clear()
        for name in self.plots:
            self._draw(name)

    def set_previous(self, runs: Previous) -> None:
        """Other runs as grey lines, each with its name: mappings from the name of a plot to a curve."""
        for name, plot in self.plots.items():
            plot.set_previous([run[name] for run in runs if name in run])
        self._name_previous(runs)

    def _name_previous(self, runs: Previous) -> None:
        """Name the grey lines under the plots."""
        self._previous = runs
        pen_of = self.plots["loss"].pen_of
        self.legend.set_lines([run["loss"].name for run in runs], [pen_of(place) for place in range(len(runs))])

    def set_evidence(self, pieces: Sequence[tuple[str, int, int, str]]) -> None:
        """Mark pieces of the curves, as ``Workspace.evidence`` names them."""
        for name, plot in self.plots.items():
            plot.set_spans([Span(first, last, text) for of, first, last, text in pieces if of == name])

    def set_markers(self, step: int | None) -> None:
        """Mark the step looked at, and where the rate was changed by hand."""
        events = self._state.events if self._state is not None else ()
        markers = [Marker(float(e["step"]), _event_text(e)) for e in events]
        if step is not None:
            markers.append(Marker(float(step), f"looking at step {step:,}", strong=True))
        for plot in self.plots.values():
            plot.set_markers(markers)

    def zoom_recent(self, on: bool) -> None:
        """Let the accuracy axis show the range of the later half of the run instead of 0 to 100 %."""
        self._recent = on
        if not on:
            self.plots["accuracy"].autoscale()
        self._zoom_accuracy()

    def _zoom_accuracy(self) -> None:
        plot = self.plots["accuracy"]
        lows = [float(np.nanmin(part)) for s in plot.series.values() if len(part := s.y[len(s.y) // 2 :])]
        if self._recent and lows:
            low = np.floor(min(lows) - 0.5)
            low = 5 * np.floor(low / 5) if low < 95 else low
            target = (float(min(max(low, 0.0), 99.0)), 100.0)
            if plot.y_range != target:
                plot.zoom_to(plot.x_zoom, target)

    def _draw(self, name: str) -> bool:
        """Bring a plot up to date; whether there was something to draw."""
        state, columns, plot = self._state, self._columns, self.plots[name]
        if state is None or columns is None:
            return False
        count = len(columns)
        zoomed = plot.x_zoom
        made_of = (count, len(state.epoch_rows), plot.columns, zoomed, self.smoothing, plot.log_x)
        if self._drawn.get(name) == made_of:
            return False
        self._drawn[name] = made_of
        first, last = (1, count) if zoomed is None else (max(1, int(zoomed[0])), min(count, int(zoomed[1]) + 1))
        x, low, high = _window(columns, _COLUMN[name], first, last, plot.columns, plot.log_x)
        scale = _SCALE[name]
        if scale != 1.0:
            low, high = low * scale, high * scale
        if name in self._means:
            mean = self._means[name]
            mean.follow(columns.view(_COLUMN[name]))
            width = max(self.smoothing, (last - first) // max(1, len(x)))
            smooth = mean.at(x, width) * scale
            band = None if width == 1 else (x, low, high)
            plot.set_data("train", x, smooth, band)
            key = name
            rows = [r for r in state.epoch_rows if r.get("validation")]
            steps = np.array([r["step"] for r in rows], np.float64)
            values = np.array([r["validation"][key] for r in rows], np.float64) * scale
            plot.set_data("validation", steps, values)
        else:
            plot.set_data("train", x, high)
        if name == "accuracy" and self._recent:
            self._zoom_accuracy()
        return True


def _window(
    columns: Columns, name: str, first: int, last: int, points: int, log: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Steps, lowest, highest; on a logarithmic axis each stretch of a factor of 4 has its share of the points."""
    if not log or last - first < points:
        return columns.window(name, first, last, points)
    parts, start = [], first
    stretches = max(1, int(np.ceil(np.log(last / first) / np.log(4))))
    while start <= last:
        end = min(last, start * 4 - 1)
        parts.append(columns.window(name, start, end, max(16, points // stretches)))
        start = end + 1
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def _event_text(event: Mapping[str, Any]) -> str:
    if event.get("what") == "lr":
        return f"rate set to {event['value']:g} by hand"
    if event.get("what") == "temperature":
        return f"temperature of the teacher set to {event['value']:g} by hand"
    return f"{event.get('what')}: {event.get('value')}"


def read_previous(
    opened: Opened, leave_out: Path | None, chosen: Sequence[Path] = (), most: int = 6
) -> list[dict[str, Earlier]]:
    """Curves of the ``chosen`` runs, else of the newest earlier ones of the open experiment, in few points.

    A run of the open experiment that has no name of its own is called by what is otherwise in it.
    Reads files: for the work lane.
    """
    from guiapp.training.columns import Columns
    from guiapp.training.run_folder import list_runs

    found: list[tuple[str, str, dict[str, Earlier]]] = []
    for run in list_runs():
        identity = (run.info.get("experiment") or {}).get("id")
        same = identity == opened.experiment.id and run.info.get("dataset") == opened.dataset.name
        wanted = run.path in chosen if chosen else same
        if not wanted or run.path == leave_out:
            continue
        columns = Columns(("loss", "accuracy", "lr"), run.path / "steps", read_only=True)
        count = len(columns)
        if count >= 2:
            curves = {}
            rows = [row for row in run.epochs() if row.get("validation")]
            steps = np.array([row["step"] for row in rows], np.float64)
            for name in ("loss", "accuracy"):
                mean = RunningMean()
                mean.follow(columns.view(name))
                x = np.unique(np.linspace(1, count, 300).astype(np.int64))
                y = mean.at(x, max(20, count // 100)) * _SCALE[name]
                values = np.array([row["validation"][name] for row in rows], np.float64) * _SCALE[name]
                curves[name] = Earlier("", x, y, steps, values)
            given = run.info.get("name")
            title = given if given and given != run.path.name else difference(opened, run.info) if same else ""
            found.append((str(title or identity or run.path.name), date(str(run.info.get("created", ""))), curves))
        columns.close()
        if len(found) >= most:
            break
    names = told_apart([(name, day) for name, day, _ in found])
    return [
        {plot: replace(line, name=name) for plot, line in curves.items()}
        for name, (_, _, curves) in zip(names, found, strict=True)
    ]


def difference(opened: Opened, info: Mapping[str, Any]) -> str:
    """What is otherwise in a run than in the open recipe and network, in few words; empty where nothing is."""
    from guiapp.training.beside import changed
    from guiapp.training.recipe import as_dict
    from guiapp.training.recipe_file import flat

    mine = {**flat(as_dict(opened.recipe)), **{f"model.{n}": v for n, v in opened.model_options.items()}}
    other = {
        **flat(info.get("recipe") or {}),
        **{f"model.{n}": v for n, v in (info.get("model_options") or {}).items()},
    }
    return said(changed(mine, other))


def told_apart(runs: Sequence[tuple[str, str]]) -> list[str]:
    """Names of runs ``(name, date)``: with the date where two have one name, numbered where that is one, too."""
    names = [name for name, _ in runs]
    dated = [name if names.count(name) == 1 else f"{name} {day}" for name, day in runs]
    return [
        name if dated.count(name) == 1 else f"{name} ({dated[: place + 1].count(name)})"
        for place, name in enumerate(dated)
    ]
