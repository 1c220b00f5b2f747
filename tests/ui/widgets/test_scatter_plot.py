"""The scatter plot: which pixel shows what, zoom and pan, cards, pictures at close zoom, export."""

import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from guiapp.interpret.embedding.cloud import Cloud
from guiapp.ui.widgets import export
from guiapp.ui.widgets.scatter_plot import ScatterPlot
from guiapp.ui.widgets.scatter_raster import Window, codes, grown, levels_for, palette, picture, seen

RED, BLUE = QColor("#ff0000"), QColor("#0000ff")


@pytest.fixture
def plot(theme, qtbot):
    made = ScatterPlot(theme)
    qtbot.addWidget(made)
    made.resize(200, 100)
    made.show()
    return made


def cloud_of(count, seed=0):
    return Cloud(np.random.default_rng(seed).normal(0, 2, (count, 2)))


@pytest.mark.parametrize("window", [Window(-9, 9, 4, 4, 72, 72), Window(-1, 0.5, 40, 30, 71, 33)])
def test_each_pixel_shows_the_last_point_on_it_and_how_many_there_are(window):
    cloud = cloud_of(3000)
    groups = np.random.default_rng(1).integers(0, 5, 3000).astype(np.uint8)
    image = codes(cloud, window, seen(cloud, window), groups[cloud.order], 6)
    counts, last = np.zeros(image.shape, int), np.zeros(image.shape, int)
    for place, index in enumerate(cloud.order):
        column = np.float32(cloud.x[place]) * np.float32(window.scale_x)
        column = np.floor(column - np.float32(window.left * window.scale_x - 1)) - 1
        row = np.float32(cloud.y[place]) * np.float32(-window.scale_y)
        row = np.floor(row + np.float32(window.top * window.scale_y + 1)) - 1
        if 0 <= column < window.width and 0 <= row < window.height:
            counts[int(row), int(column)] += 1
            last[int(row), int(column)] = groups[index]
    levels = np.rint(5 * np.log(np.maximum(counts, 1)) / np.log(counts.max())).astype(int)
    assert np.array_equal(image, np.where(counts > 0, 1 + 6 * last + levels, 0))


def test_points_grow_without_covering_others():
    image = np.zeros((6, 6), np.uint8)
    image[2, 2], image[2, 3] = 7, 9
    found = grown(image, 2)
    assert found[2, 2] == 7 and found[2, 3] == 9 and found[3, 2] == 7 and found[2, 4] == 9
    assert np.count_nonzero(found) == 6


