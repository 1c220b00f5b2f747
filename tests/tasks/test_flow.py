import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from guiapp.core.notices import SettingError
from guiapp.models.zoo.dense_flow import DenseFlow
from guiapp.tasks.live_options import LiveOptions, make_live_task


@pytest.fixture(scope="module")
def raft():
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    return raft_small(weights=None).eval().requires_grad_(False)


def texture(height, width, right=0, down=0):
    """A smooth random texture, moved to the right and down, in -1..1."""
    torch.manual_seed(5)
    coarse = torch.rand(1, 1, 60, 80)
    large = functional.interpolate(coarse, (360, 480), mode="bicubic", align_corners=False).clamp(0, 1)
    cut = large[:, :, 30 - down : 30 - down + height, 40 - right : 40 - right + width]
    return (cut * 2 - 1).repeat(1, 3, 1, 1)


def test_raft_gives_its_last_flow(raft):
    first, second = torch.rand(1, 3, 128, 136) * 2 - 1, torch.rand(1, 3, 128, 136) * 2 - 1
    with torch.inference_mode():
        wanted = raft(first, second)[-1][0].permute(1, 2, 0).numpy()
    task = make_live_task("flow")
    assert task.frames == 2
    nothing = task.drawn(task.run(raft, first, (136, 128)), LiveOptions())
    assert not nothing.vectors.any() and nothing.vectors.shape == (1, 1, 2)
    found = task.drawn(task.run(raft, second, (136, 128)), LiveOptions())
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-4)


def test_odd_sizes_are_padded_by_their_borders_and_cut_back(raft):
    first, second = torch.rand(1, 3, 101, 139) * 2 - 1, torch.rand(1, 3, 101, 139) * 2 - 1
    pad = (2, 3, 13, 14)  # to 144 x 128
    with torch.inference_mode():
        both = [functional.pad(p, pad, mode="replicate") for p in (first, second)]
        wanted = raft(*both)[-1][0, :, 13:-14, 2:-3].permute(1, 2, 0).numpy()
    task = make_live_task("flow")
    task.feed(first)
    found = task.drawn(task.run(raft, second, (278, 303)), LiveOptions())
    assert found.vectors.shape == (101, 139, 2) and found.size == (278, 303)
    np.testing.assert_allclose(found.vectors, wanted * np.array([2, 3]), atol=1e-3)


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_opencv_finds_a_shift(method):
    task = make_live_task("flow")
    module = DenseFlow(method)
    task.run(module, texture(121, 163), (163, 121))
    found = task.drawn(task.run(module, texture(121, 163, right=4, down=-3), (326, 121)), LiveOptions())
    middle = found.vectors[20:-20, 20:-20].reshape(-1, 2)
    assert found.vectors.shape == (121, 163, 2)
    np.testing.assert_allclose(np.median(middle, 0), (8, -3), atol=0.3)  # shown twice as wide


def test_a_picture_of_another_size_begins_anew():
    task, module = make_live_task("flow"), DenseFlow()
    task.run(module, texture(60, 80), (80, 60))
    assert task.run(module, texture(50, 80), (80, 50)).vectors is None
    assert task.run(module, texture(50, 80), (80, 50)).vectors is not None
    task.reset()
    assert task.run(module, texture(50, 80), (80, 50)).vectors is None


def test_pictures_that_were_passed_over_are_the_ones_before():
    seen = []

    def module(before, now):
        seen.append((before.mean().item(), now.mean().item()))
        return [torch.zeros(1, 2, 128, 128)]

    task = make_live_task("flow")
    for value in (1, 2, 3):
        task.feed(torch.full((1, 3, 128, 128), float(value)), value / 25)
    last = torch.full((1, 3, 128, 128), 4.0)
    task.feed(last, 4 / 25)
    task.run(module, last, (128, 128))
    task.again(module, last, (128, 128))
    assert seen == [(3, 4), (3, 4)]


def test_tiny_pictures_do_not_move_and_unknown_methods_are_refused():
    assert not DenseFlow()(torch.ones(1, 3, 5, 90), torch.zeros(1, 3, 5, 90))[0].any()
    with pytest.raises(SettingError, match="dis or farneback"):
        DenseFlow("magic")


def test_a_used_model_can_be_copied():
    module = DenseFlow()
    pictures = texture(60, 80), texture(60, 80, right=2)
    wanted = module(*pictures)[0]
    assert torch.equal(copy.deepcopy(module)(*pictures)[0], wanted)
