"""Single operations of augmentation: torchvision's results with the same numbers, per sample, in a recipe."""

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as reference

from guiapp.core.notices import SettingError
from guiapp.datasets.base import Samples
from guiapp.models.base import Preprocessing
from guiapp.training import augmentation_colour as colour
from guiapp.training import augmentation_geometry as geometry
from guiapp.training.augmentation_mix import cutout, mix, rectangle
from guiapp.training.augmenter import OPERATIONS, Augmenter, check_augmentation
from guiapp.training.recipe import Augmentation

COLOUR = Preprocessing((3, 12, 16), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
ZERO = torch.zeros(1, 3, 1, 1)
STRENGTHS = {
    "flip": 0.5, "flip_vertical": 0.5, "shift": 0.2, "crop": 0.5, "rotation": 20.0, "scale": 0.3, "shear": 15.0,
    "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.2, "pca": 0.3, "cutout": 0.4, "mixup": 0.4,
    "cutmix": 1.0,
}  # fmt: skip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=5, seed=0):
    return torch.rand(count, 3, 12, 16, generator=generator(seed))


def samples():
    images = (pictures(20).permute(0, 2, 3, 1) * 255).to(torch.uint8).numpy()
    return Samples(images, np.arange(20, dtype=np.int64) % 4)


def augmenter(**strengths):
    return Augmenter(Augmentation(name="none", **strengths), COLOUR, 4, samples())


def column(*values):
    return torch.tensor(values).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_draws_from_its_generator_alone_and_for_each_sample_anew(name):
    change, inputs, targets = augmenter(**{name: STRENGTHS[name]}), pictures(16, 1), torch.arange(16) % 4
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    (one, shares), (two, _), (other, _) = (change(inputs.clone(), targets, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert one.shape == inputs.shape and one.dtype == torch.float32 and torch.isfinite(one).all()
    assert torch.equal(before[0], torch.get_rng_state()) and np.array_equal(before[1], np.random.get_state()[1])
    assert shares.shape == ((16, 4) if name in ("mixup", "cutmix") else (16,))
    same = pictures(1, 1).repeat(16, 1, 1, 1)
    if name not in ("mixup", "cutmix"):  # those mix neighbours, and all are the same here
        assert len({sample.numpy().tobytes() for sample in change(same, targets, generator(3))[0]}) > 1


def test_nothing_is_asked_for_and_one_operation_leaves_the_draws_of_the_others():
    assert augmenter().does_nothing
    inputs, targets = pictures(8), torch.zeros(8, dtype=torch.int64)
    moved = augmenter(flip=0.5, shift=0.25)(inputs, targets, generator(4))[0]
    both = augmenter(flip=0.5, shift=0.25, cutout=0.3, cutout_chance=1.0)(inputs, targets, generator(4))[0]
    hole = both != moved
    assert (both[hole] == 0.0).all() and 0.02 < hole.float().mean() < 0.1  # 4 x 4 of 12 x 16, cut off at the border


def test_flips_and_shifts_are_torchvisions():
    inputs = pictures(4)
    chosen = torch.tensor([True, False, True, False])
    assert torch.equal(geometry.flip(inputs, chosen)[0], reference.horizontal_flip(inputs[0]))
    assert torch.equal(geometry.flip(inputs, chosen)[1], inputs[1])
    assert torch.equal(geometry.flip(inputs, chosen, vertical=True)[2], reference.vertical_flip(inputs[2]))
    right, down = torch.tensor([3, -2, 0, 5]), torch.tensor([0, 1, -3, 2])
    moved = geometry.shift(inputs, right, down, ZERO + 0.5)
    for sample, result, x, y in zip(inputs, moved, right.tolist(), down.tolist(), strict=True):
        padded = reference.pad(sample, [6, 6, 6, 6], fill=0.5)
        assert torch.equal(result, reference.crop(padded, 6 - y, 6 - x, 12, 16))


def test_scale_shear_rotation_and_shift_are_torchvisions_affine():
    inputs = pictures(5)
    numbers = {
        "angle": (30.0, -10.0, 0.0, 90.0, 5.0),
        "shear": (0.0, 12.0, -20.0, 0.0, 7.0),
        "scale": (1.0, 1.3, 0.7, 1.0, 1.1),
        "right": (0.0, 2.0, -3.0, 1.0, 0.0),
        "down": (0.0, -1.0, 2.0, 0.0, 4.0),
    }
    matrices = geometry.affine_matrices(*(torch.tensor(values) for values in numbers.values()))
    ours = geometry.sample(inputs, matrices, ZERO)
    for number, (angle, shear, scale, right, down) in enumerate(zip(*numbers.values(), strict=True)):
        theirs = reference.affine(
            inputs[number], angle, [right, down], scale, [shear, 0.0], v2.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(ours[number], theirs, atol=2e-5, rtol=1e-4)


def test_a_crop_is_torchvisions_resized_crop_away_from_its_border():
    inputs = torch.linspace(0, 1, 16).expand(1, 3, 12, 16).clone()
    change = Augmentation(crop=0.5)
    drawn = torch.full((11, 1), 0.5)
    ours = geometry.geometry(inputs, drawn, change, ZERO)
    wide = math.sqrt(0.75 * 12 * 16)  # area 1 - 0.5 * 0.5, form 1 between 3/4 and 4/3 on a log scale
    slope = (ours[0, 0, 6, 10] - ours[0, 0, 6, 5]) / 5
    assert slope == pytest.approx((wide / 16) / 15, rel=1e-4)  # the picture is stretched by 16 / wide
    assert ours[0, 0, 6, 7:9].mean() == pytest.approx(0.5, abs=1e-5)
    area = torch.tensor([1.0, 0.3, 0.05])
    wide, tall, across, along = geometry.crop_windows(
        area, torch.tensor([4 / 3, 3 / 4, 1.0]), torch.tensor([0.0, 1.0, 0.5]), torch.tensor([1.0, 0.0, 0.5]), 12, 16
    )
    assert wide[0] == 16 and tall[0] == pytest.approx(12)
    assert (wide * tall)[1:] == pytest.approx((area * 192)[1:])
    assert across[1] + wide[1] / 2 == pytest.approx(8) and along[1] - tall[1] / 2 == pytest.approx(-6)
    assert across[2] == along[2] == 0


def test_colours_are_torchvisions():
    inputs = pictures(4)
    inputs[3] = 0.5  # grey has no hue
    factors = (0.3, 1.0, 1.7, 1.2)
    for ours, theirs in (
        (colour.adjust_brightness, reference.adjust_brightness),
        (colour.adjust_contrast, reference.adjust_contrast),
        (colour.adjust_saturation, reference.adjust_saturation),
    ):
        changed = ours(inputs, column(*factors))
        for number, factor in enumerate(factors):
            torch.testing.assert_close(changed[number], theirs(inputs[number], factor), atol=1e-5, rtol=1e-5)
    turns = (-0.5, 0.0, 0.13, 0.4)
    changed = colour.adjust_hue(inputs, column(*turns))
    for number, turn in enumerate(turns):
        torch.testing.assert_close(changed[number], reference.adjust_hue(inputs[number], turn), atol=1e-5, rtol=1e-5)


def test_principal_components_are_those_of_all_pixels():
    images = samples().images
    pixels = images.reshape(-1, 3) / 255.0
    found = colour.principal_components(images).astype(np.float64)
    assert found @ found.T == pytest.approx(np.cov(pixels.T, bias=True), abs=1e-6)
    lengths = np.linalg.norm(found, axis=0)
    assert (np.diff(lengths) <= 0).all() and (found.sum(0) >= 0).all()
    moved = colour.pca_colour(
        torch.full((1, 3, 2, 2), 0.5), torch.tensor([[1.0, 0.0, 0.0]]), torch.from_numpy(found).float()
    )
    assert moved[0, :, 0, 0] == pytest.approx(torch.from_numpy(0.5 + found[:, 0]).float())


def test_cutout_empties_a_square_and_cuts_it_off_at_the_border():
    inputs = torch.ones(3, 3, 12, 16)
    holes = cutout(
        inputs, torch.tensor([True, False, True]), torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.5, 0.0]), 4
    )
    assert (holes[0, 0, 4:8, 6:10] == 0).all() and (holes[0] == 0).sum() == 3 * 16
    assert (holes[1] == 1).all() and (holes[2, :, :2, :2] == 0).all() and (holes[2] == 0).sum() == 3 * 4


def test_mixup_and_cutmix_mix_neighbours_with_the_shares_as_targets():
    inputs, targets = pictures(6), torch.tensor([0, 1, 2, 3, 0, 1])
    mixed, shares = mix(inputs, targets, 4, 0.4, 0.0, seed=5)
    share = shares[1, 1]
    torch.testing.assert_close(mixed, share * inputs + (1 - share) * inputs.roll(1, 0))
    assert shares.sum(1) == pytest.approx(torch.ones(6)) and shares[1, 0].item() == pytest.approx(1 - share.item())
    mixed, shares = mix(inputs, targets, 4, 0.0, 1.0, seed=5)
    share = shares[1, 1]
    kept = (mixed[1] == inputs[1]).all(0)
    assert kept.float().mean().item() == pytest.approx(share.item(), abs=1e-6) and 0 < share < 1
    assert torch.equal(mixed[1][:, ~kept], inputs[0][:, ~kept])
    kinds = {torch.unique(mix(inputs, targets, 4, 0.4, 1.0, seed)[0][1] == inputs[1]).numel() for seed in range(20)}
    assert kinds == {1, 2}  # blends differ everywhere, rectangles in places
    assert rectangle(0.75, 0.5, 0.5, 12, 16) == ((4, 3, 12, 9), 0.75)


def test_what_has_no_effect_is_refused():
    check_augmentation(Augmentation(), 1)
    check_augmentation(Augmentation(mixup=1.0, hue=0.1), 3)
    for name in ("saturation", "hue", "pca"):
        with pytest.raises(SettingError, match="grey"):
            check_augmentation(Augmentation(**{name: 0.1}), 1)
    with pytest.raises(SettingError, match="shares of classes"):
        check_augmentation(Augmentation(cutmix=1.0), 3, "margin")
