"""Preprocessing of the zoo against torchvision's own transforms."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights

from guiapp.core.notices import UserError
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.prepare import prepare

# One set of weights for each distinct preset of the zoo.
PRESETS = {
    weights.preset: (entry.name, weights.name)
    for entry in ZOO.values()
    for weights in entry.weights
    if not (weights.shipped or entry.opener)
}
CASES = [pytest.param(preset, *where, id=f"{where[0]}-{where[1]}") for preset, where in PRESETS.items()]
# Wide, high, odd, smaller than every crop, and already of the right size.
SHAPES = [(301, 517), (400, 231), (97, 100), (256, 256)]


def picture(height, width, seed=0):
    """Smooth and sharp parts, with black and white beside each other, where bicubic weights overshoot."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows * 255 // height, columns * 255 // width, (rows // 7 + columns // 5) % 2 * 255], -1)
    pixels = pixels.astype(np.uint8)
    pixels[: height // 3, : width // 3] = random.integers(0, 256, (height // 3, width // 3, 3), dtype=np.uint8)
    return pixels


def reference(preset, model, name, pixels):
    transform = get_model_weights(model)[name].transforms()
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()
    if preset.kind == "clip":
        return transform(tensor[None])[:, 0]  # one frame: (3, 1, h, w)
    if preset.kind == "flow":
        return transform(tensor, tensor)[0]
    return transform(tensor)


@pytest.mark.parametrize(("preset", "model", "name"), CASES)
def test_equals_torchvision(preset, model, name):
    for shape in SHAPES:
        pixels = picture(*shape)
        ours, theirs = prepare(preset, pixels), reference(preset, model, name, pixels)
        if preset.kind == "detection":
            assert isinstance(ours, list)
            ours = torch.stack(ours)
        assert ours.dtype == torch.float32
        assert ours.is_contiguous()
        torch.testing.assert_close(ours[0], theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("preset", "model", "name"), CASES)
def test_whole_numbers_are_near_pillow(preset, model, name):
    """The quick way, against the transform of a Pillow picture, with which torchvision measures its accuracies."""
    if preset.kind in ("clip", "flow", "detection"):
        pytest.skip("torchvision has no Pillow transform of clips; flow and detection are not resized")
    pixels = picture(480, 720)
    theirs = get_model_weights(model)[name].transforms()(Image.fromarray(pixels))
    ours = prepare(preset, pixels, exact=False)[0]
    assert ours.shape == theirs.shape
    levels = (ours - theirs).abs() * torch.tensor(preset.std).reshape(3, 1, 1) * 255
    assert levels.max() <= 2.01  # two where the picture grows
    assert levels.mean() < 0.05


def test_quick_and_exact_agree_to_a_level_for_clips():
    preset = ZOO["r3d_18"].best.preset
    pixels = picture(480, 720)
    difference = (prepare(preset, pixels) - prepare(preset, pixels, exact=False)).abs()
    assert (difference * torch.tensor(preset.std).reshape(1, 3, 1, 1) * 255).max() <= 1.01


@pytest.mark.parametrize("make", [np.asfortranarray, lambda pixels: pixels[::-1, ::-1], lambda pixels: pixels[1:, 1:]])
def test_any_layout_of_the_pixels(make):
    pixels = make(picture(240, 320))
    expected = prepare(ZOO["resnet18"].best.preset, np.ascontiguousarray(pixels))
    assert torch.equal(prepare(ZOO["resnet18"].best.preset, pixels), expected)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", ["resnet18", "ssdlite320_mobilenet_v3_large", "fcn_resnet50", "r3d_18", "raft_small"])
def test_the_picture_stays_as_it_is_and_may_be_read_only(name, exact):
    for shape in ((256, 256), (300, 400)):
        pixels = picture(*shape)
        before = pixels.copy()
        prepare(ZOO[name].best.preset, pixels, exact=exact)
        assert np.array_equal(pixels, before)
        pixels.flags.writeable = False
        prepare(ZOO[name].best.preset, pixels, exact=exact)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (4000, 2), (2, 100_000)])
def test_thin_pictures(shape):
    result = prepare(ZOO["resnet18"].best.preset, np.full((*shape, 3), 255, np.uint8))
    assert result.shape == (1, 3, 224, 224)
    white = (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(result.amax((0, 2, 3)), white)


def test_a_strip_that_may_not_be_cut_is_refused_in_one_line():
    preset = ZOO["lraspp_mobilenet_v3_large"].best.preset
    for shape in ((1, 5000), (5000, 1)):
        with pytest.raises(UserError, match=f"{shape[1]}x{shape[0]} is too thin for this network"):
            prepare(preset, np.zeros((*shape, 3), np.uint8))
    assert prepare(preset, np.zeros((8, 40, 3), np.uint8)).shape == (1, 3, 520, 2600)


def test_an_even_strip_cut_at_both_ends_keeps_its_middle():
    """50 to 1 is the longest that is resized whole; what is cut off could not have been seen."""
    strip = np.repeat(np.arange(0, 250, dtype=np.uint8).repeat(8)[None, :, None], 20, 0).repeat(3, 2)  # 20 x 2000
    expected = reference(ZOO["resnet18"].best.preset, "resnet18", "IMAGENET1K_V1", strip)
    torch.testing.assert_close(prepare(ZOO["resnet18"].best.preset, strip)[0], expected, atol=0.03, rtol=0)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_other_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="uint8"):
        prepare(ZOO["resnet18"].best.preset, bad)
