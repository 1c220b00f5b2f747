"""Overlaps of boxes and masks, worked out by hand."""

import numpy as np
import pytest

from guiapp.tasks.matching import box_overlaps, mask_overlap


def test_overlap_of_boxes():
    found = box_overlaps(
        np.array([[0, 0, 4, 4], [1, 1, 1, 1]], np.float32), np.array([[0, 0, 4, 2], [2, 2, 6, 6], [9, 9, 9, 9]], "f4")
    )
    assert found.tolist() == [pytest.approx([8 / 16, 4 / 28, 0]), [0, 0, 0]]


def test_overlap_of_masks_that_lie_anywhere_in_the_picture():
    square = np.ones((4, 4), bool)
    assert mask_overlap(square, (10, 10), square, (12, 10)) == pytest.approx(8 / 24)
    assert mask_overlap(square, (10, 10), square, (14, 10)) == 0
    assert np.isnan(mask_overlap(square, (10, 10), np.zeros((0, 0), bool), (10, 10)))
