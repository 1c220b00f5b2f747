"""Networks of the zoo against those that torchvision's own builders make."""

from unittest.mock import patch

import pytest
import torch
from torchvision.models import WeightsEnum, get_model, get_model_weights

from guiapp.core.notices import UserError
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.build import Mismatch, _Initialising, build_random, build_trained

CASES = [
    pytest.param(entry, weights, id=f"{entry.name}-{weights.name}")
    for entry in ZOO.values()
    for weights in entry.weights
    if not (weights.shipped or entry.opener)
    if weights is entry.best or weights.preset != entry.best.preset
]
HUGE = 200e6  # parameters: their small sisters are built the same way


def settings(module):
    """Everything of a network that is not a tensor: layers, sizes, epsilons, thresholds."""
    plain = (int, float, bool, str, tuple, type(None))
    return [
        (name, type(inner).__name__, {key: value for key, value in vars(inner).items() if isinstance(value, plain)})
        for name, inner in module.named_modules()
    ]


@pytest.mark.parametrize(("entry", "weights"), CASES)
def test_the_network_is_the_one_that_torchvision_builds(entry, weights):
    """Ours, given nothing, against torchvision's own call with its weights, handed in where it fetches them."""
    if weights.parameters > HUGE:
        pytest.skip(f"{weights.parameters / 1e6:.0f} million parameters")
    member = get_model_weights(entry.name)[weights.name]
    with patch.object(torch.nn.Module, "load_state_dict", lambda *args, **kwargs: None):
        ours = build_trained(entry, weights, {}, "nothing")
        with patch.object(WeightsEnum, "get_state_dict", lambda *args, **kwargs: {}), _Initialising(None):
            theirs = get_model(entry.name, weights=member).eval()
    assert repr(ours) == repr(theirs)
    for mine, its in zip(settings(ours), settings(theirs), strict=True):
        assert mine == its
    shapes = {name: value.shape for name, value in ours.state_dict().items()}
    assert shapes == {name: value.shape for name, value in theirs.state_dict().items()}


@pytest.mark.parametrize(
    "name", ["squeezenet1_1", "googlenet", "ssdlite320_mobilenet_v3_large", "r3d_18", "raft_small"]
)
def test_a_state_is_loaded_whole(name):
    entry = ZOO[name]
    state = build_random(entry, seed=1).state_dict()
    module = build_trained(entry, entry.best, state, "a file")
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())
    loaded = module.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in loaded.items())
    left = [key for key in state if key not in loaded]
    assert all(key.startswith("aux") or key.endswith("num_batches_tracked") for key in left)


def test_torchs_own_generator_is_left_alone():
    """A network that trains meanwhile draws from it."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for name in ("resnet18", "ssdlite320_mobilenet_v3_large", "swin_t", "raft_small", "mvit_v2_s", "googlenet"):
        entry = ZOO[name]
        build_trained(entry, entry.best, build_random(entry).state_dict(), "a file")
        assert torch.equal(torch.get_rng_state(), before), name


def test_random_weights_are_the_same_for_a_seed_and_spread_as_torchs():
    first, again, other = (build_random(ZOO["resnet18"], seed) for seed in (0, 0, 1))
    key = "layer1.0.conv1.weight"
    assert torch.equal(first.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])
    # Kaiming, fan out: variance 2 / (64 x 3 x 3)
    assert first.state_dict()[key].std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.02)


def test_weights_of_another_network_are_told_in_one_line():
    state = build_random(ZOO["squeezenet1_1"]).state_dict()
    with pytest.raises(Mismatch) as error:
        build_trained(ZOO["resnet18"], ZOO["resnet18"].best, state, "mine.pth")
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith("mine.pth is not of ResNet-18: missing: conv1.weight, bn1.weight")
    assert "not in the network: features.0.weight" in text


def test_another_number_of_classes_is_told():
    state = {**build_random(ZOO["resnet18"]).state_dict(), "fc.weight": torch.ones(10, 512), "fc.bias": torch.ones(10)}
    with pytest.raises(
        Mismatch, match=r"fc\.weight is 10x512, the network's 1000x512, fc\.bias is 10, the network's 1000"
    ):
        build_trained(ZOO["resnet18"], ZOO["resnet18"].best, state, "mine.pth")


def test_a_torchvision_without_the_network_is_told(monkeypatch):
    import torchvision

    monkeypatch.delattr(torchvision.models, "ResNet18_Weights")
    monkeypatch.delattr(torchvision.models.resnet, "ResNet18_Weights")
    with pytest.raises(UserError, match=r"torchvision \S+ does not know resnet18"):
        build_random(ZOO["resnet18"])


def test_no_way_to_draw_initial_weights_goes_on_for_ever():
    """Truncated distributions are drawn again until all values lie within: constants have to lie there too."""
    draws = torch.nn.init
    with _Initialising(None):
        for draw in (draws.normal_, draws.uniform_, draws.trunc_normal_, draws.kaiming_normal_, draws.xavier_uniform_):
            parameter = torch.nn.Parameter(torch.empty(5, 4))
            assert draw(parameter) is parameter
        draws.trunc_normal_(torch.empty(5), mean=3.0, std=1.0, a=2.0, b=4.0)
        draws.trunc_normal_(torch.empty(5), mean=0.0, std=1.0, a=1.5, b=4.0)
