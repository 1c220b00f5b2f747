"""Pictures become inputs exactly as ``Preprocessing`` says."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from guiapp.models import Preprocessing


def plain(size, fit="pad"):
    channels = size[0]
    return Preprocessing(size, (0.0,) * channels, (1 / 255,) * channels, fit)  # keeps 0 to 255


def random(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_equal_sizes_are_exact_and_normalised():
    images = random(3, 8, 6, 3)
    prepared = Preprocessing((3, 8, 6), (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))(images)
    expected = (images.transpose(0, 3, 1, 2) / 255 - np.reshape((0.1, 0.2, 0.3), (1, 3, 1, 1))) / np.reshape(
        (0.5, 0.6, 0.7), (1, 3, 1, 1)
    )
    np.testing.assert_allclose(prepared.numpy(), expected, atol=1e-6)
    assert prepared.dtype == torch.float32
    np.testing.assert_array_equal(plain((3, 8, 6))(images).numpy().round(3), images.transpose(0, 3, 1, 2))


def test_one_picture_is_a_batch_of_one_and_the_source_is_not_changed():
    image = random(4, 5, 1)
    before = image.copy()
    assert plain((1, 4, 5))(image).shape == (1, 1, 4, 5)
    np.testing.assert_array_equal(image, before)


def test_grey_and_colour():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    grey = plain((1, 1, 3))(image)
    np.testing.assert_allclose(grey.numpy().ravel(), np.array([0.299, 0.587, 0.114]) * 255, rtol=1e-5)
    colour = plain((3, 2, 2))(random(2, 2, 1))
    assert torch.equal(colour[:, 0], colour[:, 1]) and torch.equal(colour[:, 1], colour[:, 2])


def test_mnist_is_padded_by_two_with_black():
    image = random(28, 28, 1)
    prepared = Preprocessing((1, 32, 32), (0.5,), (0.25,))(image)[0, 0]
    np.testing.assert_allclose(prepared[2:30, 2:30], (image[..., 0] / 255 - 0.5) / 0.25, atol=1e-6)
    border = prepared.clone()
    border[2:30, 2:30] = -2
    assert torch.all(border == -2)


def test_what_lacks_more_than_a_quarter_is_stretched():
    image = random(23, 32, 1)
    prepared = plain((1, 32, 32))(image)
    expected = F.interpolate(torch.tensor(image[None, None, ..., 0]).float(), (32, 32), mode="bilinear")
    torch.testing.assert_close(prepared, expected, atol=1e-3, rtol=0)
    padded = plain((1, 32, 32))(random(24, 32, 1))
    assert torch.all(padded[0, 0, :4] == 0) and torch.all(padded[0, 0, 28:] == 0)


def test_shrinking_is_antialiased():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 200
    prepared = plain((1, 16, 16))(stripes)
    assert (prepared[..., 2:-2] - 100).abs().max() < 1
    stretched = plain((1, 64, 8), "stretch")(random(64, 32, 1))
    assert stretched.shape == (1, 1, 64, 8)


def test_crop_keeps_the_middle():
    image = np.zeros((10, 30, 1), np.uint8)
    image[:, 10:20] = 255
    assert torch.all(plain((1, 10, 10), "crop")(image).round() == 255)


def test_read_only_and_reversed_memory_is_read():
    image = random(4, 4, 3)
    image.flags.writeable = False
    expected = image[:, ::-1].transpose(2, 0, 1)[None]
    np.testing.assert_allclose(plain((3, 4, 4))(image[:, ::-1]).numpy(), expected, atol=1e-3)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1)), np.zeros((4, 4, 2), np.uint8)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ValueError):
        plain((1, 4, 4))(wrong)
