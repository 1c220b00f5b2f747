"""Augmentations: what they do to pictures, and that they draw from their generator alone."""

import pytest
import torch
from torch.nn import functional

from guiapp.models.base import Preprocessing
from guiapp.training.augmentation import AUGMENTATIONS, flip_crop, handwriting, make_augmentation

GREY = Preprocessing((1, 16, 16), (0.3,), (0.5,))
BLACK = -0.3 / 0.5
STILL = {"rotation": 0.0, "shear": 0.0, "scale": 0.0, "shift": 0.0, "thickness": 0.0}


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def picture():
    inputs = torch.full((4, 1, 16, 16), BLACK)
    inputs[:, :, 4:12, 7:9] = 1.4  # white: (1 - 0.3) / 0.5
    return inputs


def centre(inputs):
    ink = (inputs - BLACK)[:, 0]
    places = torch.arange(16.0)
    total = ink.sum((1, 2))
    return (ink.sum(2) * places).sum(1) / total, (ink.sum(1) * places).sum(1) / total


@pytest.mark.parametrize("name", [n for n in AUGMENTATIONS if n != "none"])
def test_shape_type_and_generator(name):
    change = make_augmentation(name, GREY)
    inputs, before = picture(), torch.get_rng_state()
    first, second, other = change(inputs, draw(1)), change(inputs, draw(1)), change(inputs, draw(2))
    assert first.shape == inputs.shape and first.dtype == torch.float32
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(inputs, picture()) and torch.equal(before, torch.get_rng_state())


def test_none_is_no_change_and_an_unknown_name_an_error():
    assert make_augmentation("none", GREY) is None
    with pytest.raises(KeyError):
        make_augmentation("mixup", GREY)


def test_handwriting_that_moves_nothing_changes_nothing():
    assert handwriting(GREY, **STILL)(picture(), draw()) == pytest.approx(picture(), abs=1e-5)


def test_a_shift_moves_the_ink_and_fills_with_black():
    moved = handwriting(GREY, **{**STILL, "shift": 0.5})(picture(), draw(3))
    down, right = centre(moved)
    assert (down - 7.5).abs().max() > 0.5 and (right - 7.5).abs().max() > 0.5
    assert ((down - 7.5).abs() <= 4.01).all() and ((right - 7.5).abs() <= 4.01).all()  # half of half of 16
    assert moved.min() == pytest.approx(BLACK)


def test_shear_slants_and_keeps_the_centre():
    slanted = handwriting(GREY, **{**STILL, "shear": 0.6})(picture(), draw(5))
    down, right = centre(slanted)
    assert down == pytest.approx(torch.full((4,), 7.5), abs=0.02)
    assert right == pytest.approx(torch.full((4,), 7.5), abs=0.02)
    ink = (slanted - BLACK)[:, 0]
    places = torch.arange(16.0)
    top, bottom = ((ink[:, row] * places).sum(1) / ink[:, row].sum(1) for row in (4, 11))
    assert (top - bottom).abs().max() > 1


def test_thickness_changes_the_amount_of_ink_both_ways():
    changed = handwriting(GREY, **{**STILL, "thickness": 0.8})(picture().repeat(8, 1, 1, 1), draw())
    amounts = (changed - BLACK).sum((1, 2, 3))
    plain = (picture()[0] - BLACK).sum()
    assert amounts.min() < 0.7 * plain and amounts.max() > 1.3 * plain
    assert changed.min() >= BLACK - 1e-5 and changed.max() <= 1.4 + 1e-5


def test_the_affine_points_are_torchs(monkeypatch):
    inputs = torch.randn(4, 1, 16, 16, generator=draw())
    drawn = torch.rand(7, 4, generator=draw(9)) * 2 - 1
    angle, slant, width, height = drawn[0] * 0.2, drawn[1] * 0.3, 1 + drawn[2] * 0.2, 1 + drawn[3] * 0.2
    zero, one = torch.zeros(4), torch.ones(4)
    turn = torch.stack((angle.cos(), -angle.sin(), angle.sin(), angle.cos()), 1).reshape(4, 2, 2)
    shear = torch.stack((one, slant, zero, one), 1).reshape(4, 2, 2)
    scale = torch.stack((width, zero, zero, height), 1).reshape(4, 2, 2)
    matrix = torch.cat((turn @ shear @ scale, (drawn[4:6] * 0.12).T[:, :, None]), 2)
    grid = functional.affine_grid(matrix, [4, 1, 16, 16], align_corners=False)
    expected = functional.grid_sample(inputs - BLACK, grid, align_corners=False) + BLACK
    torch.testing.assert_close(handwriting(GREY, thickness=0.0)(inputs, draw(9)), expected, rtol=1e-4, atol=1e-4)


def test_flip_crop_gives_mirrored_pictures_moved_by_whole_pixels():
    colour = Preprocessing((3, 16, 16), (0.5,) * 3, (0.25,) * 3)
    inputs = torch.randn(64, 3, 16, 16, generator=draw())
    changed = flip_crop(colour)(inputs, draw(1))
    padded = functional.pad(inputs, (2, 2, 2, 2))
    kinds = set()
    for before, after in zip(padded, changed, strict=True):
        for mirrored in (False, True):
            whole = before
            for y in range(5):
                for x in range(5):
                    window = whole[:, y : y + 16, x : x + 16]
                    if torch.equal(window.flip(2) if mirrored else window, after):
                        kinds.add((mirrored, y, x))
                        break
    assert {mirrored for mirrored, _, _ in kinds} == {False, True}
    assert len(kinds) > 25  # of 50
