"""Methods on networks that are small enough to be worked out by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.picture import Origin, Picture
from guiapp.interpret.attribution import METHODS, attribute
from guiapp.interpret.attribution.options import RolloutOptions
from guiapp.interpret.attribution.rollout import rolled
from guiapp.interpret.targets import ClassTarget
from tests.interpret.attribution.networks import case, of, run


def grey(level=None, size=4, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    return Picture(pixels if level is None else np.full_like(pixels, level), Origin("file", "grey"))


class Linear(nn.Module):
    """Two classes: w x + b over all numbers."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(48, 2)

    def forward(self, x):
        return self.fc(x.flatten(1))


def linear():
    torch_weights = torch.arange(96, dtype=torch.float32).reshape(2, 48) / 50 - 1
    net = Linear().eval().requires_grad_(False)
    net.fc.weight.copy_(torch_weights)
    net.fc.bias.copy_(torch.tensor([0.5, -2.0]))
    return of(net, "classification", grey()), torch_weights[1].reshape(3, 4, 4).numpy()


def found(asked, method, **options):
    return run(attribute(asked, ClassTarget(1), method, METHODS[method].options(**options)))


def test_a_linear_score():
    """Gradient w, gradient x input w x, integrated gradients, DeepLift w (x - b), whatever the number of steps."""
    asked, w = linear()
    x = asked.batch[0].numpy()
    np.testing.assert_allclose(found(asked, "gradient").values, w, rtol=1e-6)
    np.testing.assert_allclose(found(asked, "gradient-x-input").values, w * x, rtol=1e-5, atol=1e-6)
    white = 255 / 128 - 1
    for method, options in (("integrated-gradients", {"steps": 1}), ("deep-lift", {})):
        one = found(asked, method, baseline="white", **options)
        np.testing.assert_allclose(one.values, w * (x - white), rtol=1e-4, atol=1e-5)
        assert one.gap == pytest.approx(0, abs=1e-4)
        assert one.score == pytest.approx(float((w * x).sum() - 2), rel=1e-5)
    smooth = found(asked, "smooth-grad", samples=5)
    np.testing.assert_allclose(smooth.values, w, rtol=1e-5)


def test_occlusion_of_a_linear_score():
    """Hiding a square takes w (x - fill) of its numbers; a place is in up to four squares and gets their mean."""
    asked, w = linear()
    part = (w * (asked.batch[0].numpy() - (128 / 128 - 1))).sum(0)
    falls = np.array([[part[r : r + 2, c : c + 2].sum() for c in range(3)] for r in range(3)])
    one = found(asked, "occlusion", window=2, stride=1)
    assert one.map[0, 0] == pytest.approx(falls[0, 0], rel=1e-4)
    assert one.map[1, 2] == pytest.approx(falls[0:2, 1:3].mean(), rel=1e-4)


