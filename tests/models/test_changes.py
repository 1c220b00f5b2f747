"""Changes of a network's layers: what is put where, what is refused, what stays as it was."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.models import MODELS, Preprocessing
from guiapp.models.changed_layers import (
    ChannelsLast,
    DropConnectLinear,
    FractionalAvgPool,
    FractionalMaxPool,
    PrincipalAxes,
    ScaleShift,
    StochasticDepth,
)
from guiapp.models.changed_places import ran
from guiapp.models.changes import Changes, changed

SIZE = (1, 32, 32)


def build(name, **options):
    torch.manual_seed(0)
    return MODELS[name].build(*SIZE, 10, **{**(MODELS[name].options or {}), **options})


def kinds(model):
    return [type(module).__name__ for module in model.modules() if not list(module.children())]


def test_without_changes_the_network_is_the_very_same_and_nothing_is_drawn():
    model = build("lenet5")
    before = torch.get_rng_state()
    assert changed(model, SIZE, Changes()) is model
    assert torch.equal(torch.get_rng_state(), before)


def test_normalisation_goes_behind_every_hidden_layer_and_before_its_activation():
    model = changed(build("lenet5"), SIZE, Changes(normalisation="batch"))
    names = [one.name for one in ran(model, SIZE)]
    assert names[:4] == ["conv1", "conv1_norm", "tanh1", "pool1"]
    assert names[-4:] == ["fc1", "fc1_norm", "tanh4", "fc2"]
    assert isinstance(model.conv1_norm, nn.BatchNorm2d) and isinstance(model.fc1_norm, nn.BatchNorm1d)
    assert "conv1.weight" in model.state_dict()  # names of what was there stay


@pytest.mark.parametrize(
    ("kind", "norm"), [("layer", nn.GroupNorm), ("group", nn.GroupNorm), ("instance", nn.InstanceNorm2d)]
)
def test_a_networks_own_normalisation_is_replaced_in_its_place_with_scale_and_shift(kind, norm):
    model = build("resnet20")
    own = model.layer1[0].bn2.weight.detach().clone()
    changed(model, SIZE, Changes(normalisation=kind, groups=4))
    found = model.layer1[0].bn2
    assert isinstance(found, norm)
    assert torch.equal(found.weight, own)
    if norm is nn.GroupNorm:
        assert found.num_groups == (4 if kind == "group" else 1)
    maps = torch.randn(2, 16, 8, 8)
    with torch.no_grad():
        found.weight.fill_(1)
        result = found(maps)
    axes = {"layer": (1, 2, 3), "instance": (2, 3)}.get(kind)
    if axes:
        assert torch.allclose(result.mean(axes), torch.zeros(()), atol=1e-5)


def test_none_leaves_scale_and_shift_without_statistics():
    model = build("resnet20")
    maps = torch.randn(2, 16, 4, 4)
    changed(model, SIZE, Changes(normalisation="none"))
    found = model.layer1[0].bn2
    assert isinstance(found, ScaleShift)
    assert torch.allclose(found(maps), maps * found.weight.reshape(1, -1, 1, 1))
    assert not any("BatchNorm" in kind for kind in kinds(model))


def test_tokens_are_normalised_along_their_channels():
    model = changed(build("vit"), SIZE, Changes(normalisation="batch"))
    norm = model.blocks[0].norm1
    assert isinstance(norm, ChannelsLast)
    tokens = torch.randn(6, 5, 64) * 3 + 1
    found = norm.train()(tokens)
    assert torch.allclose(found.mean((0, 1)), torch.zeros(64), atol=1e-5)
    assert torch.allclose(found.var((0, 1), unbiased=False), torch.ones(64), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "changes", "word"),
    [
        ("lenet5", Changes(normalisation="none"), "no normalisation to leave out"),
        ("mlp", Changes(normalisation="instance"), "single numbers"),
        ("linear", Changes(normalisation="batch"), "no hidden layer"),
        ("linear", Changes(dropout=0.5), "dropout has no place"),
        ("lenet5", Changes(depth=0.5), "no shortcuts"),
        ("resnet20", Changes(pooling="fractional"), "no pooling"),
        ("lenet5", Changes(input="pca", back=False), "no picture"),
    ],
)
def test_what_has_no_place_is_refused_with_its_reason(name, changes, word):
    with pytest.raises(UserError, match=word):
        changed(build(name), SIZE, changes)


def test_dropout_sets_the_networks_own_else_stands_before_hidden_dense_layers():
    own = changed(build("cifar-cnn"), SIZE, Changes(dropout=0.2))
    assert [m.p for m in own.modules() if isinstance(m, nn.Dropout)] == [0.2]
    put = changed(build("lenet5"), SIZE, Changes(dropout=0.3))
    assert [name for name, m in put.named_children() if isinstance(m, nn.Dropout)] == ["fc1_dropout", "fc2_dropout"]
    names = list(put._modules)
    assert names.index("fc1_dropout") == names.index("fc1") - 1
    off = changed(build("cifar-cnn"), SIZE, Changes(dropout=0.0)).train()
    pictures = torch.randn(2, *SIZE)
    assert torch.equal(off(pictures), off(pictures))


def test_dropconnect_leaves_out_weights_keeps_the_mean_and_all_of_them_afterwards():
    torch.manual_seed(1)
    plain = nn.Linear(40, 3)
    layer = DropConnectLinear.of(plain, 0.25).train()
    assert layer.weight is plain.weight
    given = torch.rand(1, 40)
    drawn = layer.drawn(torch.ones(3, 40))
    assert drawn.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    mean = torch.stack([layer(given) for _ in range(4000)]).mean(0).detach()
    assert torch.allclose(mean, plain(given), atol=0.02)
    assert torch.equal(layer.eval()(given), plain(given))
    model = changed(build("lenet5"), SIZE, Changes(dropconnect=0.5))
    assert isinstance(model.fc1, DropConnectLinear) and type(model.fc2) is nn.Linear


def test_branches_are_left_out_more_often_the_later_they_are():
    model = changed(build("resnet20"), SIZE, Changes(depth=0.9))
    rates = [m.rate for m in model.modules() if isinstance(m, StochasticDepth)]
    assert rates == pytest.approx([0.1 * n for n in range(1, 10)])
    layer = StochasticDepth(0.5).train()
    torch.manual_seed(0)
    found = layer(torch.ones(1000, 2))
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(found[:, 0], found[:, 1])  # a sample's branch is there or not
    assert 0.45 < (found[:, 0] > 0).float().mean() < 0.55
    assert torch.equal(layer.eval()(found), found)
    with pytest.raises(UserError, match="no shortcuts"):
        changed(MODELS["resnet20"].build(*SIZE, 10, residual=False), SIZE, Changes(depth=0.5))


def test_a_branch_that_is_left_out_leaves_the_shortcut():
    model = changed(build("vit"), SIZE, Changes(depth=0.99))
    block = copy.deepcopy(model.blocks[3]).train()
    for module in block.modules():
        if isinstance(module, StochasticDepth):
            module.rate = 1.0 - 1e-9
    tokens = torch.randn(2, 5, 64)
    assert torch.equal(block(tokens), tokens)


def test_fractional_regions_are_those_of_torch():
    torch.manual_seed(3)
    maps, places = torch.randn(2, 3, 14, 15), torch.rand(2, 2)
    pool = FractionalMaxPool(2, 0.7)
    ours = pool._pooled(maps, places)
    samples = places.flip(1)[:, None].expand(2, 3, 2).contiguous()  # torch has the columns first
    torch_ = functional.fractional_max_pool2d(maps, 2, output_size=(9, 10), _random_samples=samples)
    assert torch.equal(ours, torch_)


def test_fractional_pooling_is_the_same_each_time_outside_of_training_and_refits_dense_layers():
    model = changed(build("lenet5"), SIZE, Changes(pooling="fractional", pool_share=0.7))
    assert [k for k in kinds(model) if "Pool" in k] == [FractionalAvgPool.__name__] * 2
    assert model.fc1.in_features > 120
    pictures = torch.randn(3, *SIZE)
    assert torch.equal(model.eval()(pictures), model(pictures))
    model.train()
    assert not torch.equal(model(pictures), model(pictures))
    plain = torch.full((1, 1, 9, 9), 5.0)
    assert torch.equal(FractionalAvgPool(2, 0.7).eval()(plain), torch.full((1, 1, 6, 6), 5.0))


def test_whitening_makes_the_covariance_of_what_it_was_fitted_to_the_identity():
    from guiapp.training.preparation import Axes, fill

    torch.manual_seed(0)
    values = torch.randn(500, 6) @ torch.randn(6, 6) + 2
    centred = values - values.mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / 500)
    layer = PrincipalAxes((1, 2, 3), 6, back=False)
    found = Axes(values.mean(0), axes.flip(1), variances.flip(0), float(variances.sum()), 500)
    fill(layer, found, whiten=True, epsilon=1e-8)
    given = layer(values.reshape(500, 1, 2, 3)).flatten(1)
    assert torch.allclose(given.T @ given / 500, torch.eye(6), atol=1e-3)
    back = PrincipalAxes((1, 2, 3), 6, back=True)
    fill(back, found, whiten=False, epsilon=1e-8)
    assert torch.allclose(back(values.reshape(500, 1, 2, 3)).flatten(1), centred, atol=1e-4)


@pytest.mark.parametrize("name", ["mlp", "resnet20"])  # a chain, and a network with a forward pass of its own
def test_the_input_layer_comes_first_and_copies_and_files_keep_it(name):
    changes = Changes(input="mean-image", normalisation="batch")
    model = changed(build(name), SIZE, changes).eval()
    with torch.no_grad():
        model.prepare.mean.uniform_()
    plain = MODELS[name]
    pictures = torch.rand(2, *SIZE)
    assert next(iter(model._modules)) == "prepare"
    assert not torch.equal(model(pictures), model(pictures + 1))
    assert torch.equal(copy.deepcopy(model)(pictures), model(pictures))
    feed = Preprocessing(SIZE, (0.0,), (1.0,))
    again = plain.make(feed, 10, changes=changes.text()).eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(pictures), model(pictures))
    assert Changes.from_text(changes.text()) == changes
