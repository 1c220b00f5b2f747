"""Every method gives what Captum's own class gives when it is called directly, with the target as an index."""

import warnings

import numpy as np
import pytest
import torch
from captum import attr
from torchvision.models.resnet import BasicBlock, ResNet

from guiapp.interpret.attribution import METHODS, attribute
from guiapp.interpret.targets import ClassTarget
from tests.interpret.attribution.networks import case, run

CLASS = 2
FAMILIES = ("cnn", "resnet", "vit", "swin")


def asked_of(family):
    asked = case(family, seed=5)
    return asked, asked.batch.requires_grad_()


def directly(work):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work().detach()


def plain_picture(asked, level):
    """The prepared picture of one grey level."""
    return torch.full_like(asked.batch, level / 128 - 1)


def ours(asked, method, **options):
    return run(attribute(asked, ClassTarget(CLASS), method, METHODS[method].options(**options)))


def same(found, expected, tolerance=1e-5):
    expected = expected[0].numpy()
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("method", "peer"),
    [
        ("gradient", lambda net, x: attr.Saliency(net).attribute(x, target=CLASS, abs=False)),
        ("gradient-x-input", lambda net, x: attr.InputXGradient(net).attribute(x, target=CLASS)),
        ("guided-backpropagation", lambda net, x: attr.GuidedBackprop(net).attribute(x, target=CLASS)),
        ("deconvolution", lambda net, x: attr.Deconvolution(net).attribute(x, target=CLASS)),
    ],
)
def test_one_backward_pass(family, method, peer):
    asked, x = asked_of(family)
    found = ours(asked, method)
    same(found, directly(lambda: peer(asked.module, x)))
    with torch.no_grad():
        assert found.score == pytest.approx(float(asked.module(x)[0, CLASS]), rel=1e-5)


@pytest.mark.parametrize(
    "kind", [("mean", "smoothgrad"), ("mean of squares", "smoothgrad_sq"), ("variance", "vargrad")]
)
def test_smooth_grad_draws_what_captum_draws(kind):
    asked, x = asked_of("cnn")
    spread = 0.2 * float(x.detach().max() - x.detach().min())
    tunnel = attr.NoiseTunnel(attr.Saliency(asked.module))
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = directly(
            lambda: tunnel.attribute(x, nt_type=kind[1], nt_samples=80, stdevs=spread, target=CLASS, abs=False)
        )
    found = ours(asked, "smooth-grad", samples=80, noise=0.2, kind=kind[0], seed=7)  # 80 go through in two parts
    same(found, expected, 1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rule", ["gausslegendre", "riemann_trapezoid", "riemann_left"])
def test_integrated_gradients(family, rule):
    asked, x = asked_of(family)
    base = plain_picture(asked, 255)
    method = attr.IntegratedGradients(asked.module)
    expected, gap = method.attribute(x, base, CLASS, n_steps=70, method=rule, return_convergence_delta=True)
    found = ours(asked, "integrated-gradients", steps=70, baseline="white", rule=rule)
    same(found, expected.detach(), 1e-4)
    assert found.gap == pytest.approx(float(gap[0]), abs=1e-3)


@pytest.mark.parametrize("family", ["cnn", "vit", "swin"])
def test_deep_lift(family):
    asked, x = asked_of(family)
    base = plain_picture(asked, 0)
    expected = directly(lambda: attr.DeepLift(asked.module).attribute(x, base, target=CLASS))
    same(ours(asked, "deep-lift"), expected)


class Twice(BasicBlock):
    """torchvision's residual block with a ReLU for each of its two calls."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.second = torch.nn.ReLU()

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.second(out + (x if self.downsample is None else self.downsample(x)))


def test_deep_lift_where_a_module_is_called_twice():
    """Captum refuses torchvision's residual blocks, whose ReLU is called twice; here each call counts by itself."""
    asked, x = asked_of("resnet")
    base = plain_picture(asked, 0)
    with pytest.raises(RuntimeError, match="used more than once"):
        directly(lambda: attr.DeepLift(asked.module).attribute(x, base, target=CLASS))
    apart = ResNet(Twice, [1, 1, 1, 1], 5).eval().requires_grad_(False)
    apart.load_state_dict(asked.module.state_dict())
    expected = directly(lambda: attr.DeepLift(apart).attribute(x, base, target=CLASS))
    same(ours(case("resnet", seed=5), "deep-lift"), expected)


@pytest.mark.parametrize(("window", "stride"), [(8, 8), (9, 4), (32, 1)])
def test_occlusion(window, stride):
    asked, x = asked_of("cnn")
    expected = attr.Occlusion(asked.module).attribute(
        x.detach(), (3, window, window), strides=(3, stride, stride), baselines=plain_picture(asked, 128), target=CLASS
    )
    found = ours(asked, "occlusion", window=window, stride=stride)
    np.testing.assert_allclose(found.map, expected[0, 0].numpy(), atol=1e-5)


@pytest.mark.parametrize(("family", "layer"), [("cnn", "features.3"), ("cnn", "features"), ("resnet", "layer2")])
@pytest.mark.parametrize("positive", [True, False])
def test_grad_cam(family, layer, positive):
    asked, x = asked_of(family)
    cam = attr.LayerGradCam(asked.module, asked.module.get_submodule(layer))
    expected = directly(lambda: cam.attribute(x, target=CLASS, relu_attributions=positive))
    found = ours(asked, "grad-cam", layer=layer, positive=positive)
    np.testing.assert_allclose(found.map, expected[0, 0].numpy(), rtol=1e-4, atol=1e-6)
    assert found.layer == layer


@pytest.mark.parametrize(("family", "layer"), [("cnn", "features.3"), ("resnet", "layer2")])
def test_guided_grad_cam(family, layer):
    asked, x = asked_of(family)
    guided = attr.GuidedGradCam(asked.module, asked.module.get_submodule(layer))
    expected = directly(lambda: guided.attribute(x, target=CLASS))
    assert expected.abs().sum() > 0
    same(ours(asked, "guided-grad-cam", layer=layer), expected)


@pytest.mark.parametrize("measure", ["probability", "log-probability"])
def test_other_measures_of_a_class(measure):
    asked, x = asked_of("cnn")
    soft = {"probability": torch.softmax, "log-probability": torch.log_softmax}[measure]
    expected = directly(lambda: attr.Saliency(lambda b: soft(asked.module(b), 1)).attribute(x, target=CLASS, abs=False))
    same(run(attribute(asked, ClassTarget(CLASS, measure), "gradient")), expected)
