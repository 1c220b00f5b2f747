"""Colours of motion against torchvision's, arrows by geometry."""

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from guiapp.tasks.predictions import Flow
from guiapp.ui.painters import PaintOptions, prepare
from guiapp.ui.painters.canvas import Canvas
from guiapp.ui.painters.flow import hue_at, hues, wheel_image
from guiapp.ui.painters.still import Still
from tests.ui.painters.pictures import GREY, pixels_of

COLOURS = PaintOptions(legend=False)
ARROWS = PaintOptions(legend=False, colours=False, arrows=True)


def test_the_wheel_is_that_of_the_paper():
    from torchvision.utils import _make_colorwheel

    assert np.abs(hues() * 255 - _make_colorwheel().numpy()).max() < 1e-6


def test_over_white_and_opaque_it_is_what_torchvision_paints(theme):
    import torch
    from torchvision.utils import flow_to_image

    rng = np.random.default_rng(0)
    vectors = rng.uniform(-1, 1, (40, 60, 2)).astype(np.float32) * 5
    longest = float(np.hypot(vectors[..., 0], vectors[..., 1]).max())
    layer = prepare(Flow(vectors, (60, 40)), theme, PaintOptions(legend=False, opacity=1, longest=longest))
    image = QImage(60, 40, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    layer.paint(painter, Still((60, 40), 1.0))
    painter.end()
    expected = flow_to_image(torch.from_numpy(vectors).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    error = np.abs(pixels_of(image).astype(int) - expected)
    # directions are rounded to a table of 255 by 255: near the centre that turns them most, where the colour is pale
    assert error.mean() < 1.5 and np.quantile(error, 0.99) <= 6


def test_still_parts_let_the_picture_through_and_fast_ones_are_clipped(theme):
    vectors = np.zeros((10, 30, 2), np.float32)
    vectors[:, 10:20] = (4, 0)
    vectors[:, 20:] = (400, 0)
    layer = prepare(Flow(vectors, (30, 10)), theme, PaintOptions(legend=False, longest=4))
    seen = on_grey(layer, (30, 10))
    assert (seen[5, 5] == GREY).all()
    assert (seen[5, 15] == seen[5, 25]).all() and seen[5, 15, 0] > GREY > seen[5, 15, 1]  # red is to the right


def on_grey(layer, picture, scale=1):
    image = QImage(picture[0] * scale, picture[1] * scale, QImage.Format.Format_RGB32)
    image.fill(0xFF000000 | GREY << 16 | GREY << 8 | GREY)
    painter = QPainter(image)
    layer.paint(painter, Still(picture, 1 / scale))
    painter.end()
    return pixels_of(image)


def test_full_colour_is_what_nearly_all_stay_below(theme):
    vectors = np.zeros((20, 50, 2), np.float32)
    vectors[:, :] = (3, 4)
    vectors[0, 0] = (300, 400)
    assert prepare(Flow(vectors, (50, 20)), theme).longest == pytest.approx(5)
    assert prepare(Flow(np.zeros((4, 4, 2), np.float32), (4, 4)), theme).longest == 1


def test_missing_vectors_are_still(theme):
    vectors = np.full((4, 4, 2), np.nan, np.float32)
    vectors[0, 0] = np.inf
    layer = prepare(Flow(vectors, (40, 40)), theme, COLOURS)
    assert (on_grey(layer, (40, 40)) == GREY).all()


def test_many_vectors_are_thinned_out_without_a_shift(theme):
    vectors = np.zeros((1000, 1501, 2), np.float32)
    vectors[:, 900:] = (5, 0)
    layer = prepare(Flow(vectors, (1501, 1000)), theme, COLOURS)
    seen = on_grey(layer, (1501, 1000))
    (edges,) = np.nonzero(np.diff((seen[500] != GREY).any(1).astype(int)))
    assert len(edges) == 1 and abs(edges[0] - 899) <= 2


def test_arrows_point_where_things_move(theme):
    vectors = np.zeros((50, 80, 2), np.float32)
    vectors[:, :] = (6, 0)
    layer = prepare(Flow(vectors, (320, 200)), theme, ARROWS)
    image = QImage(320, 200, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    canvas = Canvas(painter, Still((320, 200), 1.0))
    lines = layer._arrow_lines(canvas)
    assert layer.gain(canvas) == 4  # 24 px of the cell's 28
    painter.end()
    shafts = lines[: len(lines) // 3]
    assert len(shafts) >= 60
    for line in shafts:
        assert (line.dx(), line.dy()) == (24, 0)
    for barb in lines[len(lines) // 3 :]:
        assert barb.dx() < 0


def test_arrows_stay_in_the_picture(make_view, shot, theme):
    view = make_view((60, 90), (300, 200))
    vectors = np.full((90, 60, 2), 30, np.float32)
    plain, seen = shot(view), shot(view, prepare(Flow(vectors, (60, 90)), theme, ARROWS))
    left = round((300 - 60 * view.scale) / 2)
    assert (seen != plain).any() and (seen[:, : left - 1] == plain[:, : left - 1]).all()
    assert (seen[:, 301 - left :] == plain[:, 301 - left :]).all()


def test_the_wheel_shows_the_colours_of_directions(qapp):
    wheel = pixels_of(wheel_image(65, False))
    image = wheel_image(65, False)
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(32, 32).name() == "#ffffff"
    for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        shown = wheel[32 + 30 * down, 32 + 30 * right] / 255
        expected = 1 + (hue_at(right, down) - 1) * 30 / 32.5
        assert np.abs(shown - expected).max() < 0.05


def test_the_legend_tells_the_length_of_full_colour(make_view, shot, theme):
    view = make_view((300, 200), (308, 208))
    flow = Flow(np.full((20, 30, 2), 3, np.float32), (300, 200))
    for look in (PaintOptions(), PaintOptions(colours=False, arrows=True)):
        bare = PaintOptions(legend=False, colours=look.colours, arrows=look.arrows)
        assert (shot(view, prepare(flow, theme, look)) != shot(view, prepare(flow, theme, bare))).any()


def test_what_is_under_the_pointer(theme):
    vectors = np.zeros((2, 2, 2), np.float32)
    vectors[1, 0] = (-3, 4)
    layer = prepare(Flow(vectors, (20, 20)), theme)
    assert layer.object_at(3, 15).text == "moves 3.0 px left, 4.0 px down  ·  5.0 px"
    assert layer.object_at(20, 3) is None
