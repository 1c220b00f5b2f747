"""Attribution maps in colours and side by side: ranges, thresholds, one zoom, values under the pointer."""

import csv
import io

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from guiapp.ui import colour_maps
from guiapp.ui.theme import Theme
from guiapp.ui.widgets import export
from guiapp.ui.widgets.attribution_grid import MapGrid, Tile
from guiapp.ui.widgets.attribution_image import MapStyle, coloured, enlarged, part_of, range_of, without_colours

LEFT = Qt.MouseButton.LeftButton
VALUES = np.array([[-2.0, -0.5], [0.0, 1.0]], np.float32)


def test_coarse_maps_are_enlarged_as_torch_does_it():
    values = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    for size in ((7, 5), (14, 10), (33, 64), (8, 21)):
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(values)[None, None], size, mode="bilinear", align_corners=False
        )[0, 0].numpy()
        np.testing.assert_allclose(enlarged(values, *size), wanted, atol=1e-6)
    np.testing.assert_allclose(enlarged(values[:1, :1], 3, 4), np.full((3, 4), values[0, 0]))


def test_the_range_is_the_largest_value_and_of_a_map_of_pixels_not_decided_by_single_ones():
    assert range_of(VALUES) == 2.0
    pixels = np.full((100, 100), 0.5, np.float32)
    pixels[0, :3] = 50
    assert range_of(pixels) == 0.5
    lonely = np.zeros((100, 100), np.float32)
    lonely[3, 3] = -4
    assert range_of(lonely) == 4.0  # the 99th percentile is zero
    assert range_of(np.zeros((3, 3), np.float32)) == 1.0
    assert range_of(np.array([[np.nan, 0.25]], np.float32)) == 0.25


def test_one_side_or_the_size_of_values_can_be_shown():
    assert part_of(VALUES, "signed") is VALUES
    assert part_of(VALUES, "absolute").tolist() == [[2.0, 0.5], [0.0, 1.0]]
    assert part_of(VALUES, "positive").tolist() == [[0, 0], [0, 1]]
    assert part_of(VALUES, "negative").tolist() == [[2.0, 0.5], [0, 0]]


def test_colours_are_centred_on_zero_and_what_says_little_hides_little():
    colours = coloured(VALUES, MapStyle("signed", "picture", 0.8), 2.0)
    table = colour_maps.signed()
    assert colours[0, 0].tolist() == [*table[1][:3].tolist(), 204]  # full blue, 0.8 of 255
    assert colours[1, 1, :3].tolist() == table[224][:3].tolist()  # half way from palest to full
    alone = coloured(VALUES, MapStyle("signed", "alone"), 2.0)
    assert alone[1, 1, :3].tolist() == table[192][:3].tolist()  # 128 + 127 * 0.5, rounded to even
    np.testing.assert_allclose(colours[..., 3], [[204, 204 * 0.25**0.75], [0, 204 * 0.5**0.75]], atol=1.5)
    beyond = coloured(VALUES, MapStyle("signed"), 1.0)
    assert beyond[0, 0, :3].tolist() == table[1][:3].tolist()
    unsigned = coloured(VALUES, MapStyle("absolute"), 2.0)
    assert unsigned[0, 0, :3].tolist() == colour_maps.sequential()[255][:3].tolist()


def test_what_suits_values_is_seen_from_them():
    suited = MapStyle(ground="alone")
    np.testing.assert_array_equal(coloured(VALUES, suited, 2.0), coloured(VALUES, MapStyle("signed", "alone"), 2.0))
    sizes = np.abs(VALUES)
    np.testing.assert_array_equal(coloured(sizes, suited, 2.0), coloured(sizes, MapStyle("positive", "alone"), 2.0))


def test_below_the_threshold_nothing_is_painted_and_what_is_no_number_never():
    colours = coloured(VALUES, MapStyle("signed", "picture", 1.0, 0.3), 2.0)
    assert (colours[..., 3] > 0).tolist() == [[True, False], [False, True]]
    alone = coloured(np.array([[np.nan, 1.0, 0.1]], np.float32), MapStyle("positive", "alone", 0.2, 0.5), 1.0)
    assert alone[0, :, 3].tolist() == [0, 255, 255]
    assert alone[0, 2, :3].tolist() == colour_maps.sequential()[1][:3].tolist()


def test_the_grey_ground_has_the_luma_of_the_picture():
    grey = without_colours(np.array([[[255, 0, 0], [0, 255, 0], [255, 255, 255]]], np.uint8))
    assert grey.shape == (1, 3, 3) and (grey == grey[..., :1]).all()
    assert grey[0, :, 0].tolist() == [round(0.299 * 204 + 25), round(0.587 * 204 + 25), 229]


