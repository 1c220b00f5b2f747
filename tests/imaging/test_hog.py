"""Histograms of oriented gradients by hand and against OpenCV's descriptor and its detector of people."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from guiapp.imaging.hog import (
    BINS,
    block_weights,
    blocks,
    cell_weights,
    cells,
    descriptor,
    gradients,
    histogram_picture,
    margins,
    votes,
    window_scores,
)


def noise(*shape, seed=0):
    """Random, and smooth enough that neighbours are alike."""
    raw = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return cv2.GaussianBlur(raw, (0, 0), 1.5)


def test_gradients_by_hand():
    squares = np.array([[0, 1, 4, 9], [0, 1, 4, 9], [16, 25, 36, 49]], np.uint8)  # square roots: 0 1 2 3, …, 4 5 6 7
    length, angle = gradients(squares)
    np.testing.assert_allclose(length[1], [4, np.hypot(2, 4), np.hypot(2, 4), 4])  # mirrored at both ends
    np.testing.assert_allclose(angle[1], [math.pi / 2, math.atan2(4, 2), math.atan2(4, 2), math.pi / 2])
    np.testing.assert_allclose(length[0], [0, 2, 2, 0])
    colours = np.zeros((3, 3, 3), np.uint8)
    colours[:, 2, 1], colours[2, :, 2] = 25, 100  # green to the right by 5, blue downwards by 10
    length, angle = gradients(colours)
    assert length[1, 1] == 10
    assert angle[1, 1] == pytest.approx(math.pi / 2)


def test_votes_are_shared_between_the_nearest_bins():
    ramp = np.tile((np.arange(12) ** 2).astype(np.uint8), (9, 1))  # light to the right: the angle 0, between two bins
    said = votes(ramp)[4, 5]
    assert said[0] == said[BINS - 1] == pytest.approx(1.0)  # half of 2 each
    assert said[1:-1].max() == 0
    np.testing.assert_allclose(votes(noise(20, 30)).sum(2), gradients(noise(20, 30))[0])
    bright, dark = np.zeros((2, 9, 9), np.uint8)
    bright[:, 5:], dark[:, :4] = 200, 200  # light to dark counts as dark to light
    np.testing.assert_allclose(votes(bright)[4].sum(0), votes(dark)[4].sum(0), atol=1e-9)


def test_cells_add_up_their_pixels():
    picture = noise(37, 45, 3)
    found = cells(picture)
    assert found.shape == (4, 5, BINS)
    np.testing.assert_allclose(found[2, 3], votes(picture)[16:24, 24:32].sum((0, 1)))


@pytest.mark.parametrize("seed", range(6))
def test_the_descriptor_is_opencvs(seed):
    window = noise(128, 64, 3, seed=seed)
    theirs = cv2.HOGDescriptor().compute(window[:, :, ::-1].copy()).ravel()
    np.testing.assert_allclose(descriptor(window), theirs, atol=1e-3)
    grey = window[:, :, 0].copy()
    np.testing.assert_allclose(descriptor(grey), cv2.HOGDescriptor().compute(grey).ravel(), atol=1e-3)


def test_blocks_have_length_one_at_most():
    found = blocks(noise(64, 48, 3))
    assert found.shape == (7, 5, 2, 2, BINS)
    lengths = np.sqrt((found**2).sum((2, 3, 4)))
    assert (lengths < 1).all()
    assert (lengths > 0.9).all()
    assert blocks(np.full((16, 16), 80, np.uint8)).max() == 0
    with pytest.raises(ValueError, match="the window is"):
        descriptor(noise(64, 48, 3))


def test_what_blocks_add_is_opencvs_margin(real_data):
    """Windows of a real street: the sum over blocks and the bias, against OpenCV's detector at the same place."""
    path = real_data / "PennFudanPed" / "PNGImages" / "FudanPed00001.png"
    if not path.is_file():
        pytest.skip(f"no picture of Penn-Fudan at {path}")
    picture = np.array(Image.open(path).convert("RGB"))
    coefficients = cv2.HOGDescriptor.getDefaultPeopleDetector().ravel()
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(coefficients)
    found = []
    # The second person, (420, 171) to (535, 486), in a window with an eighth above and below; then streets.
    for left, top, height in ((374, 118, 418), (0, 0, 250), (300, 0, 300), (0, 200, 300)):
        part = picture[top : top + height, left : left + height // 2]
        window = cv2.resize(part, (64, 128), interpolation=cv2.INTER_AREA)
        _, theirs = hog.detect(window[:, :, ::-1].copy(), -100, (8, 8), (0, 0))
        added, bias = margins(window, coefficients)
        assert added.shape == (15, 7)
        assert added.sum() + bias == pytest.approx(float(np.ravel(theirs)[0]), abs=0.01)
        found.append(added.sum() + bias > 0)
    assert found == [True, False, False, False]


def test_strokes_lie_along_edges():
    """A border between left and right has an upright stroke; the strongest is white, an even cell black."""
    picture = np.zeros((24, 24), np.uint8)
    picture[:, 12:] = 200
    drawn = histogram_picture(cells(picture), 17)
    assert drawn.shape == (51, 51)
    assert drawn.dtype == np.uint8
    middle = drawn[17:34, 17:34].astype(int)
    assert middle[3:14, 8].min() > middle[8, [2, 3, 13, 14]].max()
    assert drawn[:, :17].max() == 0
    one = np.zeros((1, 1, BINS))
    one[0, 0, 4] = 3.0  # a gradient straight down: the edge lies across
    star = histogram_picture(one, 17)
    assert star[8, 2:15].min() == 255
    assert star[:7].max() == star[10:].max() == 0
    assert histogram_picture(np.zeros((2, 3, BINS))).max() == 0


def test_every_window_of_a_picture_is_scored_as_opencv_scores_it():
    picture = noise(200, 150, 3)
    detector = cv2.HOGDescriptor()
    coefficients = cv2.HOGDescriptor.getDefaultPeopleDetector().ravel()
    detector.setSVMDetector(coefficients)
    places, theirs = detector.detect(picture[:, :, ::-1].copy(), -1000, (8, 8), (0, 0))
    mine = window_scores(blocks(picture), coefficients)
    assert mine.shape == (200 // 8 - 15, 150 // 8 - 7)
    assert len(places) == mine.size
    for (x, y), score in zip(places, np.ravel(theirs), strict=True):
        assert mine[y // 8, x // 8] == pytest.approx(score, abs=5e-3)
    assert window_scores(blocks(noise(120, 150, 3)), coefficients).size == 0


def test_the_weights_lie_where_they_act():
    coefficients = np.random.default_rng(1).normal(size=3781)
    window = noise(128, 64, 3)
    parts, bias = margins(window, coefficients)
    weights = block_weights(coefficients)
    np.testing.assert_allclose((blocks(window) * weights).sum((2, 3, 4)), parts)
    assert window_scores(blocks(window), coefficients)[0, 0] == pytest.approx(parts.sum() + bias)
    summed = cell_weights(coefficients)
    assert summed.shape == (16, 8, BINS)
    np.testing.assert_allclose(summed.sum(), coefficients[:-1].sum())
    np.testing.assert_allclose(summed[0, 0], weights[0, 0, 0, 0])
    np.testing.assert_allclose(
        summed[3, 2], weights[3, 2, 0, 0] + weights[2, 2, 1, 0] + weights[3, 1, 0, 1] + weights[2, 1, 1, 1]
    )
