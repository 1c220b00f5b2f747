"""The probes as lanes and the command line ask them: padding, the patch at its place, what networks cannot."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.datasets.base import Dataset, Samples
from guiapp.interpret import PROBES
from guiapp.interpret.attack.options import AttackOptions, PatchOptions, RobustOptions
from guiapp.interpret.base import Look
from guiapp.models.base import Preprocessing
from tests.interpret.attack.test_run import small_net


@pytest.fixture
def look():
    """A 6x6 sample padded to 8x8, as LeNet-5 is fed its digits."""
    sample = np.random.default_rng(0).integers(0, 256, (6, 6, 1), dtype=np.uint8)
    picture = Picture(np.repeat(sample, 3, 2), Origin("sample", "a"), 1, sample=sample)
    preprocessing = Preprocessing((1, 8, 8), (0.3,), (0.5,))
    found = Look(small_net(), (), preprocessing, picture=picture, labels=tuple("abcd"))
    found.input = preprocessing(sample)
    return found


def test_the_attack_probe_leaves_padding_flags_and_hooks_alone(look):
    before = {name: value.clone() for name, value in look.model.state_dict().items()}
    with torch.no_grad():
        found = PROBES["attack"].run(look, AttackOptions("pgd", steps=3))
    assert found.area == (1, 1, 6, 6) and not found.change[0].any() and found.change.any()
    assert np.array_equal(found.original[1:7, 1:7], look.picture.sample)
    assert not any(p.requires_grad or p.grad is not None for p in look.model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in look.model.state_dict().items())
    assert not any(m._forward_hooks or m._backward_hooks for m in look.model.modules()) and not look.model.training
    assert found.away == found.labels[found.away_index] and found.norm == "L-infinity"


def test_it_works_on_inputs_made_without_gradients(look):
    with torch.inference_mode():
        look.input = look.input.clone()
    assert PROBES["attack"].run(look, AttackOptions("fgsm")).change.any()


def test_an_exception_in_the_network_leaves_nothing_behind(look):
    class Breaks(torch.nn.Module):
        def forward(self, inputs):
            if torch.is_grad_enabled():
                raise RuntimeError("broken")
            return inputs.flatten(1)[:, :3]

    look.model = Breaks()
    with torch.no_grad():
        with pytest.raises(RuntimeError, match="broken"):
            PROBES["attack"].run(look, AttackOptions("fgsm"))
        assert not torch.is_grad_enabled()


def test_the_patch_probe_says_what_the_network_says_there(look):
    patch = np.full((3, 3, 1), 255, np.uint8)
    found = PROBES["patch"].run(look, PatchOptions(patch, 0.25, 0.5))
    assert found.box == (0, 2, 3, 3) or found.box == (1, 2, 3, 3)
    left, top, *_ = found.box
    wanted = look.input.clone()
    wanted[:, :, top : top + 3, left : left + 3] = (1.0 - 0.3) / 0.5
    assert np.allclose(found.probabilities, torch.softmax(look.model(wanted), 1)[0].numpy(), atol=1e-6)
    assert np.allclose(found.before, torch.softmax(look.model(look.input), 1)[0].numpy(), atol=1e-6)
    assert PatchOptions(patch, 0.1) == PatchOptions(patch, 0.1) != PatchOptions(patch.copy(), 0.1)
    with pytest.raises(UserError, match="another network"):
        PROBES["patch"].run(look, PatchOptions(np.zeros((9, 9, 1), np.uint8)))


def test_networks_without_classes_are_refused_in_one_line(look):
    look.input = None
    with pytest.raises(UserError, match="networks that tell classes"):
        PROBES["attack"].run(look, AttackOptions())


def test_robustness_is_measured_on_the_networks_own_data(look):
    images = np.random.default_rng(2).integers(0, 256, (30, 6, 6, 1), dtype=np.uint8)
    inputs = look.preprocessing(images)
    labels = look.model(inputs).argmax(1).numpy()
    labels[:5] = (labels[:5] + 1) % 4  # five are wrong from the start
    part = Samples(images, labels)
    look.dataset = Dataset("noise", "Noise", tuple("abcd"), part, part, part, (0.3,), (0.5,))
    found = PROBES["robustness"].run(look, RobustOptions(points=2, most=40.0, steps=5))
    assert found.right["fgsm"][0] == 25 and found.total == 30 and found.sizes.tolist() == [0.0, 20.0, 40.0]
    pixels = ((inputs * 0.5) + 0.3).requires_grad_(True)
    logits = look.model((pixels - 0.3) / 0.5)
    loss = torch.log_softmax(logits, 1).gather(1, torch.from_numpy(labels)[:, None]).sum()
    (slope,) = torch.autograd.grad(loss, pixels)
    inside = torch.zeros(1, 1, 8, 8)
    inside[..., 1:7, 1:7] = 1
    moved = (pixels - 40 / 255 * (slope * inside).sign()).clamp(0, 1)
    says = look.model((moved - 0.3) / 0.5).argmax(1).numpy()
    assert found.right["fgsm"][2] == int(((says == labels) & (np.arange(30) >= 5)).sum())
    look.dataset = None
    with pytest.raises(UserError, match="data set is not known"):
        PROBES["robustness"].run(look, RobustOptions())


def test_maps_are_saved(look):
    names = dict(PROBES["attack"].run(look, AttackOptions("fgsm")).atlases())
    assert list(names) == ["original", "change", "result"] and names["change"].signed
    assert names["original"].pixels[0, 0].tolist() == [0, 0, 0, 255]
