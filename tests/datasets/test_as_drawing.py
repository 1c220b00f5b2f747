"""Pictures of drawings, dark on light or light on dark, clean or with the shadows of a photograph."""

import numpy as np
import pytest

from guiapp.datasets.as_drawing import ink_of, is_on_light, looks_drawn


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
