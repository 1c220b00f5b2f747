"""Boxes and masks lie on the pixels that they are about, at any zoom."""

import dataclasses
import threading

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from guiapp.ui.painters import PaintOptions, paint, prepare
from guiapp.ui.painters.canvas import Canvas
from guiapp.ui.painters.masks import fineness, mask_index
from guiapp.ui.painters.still import Still
from tests.ui.painters.pictures import BOXES, GREY, detections, pixels_of, rgb
from tests.ui.painters.test_labels import overlaps

SHAPES = [((37, 53), (300, 200)), ((641, 479), (300, 200)), ((641, 479), (200, 333)), ((101, 33), (500, 90))]
"""Odd pictures, shown with bars at the sides, or above and below."""


def near(pixel, colour, by=3):
    return np.abs(pixel.astype(int) - rgb(colour)).max() <= by


@pytest.mark.parametrize(("picture", "widget"), SHAPES)
@pytest.mark.parametrize("zoom", [1.0, 2.7, 11.0])
def test_borders_of_a_box_lie_on_its_pixels(make_view, shot, theme, picture, widget, zoom):
    view = make_view(picture, widget)
    width, height = picture
    x1, y1, x2, y2 = (round(width * 0.3), round(height * 0.25), round(width * 0.7), round(height * 0.8))
    if zoom != 1:
        corner = view.to_widget(QRectF(x1, y1, 0, 0)).topLeft()
        view.zoom(zoom, corner)
    seen = shot(view, prepare(detections([(x1, y1, x2, y2)], picture), theme, BOXES))
    box = view.to_widget(QRectF(x1, y1, x2 - x1, y2 - y1))
    left, top = round(box.left()), round(box.top())
    right, bottom = min(widget[0], round(box.right())), min(widget[1], round(box.bottom()))
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
    colour = theme.class_colour(0, 3)
    assert near(seen[middle_y, left], colour) and near(seen[top, middle_x], colour)
    assert not near(seen[middle_y, left - 1], colour, 30) and not near(seen[top - 1, middle_x], colour, 30)
    assert (seen[middle_y, middle_x] == GREY).all()
    if box.right() < widget[0]:
        assert near(seen[middle_y, right - 1], colour) and not near(seen[middle_y, right], colour, 30)
    if box.bottom() < widget[1]:
        assert near(seen[bottom - 1, middle_x], colour) and not near(seen[bottom, middle_x], colour, 30)


def on_image(layer, picture, ratio, scale=1):
    """The layer over grey on an image with so many device pixels for a window pixel."""
    width, height = picture
    image = QImage(width * scale, height * scale, QImage.Format.Format_RGB32)
    image.fill(0xFF000000 | GREY << 16 | GREY << 8 | GREY)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    layer.paint(painter, Still(picture, ratio / scale))
    painter.end()
    return pixels_of(image)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 1.5])
def test_borders_are_sharp_at_any_scale_of_the_screen(theme, ratio):
    seen = on_image(prepare(detections([(20, 10, 61, 41)], (91, 67)), theme, BOXES), (91, 67), ratio)
    colour = rgb(theme.class_colour(0, 3))
    width = round(1.5 * ratio + 0.01)
    row = np.abs(seen[25].astype(int) - colour).max(1) <= 3
    assert np.flatnonzero(row).tolist() == [*range(20, 20 + width), *range(61 - width, 61)]
    column = np.abs(seen[:, 40].astype(int) - colour).max(1) <= 3
    assert np.flatnonzero(column).tolist() == [*range(10, 10 + width), *range(41 - width, 41)]


def test_nothing_is_painted_beside_the_picture(make_view, shot, theme):
    view = make_view((40, 90), (300, 200))
    plain = shot(view)
    drawn = detections([(-30, -30, 90, 120), (5, 5, 60, 95)], (40, 90), masks=[np.ones((100, 60), bool)] * 2)
    seen = shot(view, prepare(drawn, theme))
    left, right = round(view.to_widget(QRectF(0, 0, 1, 1)).left()), round(view.to_widget(QRectF(40, 0, 1, 1)).left())
    assert (seen[:, :left] == plain[:, :left]).all() and (seen[:, right:] == plain[:, right:]).all()
    assert (seen[:, left:right] != plain[:, left:right]).any()


