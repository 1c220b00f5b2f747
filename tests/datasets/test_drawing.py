"""Drawings become samples by the steps that made the data sets."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from guiapp.datasets import open_dataset
from guiapp.datasets.drawing import centre_of_mass, ink_box, to_digits, to_grey_square, to_mnist

CONVERSIONS = [(to_mnist, 28), (to_digits, 8), (lambda c: to_grey_square(c, 32), 32)]


def canvas(size=280):
    return np.zeros((size, size), np.uint8)


@pytest.mark.parametrize(("convert", "side"), CONVERSIONS)
@pytest.mark.parametrize("size", [1, 27, 280, 1000])
def test_an_empty_canvas_gives_zeros(convert, side, size):
    sample = convert(canvas(size))
    assert sample.shape == (side, side, 1)
    assert sample.dtype == np.uint8
    assert not sample.any()


@pytest.mark.parametrize(("convert", "side"), CONVERSIONS)
@pytest.mark.parametrize("ink", [1, 20, 127, 255])
def test_a_single_dot_of_any_strength_leaves_something(convert, side, ink):
    drawing = canvas()
    drawing[3, 277] = ink
    assert convert(drawing).any()


def test_mnist_box_is_twenty_pixels_and_centred_by_mass():
    drawing = canvas()
    drawing[10:210, 30:70] = 255  # 200 x 40 becomes 20 x 4
    sample = to_mnist(drawing)[..., 0]
    rows, columns = np.nonzero(sample)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (20, 4)
    assert (sample[sample > 0] == 255).all()
    # Mass from 4 to 23 has its centre at 13.5 and may stay there or at 14.5: both round from 14.
    assert all(13.5 <= centre <= 14.5 for centre in centre_of_mass(sample))


def test_mnist_centres_an_uneven_shape_by_mass_not_by_box():
    drawing = canvas()
    drawing[100:110, 20:220] = 255  # a thin line ...
    drawing[60:150, 180:220] = 255  # ... with a heavy end to the right
    sample = to_mnist(drawing)[..., 0]
    assert all(13.5 <= centre <= 14.5 for centre in centre_of_mass(sample))
    columns = np.flatnonzero(sample.any(0))
    assert columns[0] + columns[-1] < 27  # the box lies left of the middle


def test_mnist_never_cuts_ink_off():
    drawing = canvas()
    drawing[0:2, 0:280] = 40  # a faint line as long as the canvas
    drawing[0:40, 270:280] = 255
    sample = to_mnist(drawing)[..., 0]
    columns = np.flatnonzero(sample.any(0))
    assert columns[-1] - columns[0] + 1 == 20


@pytest.mark.parametrize(("convert", "side"), CONVERSIONS)
def test_place_and_size_on_the_canvas_do_not_matter(convert, side):
    drawings = []
    for left, top, size in ((5, 5, 280), (150, 100, 280), (60, 200, 560)):
        image = Image.new("L", (size, size))
        ImageDraw.Draw(image).line([(left, top), (left + 80, top + 20), (left + 30, top + 110)], 255, 12)
        drawings.append(np.asarray(image))
    samples = [convert(drawing).astype(int) for drawing in drawings]
    assert np.abs(samples[0] - samples[1]).max() == 0
    assert np.abs(samples[0] - samples[2]).max() == 0


def test_antialiasing_halves_a_half_covered_pixel():
    drawing = canvas()
    drawing[0:200, 0:30] = 255
    drawing[0:200, 30:35] = 255  # 3.5 pixels wide after reduction: 4 columns of 8.75 pixels
    sample = to_mnist(drawing)[..., 0]
    assert sample.sum() / 255 == pytest.approx(80, abs=1)


def test_digits_by_hand():
    drawing = canvas(320)
    drawing[0:320, 60:260] = 255  # a box of 200 x 320: exactly 20 x 32, all ink
    sample = to_digits(drawing)[..., 0]
    # 640 of 640 pixels are ink, over 560: eroded twice to 28 x 16 from row 2 and column 8. Blocks of 4x4: columns 2 to
    # 5 full, rows 0 and 7 half.
    expected = np.zeros((8, 8), int)
    expected[1:7, 2:6] = 255
    expected[[0, 7], 2:6] = 128
    assert (sample == expected).all()


def test_digits_thicken_thin_strokes():
    drawing = canvas(320)
    drawing[0:320, 60:70] = 255
    drawing[310:320, 60:260] = 255  # an L, one pixel thick in the bitmap: 32 + 19 = 51 pixels, under 108
    sample = to_digits(drawing)[..., 0]
    # Dilated twice: the stem covers columns 4 to 8, the foot rows 29 to 31.
    assert sample[3].tolist() == [0, 255, 64, 0, 0, 0, 0, 0]
    assert (sample[7, 2:7] >= 128).all()
    assert (sample[4:6, 3:] == 0).all()


def test_digits_stand_upright():
    image = Image.new("L", (280, 280))
    ImageDraw.Draw(image).line([(200, 40), (120, 240)], 255, 20)
    sample = to_digits(np.asarray(image))[..., 0].astype(int)
    centres = (sample * np.arange(8)).sum(1) / sample.sum(1)
    assert np.ptp(centres[1:7]) < 0.5


def test_grey_square_keeps_the_aspect_and_the_margin():
    drawing = canvas()
    drawing[100:120, 50:250] = 200  # 10 to 1
    sample = to_grey_square(drawing, 24, margin=2)[..., 0]
    rows, columns = np.nonzero(sample)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (11, 12, 2, 21)
    assert (sample[rows, columns] == 200).all()


def test_the_box_ignores_what_the_eye_cannot_see():
    drawing = canvas()
    drawing[50:60, 50:80] = 255
    drawing[200, 200] = 5
    assert ink_box(drawing).shape == (10, 30)
    assert ink_box(np.where(drawing == 255, 0, drawing)).shape == (1, 1)  # unless there is nothing else


@pytest.mark.data
@pytest.mark.parametrize(("method", "tolerance"), [("NEAREST", 0.5), ("BICUBIC", 9.0), ("BILINEAR", 10.0)])
def test_real_mnist_digits_come_back(real_data, monkeypatch, method, tolerance):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    images = open_dataset("mnist").validation.images[:200]
    back = [
        to_mnist(np.asarray(Image.fromarray(image[..., 0]).resize((280, 280), Image.Resampling[method])))
        for image in images
    ]
    assert np.abs(np.array(back).astype(int) - images).mean() < tolerance


@pytest.mark.data
def test_real_mnist_digits_become_like_scikit_learns(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    from sklearn.neighbors import KNeighborsClassifier

    mnist, digits = open_dataset("mnist"), open_dataset("digits")
    images, labels = mnist.validation.images[:400], mnist.validation.labels[:400]
    large = [np.asarray(Image.fromarray(image[..., 0]).resize((280, 280))) for image in images]
    converted = np.array([digits.from_drawing(drawing) for drawing in large])
    ink = converted.sum((1, 2, 3)) / 255 * 16
    assert 280 < ink.mean() < 330  # scikit-learn's: 312.6 of 1024
    neighbours = KNeighborsClassifier(3).fit(digits.train.images.reshape(-1, 64), digits.train.labels)
    assert neighbours.score(converted.reshape(-1, 64), labels) > 0.78  # 0.19 to 0.27 without, 0.64 with aspect kept
