import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest

from guiapp.ui.widgets.curve_data import Earlier, Marker, Series
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.export import save_plot


@pytest.fixture
def plot(theme, qtbot):
    made = CurvePlot(theme, "loss", unit="nats")
    made.add_series("train", "training", theme.training)
    made.add_series("validation", "validation", theme.validation, dots=True)
    made.resize(500, 300)
    qtbot.addWidget(made)
    made.show()
    return made


def wheel(widget, x, y, notches):
    point = QPointF(x, y)
    event = QWheelEvent(
        point, widget.mapToGlobal(point), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    widget.wheelEvent(event)


def test_ranges_follow_the_data_in_steps(plot):
    plot.set_data("train", np.arange(1, 41), np.linspace(2.3, 1, 40))
    assert plot.x_range == (0, 40) and plot.y_range == (0, 3)
    plot.set_data("train", np.arange(1, 46), np.linspace(2.3, 1, 45))
    assert plot.x_range == (0, 50)
    plot.set_data("train", np.arange(1, 50), np.linspace(2.3, 1, 49))
    assert plot.x_range == (0, 50)


def test_background_is_kept_while_the_ranges_stay(plot, qapp):
    plot.set_data("train", np.arange(1, 46), np.linspace(2.3, 1, 45))
    plot.grab()
    before = plot._background
    plot.set_data("train", np.arange(1, 48), np.linspace(2.3, 1, 47))
    plot.grab()
    assert plot._background is before
    plot.set_data("train", np.arange(1, 52), np.linspace(2.3, 1, 51))
    plot.grab()
    assert plot._background is not before


def test_crosshair_tells_the_nearest_value_of_every_curve(plot):
    plot.set_data("train", np.arange(1, 101), np.arange(1, 101) / 10)
    plot.set_data("validation", np.array([50, 100]), np.array([7.0, 8.0]))
    assert plot.values_at(20.2) == [("training", 20, 2.0), ("validation", 50, 7.0)]
    assert plot.values_at(80) == [("training", 80, 8.0), ("validation", 100, 8.0)]


def test_the_pointer_moves_the_crosshair_to_a_whole_step(plot, qtbot):
    plot.set_data("train", np.arange(1, 101), np.ones(100))
    with qtbot.waitSignal(plot.crosshair_moved) as moved:
        QTest.mouseMove(plot, QPoint(round(plot.pixel_of(42)), 120))
    assert moved.args == [42.0]
    assert not plot.grab().isNull()


def test_pixels_and_values_are_inverse(plot):
    plot.set_data("train", np.arange(1, 1001), np.ones(1000))
    for log in (False, True):
        plot.set_log(x=log)
        assert plot.x_at(plot.pixel_of(300)) == pytest.approx(300)


def test_wheel_zooms_about_the_pointer_and_double_click_follows_again(plot, qtbot):
    plot.set_data("train", np.arange(1, 1001), np.ones(1000))
    x = plot.pixel_of(400)
    with qtbot.waitSignal(plot.view_changed):
        wheel(plot, x, 120, 3)
    assert plot.zoomed and plot.x_at(x) == pytest.approx(400)
    low, high = plot.x_range
    assert low > 0 and high < 1000
    QTest.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 120))
    assert not plot.zoomed and plot.x_range == (0, 1000)


def test_wheel_over_the_marks_of_one_axis_zooms_it_alone(plot):
    plot.set_data("train", np.arange(1, 1001), np.ones(1000))
    x_range = plot.x_range
    wheel(plot, 10, 150, 2)
    assert plot.x_range == x_range and plot.y_range[1] - plot.y_range[0] < 1
    assert plot.x_zoom is None


def test_drag_pans(plot):
    plot.set_data("train", np.arange(1, 1001), np.ones(1000))
    plot.zoom_to((200, 400), None)
    start, end = (QPoint(round(plot.pixel_of(x)), 100) for x in (300, 350))
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(plot, end)
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=end)
    assert plot.x_range == pytest.approx((150, 350), abs=2)


def test_visible_part_alone_decides_the_y_range(plot):
    y = np.full(1000, 0.1)
    y[:100] = 5
    plot.set_data("train", np.arange(1, 1001), y)
    assert plot.y_range[1] >= 5
    plot.zoom_to((500, 900), None)
    assert plot.y_range[1] < 0.3


def test_log_axes_leave_out_what_has_no_logarithm(plot):
    plot.set_data("train", np.arange(1, 5), np.array([0.0, 0.01, np.nan, 1.0]))
    plot.set_log(y=True)
    assert plot.y_range == pytest.approx((0.01, 1))
    assert not plot.grab().isNull()


def test_curve_is_painted_in_its_colour_where_it_stands(plot, theme):
    plot.set_data("train", np.array([0.0, 100.0]), np.array([1.0, 1.0]))
    image = plot.grab().toImage()
    x = round(plot.pixel_of(50))
    column = [image.pixelColor(x, y) for y in range(image.height())]
    blue = [y for y, c in enumerate(column) if c.blue() - c.red() > 50]
    middle = [plot.y_at(y) for y in blue]
    assert blue and all(abs(v - 1.0) < 0.03 for v in middle)


