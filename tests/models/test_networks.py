"""The networks have the sizes of the course texts and compute what their formulas say."""

import math
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from guiapp.core.notices import UserError
from guiapp.models import MODELS, Preprocessing
from guiapp.models.activation import ACTIVATIONS


def build(name, channels=1, classes=10, size=(28, 28), **options):
    entry = MODELS[name]
    height, width = entry.input_size or size
    torch.manual_seed(0)
    return entry.make(Preprocessing((channels, height, width), (0.1,), (0.3,)), classes, **options)


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_importing_the_registry_loads_no_torch():
    code = "import sys, guiapp.models, guiapp.interpret, guiapp.catalogue; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lenet5_has_the_parameters_of_text_0():
    assert parameters(build("lenet5")) == 156 + 2416 + 48120 + 10164 + 850 == 61706


def test_mlp_has_the_counts_of_text_2():
    model = build("mlp")
    assert parameters(model.fc1) == 50240
    assert model.fc2.weight.numel() == 640


def test_simple_cnn_has_the_counts_of_text_2():
    assert build("simple-cnn", pool=1).fc1.weight.numel() == 51840
    assert build("simple-cnn").fc1.weight.numel() == 51840 // 4


@pytest.mark.parametrize(("kernel", "pool", "width", "height"), [(5, 2, 32, 32), (3, 2, 40, 24), (7, 3, 54, 81)])
def test_formula_of_text_0_counts_one_output_unit(kernel, pool, width, height):
    from guiapp.models.simple_cnn import SimpleCNN3

    formula = 3 * width * height // pool**6 + 21 * kernel**2 + 10
    assert parameters(SimpleCNN3(1, height, width, 1, kernel, pool)) == formula
    ten = 10 * (3 * width * height // pool**6 + 1) + 21 * kernel**2 + 9
    assert parameters(SimpleCNN3(1, height, width, 10, kernel, pool)) == ten


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_network_starts_near_log_c(name, channels):
    model = build(name, channels, classes=7).eval()
    images = torch.randn(256, channels, *(MODELS[name].input_size or (28, 28)))
    logits = model(images)
    assert logits.shape == (256, 7)
    loss = F.cross_entropy(logits, torch.arange(256) % 7).item()
    assert loss == pytest.approx(math.log(7), rel=0.1)


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if entry.trained_by == "gradient"])
def test_every_weight_gets_a_gradient(name):
    model = build(name)
    images = torch.randn(8, 1, *(MODELS[name].input_size or (28, 28)))
    F.cross_entropy(model(images), torch.arange(8)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_lenet5_is_its_formula():
    model, x = build("lenet5"), torch.randn(3, 1, 32, 32)
    w = dict(model.named_parameters())
    y = F.avg_pool2d(torch.tanh(F.conv2d(x, w["conv1.weight"], w["conv1.bias"])), 2)
    y = F.avg_pool2d(torch.tanh(F.conv2d(y, w["conv2.weight"], w["conv2.bias"])), 2)
    y = torch.tanh(F.conv2d(y, w["conv3.weight"], w["conv3.bias"])).flatten(1)
    y = torch.tanh(y @ w["fc1.weight"].T + w["fc1.bias"])
    torch.testing.assert_close(model(x), y @ w["fc2.weight"].T + w["fc2.bias"])


def test_mlp_and_multiperceptron_are_their_formulas():
    x = torch.randn(3, 1, 28, 28)
    model = build("mlp", activation="relu", hidden=5)
    w = dict(model.named_parameters())
    hidden = (x.flatten(1) @ w["fc1.weight"].T + w["fc1.bias"]).clamp_min(0)
    torch.testing.assert_close(model(x), hidden @ w["fc2.weight"].T + w["fc2.bias"])
    model = build("multiperceptron")
    torch.testing.assert_close(model(x), torch.tanh(x.flatten(1) @ model.fc.weight.T + model.fc.bias))


def test_simple_cnns_are_their_formulas():
    x = torch.randn(2, 1, 28, 28)
    model = build("simple-cnn", pooling="average")
    y = F.avg_pool2d(torch.tanh(F.conv2d(x, model.conv1.weight, model.conv1.bias)), 2).flatten(1)
    torch.testing.assert_close(model(x), F.linear(y, model.fc1.weight, model.fc1.bias))
    x = torch.randn(2, 1, 32, 32)
    y, model = x, build("simple-cnn-3")
    for conv in (model.conv1, model.conv2, model.conv3):
        y = F.max_pool2d(torch.tanh(F.conv2d(y, conv.weight, conv.bias, padding=2)), 2)
    torch.testing.assert_close(model(x), F.linear(y.flatten(1), model.fc1.weight, model.fc1.bias))


def test_cifar_cnn_is_its_formula_and_drops_only_while_training():
    model, x = build("cifar-cnn", 3).eval(), torch.randn(2, 3, 32, 32)
    w = dict(model.named_parameters())
    y = F.max_pool2d(F.relu(F.conv2d(x, w["c1.weight"], w["c1.bias"], padding=2)), 3, 2, 1)
    y = F.avg_pool2d(F.relu(F.conv2d(y, w["c3.weight"], w["c3.bias"], padding=2)), 3, 2, 1, count_include_pad=False)
    y = F.avg_pool2d(F.relu(F.conv2d(y, w["c5.weight"], w["c5.bias"], padding=2)), 3, 2, 1, count_include_pad=False)
    y = F.relu(F.linear(y.flatten(1), w["f7.weight"], w["f7.bias"]))
    torch.testing.assert_close(model(x), F.linear(y, w["f8.weight"], w["f8.bias"]))
    assert [tuple(model[:i](x).shape[1:]) for i in (3, 6, 9)] == [(32, 16, 16), (32, 8, 8), (64, 4, 4)]
    model.train()
    assert not torch.equal(model(x), model(x))


def test_multiperceptron_is_never_surer_than_text_2_allows():
    model = build("multiperceptron")
    with torch.no_grad():
        model.fc.weight[0] = 1e3
        model.fc.weight[1:] = -1e3
    best = torch.softmax(model(torch.ones(1, 1, 28, 28)), 1).max().item()
    assert best == pytest.approx(math.e / (math.e + 9 / math.e), abs=1e-6)
    assert round(best, 2) == 0.45


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("mlp", {"hidden": 0}, "hidden"),
        ("mlp", {"activation": "cosine"}, "activation"),
        ("simple-cnn", {"kernel": 40}, "kernel"),
        ("simple-cnn", {"pooling": "median"}, "pooling"),
        ("simple-cnn-3", {"kernel": 4}, "kernel"),
        ("simple-cnn-3", {"pool": 4}, "pooling"),
        ("cifar-cnn", {"dropout": 1.0}, "dropout"),
        ("knn", {"k": 0}, "k is"),
        ("knn", {"metric": "L3"}, "metric"),
    ],
)
def test_wrong_options_say_what_is_taken(name, options, word):
    with pytest.raises(UserError, match=word):
        build(name, **options)


def test_lenet5_refuses_another_size():
    with pytest.raises(UserError, match="32x32"):
        MODELS["lenet5"].make(Preprocessing((1, 28, 28), (0.1,), (0.3,)), 10)


@pytest.mark.parametrize("name", MODELS)
def test_words_that_options_take_are_all_there_is_and_each_builds(name):
    entry = MODELS[name]
    words = {option for option, default in (entry.options or {}).items() if isinstance(default, str)}
    assert set(entry.choices or {}) == words
    for option, values in (entry.choices or {}).items():
        assert entry.options[option] in values
        if option == "activation":
            assert values == tuple(ACTIVATIONS)
        for value in values:
            build(name, **{option: value})
