"""The residual networks for 32x32 pixels are those of the paper."""

import pytest
import torch

from guiapp.models.base import MODELS, Preprocessing
from guiapp.models.cifar_resnet import CifarResNet, PaddedShortcut


@pytest.mark.parametrize(
    ("name", "million"), [("resnet20", 0.27), ("resnet32", 0.46), ("resnet56", 0.85), ("resnet110", 1.7)]
)
def test_they_have_as_many_parameters_and_layers_as_table_6_says(name, million):
    with torch.device("meta"):
        network = MODELS[name].make(Preprocessing((3, 32, 32), (0.0,) * 3, (1.0,) * 3), 10)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(million, abs=0.036)
    counted = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(counted) == int(name.removeprefix("resnet"))


def test_the_shortcut_has_no_weights_and_the_unit_adds():
    maps = torch.arange(2 * 4 * 4.0).reshape(1, 2, 4, 4)
    short = PaddedShortcut(2, 4)(maps)
    assert (
        short.shape == (1, 4, 2, 2) and torch.equal(short[:, 1:3], maps[:, :, ::2, ::2]) and not short[:, [0, 3]].any()
    )
    network = CifarResNet(3, 32, 32, 10, 3).eval()
    unit = network.layer1[0]
    x = torch.rand(1, 16, 8, 8)
    torch.nn.init.zeros_(unit.bn2.weight)
    assert torch.equal(unit(x), x)
