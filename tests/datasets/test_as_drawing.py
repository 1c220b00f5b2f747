"""Pictures of drawings, dark on light or light on dark, clean or with the shadows of a photograph."""

import numpy as np
import pytest

from guiapp.datasets.as_drawing import ink_of, is_on_light, looks_drawn, sample_of
from guiapp.datasets.drawing import to_mnist


def picture(paper, ink, noise=0):
    """A bar of ink on paper, uint8 (60, 40, 3), with the grain of a camera."""
    tones = np.full((60, 40), float(paper))
    tones[10:50, 18:24] = ink
    tones += np.random.default_rng(0).uniform(-noise, noise, tones.shape)
    return np.repeat(np.clip(tones, 0, 255).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize(("paper", "ink", "noise"), [(255, 0, 0), (0, 255, 0), (210, 40, 12), (30, 200, 12)])
def test_ink_is_found_on_any_paper(paper, ink, noise):
    found = ink_of(picture(paper, ink, noise))
    assert found[10:50, 18:24].min() > 180
    assert found.max() == 255
    found[10:50, 18:24] = 0
    assert not found.any()


def test_an_empty_sheet_has_no_ink():
    assert not ink_of(picture(230, 230, 2)).any()


def test_a_plain_edge_looks_drawn_and_a_scene_does_not():
    scene = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    assert looks_drawn(picture(210, 40, 12))
    assert not looks_drawn(scene)


def test_paper_is_light_or_dark():
    assert is_on_light(picture(200, 30))
    assert not is_on_light(picture(20, 220))


def test_ink_on_paper_becomes_the_sample_that_the_pad_would_give():
    canvas = np.zeros((60, 40), np.uint8)
    canvas[10:50, 18:24] = 255
    for seen in (picture(255, 0), picture(0, 255)):
        fed, how = sample_of(seen, to_mnist)
        assert how == "drawing"
        np.testing.assert_array_equal(fed, to_mnist(canvas))


def test_a_picture_of_a_samples_size_is_a_sample_and_light_paper_is_turned_round():
    sample = np.zeros((28, 28, 3), np.uint8)
    sample[4:20, 12:15] = 250
    fed, how = sample_of(sample, to_mnist)
    assert how == "picture" and fed is sample
    fed, how = sample_of(255 - sample, to_mnist)
    assert how == "negative"
    np.testing.assert_array_equal(fed, sample)


def test_scenes_empty_sheets_and_pictures_for_other_networks_are_fed_as_they_are():
    scene = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    for seen, make in ((scene, to_mnist), (picture(230, 230), to_mnist), (picture(255, 0), None)):
        fed, how = sample_of(seen, make)
        assert how == "picture" and fed is seen
    assert sample_of(picture(255, 0), to_mnist, drawing=False)[1] == "picture"
    assert sample_of(scene, to_mnist, drawing=True)[1] == "drawing"


def test_a_large_photograph_is_read_like_a_small_one():
    small = picture(255, 0)
    large = np.ascontiguousarray(np.kron(small, np.ones((60, 60, 1), np.uint8)))
    assert max(ink_of(large).shape) <= 1000
    difference = sample_of(large, to_mnist)[0].astype(int) - sample_of(small, to_mnist)[0]
    assert abs(difference).max() < 64