def test_what_is_no_number_does_not_harm(make_view, shot, theme):
    drawn = detections([(np.nan, 3, np.inf, 20), (10, 10, 30, 30)], (64, 48))
    seen = shot(make_view(), prepare(drawn, theme))
    assert (seen != shot(make_view())).any()
    assert prepare(drawn, theme).object_at(20, 20).index == 1


def wavy(height, width):
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.hypot(down, across) < 0.8 + 0.15 * np.sin(5 * np.arctan2(down, across))


def test_index_of_a_mask_by_hand():
    bits = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]], bool)
    assert mask_index(bits).tolist() == [[0, 2, 2, 2, 0], [2, 1, 1, 1, 2], [0, 2, 2, 2, 0]]
    assert mask_index(np.ones((2, 2), bool)).tolist() == [[2, 2], [2, 2]]
    assert (mask_index(np.ones((7, 9), bool), 2) == 1).sum() == 3 * 5


@pytest.mark.parametrize("scale", [0.11, 0.4, 0.5, 0.75, 1.0, 1.7, 2.4, 3.9, 40.0])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_outlines_are_about_one_pixel_of_the_window_at_any_zoom(scale, ratio):
    step, factor, thick = fineness(scale, ratio)
    drawn = thick * scale * step / factor / ratio
    assert 0.5 <= drawn <= 2.5
    assert step == 1 or factor == 1


def test_masks_at_the_scale_of_the_picture_are_exact(theme):
    bits = wavy(31, 45)
    seen = on_image(
        prepare(detections([(13, 9, 58, 40)], (91, 67), masks=[bits]), theme, dataclasses.replace(BOXES, boxes=False)),
        (91, 67),
        1.0,
    )
    colour = rgb(theme.class_colour(0, 3))
    index = np.zeros((67, 91), int)
    index[9:40, 13:58] = mask_index(bits)
    assert (seen[index == 0] == GREY).all()
    assert np.abs(seen[index == 2].astype(int) - colour).max() <= 1
    blend = GREY + (colour - GREY) * BOXES.opacity
    assert np.abs(seen[index == 1] - blend).max() <= 2


@pytest.mark.parametrize("scale", [2, 5, 9])
def test_enlarged_masks_cover_whole_pixels(theme, scale):
    bits = wavy(31, 45)
    look = dataclasses.replace(BOXES, boxes=False)
    seen = on_image(prepare(detections([(13, 9, 58, 40)], (91, 67), masks=[bits]), theme, look), (91, 67), 1.0, scale)
    whole = np.zeros((67, 91), bool)
    whole[9:40, 13:58] = bits
    assert ((seen != GREY).any(2) == whole.repeat(scale, 0).repeat(scale, 1)).all()
    if scale > 2:  # one pixel of the window along the border, blocks inside
        solid = (np.abs(seen.astype(int) - rgb(theme.class_colour(0, 3))).max(2) <= 1).sum()
        assert solid < 3 * 4 * (31 + 45) * scale


@pytest.mark.parametrize("widget", [(320, 240), (200, 333), (90, 70)])
def test_masks_that_are_shown_smaller_keep_place_and_shape(make_view, shot, theme, widget):
    picture = (641, 479)
    view = make_view(picture, widget)
    bits = wavy(301, 255)
    drawn = detections([(211, 103, 466, 404)], picture, masks=[bits])
    seen = shot(view, prepare(drawn, theme, dataclasses.replace(BOXES, boxes=False), scale=view.scale))
    plain = shot(view)
    rows, columns = np.indices(seen.shape[:2])
    x, y = view.to_image(QPointF(0.5, 0.5))
    place_x, place_y = np.floor(x + columns / view.scale).astype(int), np.floor(y + rows / view.scale).astype(int)
    inside = (place_x >= 211) & (place_x < 466) & (place_y >= 103) & (place_y < 404)
    expected = inside & bits[np.clip(place_y - 103, 0, 300), np.clip(place_x - 211, 0, 254)]
    found = (seen != plain).any(2)
    assert (expected & found).sum() / (expected | found).sum() > (0.97 if widget[0] > 100 else 0.9)


