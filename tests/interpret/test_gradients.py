"""The gradients probe: cells by hand, the score of a window as OpenCV gives it."""

import cv2
import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.classic_options import GradientOptions
from guiapp.models.zoo.opencv import HogPeople


def ask(picture, **options):
    return PROBES["gradients"].run(Look(None, (), None, picture=picture), GradientOptions(**options))


def picture_of(pixels):
    return Picture(np.ascontiguousarray(pixels), Origin("file", "test"))


def test_the_best_person_is_looked_at():
    view = ask(street())
    inputs = [torch.from_numpy(street().pixels).permute(2, 0, 1).float() / 255]
    anchor = HogPeople().candidates(inputs, 1).anchors[0].tolist()
    left, top, width, height = view.area
    assert height == pytest.approx(anchor[3] - anchor[1], rel=0.02)
    assert left == pytest.approx(anchor[0], abs=12)  # brought to whole cells
    assert top == pytest.approx(anchor[1], abs=12)
    assert width / height == pytest.approx(0.5, rel=0.01)
    assert view.score > 1
    assert view.best >= view.score


def test_the_score_is_opencvs_and_the_sum_of_the_blocks():
    view = ask(street(), left=430.0, top=260.0, height=340.0)
    small = cv2.resize(street().pixels, (640, 427), interpolation=cv2.INTER_AREA)
    small = cv2.resize(small, view.shrunk, interpolation=cv2.INTER_LINEAR_EXACT)
    assert view.shrunk == (round(960 * 128 / 340), round(640 * 128 / 340))
    detector = cv2.HOGDescriptor()
    detector.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
    places, scores = detector.detect(small[:, :, ::-1].copy(), -1000, (8, 8), (16, 16))
    theirs = {(y // 8, x // 8): score for (x, y), score in zip(places, np.ravel(scores), strict=True)}
    assert view.score == pytest.approx(theirs[view.cell], abs=5e-3)
    assert view.contributions.sum() + view.bias == pytest.approx(view.score)
    assert view.contributions.shape == (15, 7)
    assert view.best == pytest.approx(max(theirs.values()), abs=5e-3)
    assert view.scores.values.shape[1] * view.scores.values.shape[2] == len(theirs)
    assert min(theirs) == (-2, -2)  # windows that reach beyond the picture
    beyond = ask(street(), left=-40.0, top=300.0, height=340.0)
    assert beyond.cell[1] == -2
    assert beyond.score == pytest.approx(theirs[beyond.cell], abs=5e-3)
    row, column = view.cell
    assert view.area[:2] == pytest.approx((column * 8 * view.scale[0], row * 8 * view.scale[1]))


def test_a_step_votes_for_its_direction():
    """Dark to light to the right: the gradient's angle is 0, half the votes go to each bin beside it."""
    pixels = np.zeros((128, 64, 3), np.uint8)
    pixels[:, 36:] = 100  # root 10, and both pixels beside the step see it
    view = ask(picture_of(pixels), height=128.0)
    histogram = view.histograms[3, 4]
    assert histogram.tolist() == pytest.approx([80, *[0] * 7, 80])  # 8 rows, 2 pixels, length 10, half each
    assert view.histograms[3, 2].sum() == 0
    assert view.lengths[5, 35] == view.lengths[5, 36] == 10
    assert view.angles[5, 35] == 0
    assert view.area == (0, 0, 64, 128)
    assert np.linalg.norm(view.normalised[3, 3]) == pytest.approx(1, abs=0.02)


def test_pictures_of_all_sizes():
    noise = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    small = ask(picture_of(noise), height=100.0)
    assert small.shrunk == (64, 128)  # made up to one window
    assert small.scale == (1, 1)
    assert small.scores.values.shape == (1, 5, 5)
    wide = ask(picture_of(np.zeros((300, 1600, 3), np.uint8)), left=1590.0, top=0.0, height=64.0)
    assert wide.shrunk == (640, 120 + 8)  # not above the limit: windows of 128 / 0.4 = 320, made up below
    assert wide.area[0] + wide.area[2] == 1600 + 2 * 8 * 2.5  # two cells beyond the picture at most
    middle = ask(picture_of(np.zeros((400, 400, 3), np.uint8)))
    assert middle.area[0] + middle.area[2] / 2 == pytest.approx(200, abs=15)
    with pytest.raises(UserError, match="16 pixels a side"):
        ask(picture_of(np.zeros((8, 300, 3), np.uint8)))
    with pytest.raises(UserError, match="show one"):
        ask(None)
