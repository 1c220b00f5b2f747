"""Drives the whole window without a person: for pictures of it, benchmarks and tests of the whole."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QPixmap

from guiapp.catalogue import EXPERIMENTS
from guiapp.core import paths
from guiapp.core.notices import Notice, UserError
from guiapp.core.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.engine.state import EngineState
    from guiapp.tasks.predictions import Drawn
    from guiapp.ui.main_window import MainWindow
    from guiapp.ui.panels.live import LivePanel

TIMER_MILLISECONDS = 16
_LANE_SECONDS = 60.0
"""How long a lane in the middle of torch's code is waited for; Python that ends meanwhile takes the process down."""
_open: list[Driver] = []
"""Drivers whose window is not closed, in the order in which they were made."""


@contextmanager
def apart() -> Iterator[Path]:
    """A user folder of its own while it is open: no remembered session, and no run left behind.

    Data sets are still found where the person keeps them. Windows that are opened within it are closed at its end, so
    that nothing of theirs is written elsewhere.
    """
    outside = list(_open)
    names = ("GUIAPP_HOME", "GUIAPP_DATA")
    before = {name: os.environ.get(name) for name in names}
    os.environ["GUIAPP_DATA"] = before["GUIAPP_DATA"] or str(paths.downloads())
    with TemporaryDirectory(prefix="guiapp-", ignore_cleanup_errors=True) as folder:
        os.environ["GUIAPP_HOME"] = folder
        try:
            yield Path(folder)
        finally:
            _close_all(but=outside)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@atexit.register
def _close_all(but: Sequence[Driver] = ()) -> None:
    """Close the windows that a script has left open, the newest first, before Python ends and before Qt does."""
    for driver in [driver for driver in reversed(_open) if driver not in but]:
        driver.close()


def without_display() -> None:
    """Draw into memory where there is no display, or where the platform is not chosen; call before Qt starts."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class Overlay:
    """Draws predictions over pictures as the window does, without a window: for files.

    Pictures of one video go through one object: what is shown over time goes on from frame to frame.

    Args:
        theme: ``"dark"`` or ``"light"``: the ground under names and legends.
    """

    def __init__(self, theme: Literal["dark", "light"] = "dark") -> None:
        from guiapp.app import create_application
        from guiapp.ui.painters.frames import FramePainter
        from guiapp.ui.theme import Theme

        without_display()
        self._application = create_application(["guiapp"])  # fonts belong to it
        self._paint = FramePainter(Theme(theme))

    def __call__(self, pixels: npt.NDArray[np.uint8], drawn: Drawn) -> npt.NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3), with the prediction over it: a new array of the same size."""
        return self._paint(pixels, drawn)


