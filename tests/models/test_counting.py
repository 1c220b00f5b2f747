"""The sums of the course texts against the parameters of the live networks."""

import pytest

from guiapp.models import MODELS, Preprocessing


def counts(name, size, classes=10, **options):
    preprocessing = Preprocessing(size, (0.5,) * size[0], (0.5,) * size[0])
    network = MODELS[name].make(preprocessing, classes, **options)
    return {c.what: c for c in MODELS[name].count(preprocessing, classes, **options)}, network


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("size", [(1, 28, 28), (1, 8, 8), (3, 32, 32)])
def test_perceptron(size):
    found, network = counts("mlp", size)
    assert found["fc1"].value == parameters(network.fc1)
    assert found["fc2"].value == network.fc2.weight.numel() == 640
    assert 50_240 in {count.value for count in found.values()}
    assert len(found) == (2 if size == (1, 28, 28) else 3)


def test_perceptron_in_words():
    found, _ = counts("mlp", (1, 28, 28))
    assert [str(c) for c in found.values()] == [
        "fc1: 64 × (28 × 28 + 1) = 50,240",
        "fc2: 10 × 64 = 640 and 10 biases",
    ]


@pytest.mark.parametrize(
    ("size", "options"), [((1, 28, 28), {}), ((3, 30, 20), {"filters": 4, "kernel": 3, "pool": 3})]
)
def test_nine_filters(size, options):
    found, network = counts("simple-cnn", size, **options)
    assert found["conv1"].value == parameters(network.conv1)
    assert found["fc1"].value == network.fc1.weight.numel()
    unpooled, network = counts("simple-cnn", size, **{**options, "pool": 1})
    assert found["fc1 without pooling"].value == unpooled["fc1"].value == network.fc1.weight.numel()
    assert "fc1 without pooling" not in unpooled
    if not options:
        assert unpooled["fc1"].value == 51_840


@pytest.mark.parametrize(("size", "options"), [((1, 32, 32), {}), ((3, 40, 40), {"kernel": 3, "pool": 3})])
def test_three_layers(size, options):
    found, network = counts("simple-cnn-3", size, 7, **options)
    assert found["here, 7 outputs"].value == parameters(network)
    one = found["text 0, one output"]
    if not options:
        assert one.formula == "3 × 32 × 32 / 2⁶ + 21 × 5² + 10"
        assert one.value == 48 + 525 + 10
    convolutions = sum(parameters(m) for n, m in network.named_children() if n.startswith("conv"))
    assert one.value == convolutions + network.fc1.in_features + 1


def test_networks_without_a_formula_have_none():
    assert counts("lenet5", (1, 32, 32))[0] == {}