@pytest.mark.parametrize("groups", [10, 200, 1000])
def test_any_number_of_colours_comes_out_as_it_is(groups):
    levels = levels_for(groups)
    colours = [QColor(i % 256, i // 256, 100) for i in range(groups)]
    table = palette(colours, QColor("black"), levels)
    kind = np.uint8 if groups * levels < 256 else np.uint16
    image = np.zeros((3, 5), kind)
    image[1, 2] = 1 + levels * (groups - 1) + levels - 1
    shown = picture(image, table)
    assert shown.pixelColor(2, 1).rgb() == colours[-1].rgb() and shown.pixelColor(0, 0) == QColor("black")


@pytest.mark.parametrize("count", [400, 20_000])
def test_points_are_seen_where_they_lie_in_their_colour(plot, count):
    xy = np.random.default_rng(0).normal((-1, 0), 0.02, (count, 2))
    xy[0] = [1, 0]
    groups = np.zeros(count, int)
    groups[0] = 1
    plot.set_cloud(Cloud(xy))
    plot.set_groups(groups, (RED, BLUE))
    image = plot.grab().toImage()
    for index, (ours, other) in enumerate(((QColor.blue, QColor.red), (QColor.red, QColor.blue))):
        spot = plot._spot(index)
        shown = image.pixelColor(int(spot.x()), int(spot.y()))
        assert ours(shown) > 130 > other(shown)
    assert image.pixelColor(100, 8) == plot.theme.panel


def test_what_is_marked_stands_out(plot):
    xy = np.array([[0.0, 0.0]] * 5000 + [[4.0, 0.0]] * 5000)
    plot.set_cloud(Cloud(xy))
    plot.set_groups(np.repeat([0, 1], 5000), (RED, BLUE))
    marked = np.repeat([False, True], 5000)
    plot.set_marked(marked)
    image = plot.grab().toImage()
    faded, bright = image.pixelColor(plot._spot(0).toPoint()), image.pixelColor(plot._spot(9999).toPoint())
    assert bright.blue() > 200 and abs(faded.red() - faded.blue()) < 60


def test_zoom_keeps_what_is_under_the_pointer_and_a_double_click_shows_all(plot):
    plot.set_cloud(cloud_of(500))
    assert plot.view.fitted
    about = QPointF(150, 30)
    before = plot.view.to_map(about)
    plot.zoom(4, about)
    assert plot.view.to_map(about) == pytest.approx(before) and not plot.view.fitted
    QTest.mouseDClick(plot, LEFT_BUTTON, pos=QPoint(1, 1))
    left, _, right, top = plot.view.window().area
    assert plot.view.fitted and left < plot.cloud.low[0] and right > plot.cloud.high[0] and top > plot.cloud.high[1]


LEFT_BUTTON = Qt.MouseButton.LeftButton


def test_a_drag_moves_the_map_with_the_pointer_and_chooses_nothing(plot, qtbot):
    plot.set_cloud(cloud_of(500))
    heard = []
    plot.clicked.connect(heard.append)
    held = plot.view.to_map(QPointF(100, 50))
    QTest.mousePress(plot, LEFT_BUTTON, pos=QPoint(100, 50))
    QTest.mouseMove(plot, QPoint(130, 40))
    QTest.mouseRelease(plot, LEFT_BUTTON, pos=QPoint(130, 40))
    assert plot.view.to_map(QPointF(130, 40)) == pytest.approx(held) and not heard


def test_the_view_a_person_chose_stays_while_the_same_points_move(plot):
    plot.set_cloud(cloud_of(500))
    plot.zoom(3, QPointF(60, 60))
    area = plot.view.window().area
    plot.set_cloud(cloud_of(500, 1), same_points=True)
    assert plot.view.window().area == area
    plot.set_cloud(cloud_of(500, 2))
    assert plot.view.fitted


def test_a_card_tells_of_the_point_under_the_pointer(plot, qtbot):
    plot.set_cloud(Cloud([[0.0, 0.0], [5.0, 1.0]]))
    plot.describe = lambda index: (f"point {index}",)
    plot.points.thumbnail = lambda index: np.zeros((8, 8, 3), np.uint8)
    with qtbot.waitSignal(plot.hovered) as heard:
        QTest.mouseMove(plot, plot._spot(1).toPoint())
    assert heard.args == [1] and plot.card(1).lines == ("point 1",) and plot.card(1).image.width() == 8
    plot.grab()  # the card is painted within the widget


def test_pictures_stand_in_place_of_points_that_lie_far_apart(plot):
    asked = []
    plot.points.thumbnail = lambda index: asked.append(index) or np.full((8, 8, 3), 200, np.uint8)
    plot.set_cloud(cloud_of(400))
    plot.grab()
    assert plot.points.pictured == [] and not asked
    x, y = plot.cloud.xy[0]
    plot.set_range(x - 0.05, y - 0.025, x + 0.05, y + 0.025)
    image = plot.grab().toImage()
    assert 0 in plot.points.pictured and image.pixelColor(plot._spot(0).toPoint()) == QColor(200, 200, 200)


def test_units_of_their_own_fill_the_plot_and_equal_ones_keep_shapes(plot):
    wide = Cloud([[0.0, 0.0], [100.0, 1.0]])
    plot.set_cloud(wide, equal=False)
    assert abs(plot._spot(1).y() - plot._spot(0).y()) > 80
    plot.set_cloud(wide, equal=True)
    assert abs(plot._spot(1).y() - plot._spot(0).y()) < 3


def test_places_come_out_as_csv_and_the_plot_as_vectors(plot, tmp_path):
    plot.set_cloud(Cloud([[1.5, 2.0], [3.0, -4.0]]))
    plot.points.axes = ("component 1", "component 2")
    rows = list(csv.reader(io.StringIO(plot.csv_text())))
    assert rows[1:] == [["0", "1.5", "2", "0"], ["1", "3", "-4", "1"]]
    export.save_plot(plot, tmp_path / "map.svg")
    assert "component 1" in (tmp_path / "map.svg").read_text()


def test_nothing_to_show_and_one_point_are_painted(plot):
    plot.set_cloud(None)
    plot.grab()
    plot.set_cloud(Cloud([[2.0, 2.0]]))
    plot.set_live((2.0, 2.0))
    plot.set_live((2.5, 2.0))
    plot.grab()
    assert plot.live == (2.5, 2.0)
    plot.set_live(None)
    assert plot.live is None
