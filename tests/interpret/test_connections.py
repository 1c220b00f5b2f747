"""Mean weights between the layers of a dense block, against sums by hand."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret import connections
from guiapp.interpret.base import Look
from guiapp.interpret.connections import block_of
from guiapp.interpret.layers import layer_list
from guiapp.interpret.options import ConnectionOptions
from guiapp.models import Preprocessing
from guiapp.models.small_densenet import SmallDenseNet


@pytest.fixture(scope="module")
def look():
    torch.manual_seed(0)
    model = torchvision.models.DenseNet(4, (2, 3), 8, bn_size=2, num_classes=5).eval().requires_grad_(False)
    return Look(model, layer_list(model, (3, 32, 32)), Preprocessing((3, 32, 32), (0.0,), (1.0,)))


def test_every_cell_is_the_mean_of_its_weights(look):
    view = connections.run(look, ConnectionOptions("features.denseblock2"))
    assert (view.layer, view.channels) == ("features.denseblock2", (8, 4, 4, 4))
    assert view.sources == ("input", "1", "2", "3") and view.targets == ("1", "2", "3", "classifier")
    block = look.model.features.denseblock2
    third = block.denselayer3.conv1.weight.numpy()
    assert view.readers[2] == "features.denseblock2.denselayer3.conv1"
    np.testing.assert_allclose(view.strength[0, 2], np.abs(third[:, :8]).mean(), rtol=1e-6)
    np.testing.assert_allclose(view.strength[1, 2], np.abs(third[:, 8:12]).mean(), rtol=1e-6)
    np.testing.assert_allclose(view.strength[2, 2], np.abs(third[:, 12:16]).mean(), rtol=1e-6)
    classifier = look.model.classifier.weight.numpy()
    np.testing.assert_allclose(view.strength[3, 3], np.abs(classifier[:, 16:20]).mean(), rtol=1e-6)
    empty = np.isnan(view.strength)
    np.testing.assert_array_equal(empty, [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]])


def test_the_last_column_is_the_transition(look):
    view = connections.run(look)
    assert view.targets == ("1", "2", "transition1") and view.readers[-1] == "features.transition1.conv"
    weight = look.model.features.transition1.conv.weight.numpy()
    np.testing.assert_allclose(view.strength[2, 2], np.abs(weight[:, 12:16]).mean(), rtol=1e-6)


def test_the_small_densenet_has_its_blocks():
    torch.manual_seed(0)
    model = SmallDenseNet(3, 32, 32, 10, growth=4, layers=2).eval().requires_grad_(False)
    view = connections.run(Look(model, layer_list(model, (3, 32, 32)), Preprocessing((3, 32, 32), (0.0,), (1.0,))))
    assert (view.layer, view.channels, view.targets) == ("features.block1", (8, 4, 4), ("1", "2", "transition1"))
    second = model.features.block1.layer2.conv.weight.numpy()
    np.testing.assert_allclose(view.strength[1, 1], np.abs(second[:, 8:12]).mean(), rtol=1e-6)


def test_the_block_is_that_of_the_chosen_layer(look):
    layers = look.layers
    assert block_of(layers, "features.denseblock2.denselayer1.norm1") == "features.denseblock2"
    assert block_of(layers, "features.transition1.conv") == "features.denseblock1"
    assert block_of(layers, "features.conv0") == block_of(layers, "nothing") == "features.denseblock1"
    with pytest.raises(UserError, match="has none"):
        block_of(layer_list(nn.Sequential(nn.ReLU()), (3, 4, 4)), "")