class OneMap(nn.Module):
    """Two 1x1 filters, a ReLU, the mean of each map, one weight a map and class."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(2, 2, bias=False)

    def forward(self, x):
        return self.fc(self.relu(self.conv(x)).mean((2, 3)))


def test_cams():
    net = OneMap().eval().requires_grad_(False)
    net.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, -1.0, 0]])[..., None, None])
    net.fc.weight.copy_(torch.tensor([[0.0, 0.0], [3.0, -2.0]]))
    asked = of(net, "classification", grey())
    x = asked.batch[0].numpy()
    first, second = np.maximum(x[0], 0), np.maximum(-x[1], 0)
    expected = (3 * first - 2 * second) / 16  # the gradient of a mean of 16 is 1/16 everywhere
    np.testing.assert_allclose(found(asked, "grad-cam", layer="relu", positive=False).map, expected, atol=1e-6)
    np.testing.assert_allclose(found(asked, "grad-cam", layer="relu").map, np.maximum(expected, 0), atol=1e-6)
    np.testing.assert_allclose(found(asked, "layer-cam", layer="relu").map, 3 * first / 16, atol=1e-6)
    assert found(asked, "grad-cam").layer == "relu"
    # Gradient of the score by the pixels: through the filters where the ReLU is on.
    values = found(asked, "gradient").values
    np.testing.assert_allclose(values[0], 3 / 16 * (x[0] > 0), atol=1e-6)
    np.testing.assert_allclose(values[1], 2 / 16 * (x[1] < 0), atol=1e-6)
    assert not values[2].any()


def test_guided_rules():
    """A negative gradient that reaches a ReLU stops there; deconvolution does not ask whether the unit was on."""
    net = OneMap().eval().requires_grad_(False)
    net.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])[..., None, None])
    net.fc.weight.copy_(torch.tensor([[0.0, 0.0], [3.0, -2.0]]))
    asked = of(net, "classification", grey())
    x = asked.batch[0].numpy()
    guided, deconvolved = found(asked, "guided-backpropagation").values, found(asked, "deconvolution").values
    np.testing.assert_allclose(guided[0], 3 / 16 * (x[0] > 0), atol=1e-6)
    np.testing.assert_allclose(deconvolved[0], np.full((4, 4), 3 / 16), atol=1e-6)
    assert not guided[1].any() and not deconvolved[1].any()


def test_integrated_gradients_sum_to_the_difference():
    asked = case("cnn", seed=3)
    gaps = []
    for steps in (4, 64, 400):
        one = found(asked, "integrated-gradients", steps=steps)
        with torch.no_grad():
            black = torch.full_like(asked.batch, -1)
            difference = float(asked.module(asked.batch)[0, 1] - asked.module(black)[0, 1])
        assert one.gap == pytest.approx(one.values.sum() - difference, abs=1e-3)
        gaps.append(abs(one.gap))
    assert gaps[2] < 0.02 * abs(difference)
    assert gaps[2] < gaps[0]


def test_roll_out_of_two_blocks():
    first = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    second = torch.tensor([[0.2, 0.8], [0.4, 0.6]])
    weights = [first[None, None], torch.stack([second, torch.eye(2)])[None]]
    mean = (second + torch.eye(2)) / 2
    expected = (mean + torch.eye(2)) / 2 @ ((first + torch.eye(2)) / 2)
    torch.testing.assert_close(rolled(weights, RolloutOptions()), expected)
    largest = torch.tensor([[1.0, 0.8], [0.4, 1.0]]) + torch.eye(2)
    expected = largest / largest.sum(1, keepdim=True) @ ((first + torch.eye(2)) / 2)
    torch.testing.assert_close(rolled(weights, RolloutOptions(heads="max")), expected)
    torch.testing.assert_close(rolled(weights, RolloutOptions(first=1)), (mean + torch.eye(2)) / 2)


def test_roll_out_reads_the_attention_of_torch_and_of_fused_calls():
    class Fused(nn.Module):
        def forward(self, q, k, v):
            return nn.functional.scaled_dot_product_attention(q, k, v)

    from guiapp.interpret.attribution.rollout import attentions

    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 2, 5, 4)
    fused = Fused()
    with attentions(fused) as weights:
        output = fused(q, k, v)
    torch.testing.assert_close(weights[0] @ v, output)
    whole = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    x = torch.randn(1, 5, 8)
    with attentions(whole) as weights, torch.no_grad():
        output, _ = whole(x, x, x, need_weights=False)
    with torch.no_grad():
        expected, heads = whole(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(weights[0], heads)
    torch.testing.assert_close(output, expected)
    assert len(weights) == 1


def test_relus_that_a_rule_cannot_reach_are_told():
    class Mixed(nn.Module):
        def __init__(self, one, other):
            super().__init__()
            self.conv, self.one, self.other, self.fc = nn.Conv2d(3, 4, 3), one, other, nn.Linear(16, 2)

        def forward(self, x):
            return self.fc(self.other(self.one(self.conv(x))).flatten(1))

    picture = grey()
    for method in ("guided-backpropagation", "deconvolution", "guided-grad-cam"):
        notes = [
            run(attribute(of(Mixed(*two).eval(), "classification", picture, ("a", "b")), ClassTarget(1), method)).note
            for two in ((nn.ReLU(), nn.ReLU()), (nn.ReLU(inplace=True), torch.relu), (nn.Tanh(), torch.relu))
        ]
        assert notes[0] == "" and "one ReLU is a function" in notes[1] and "the plain gradient" in notes[2], method


def test_roll_out_looks_at_the_patches_of_a_transformer():
    asked = case("vit")
    one = run(attribute(asked, ClassTarget(0), "attention-rollout"))
    other = run(attribute(asked, ClassTarget(3), "attention-rollout"))
    assert one.map.shape == (4, 4)  # 32 pixels in patches of 8
    assert (one.map > 0).all() and 0.5 < one.map.sum() < 1  # the rest of the class token's row is itself
    np.testing.assert_array_equal(one.map, other.map)
    assert one.note
