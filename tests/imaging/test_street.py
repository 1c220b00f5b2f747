"""The drawn street: the detectors that OpenCV ships find its faces and people, and nothing else."""

import numpy as np
import pytest
import torch

from guiapp.imaging.street import FRAMES, HEIGHT, WIDTH, street, walk
from guiapp.models.zoo.opencv import HaarFaces, HogPeople


@pytest.fixture(scope="module")
def inputs():
    return [torch.from_numpy(street().pixels).permute(2, 0, 1).float() / 255]


def test_it_is_always_the_same():
    first = street().pixels.copy()
    street.cache_clear()
    np.testing.assert_array_equal(street().pixels, first)
    assert street().size == (WIDTH, HEIGHT)
    assert "drawn" in street().note


def test_its_four_faces_are_found(inputs):
    found = HaarFaces().candidates(inputs, 100)
    middles = ((found.boxes[:, :2] + found.boxes[:, 2:]) / 2).tolist()
    assert sorted(round(x / 20) * 20 for x, _ in middles) == [160, 340, 520, 780]
    assert found.scores[0] > 0.8


def test_its_three_people_are_found(inputs):
    found = HogPeople().candidates(inputs, 100)
    sure = found.boxes[found.scores > 0.5]
    middles = (sure[:, 0] + sure[:, 2]) / 2
    assert {min((150, 340, 520), key=lambda x: abs(x - m)) for m in middles.tolist()} == {150, 340, 520}
    assert all(min(abs(x - m) for x in (150, 340, 520)) < 25 for m in middles.tolist())


def test_its_people_walk_and_go_on_without_a_jump():
    last, first, second = (walk(k).astype(int) for k in (FRAMES - 1, 0, 1))
    np.testing.assert_array_equal(walk(FRAMES), first)
    assert np.abs(first - last).mean() == pytest.approx(np.abs(second - first).mean(), rel=0.2)

    # the tallest, in green, goes 135 pixels to the right in a second
    def green(frame):
        pixels = walk(frame).astype(int)
        return np.flatnonzero(((pixels[350:430, :, 1] - pixels[350:430, :, 0]) > 20).mean(0) > 0.5).mean()

    assert green(125) - green(100) == pytest.approx(135, abs=4)


def test_someone_who_walks_is_nearly_always_found():
    found = []
    for frame in range(0, FRAMES, 20):
        inputs = [torch.from_numpy(walk(frame)).permute(2, 0, 1).float() / 255]
        found.append(bool((HogPeople().candidates(inputs, 100).scores > 0.5).any()))
    assert sum(found) >= 9
