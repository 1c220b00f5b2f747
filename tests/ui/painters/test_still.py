"""Pictures with what was found in them, as arrays."""

from typing import get_args

import numpy as np
import pytest

from guiapp.tasks.compare import Difference
from guiapp.tasks.predictions import Drawn
from guiapp.ui.painters import PAINTERS, prepare
from guiapp.ui.painters.still import line_ratio, painted
from tests.ui.painters.pictures import BOXES, detections, rgb


def test_every_type_of_prediction_has_a_painter():
    assert set(PAINTERS) == {*get_args(Drawn), *get_args(Difference)}


@pytest.mark.parametrize("size", [(91, 67), (64, 48), (33, 101)])
def test_the_picture_stays_and_the_box_is_on_its_pixels(theme, size):
    width, height = size
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    before = picture.copy()
    x2, y2 = width - 7, height - 9
    found = painted(picture, [prepare(detections([(10, 10, x2, y2)], size), theme, BOXES)])
    assert found.shape == picture.shape and found.dtype == np.uint8 and (picture == before).all()
    colour = rgb(theme.class_colour(0, 3))
    for row, column in ((10, 15), (15, 10), (y2 - 1, 15), (15, x2 - 1)):
        assert np.abs(found[row, column].astype(int) - colour).max() <= 3
    assert (found[13 : y2 - 3, 13 : x2 - 3] == picture[13 : y2 - 3, 13 : x2 - 3]).all()
    assert (found[:8] == picture[:8]).all()


def test_lines_are_wider_in_large_pictures(theme):
    assert line_ratio((640, 480)) == 1 and line_ratio((2000, 3200)) == 2
    picture = np.zeros((60, 90, 3), np.uint8)
    layer = prepare(detections([(10, 10, 80, 50)], (90, 60)), theme, BOXES)
    colour = rgb(theme.class_colour(0, 3))
    for ratio, width in ((1, 2), (2, 3), (4, 6)):
        row = painted(picture, [layer], ratio)[30].astype(int)
        assert (np.abs(row - colour).max(1) <= 3).sum() == 2 * width
