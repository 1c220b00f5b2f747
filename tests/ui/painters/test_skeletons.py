"""Key points by their scores, and what joins them."""

import numpy as np
import pytest

from guiapp.ui.painters import PaintOptions, prepare
from guiapp.ui.painters.skeletons import probabilities
from tests.ui.painters.pictures import GREY, detections, rgb
from tests.ui.painters.test_detections import on_image

LOOK = PaintOptions(boxes=False, labels=False)


def test_logits_become_probabilities_and_probabilities_stay():
    assert probabilities(np.array([[0.0, 0.25, 1.0]])).tolist() == [[0, 0.25, 1]]
    found = probabilities(np.array([[-np.inf, np.nan, 0.0, np.log(3), 80.0]]))
    assert found[0].tolist() == pytest.approx([0, 0, 0.5, 0.75, 1])


def person(points):
    return detections([(0, 0, 90, 60)], (91, 67), keypoints=np.array([points], np.float32), skeleton=((0, 1), (1, 2)))


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_sure_points_are_joined_and_others_left_out(theme, ratio):
    drawn = person([(10, 20, 0.9), (50, 20, 0.8), (80, 60, 0.1)])
    seen = on_image(prepare(drawn, theme, LOOK), (91, 67), ratio)
    changed = (seen != GREY).any(2)
    assert changed[20, 10:51].all()  # the line and both points
    assert changed[18:23, 8:13].all() and changed[18:23, 48:53].all()
    assert not changed[30:, :].any()  # the third point, and the line to it
    assert changed.sum() < 400 * ratio**2


def test_the_line_has_the_colour_of_the_class_where_the_network_is_sure(theme):
    drawn = person([(10, 20, 1.0), (50, 20, 1.0), (80, 60, 0.5)])
    colour = rgb(theme.class_colour(0, 3)).astype(int)
    seen = on_image(prepare(drawn, theme, LOOK), (91, 67), 1.0)
    assert np.abs(seen[19:21, 30].astype(int) - colour).max(1).min() <= 2
    weak = on_image(prepare(person([(10, 20, 0.5), (50, 20, 0.5), (80, 60, 0.5)]), theme, LOOK), (91, 67), 1.0)
    assert weak[19:21, 30].sum() < seen[19:21, 30].sum()


def test_points_that_were_not_computed_are_not_painted(theme):
    drawn = person([(45, 30, -np.inf)] * 3)
    assert (on_image(prepare(drawn, theme, LOOK), (91, 67), 1.0) == GREY).all()


def test_without_a_skeleton_there_are_points_alone(theme):
    drawn = detections([(0, 0, 90, 60)], (91, 67), keypoints=np.array([[(20, 20, 1), (60, 40, 1)]], np.float32))
    changed = (on_image(prepare(drawn, theme, LOOK), (91, 67), 1.0) != GREY).any(2)
    assert changed[20, 20] and changed[40, 60] and not changed[30, 40]
