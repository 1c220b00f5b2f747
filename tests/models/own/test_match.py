"""Tensors of a file against a network: by name, behind a prefix, by order; partly, or not at all."""

import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.own.match import load, match, shapes_of

NETWORK = {"a.weight": (4, 3), "a.bias": (4,), "b.num_batches_tracked": (), "c.weight": (2, 4)}


def statuses(found):
    return {row.name or row.file_name: row.status for row in found.rows}


def test_names_as_they_are_and_what_differs():
    found = match({"a.weight": (4, 3), "a.bias": (5,), "d": (1,)}, NETWORK)
    assert statuses(found) == {
        "a.weight": "fits", "a.bias": "other shape", "b.num_batches_tracked": "ignored", "c.weight": "missing",
        "d": "unexpected",
    }  # fmt: skip
    assert not found.complete and not found.filled and found.share == 1 / 4
    assert found.words == (
        "1 tensor fits; 1 missing (c.weight); 1 not in the network (d); "
        "1 of another shape (a.bias is 5, the network's 4)"
    )


@pytest.mark.parametrize("prefix", ["module.", "model.backbone.", "anything.else."])
def test_a_prefix_before_all_names(prefix):
    found = match({prefix + name: shape for name, shape in NETWORK.items()}, NETWORK)
    assert found.complete and found.how == "prefix" and found.prefix == prefix


def test_other_names_in_the_same_order_and_never_in_another():
    shapes = [shape for shape in NETWORK.values() if shape]
    found = match(dict(zip(("x", "y", "z"), shapes, strict=True)), NETWORK)
    assert found.complete and found.how == "order" and [row.file_name for row in found.rows[:3]] == ["x", "y", "z"]
    assert not match(dict(zip(("x", "y", "z"), shapes[::-1], strict=True)), NETWORK).count("fits")


def test_loading_takes_all_or_nothing_unless_parts_are_enough():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = {"0.weight": torch.ones(2, 2), "0.bias": torch.ones(2), "1.weight": torch.ones(3, 2)}
    found = match(shapes_of(state), shapes_of(network.state_dict()))
    with pytest.raises(
        UserError, match=r"mine.pth does not fit: 2 tensors fit; 1 missing \(1.bias\); 1 of another shape"
    ):
        load(network, state, found, "mine.pth", partial=False)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert load(network, state, found, "mine.pth", partial=True).endswith("2 tensors are random")
    assert torch.equal(network[0].weight, torch.ones(2, 2)) and torch.equal(network[1].weight, before["1.weight"])
    with pytest.raises(UserError):
        load(network, {"q": torch.ones(1)}, match({"q": (1,)}, shapes_of(before)), "mine.pth", partial=True)