class Driver:
    """One window and the hand that drives it.

    Every wait runs the event loop, as if a person watched, and fails with what it waited for.

    Args:
        experiment: The one to open, or None for the window's default.
        size: Width and height of the window.
        theme: ``"dark"``, ``"light"`` or None for the system's.
        layout: Name of an arrangement, or None for the default.
        opened: Whether to wait until every panel is built and the experiment is open.

    Attributes:
        application: The ``QApplication``.
        window: The window, shown.
    """

    def __init__(
        self,
        experiment: str | None = None,
        size: tuple[int, int] = (1280, 800),
        theme: str | None = None,
        layout: str | None = None,
        opened: bool = True,
    ) -> None:
        from guiapp.app import create_application, keep_modules
        from guiapp.ui.main_window import MainWindow

        self.application = create_application(["guiapp"])
        self.window: MainWindow = MainWindow(Workspace(experiment=experiment))
        _open.append(self)
        keep_modules(self.window)
        self._loop = QEventLoop()
        self._pause = QTimer(singleShot=True)  # made once: each QTimer.singleShot keeps some bytes for good
        self._pause.timeout.connect(self._loop.quit)
        self._errors: list[Notice] = []
        self.window.bridge.notice.connect(self._note)
        self._built: list[bool] = []
        self.window.panels_built.connect(lambda: self._built.append(True))
        if theme is not None:
            self.window.theme.set_mode(theme)
        self.window.resize(*size)
        if layout is None and self.exhibit:
            layout = "live-inside"  # an exhibit opens by itself where the window begins in its room
        if layout is not None:
            self.window.use_layout(layout)
        self.window.show()
        QCursor.setPos(self.window.mapToGlobal(QPoint(size[0] - 1, size[1] - 1)))  # nothing is under the pointer
        if opened:
            self.wait_opened()

    @property
    def state(self) -> EngineState:
        """What the window was told last."""
        return self.window.bridge.state

    @property
    def exhibit(self) -> bool:
        """Whether the entry that is open is a published network, which is looked at in the live room."""
        entry = EXPERIMENTS.get(self.window.workspace.experiment or "")
        return entry is not None and entry.live

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Run the event loop until ``condition()`` holds.

        Raises:
            UserError: If the engine reports an error, or the time is over.
        """
        until = time.monotonic() + seconds
        while not condition():
            if self._errors:
                raise UserError(self._errors[0].text)
            if time.monotonic() > until:
                raise UserError(f"{what}: not there after {seconds:g} s")
            self.rest(0.02)

    def rest(self, seconds: float) -> None:
        """Let the event loop run for a while."""
        self._pause.start(round(seconds * 1000))
        self._loop.exec()

    def wait_opened(self) -> None:
        """Wait until the first experiment is open and every panel is built."""
        lane = self.window.engine.live
        if self.exhibit:
            self.wait(lambda: lane.newest.phase == "ready", 300, self.window.workspace.experiment or "")
        else:
            self.wait(lambda: self.state.phase not in ("empty", "opening"), 120, "the first experiment")
        self.wait(lambda: bool(self._built), 60, "the panels")

    def look_at(self, source: str | Path | None = None) -> None:
        """Show a picture, a video or an address in the live room and wait until it is answered and looked into.

        Args:
            source: What the live room opens; where it is None the street that the program draws, with its people
                walking for a network that looks at several pictures.
        """
        from guiapp.ui.panels.live import LivePanel

        panel = self.window.show_panel("live")
        assert isinstance(panel, LivePanel)
        if source is None:
            from guiapp.engine.samples import STREET, WALK, for_task

            entry = EXPERIMENTS.get(self.window.workspace.experiment or "")
            moves = self.exhibit and entry is not None and for_task(entry.task) == WALK
            panel.show_sample(WALK if moves else STREET)
        else:
            panel.open_source(str(source))
        self.wait(lambda: self._answered(panel), 300, "an answer of the network")
        self.rest(0.5)

    def _answered(self, panel: LivePanel) -> bool:
        """Whether a picture has its answer, and the panels beside it theirs."""
        from guiapp.tasks.plain import has_answer
        from guiapp.ui.panel import Panel
        from guiapp.ui.panels.layer_panel import LayerPanel

        shown, look = panel.image.result, self.window.bridge.live_look
        if shown is None or not has_answer(shown.drawn):
            return False
        beside = [found for found in self.window.findChildren(Panel) if found.follows_live and found.isVisible()]
        asking = [found for found in beside if found.request() is not None]
        if not asking:
            return True
        drawn = [found.atlas.atlas for found in asking if isinstance(found, LayerPanel)]
        return look is not None and {found.id for found in asking} <= set(look.results) and None not in drawn

    def open(self, experiment: str, settings: Mapping[str, Any] | None = None) -> None:
        """Open a catalogue entry and wait until it is ready."""
        before = self.state.opened
        self.window.workspace.experiment = experiment
        self.window.engine.open_experiment(experiment, settings)
        self.wait(lambda: self.state.opened not in (None, before) and self.state.phase == "ready", 300, experiment)

    def show_sample(self) -> None:
        """Put a sample of the open data set into the viewer where there is no picture."""
        opened = self.state.opened
        if self.window.workspace.picture is None and opened is not None:
            self.window.workspace.picture = opened.dataset.picture("validation", 0)

    def train(self, until: int) -> None:
        """Train until ``until`` steps are done, or the run ends before, and stand still there."""
        begun = self.state.columns if self.state.phase == "finished" else None  # of a run that the start replaces
        self.window.engine.start(until)
        self.wait(lambda: self._stands_at(until, begun), 3600, "training")

    def _stands_at(self, until: int, before: object) -> bool:
        state = self.state
        ended = state.phase == "finished" and state.columns is not before
        return ended or (state.phase == "paused" and state.step >= until)

    def train_on(self) -> None:
        """Train without an end in sight; ``pause`` ends it."""
        self.window.engine.start()
        self.wait(lambda: self.state.phase == "running" and self.state.step > 0, 300, "training")

    def pause(self) -> None:
        """Stand still."""
        self.window.engine.pause()
        self.wait(lambda: self.state.phase in ("paused", "finished"), 60, "a pause")

    def settle(self) -> None:
        """Wait until the newest weights and picture were looked at and painted."""
        if self.window.workspace.picture is not None:
            self.wait(self._looked_at_newest, 60, "a look at the network")
        self.rest(0.5)

    def _looked_at_newest(self) -> bool:
        look = self.window.bridge.look
        return (
            look is not None
            and look.opened is self.state.opened
            and look.picture is self.window.workspace.picture
            and look.step == self.state.step
        )

    def picture(self) -> QPixmap:
        """The window as it is painted now."""
        return self.window.grab()

    def timer_intervals(self, seconds: float) -> list[float]:
        """Milliseconds between the ticks of a 16 ms timer on this thread, over a while."""
        ticks = Ticks()
        self.rest(seconds)
        return ticks.stop()

    def objects(self) -> dict[str, int]:
        """How many widgets there are in the application, and timers in the window."""
        return {"widgets": len(self.application.allWidgets()), "timers": len(self.window.findChildren(QTimer))}

    def close(self) -> None:
        """Close the window, wait until nothing works for it any more, and let it be destroyed; twice is allowed."""
        if self not in _open:
            return
        _open.remove(self)
        if not shiboken6.isValid(self.window):  # the script has done so
            return
        self.window.close()
        self.window.engine.shutdown(_LANE_SECONDS)
        self.window.deleteLater()
        self.application.processEvents()
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete)

    def _note(self, notice: Notice) -> None:
        if notice.level == "error":
            self._errors.append(notice)


class Ticks(QObject):
    """A 16 ms timer that writes down when it fires."""

    def __init__(self) -> None:
        super().__init__()
        self._times = [time.perf_counter()]
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TIMER_MILLISECONDS)
        self._timer.timeout.connect(lambda: self._times.append(time.perf_counter()))
        self._timer.start()

    def stop(self) -> list[float]:
        """End it and give the intervals in milliseconds, with the one up to now."""
        self._timer.stop()
        times = [*self._times, time.perf_counter()]
        return [(later - earlier) * 1000.0 for earlier, later in pairwise(times)]


class MapWatch:
    """A window with a map that moves while work goes on elsewhere, and what its event loop noticed of it."""

    def __init__(self, size: tuple[int, int] = (800, 600)) -> None:
        from guiapp.app import create_application
        from guiapp.engine.slot import Slot
        from guiapp.ui.theme import Theme
        from guiapp.ui.widgets.scatter_plot import ScatterPlot

        self.application = create_application(["guiapp"])
        self._slot: Slot[Any] = Slot()
        self._theme = Theme("dark")
        self._plot = ScatterPlot(self._theme)
        self._plot.resize(*size)
        self._plot.show()
        self.application.processEvents()

    def show(self, xy: npt.NDArray[np.float32]) -> None:
        """Take a map from any thread; the newest is shown."""
        from guiapp.interpret.embedding.cloud import Cloud

        self._slot.put(Cloud(xy))

    def run(self, ended: Callable[[], bool]) -> list[float]:
        """Run the event loop until ``ended()``; milliseconds between the ticks of its 16 ms timer."""
        loop = QEventLoop()
        timer = QTimer()
        timer.setInterval(TIMER_MILLISECONDS)

        def tick() -> None:
            cloud = self._slot.take()
            if cloud is not None:
                self._plot.set_cloud(cloud, same_points=True)
            if ended():
                loop.quit()

        timer.timeout.connect(tick)
        ticks = Ticks()
        timer.start()
        loop.exec()
        gaps = ticks.stop()
        timer.stop()
        self._plot.close()
        self._plot.deleteLater()
        self.application.processEvents()
        return gaps


class PlotPeer:
    """A plot of pyqtgraph with all points in one item, which the benchmark of scatter plots measures against.

    Args:
        xy: float32 (N, 2).
        labels: (N,), index into ``colours``.
        colours: ``QColor``.
        size: Width and height.
    """

    def __init__(
        self, xy: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], colours: list[Any], size: tuple[int, int]
    ) -> None:
        import numpy as np
        import pyqtgraph

        brushes = np.array([pyqtgraph.mkBrush(colour) for colour in colours], object)
        self.widget = pyqtgraph.PlotWidget()
        self.widget.resize(*size)
        item = pyqtgraph.ScatterPlotItem(
            x=xy[:, 0].astype(np.float64), y=xy[:, 1].astype(np.float64), size=2, pen=None, brush=brushes[labels]
        )
        self.widget.addItem(item)
        self.widget.show()

    def repaint(self, left: float, bottom: float, right: float, top: float) -> None:
        """Show another range, until its pixels are there."""
        self.widget.setRange(xRange=(left, right), yRange=(bottom, top), padding=0)
        self.widget.viewport().repaint()
