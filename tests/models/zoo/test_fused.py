"""A network whose parts are fused answers the same, and is left as it was."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.core.live_run import LiveRun
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live_network import LiveNetwork
from guiapp.models.zoo.arrange import arrange
from guiapp.models.zoo.fused import Fusing, fuse
from guiapp.models.zoo.open import open_model
from guiapp.tasks.live_options import make_live_task

PIXELS = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


@pytest.fixture
def patient(monkeypatch):
    """On a busy machine a pass takes long, after which a network is not watched to be fused."""
    monkeypatch.setattr("guiapp.models.zoo.fused._SECONDS", math.inf)


def with_statistics(module):
    """Normalisations that do something, as those of a trained network."""
    generator = torch.Generator().manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1, generator=generator)
            part.running_var.uniform_(0.8, 1.2, generator=generator)
            part.weight.data.uniform_(0.9, 1.1, generator=generator)
            part.bias.data.normal_(0, 0.1, generator=generator)
    return module


def calls_of(module):
    return [part._compiled_call_impl for part in module.modules()]


def hooks_of(module):
    return [hook for part in module.modules() for hook in (*part._forward_hooks, *part._forward_pre_hooks)]


@pytest.mark.parametrize(
    ("name", "least"),
    [("mobilenet_v3_small", 100), ("resnet18", 48), ("ssdlite320_mobilenet_v3_large", 150)],
)
def test_answers_are_the_same_and_the_network_is_left_as_it_was(name, least):
    opened = arrange(open_model(name, "random"), LiveRun())
    module = with_statistics(opened.module)
    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    part = module if opened.entry.task == "classification" else module.backbone
    inputs = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    before, weights = calls_of(module), {name: w.clone() for name, w in module.state_dict().items()}
    with torch.inference_mode():
        plain = part(inputs)
        fused = fuse(module, lambda: task.run(module, opened.prepare(PIXELS), (128, 96)))
        assert len(fused) >= least
        with fused.running():
            found = part(inputs)
        again = part(inputs)
    answers = (list(x.values()) if isinstance(x, dict) else [x] for x in (plain, found, again))
    for one, other, third in zip(*answers, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-4 * float(one.abs().max()))
        assert torch.equal(one, third)
    assert calls_of(module) == before
    assert not hooks_of(module)
    assert all(torch.equal(w, weights[name]) for name, w in module.state_dict().items())


def block(body):
    """A network with one convolution, its normalisation and two activations, wired by ``body``."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3)
            self.relu, self.wave = nn.ReLU(inplace=True), nn.SiLU()

        def forward(self, x):
            return body(self, x)

    torch.manual_seed(0)
    return with_statistics(Block()).eval()


def fused_answer(module, inputs):
    """What it answers fused, or None where it is not; with how many parts are called in another way."""
    found = fuse(module, lambda: module(inputs))
    if found is None:
        return None
    with torch.inference_mode(), found.running():
        return module(inputs), len(found)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (lambda n, x: n.relu(n.norm(n.conv(x))), 3),
        (lambda n, x: n.wave(n.conv(x)), 2),
        (lambda n, x: n.relu(n.norm(n.conv(x))) + n.relu(x[:, :1].clone()), 3),  # an activation that others use as well
        (lambda n, x: n.wave(n.wave(n.norm(n.conv(x)))), 3),  # the second time is another
        (lambda n, x: functional.relu(n.norm(n.conv(x))), 2),
        (lambda n, x: n.norm(n.conv(x).clone()), 1),
    ],
)  # fmt: skip
def test_only_what_follows_each_call_is_fused(body, parts):
    module, inputs = block(body), torch.randn(1, 2, 6, 7)
    with torch.inference_mode():
        plain = module(inputs)
    found, count = fused_answer(module, inputs)
    assert count == parts
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "body",
    [
        lambda n, x: (y := n.conv(x)) + n.norm(y),  # what lies between is used: fused, the answer would be another
        lambda n, x: (y := n.norm(n.conv(x))) * n.wave(y),
    ],
)
def test_a_network_that_uses_what_lies_between_is_not_fused(body):
    assert fused_answer(block(body), torch.randn(1, 2, 6, 7)) is None


def test_half_numbers_and_training_are_not_fused():
    inputs = torch.randn(1, 2, 6, 7)
    module = block(lambda n, x: n.norm(n.conv(x)))
    assert fuse(module.train(), lambda: module(inputs)) is None
    assert fuse(module.eval().bfloat16(), lambda: module(inputs.bfloat16())) is None


def test_a_network_is_fused_from_its_sixth_pass_on_and_one_whose_weights_change_never(patient):
    seen = []
    module, inputs = block(lambda n, x: n.norm(n.conv(x))), torch.randn(1, 2, 6, 7)

    def passes(fusing):
        seen.clear()
        for _ in range(7):
            with fusing.running(lambda: module(inputs)):
                seen.append(module.conv._compiled_call_impl is not None)
        return list(seen)

    assert passes(Fusing(module)) == [False] * 5 + [True] * 2
    assert passes(Fusing(module, wanted=False)) == [False] * 7
    assert passes(Fusing(None)) == [False] * 7


def test_the_live_lane_answers_the_same_and_sees_every_layer_when_it_looks_inside(patient):
    opened = arrange(open_model("mobilenet_v3_small", "random"), LiveRun())
    with_statistics(opened.module)
    network = LiveNetwork(opened)
    raws = []
    for number in range(8):
        picture = Picture(PIXELS, Origin("video", "film", index=number))
        network.begin(picture, None, {})
        network.run((), {}, False, {})
        raws.append(network.raw)
    assert network._fusing._fused is not None
    first = next(name for name, part in opened.module.named_modules() if isinstance(part, nn.BatchNorm2d))
    kept = network.run((first,), {}, True, {})
    with torch.inference_mode():
        conv = opened.module.features[0][0](network.inputs)
        expected = opened.module.features[0][1](conv)
    torch.testing.assert_close(kept[first], expected)
    for raw in (*raws[1:], network.raw):
        torch.testing.assert_close(raw, raws[0], rtol=1e-3, atol=1e-4)
