import csv
import io

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from guiapp.interpret.atlas import make_atlas
from guiapp.ui.widgets.atlas_view import AtlasView, palette_table


@pytest.fixture
def view(theme, qtbot):
    made = AtlasView(theme, "atlas")
    made.resize(320, 200)
    qtbot.addWidget(made)
    made.show()
    maps = torch.arange(6).reshape(6, 1, 1) + torch.linspace(-0.4, 0.4, 16).reshape(1, 4, 4) - 2.5
    made.set_atlas(make_atlas(maps, aspect=1.5))
    return made


def point(view, tile, row=0, column=0):
    left, top, _, _ = view.atlas.tile_rect(tile)
    return view.to_widget(QRectF(left + column, top + row, 1, 1)).center().toPoint()


def test_every_tile_is_found_by_hover_and_click(view):
    hovered, clicked = [], []
    view.tile_hovered.connect(hovered.append)
    view.tile_clicked.connect(clicked.append)
    for tile in range(6):
        QTest.mouseMove(view, point(view, tile, 2, 1))
        assert hovered[-1] == tile
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=point(view, tile, 2, 1))
        assert clicked[-1] == tile and view.enlarged == tile
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.rect().center())
        assert view.enlarged is None and view.fitted


def test_gaps_belong_to_no_tile(view):
    left, top, width, _height = view.atlas.tile_rect(0)
    gap = view.to_widget(QRectF(left + width, top, 1, 1)).center()
    assert view.tile_under(gap) is None
    assert view.tile_under(QPointF(point(view, 0))) == 0


def test_the_enlarged_tile_fills_the_view_alone(view):
    view.enlarge(4)
    box = view.to_widget(QRectF(*view.atlas.tile_rect(4)))
    assert view.rect().contains(box.toRect()) and box.height() > 0.8 * view.height()
    image = view.grab().toImage()
    ground = view.palette().color(view.backgroundRole())
    assert image.pixelColor(2, 100) == ground
    assert image.pixelColor(box.center().toPoint()) != ground


def test_enlargement_stays_while_maps_follow_training_and_ends_with_another_layer(view):
    view.enlarge(3)
    view.set_atlas(make_atlas(torch.randn(6, 4, 4), aspect=1.5))
    assert view.enlarged == 3
    view.set_atlas(make_atlas(torch.randn(10, 4, 4), aspect=1.5))
    assert view.enlarged is None and view.fitted


def test_colours_are_those_of_the_palette(view):
    view.set_atlas(make_atlas(torch.tensor([[[-1.0]], [[1.0]]]), aspect=2.0))
    image = view.grab().toImage()
    for tile, index in ((0, 1), (1, 255)):
        assert image.pixel(point(view, tile)) == palette_table(True)[index]


def test_colour_atlas_is_shown_as_it_is(view):
    from guiapp.interpret.atlas import colour_atlas

    filters = torch.zeros(2, 3, 2, 2)
    filters[0, 0] = 1.0
    view.set_atlas(colour_atlas(filters))
    pixel = view.grab().toImage().pixelColor(point(view, 0))
    assert pixel.red() > 250 and 120 < pixel.green() < 136


def test_keys_choose_neighbours(view):
    clicked = []
    view.tile_clicked.connect(clicked.append)
    view.set_chosen(0)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert clicked == [1, view.atlas.columns]


def test_crossed_tiles_are_marked(view, theme):
    view.set_crossed(frozenset({1}))
    box = view.to_widget(QRectF(*view.atlas.tile_rect(1)))
    image = view.grab().toImage()
    column = [image.pixelColor(box.center().toPoint().x(), y) for y in range(int(box.top()), int(box.bottom()))]
    assert theme.warning in column


def test_values_behind_the_pixels_as_csv(view):
    rows = list(csv.reader(io.StringIO(view.csv_text())))
    assert rows[0][:3] == ["tile", "channel", "row"] and len(rows) == 1 + 6 * 4
    assert np.allclose([float(v) for v in rows[1][3:]], view.atlas.values[0, 0])


def test_another_shape_asks_for_another_arrangement(view, qtbot):
    with qtbot.waitSignal(view.aspect_changed):
        view.resize(320, 60)
    assert view.aspect == pytest.approx(5.3, abs=0.1)


def test_tiles_bear_their_names_where_there_is_room(view):
    view.resize(400, 400)
    plain = view.grab().toImage()
    view.set_captions(("seven", "eight"))
    named = view.grab().toImage()
    assert named != plain
    left, top, width, height = view.atlas.tile_rect(0)
    corner = view.to_widget(QRectF(left, top, 1, 1)).topLeft().toPoint()
    assert named.pixelColor(corner) != plain.pixelColor(corner)
    middle = view.to_widget(QRectF(left + width / 2, top + height / 2, 0, 0)).topLeft().toPoint()
    assert named.pixelColor(middle) == plain.pixelColor(middle)
    view.resize(40, 40)
    small = view.grab().toImage()
    view.set_captions(())
    assert view.grab().toImage() == small, "a name never covers a small tile"
