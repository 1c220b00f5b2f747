"""Classes of pixels over a picture that has more of them."""

import numpy as np
import pytest

from guiapp.tasks.predictions import LabelMap
from guiapp.ui.painters import PaintOptions, prepare
from tests.ui.painters.pictures import GREY, rgb
from tests.ui.painters.test_detections import on_image

LABELS = ("__background__", "road", "sky")
BARE = PaintOptions(legend=False)


def blend(theme, index, count, opacity):
    return GREY + (rgb(theme.class_colour(index, count)) - GREY) * opacity


@pytest.mark.parametrize(("shape", "picture"), [((6, 9), (90, 60)), ((7, 13), (91, 67)), ((134, 182), (91, 67))])
def test_each_class_lies_where_it_was_found(theme, shape, picture):
    rng = np.random.default_rng(0)
    classes = np.kron(rng.integers(0, 3, (2, 3)), np.ones((shape[0], shape[1]), int))[: shape[0] * 2, : shape[1] * 3]
    drawn = LabelMap(classes.astype(np.uint8), LABELS, picture)
    seen = on_image(prepare(drawn, theme, BARE), picture, 1.0)
    width, height = picture
    for row in range(2):
        for column in range(3):
            pixel = seen[round((row + 0.5) * height / 2), round((column + 0.5) * width / 3)]
            index = classes[row * shape[0], column * shape[1]]
            expected = [GREY] * 3 if index == 0 else blend(theme, index, 3, BARE.opacity)
            assert np.abs(pixel - np.asarray(expected)).max() <= 2


def test_a_first_class_of_another_name_is_painted(theme):
    drawn = LabelMap(np.zeros((3, 3), np.uint8), ("road", "sky"), (30, 30))
    seen = on_image(prepare(drawn, theme, BARE), (30, 30), 1.0)
    assert np.abs(seen[15, 15] - blend(theme, 0, 2, BARE.opacity)).max() <= 2


def test_more_classes_than_a_byte_holds(theme):
    labels = tuple(map(str, range(400)))
    drawn = LabelMap(np.array([[3, 388]], np.int16), labels, (60, 30))
    seen = on_image(prepare(drawn, theme, BARE), (60, 30), 1.0)
    assert np.abs(seen[15, 15] - blend(theme, 3, 400, BARE.opacity)).max() <= 2
    assert np.abs(seen[15, 45] - blend(theme, 388, 400, BARE.opacity)).max() <= 2


def test_unsure_pixels_fade(theme):
    drawn = LabelMap(np.array([[1, 1, 0]], np.uint8), LABELS, (60, 20), np.array([[1.0, 0.2, 0.3]], np.float32))
    seen = on_image(prepare(drawn, theme, PaintOptions(legend=False, by_confidence=True)), (60, 20), 1.0)
    assert np.abs(seen[10, 10] - blend(theme, 1, 3, BARE.opacity)).max() <= 2
    assert np.abs(seen[10, 30] - blend(theme, 1, 3, BARE.opacity * 2 / 8)).max() <= 2
    assert (seen[10, 50] == GREY).all()


def test_the_legend_names_what_is_there_largest_first(make_view, shot, theme):
    drawn = LabelMap(np.array([[2, 2, 1, 0]], np.uint8), LABELS, (300, 200))
    layer = prepare(drawn, theme)
    assert [(row.text, row.value) for row in layer._rows] == [("sky", "50.0%"), ("road", "25.0%")]
    view = make_view((300, 200), (308, 208))
    with_legend, without = shot(view, layer), shot(view, prepare(drawn, theme, BARE))
    changed = np.argwhere((with_legend != without).any(2))
    assert changed.min(0)[0] > 100 and changed.min(0)[1] > 150  # bottom right, beside the value under the pointer


def test_what_is_under_the_pointer(theme):
    drawn = LabelMap(np.array([[2, 2, 1, 0]], np.uint8), LABELS, (40, 10), np.array([[0.9, 0.8, 0.7, 0.6]], np.float32))
    layer = prepare(drawn, theme)
    assert layer.object_at(25, 5).index == 1
    assert layer.object_at(25, 5).text == "road  ·  sure 0.70  ·  25.0% of the picture"
    assert layer.object_at(39.9, 9.9).index == 0
    assert layer.object_at(40, 5) is None and layer.object_at(-1, 5) is None