def test_a_mask_that_is_panned_is_the_one_that_is_shown_whole(make_view, shot, theme):
    """Enlarged masks are cut to what is seen; what comes into sight must be there."""
    view = make_view((91, 67), (182, 134))
    view.margin = 0
    view.fit()
    drawn = detections([(13, 9, 58, 40)], (91, 67), masks=[wavy(31, 45)])
    layer = prepare(drawn, theme, dataclasses.replace(BOXES, boxes=False), scale=view.scale)
    for corner in (QPointF(0, 0), QPointF(181, 133), QPointF(60, 50)):
        view.fit()
        view.zoom(4, corner)
        fresh = prepare(drawn, theme, layer.look)
        assert (shot(view, layer) == shot(view, fresh)).all()


@pytest.mark.parametrize("widget", [(800, 600), (1000, 420)])
@pytest.mark.parametrize("zoom", [1.0, 1.6])
def test_labels_of_forty_crowded_boxes_do_not_cover_each_other(make_view, theme, widget, zoom):
    rng = np.random.default_rng(5)
    centres = rng.normal((320, 240), 50, (40, 2))
    sides = rng.uniform(15, 120, (40, 2))
    view = make_view((641, 479), widget)
    view.zoom(zoom, QPointF(widget[0] / 2, widget[1] / 2))
    layer = prepare(detections(np.hstack([centres - sides / 2, centres + sides / 2]), (641, 479)), theme)
    image = QImage(view.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    canvas = Canvas(painter, view)
    rects = layer.label_rects(canvas)
    painter.end()
    there = rects[rects[:, 2] > 0]
    assert len(there) == 40
    assert not overlaps(there.tolist())
    left, top, right, bottom = canvas.area
    assert (there[:, :2] >= (left, top)).all() and (there[:, 2:] <= (right, bottom)).all()


def test_a_label_says_class_and_score_on_the_colour_of_the_class(make_view, shot, theme):
    view = make_view((300, 200), (308, 208))
    drawn = detections([(100, 80, 220, 160)], (300, 200), classes=[1])
    seen = shot(view, prepare(drawn, theme))
    strip = seen[round(view.to_widget(QRectF(100, 80, 1, 1)).top()) - 6, 104:170]
    share = (np.abs(strip.astype(int) - rgb(theme.class_colour(1, 3))).max(1) <= 3).mean()
    assert 0.2 < share < 1
    assert prepare(drawn, theme).object_at(150, 100).text == "dog 0.95  ·  120 × 80 px"


def test_the_smallest_box_under_the_pointer_is_meant(theme):
    layer = prepare(detections([(0, 0, 60, 40), (10, 10, 20, 20), (5, 5, 40, 35)], (64, 48)), theme)
    assert layer.object_at(15, 15).index == 1
    assert layer.object_at(15, 15).area == (10, 10, 10, 10)
    assert layer.object_at(19.99, 19.99).index == 1
    assert layer.object_at(20, 15).index == 2
    assert layer.object_at(50, 3).index == 0
    assert layer.object_at(61, 41) is None
    assert prepare(detections([], (64, 48)), theme).object_at(3, 3) is None


def test_nothing_found_paints_nothing(make_view, shot, theme):
    view = make_view()
    assert (shot(view, prepare(detections([], (64, 48)), theme)) == shot(view)).all()


def test_one_class_has_one_colour_and_follows_the_theme(make_view, shot, theme):
    view = make_view((64, 48), (308, 208))
    layer = prepare(detections([(4, 4, 24, 40), (34, 4, 54, 40)], (64, 48), classes=[0, 0]), theme, BOXES)
    left = round(view.to_widget(QRectF(4, 0, 1, 1)).left())
    right = round(view.to_widget(QRectF(34, 0, 1, 1)).left())
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        seen = shot(view, layer)
        assert near(seen[100, left], theme.class_colour(0, 3)) and near(seen[100, right], theme.class_colour(0, 3))
    assert rgb(theme.class_colour(0, 3)).tolist() == [0, 0x72, 0xB2]


def test_marking_an_object_prepares_nothing_again(make_view, shot, theme):
    view = make_view()
    drawn = detections([(10, 10, 40, 40)], (64, 48), masks=[np.ones((30, 30), bool)])
    layer = prepare(drawn, theme, BOXES)
    marked = layer.with_look(dataclasses.replace(BOXES, marked=0))
    assert marked._masks is layer._masks and layer.look.marked is None
    assert (shot(view, marked) != shot(view, layer)).any()
    assert layer.with_look(BOXES) is layer
    faint = layer.with_look(dataclasses.replace(BOXES, opacity=0.1))
    assert faint._masks is not layer._masks


def test_options_switch_parts_off(make_view, shot, theme):
    view = make_view()
    drawn = detections([(10, 10, 40, 40)], (64, 48), masks=[np.ones((30, 30), bool)])
    off = PaintOptions(boxes=False, labels=False, masks=False)
    plain = shot(view)
    assert (shot(view, prepare(drawn, theme, off)) == plain).all()
    for name in ("boxes", "labels", "masks"):
        assert (shot(view, prepare(drawn, theme, dataclasses.replace(off, **{name: True}))) != plain).any()


def test_suppressed_boxes_are_dashed_and_only_the_best_are_shown(theme):
    scored = np.array([(10, 10, 80, 60, 0.9), (20, 5, 70, 50, 0.2)], np.float32)
    drawn = detections([], (91, 67), suppressed=scored, proposals=scored[:1])
    plain = np.full((67, 91, 3), GREY)
    assert (on_image(prepare(drawn, theme), (91, 67), 1.0) == plain).all()
    seen = on_image(prepare(drawn, theme, PaintOptions(suppressed=True, most_dashed=1)), (91, 67), 1.0)
    changed = (seen != GREY).any(2)
    border = np.zeros((67, 91), bool)
    border[10:60, 10:80] = True
    border[11:59, 11:79] = False
    assert (changed == border).all()
    line = seen[10, 10:80, 0]
    light, dark = (line > GREY + 60).sum(), (line < GREY).sum()
    assert light + dark == 70 and 30 <= light <= 40
    both = on_image(prepare(drawn, theme, PaintOptions(suppressed=True, proposals=True)), (91, 67), 1.0)
    assert (both != GREY).any(2).sum() > border.sum()


def test_it_may_be_prepared_on_another_thread(make_view, shot, theme):
    drawn = detections([(10, 10, 40, 40)], (64, 48), masks=[wavy(30, 30)])
    made = []
    thread = threading.Thread(target=lambda: made.append(prepare(drawn, theme)))
    thread.start()
    thread.join()
    view = make_view()
    assert (shot(view, made[0]) == shot(view, prepare(drawn, theme))).all()


def test_painting_once_equals_the_layer(theme):
    drawn = detections([(10, 10, 40, 40)], (64, 48), masks=[wavy(30, 30)])
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(0xFF000000 | GREY << 16 | GREY << 8 | GREY)
    painter = QPainter(image)
    paint(drawn, painter, Still((64, 48), 1.0), theme)
    painter.end()
    assert (pixels_of(image) == on_image(prepare(drawn, theme), (64, 48), 1.0)).all()


def test_the_copy_of_a_view_carries_the_boxes(make_view, theme):
    view = make_view((64, 48), (308, 208))
    view.set_layers([prepare(detections([(4, 4, 24, 40)], (64, 48)), theme, BOXES)])
    seen = pixels_of(view.composed())  # eight times the picture, whatever the widget's size
    assert near(seen[100, 4 * 8], theme.class_colour(0, 3)) and near(seen[100, 24 * 8 - 1], theme.class_colour(0, 3))
    assert (seen[100, 24 * 8 + 3] == GREY).all()