def test_markers_have_tips(plot):
    plot.set_data("train", np.arange(1, 101), np.ones(100))
    plot.set_markers([Marker(50, "rate set to 0.01"), Marker(70, strong=True)])
    plot.set_crosshair(50)
    assert not plot.grab().isNull()


def test_a_crosshair_over_a_marker_alone_is_painted(plot):
    plot.set_markers([Marker(50, "rate set to 0.01")])
    plain = plot.grab().toImage()
    plot.set_crosshair(50)
    assert plot.grab().toImage() != plain


def test_numbers_as_csv(plot):
    plot.set_data("train", np.array([1, 2]), np.array([2.0, 1.5]), (np.array([1]), np.array([1.0]), np.array([3.0])))
    rows = list(csv.reader(io.StringIO(plot.csv_text())))
    assert rows[0] == ["series", "step", "loss (nats)", "lowest", "highest"]
    assert ["training", "2", "1.5", "", ""] in rows and ["training (band)", "1", "", "1", "3"] in rows


def test_saved_as_svg_and_png(plot, tmp_path):
    plot.set_data("train", np.arange(1, 101), np.ones(100))
    save_plot(plot, tmp_path / "a.svg")
    save_plot(plot, tmp_path / "a.png")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_axis_has_room_above_the_first_points_and_above_zero_below(plot):
    plot.set_limits(0.0, None)
    plot.set_data("train", np.arange(1, 5), np.array([2.31, 2.305, 2.30, 2.29]))
    assert plot.y_range == (0, 3)
    plot.set_data("train", np.arange(1, 5), np.full(4, 0.06))
    assert plot.y_range[0] == 0 and plot.y_range[1] > 0.061


def test_a_single_point_stands_in_the_middle_at_a_whole_step_and_is_painted(plot, theme):
    plot.set_data("train", np.array([1]), np.array([0.5]))
    assert plot.x_range == (0, 2)
    image = plot.grab().toImage()
    x = round(plot.pixel_of(1))
    blues = [image.pixelColor(x, y) for y in range(image.height())]
    assert any(c.blue() - c.red() > 80 for c in blues)


def test_no_curve_can_cross_the_legend(plot):
    for width in (500, 243, 206):
        plot.resize(width, 200)
        metrics = plot.fontMetrics()
        assert plot.head.title_end(metrics) <= width
        line = metrics.height()
        apart = plot.head.apart(metrics, width)
        assert plot.frame().box.top() >= (2 * line - 8 if apart else line), width
    assert apart
    plot.resize(243, 200)  # one of three plots at 1280 x 800
    assert not plot.head.apart(plot.fontMetrics(), 243)


def test_names_that_are_too_long_share_the_legend(plot):
    plot.head.series.clear()
    metrics = plot.fontMetrics()
    for label in ("Greater Swiss Mountain dog", "hen", "hand-held computer with a long name"):
        plot.head.series[label] = Series(label, QColor("red"))
    names = plot.head.names(metrics, 240)
    assert plot.head.apart(metrics, 240) and names[1][0] == "hen"
    assert all("…" in name for name, _ in (names[0], names[2]))
    assert sum(taken for _, taken in names) <= 240 + 10 and all(
        metrics.horizontalAdvance(n) <= t - 14 for n, t in names
    )
    assert [name for name, _ in plot.head.names(metrics, 900)] == list(plot.head.series)


def test_another_run_that_diverges_does_not_flatten_the_open_one(plot):
    x = np.arange(1, 101)
    plot.set_data("train", x, np.linspace(2.3, 0.1, 100))
    for others, least, most in (([(2.3, 6.0)], 6.0, 8.0), ([(2.3, 6.0), (2.3, 1e26)], 6.0, 12.0)):
        plot.set_previous([Earlier(f"to {end}", x, np.linspace(begin, end, 100)) for begin, end in others])
        assert least <= plot.y_range[1] <= most


def test_other_runs_are_told_apart_and_named_under_the_pointer(plot):
    x = np.arange(1, 101)
    plot.set_previous([Earlier("first", x, np.full(100, 0.5)), Earlier("second", x, np.full(100, 2.0))])
    assert plot.pen_of(0).style() != plot.pen_of(1).style()
    assert len({(p.style(), p.color().name()) for p in map(plot.pen_of, range(6))}) == 6
    place = QPointF(plot.pixel_of(50), float(plot.frame().to_y(2.0)) + 3)
    assert plot.earlier_at(place) == ("second", pytest.approx(2.0))
    assert plot.earlier_at(place + QPointF(0, 30)) is None
    QTest.mouseMove(plot, place.toPoint())
    assert not plot.grab().isNull()
    assert "second,100,2,," in plot.csv_text().replace("\r", "")