@pytest.fixture
def grid(qtbot):
    made = MapGrid(Theme("light"), "test.maps")
    qtbot.addWidget(made)
    made.resize(400, 240)
    made.show()
    qtbot.waitExposed(made)
    return made


def tiles(count, shape=(40, 60), **fields):
    pixels = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    return [
        Tile(f"map {i}", pixels, np.arange(12, dtype=np.float32).reshape(3, 4) * (i + 1), **fields)
        for i in range(count)
    ]


def test_maps_are_as_large_as_fit_and_two_targets_stand_side_by_side(grid):
    grid.show_tiles(tiles(2, (40, 60)))
    assert grid.shape() == (1, 2)
    grid.resize(200, 500)
    assert grid.shape() == (2, 1)
    grid.show_tiles(tiles(6), columns=2)
    assert grid.shape() == (3, 2)
    grid.resize(900, 240)
    assert grid.shape() == (3, 2)
    places = grid.places()
    assert places[0][1].top() == places[1][1].top() and places[2][1].left() == places[0][1].left()
    assert all(a[1].bottom() < grid.height() and a[1].right() < grid.width() for a in places)
    assert not any(a[1].intersects(b[1]) for i, a in enumerate(places) for b in places[:i])
    grid.show_tiles(tiles(1))
    assert [view.isVisible() for view in grid.views[:2]] == [True, False]


def test_one_zoom_for_all_and_a_click_chooses(grid, qtbot):
    grid.show_tiles(tiles(3))
    first, second = grid.views[:2]
    first.zoom(4, QPointF(10, 10))
    assert second.scale == first.scale and not second.fitted
    first.fit()
    assert second.fitted
    with qtbot.waitSignal(grid.chosen) as heard:
        QTest.mouseClick(second, LEFT, pos=second.rect().center())
    assert heard.args == [1]


def test_values_under_the_pointer_are_those_of_the_part_that_the_map_lies_over(grid):
    grid.show_tiles(tiles(2, area=(20.0, 10.0, 40.0, 30.0)))
    assert grid.values_at(20, 10) == [0.0, 0.0]
    assert grid.values_at(59, 39) == [11.0, 22.0]
    assert grid.values_at(35, 25) == [5.0, 10.0]  # second row, second column
    assert grid.values_at(19, 10) == [None, None]
    assert grid.views[1].value_text(35, 25) == "x 35  y 25  ·  10"
    rows = list(csv.reader(io.StringIO(grid.views[1].csv_text())))
    assert [[float(v) for v in row] for row in rows] == (np.arange(12).reshape(3, 4) * 2.0).tolist()


def test_one_range_for_all_makes_maps_comparable(grid):
    grid.show_tiles(tiles(2))
    assert grid.ranges() == [11.0, 22.0]
    grid.set_style(MapStyle(own_range=False))
    assert grid.ranges() == [22.0, 22.0] and [v.full for v in grid.views[:2]] == [22.0, 22.0]


def test_all_maps_are_saved_as_vectors_or_pixels(grid, tmp_path):
    grid.show_tiles(tiles(2, chosen=True))
    for name in ("maps.svg", "maps.png"):
        export.save_plot(grid, tmp_path / name)
    assert (tmp_path / "maps.svg").read_text().count("<image") >= 4  # two pictures, two maps
    assert (tmp_path / "maps.png").stat().st_size > 500


def test_while_nothing_is_known_the_picture_is_shown_alone(grid):
    grid.show_tiles([Tile("Grad-CAM", np.zeros((8, 8, 1), np.uint8))])
    assert grid.values_at(3, 3) == [None] and grid.views[0].value_text(3, 3) == "x 3  y 3"
    QTest.mouseMove(grid.views[0], QPoint(30, 30))


def test_padding_around_a_picture_is_black_below_the_map(grid):
    pixels = np.full((28, 28, 1), 200, np.uint8)
    grid.show_tiles([Tile("map", pixels, np.zeros((32, 32), np.float32), (-2.0, -2.0, 32.0, 32.0))])
    view = grid.views[0]
    picture = view.grab().toImage()
    inside, padding = view.to_widget(QRectF(3, 3, 1, 1)).center(), view.to_widget(QRectF(-1.5, 10, 1, 1)).center()
    assert picture.pixelColor(inside.toPoint()).red() == 200
    assert picture.pixelColor(padding.toPoint()).name() == "#000000"
    assert grid.values_at(0, 0) == [0.0]
