"""The filters probe shows the weights themselves, in the order it says."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.filters import rectangle
from guiapp.interpret.layers import layer_list
from guiapp.interpret.options import FilterOptions
from guiapp.models import MODELS, Preprocessing


def look(name, size=(1, 28, 28), **options):
    height, width = MODELS[name].input_size or size[1:] if name else size[1:]
    preprocessing = Preprocessing((size[0], height, width), (0.1,) * size[0], (0.3,) * size[0])
    torch.manual_seed(0)
    model = MODELS[name].make(preprocessing, 10, **options)
    return Look(model, layer_list(model, preprocessing.size), preprocessing, step=7)


def show(look, **options):
    return PROBES["filters"].run(look, FilterOptions(**options))


def test_first_layer_filters():
    seen = look("lenet5")
    view = PROBES["filters"].run(seen, None)
    weight = seen.model.conv1.weight.detach().numpy()
    assert (view.layer, view.view, view.filters, view.inputs, view.size, view.step) == (
        "conv1",
        "filters",
        6,
        1,
        (5, 5),
        7,
    )
    np.testing.assert_array_equal(view.atlas.values, weight[:, 0])
    assert view.atlas.signed
    assert view.atlas.high == np.abs(weight).max() == -view.atlas.low
    assert view.filter_of(3) == (3, None)
    np.testing.assert_allclose(view.norm, np.sqrt((weight**2).sum((1, 2, 3))), rtol=1e-6)
    np.testing.assert_allclose(view.deviation, weight.std((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(view.mean, weight.mean((1, 2, 3)), atol=1e-7)
    np.testing.assert_array_equal(view.minimum, weight.min((1, 2, 3)))
    np.testing.assert_array_equal(view.maximum, weight.max((1, 2, 3)))
    np.testing.assert_array_equal(view.bias, seen.model.conv1.bias.detach())


def test_colour():
    seen = look("cifar-cnn", (3, 32, 32))
    view = show(seen)
    assert view.view == "colour" and view.atlas.pixels.shape[2] == 4
    np.testing.assert_array_equal(view.atlas.values, seen.model.c1.weight.detach())
    one = show(seen, filter=5)
    assert one.view == "inputs" and one.atlas.count == 3
    np.testing.assert_array_equal(one.atlas.values, seen.model.c1.weight.detach()[5])


def test_deeper_filters_on_each_input():
    seen = look("lenet5")
    weight = seen.model.conv2.weight.detach().numpy()
    view = show(seen, layer="conv2", scale="filter")
    assert (view.view, view.atlas.count, view.inputs_shown) == ("inputs", 96, 6)
    assert view.atlas.columns % 6 == 0, "the inputs of a filter stay in one row"
    for tile in (0, 7, 95):
        filter, channel = view.filter_of(tile)
        np.testing.assert_array_equal(view.atlas.values[tile], weight[filter, channel])
        assert view.atlas.range_of(tile)[1] == np.abs(weight[filter]).max()
    one = show(seen, layer="conv2", filter=15)
    assert one.filter_of(5) == (15, 5)
    np.testing.assert_array_equal(one.atlas.values, weight[15])
    assert len(one.norm) == 16


def test_dense_layers_are_images_of_what_they_see():
    seen = look("mlp")
    np.testing.assert_array_equal(
        show(seen, layer="fc1").atlas.values, seen.model.fc1.weight.detach().reshape(64, 28, 28)
    )
    second = show(seen, layer="fc2")
    assert second.size == (8, 8)
    np.testing.assert_array_equal(second.atlas.values, seen.model.fc2.weight.detach().reshape(10, 8, 8))
    seen = look("simple-cnn")
    view = show(seen, layer="fc1")
    assert (view.inputs, view.size, view.atlas.count) == (9, (12, 12), 90)
    np.testing.assert_array_equal(view.atlas.values[13], seen.model.fc1.weight.detach().reshape(10, 9, 12, 12)[1, 4])
    assert show(look("lenet5"), layer="fc1").size == (10, 12)
    assert show(look("linear", (3, 8, 8))).view == "colour"


def test_very_wide_layers_are_shown_in_part_or_as_means():
    model = nn.Sequential(nn.Conv2d(1, 70, 3), nn.Conv2d(70, 70, 3), nn.Flatten(), nn.Linear(280, 8000))
    seen = Look(model, layer_list(model, (1, 6, 6)), Preprocessing((1, 6, 6), (0.1,), (0.3,)))
    view = show(seen, layer="1")
    assert view.view == "mean"
    np.testing.assert_allclose(view.atlas.values, model[1].weight.detach().mean(1), atol=1e-6)
    assert "mean over its 70" in view.tile
    assert show(seen, layer="3").view == "mean"


def test_wrong_choices_say_what_there_is():
    seen = look("lenet5")
    with pytest.raises(UserError, match="conv1, conv2, conv3, fc1, fc2"):
        show(seen, layer="tanh1")
    with pytest.raises(UserError, match="0 to 5"):
        show(seen, filter=6)
    with pytest.raises(UserError, match="no weights"):
        show(look("knn"))


def test_other_kinds_of_convolution():
    model = nn.Sequential(nn.ConvTranspose2d(2, 3, 4), nn.Conv2d(3, 5, 1), nn.Conv2d(5, 5, 3, groups=5))
    seen = Look(model, layer_list(model, (2, 8, 8)), Preprocessing((2, 8, 8), (0.1,) * 2, (0.3,) * 2))
    transposed = show(seen, layer="0")
    assert (transposed.filters, transposed.inputs, transposed.size) == (3, 2, (4, 4))
    np.testing.assert_array_equal(transposed.atlas.values[1], model[0].weight.detach()[1, 0])
    assert show(seen, layer="1").size == (1, 3)
    assert show(seen, layer="2").atlas.count == 5


def test_rectangles():
    assert [rectangle(n) for n in (64, 120, 84, 7, 1)] == [(8, 8), (10, 12), (7, 12), (1, 7), (1, 1)]
