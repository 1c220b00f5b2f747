"""Grouped convolutions: figures by hand, connections as blocks, the dense twin."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.interpret.cost_run import measure
from guiapp.interpret.groups import connections, grouped, timing, view_of


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 12, 3, groups=4, bias=True), nn.Conv2d(12, 12, 3, groups=12, bias=False)
    ).eval()


def test_figures_are_those_of_the_formula(network):
    found, count = grouped(measure(network, (3, 10, 10)))
    assert count == 3 and [conv.name for conv in found] == ["1", "2"]
    first, second = found
    assert (first.inputs, first.outputs, first.groups, first.output) == (8, 12, 4, (6, 6))
    assert (first.parameters, first.dense_parameters) == (9 * 2 * 12 + 12, 9 * 8 * 12 + 12)
    assert (first.flops, first.dense_flops) == (2 * 9 * 2 * 12 * 36, 2 * 9 * 8 * 12 * 36)
    assert not first.depthwise and second.depthwise
    assert (second.parameters, second.dense_parameters) == (9 * 12, 9 * 144)


def test_the_whole_network_made_dense_is_a_dense_network(network):
    found = view_of(network, measure(network, (3, 10, 10)), "2")
    dense = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 12, 3), nn.Conv2d(12, 12, 3, bias=False))
    from guiapp.interpret.cost import cost_of

    total = cost_of(measure(dense, (3, 10, 10))).total
    assert (found.dense_parameters, found.dense_flops) == (total.parameters, total.flops)
    assert found.parameters == sum(p.numel() for p in network.parameters()) and found.layer == "2"


def test_connections_are_blocks_of_mean_weights(network):
    weight = network[1].weight.detach()
    found = connections(weight, 4)
    assert found.shape == (12, 8)
    for row in range(12):
        block = row // 3 * 2
        np.testing.assert_allclose(found[row, block : block + 2], weight[row].abs().mean((1, 2)), rtol=1e-6)
        assert np.isnan(np.delete(found[row], [block, block + 1])).all()
    wide = connections(torch.ones(600, 1, 3, 3), 600)
    assert wide.shape == (256, 256) and np.nanmin(wide) == np.nanmax(wide) == 1
    assert np.isfinite(np.diagonal(wide)).all() and np.isnan(wide[0, 5:]).all()


def test_timing_leaves_the_network_as_it_was(network):
    (conv, _), _ = grouped(measure(network, (3, 10, 10)))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    generator = timing(network, conv, (8, 8))
    shares = []
    while True:
        try:
            shares.append(next(generator)[0])
        except StopIteration as end:
            found = end.value
            break
    assert found.name == "1" and found.grouped > 0 and found.dense > 0 and shares[-1] < 1
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_resnext_has_its_32_groups_and_a_plain_network_none():
    from torchvision.models import resnext50_32x4d

    with torch.device("meta"):
        found, count = grouped(measure(resnext50_32x4d(), (3, 64, 64)))
    assert {conv.groups for conv in found} == {32} and (len(found), count) == (16, 53)
    assert grouped(measure(nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 8, 8))) == ((), 1)
