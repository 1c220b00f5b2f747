"""Pictures of drawings, dark on light or light on dark, clean or with the shadows of a photograph."""

import gzip
import io
import zipfile

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

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


def stroke(size=200, width=6, blur=0.0):
    """A ring of ink, 0 to 1, float (size, size), with soft edges."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    away = np.abs(np.hypot(x, y) - size / 4) - width / 2
    return np.clip(0.5 - away / max(1.0, 2 * blur), 0, 1)


def grey(tones):
    return np.repeat(np.clip(tones, 0, 255).astype(np.uint8)[..., None], 3, 2)


def head(wall, low, high):
    """A shaded ball with dark hair before a plain wall, as a portrait is, with the grain of a camera."""
    y, x = (np.mgrid[:200, :160] - np.array([110, 80])[:, None, None]) / 60
    tones = np.full((200, 160), float(wall))
    inside = x**2 + y**2 < 1
    light = low + (high - low) * np.clip(0.5 + 0.6 * x - 0.3 * y, 0, 1)
    tones[inside] = light[inside]
    tones[inside & (y < -0.45)] = 25
    return grey(tones + np.random.default_rng(1).normal(0, 3, tones.shape))


@pytest.mark.parametrize(("wall", "low", "high"), [(110, 60, 220), (180, 40, 250), (60, 30, 240), (240, 30, 230)])
def test_a_portrait_before_a_plain_wall_is_a_picture(wall, low, high):
    assert not looks_drawn(head(wall, low, high))
    assert sample_of(head(wall, low, high), to_mnist)[1] == "picture"


def test_a_landscape_of_smooth_tones_within_a_frame_is_a_picture():
    y, x = np.mgrid[:120, :160] / 120
    tones = 128 + 120 * np.sin(9 * x + 4 * y) * np.cos(6 * y - 2 * x)
    tones[:6], tones[-6:], tones[:, :6], tones[:, -6:] = 128, 128, 128, 128
    assert not looks_drawn(grey(tones))
    tones[:6], tones[-6:], tones[:, :6], tones[:, -6:] = 255, 255, 255, 255
    assert not looks_drawn(grey(tones)), "a white frame is no paper"


@pytest.mark.parametrize(
    ("paper", "ink", "width", "blur", "grain", "shadow"),
    [(255, 0, 3, 0, 0, 0), (0, 255, 40, 0, 0, 0), (215, 50, 6, 2, 6, 0.2), (200, 120, 8, 1, 8, 0),
     (230, 90, 5, 2, 4, 0.1)],
)  # fmt: skip
def test_pens_brushes_and_pencils_on_paper_are_drawings(paper, ink, width, blur, grain, shadow):
    tones = paper + (ink - paper) * stroke(width=width, blur=blur)
    tones = tones * (1 - shadow * np.linspace(0, 1, 200)) + np.random.default_rng(0).normal(0, grain, tones.shape)
    assert looks_drawn(grey(tones))


@pytest.mark.parametrize("factor", [2, 4, 10])
def test_pasted_digits_are_drawings(factor):
    digits = sklearn.datasets.load_digits().images[:60]
    for digit in digits:
        sheet = np.zeros((16, 16), np.uint8)
        sheet[4:12, 4:12] = digit * (255 / 16)
        side = 16 * factor
        for pasted in (sheet, 255 - sheet):
            assert looks_drawn(
                grey(np.asarray(Image.fromarray(pasted).resize((side, side), Image.Resampling.BILINEAR)))
            )


def rate(pictures):
    """How many of the pictures with a plain edge look drawn, and how many have one."""
    plain = [
        p for p in pictures if (np.concatenate([p[0], p[-1], p[:, 0], p[:, -1]]) @ [0.299, 0.587, 0.114]).std() < 25
    ]
    return sum(looks_drawn(p) for p in plain), len(plain)


def test_real_photographs_are_pictures(real_data):
    files = {
        "att_faces": sorted(real_data.glob("att_faces/s*/*.pgm")),
        "imagenet_200": sorted(real_data.glob("imagenet_200/*/*")),
    }
    missing = [name for name, found in files.items() if not found]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {real_data}")
    drawn, plain = rate([np.asarray(Image.open(path).convert("RGB")) for path in files["att_faces"]])
    assert plain > 40 and drawn == 0
    drawn, plain = rate([np.asarray(Image.open(path).convert("RGB")) for path in files["imagenet_200"]])
    assert plain > 20 and drawn <= plain // 5


def test_real_digits_and_characters_are_drawings(real_data):
    archive = real_data / "omniglot" / "images_background_small1.zip"
    raw = real_data / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    for path in (archive, raw):
        if not path.is_file():
            pytest.skip(f"{path} is not there")
    with zipfile.ZipFile(archive) as names:
        for name in [n for n in names.namelist() if n.endswith(".png")][::40]:
            assert looks_drawn(np.asarray(Image.open(io.BytesIO(names.read(name))).convert("RGB"))), name
    digits = np.frombuffer(gzip.decompress(raw.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:100]
    for i, digit in enumerate(digits):
        for side in (56, 112, 280):
            seen = np.asarray(Image.fromarray(255 - digit).resize((side, side), Image.Resampling.BICUBIC))
            assert looks_drawn(grey(seen)), (i, side)


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
