"""Parallel coordinates and plots of groups: places, brushes, clicks, what is painted."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from guiapp.ui.widgets.group_plots import PartsPlot, Row, SpreadPlot
from guiapp.ui.widgets.parallel_plot import ParallelPlot, scale_of
from guiapp.ui.widgets.response_plot import Dot, ResponsePlot


def pixels(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.asarray(image.constBits()).reshape(image.height(), image.width(), 4)[..., :3].copy()


def test_scales():
    assert scale_of("a", [0, 5, 10, None]).places.tolist()[:3] == [0.0, 0.5, 1.0]
    assert math.isnan(scale_of("a", [0, 5, 10, None]).places[3])
    assert scale_of("lr", [1e-4, 1e-2, 1.0]).places.tolist() == pytest.approx([0, 0.5, 1])  # logarithmic
    words = scale_of("o", ["sgd", "adam", "sgd"])
    assert words.places.tolist() == [0.75, 0.25, 0.75] and [t for _, t in words.ticks] == ["adam", "sgd"]
    assert scale_of("c", [3, 3]).places.tolist() == [0.5, 0.5]
    assert np.isnan(scale_of("n", [None, None]).places).all()


@pytest.fixture
def plot(theme, qtbot):
    made = ParallelPlot(theme, "p")
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.set_runs(["a", "b", "c"], [("lr", [0.1, 0.2, 0.3]), ("k", [1, 5, 3]), ("accuracy", [0.5, 0.9, 0.7])])
    made.show()
    return made


def point(plot, axis, row):
    x, y = plot._points()
    return QPoint(round(x[axis]), round(y[row, axis]))


def test_a_drag_along_an_axis_brushes_and_a_click_on_it_frees(plot, qtbot):
    found = []
    plot.brushed.connect(found.append)
    top, bottom = point(plot, 2, 1), point(plot, 2, 2)
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=top - QPoint(0, 1))
    qtbot.mouseMove(plot, bottom + QPoint(0, 3))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton)
    assert plot.inside() == [1, 2] == found[-1]
    plot.set_brush(0, 0.0, 0.6)
    assert plot.inside() == [1]
    plot.set_runs(["a", "b"], [("accuracy", [0.5, 0.9]), ("lr", [0.1, 0.2])])
    assert plot.inside() == [] or set(plot.brushes) == {0, 1}  # brushes stay with their columns
    for axis in (0, 1):
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot._x(axis)), 150))
    assert not plot.brushes and found[-1] is None


def test_a_click_gives_the_line_inside_the_brushes(plot, qtbot):
    clicked = []
    plot.clicked.connect(clicked.append)
    middle = (point(plot, 0, 0) + point(plot, 1, 0)) / 2
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=middle)
    assert clicked == [0]
    plot.set_brush(2, 0.9, 1.0)
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=middle)
    assert clicked == [0]
    assert plot.csv_text().splitlines()[1] == "a,0.1,1,0.5"


def test_every_plot_paints_its_numbers_and_follows_the_theme(theme, qtbot, plot):
    before = pixels(plot)
    plot.set_brush(2, 0.5, 1.0)
    assert (pixels(plot) != before).any()
    made = [plot, SpreadPlot(theme, "s"), PartsPlot(theme, "b", "Parts", (("bias", "training"), ("variance", "test")))]
    made[1].set_rows([Row("k 1", (0.8, 0.9), "0.85"), Row("k 5", (0.7,))], "accuracy")
    made[2].set_rows([Row("k 1", (0.1, 0.3)), Row("k 5", (0.2, 0.1))], "error")
    made.append(ResponsePlot(theme, "r"))
    made[3].set_dots([Dot(0.1, 0.5, 0.1), Dot(0.01, 0.9, share=0.3), Dot(None, 0.2)], "lr")
    for widget in made:
        if widget is not plot:
            qtbot.addWidget(widget)
            widget.resize(420, 200)
        dark = pixels(widget)
        assert len(np.unique(dark.reshape(-1, 3), axis=0)) > 5 and widget.filled
        theme.set_mode("light")
        assert pixels(widget).mean() > dark.mean() + 50
        theme.set_mode("dark")
    assert made[2].x(0.4) - made[2].x(0.0) == pytest.approx(4 * (made[2].x(0.1) - made[2].x(0.0)))
    assert made[3].item_at(made[3]._places()[1]) == 1 and made[1].csv_text().splitlines()[1] == "k 1,0.8,0.9"
