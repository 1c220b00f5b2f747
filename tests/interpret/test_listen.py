"""Outputs are picked up while a network runs in any way, are copies, and hooks go away whatever happens."""

import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.activations import cut
from guiapp.interpret.layers import layers_of_run
from guiapp.interpret.listen import listening


def hooks(model):
    return [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]


@pytest.fixture
def parts():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(inplace=True))
    return nn.ModuleDict({"body": body, "heads": nn.ModuleList([nn.Conv2d(4, 2, 1), nn.Conv2d(4, 5, 1)])})


def test_copies_of_outputs_of_parts_that_are_called_one_by_one(parts):
    x = torch.randn(1, 3, 9, 11)
    with torch.inference_mode(), listening(parts, ("body.0", "heads.1")) as kept:
        features = parts["body"](x)
        answer = parts["heads"][1](features)
    assert torch.equal(kept["body.0"], parts["body"][0](x)), "not what the ReLU made of it in place"
    assert torch.equal(kept["heads.1"], answer) and set(kept) == {"body.0", "heads.1"}
    assert not hooks(parts)


def test_channels_off_reach_what_follows(parts):
    x = torch.randn(1, 3, 9, 11)
    with torch.inference_mode(), listening(parts, ("body.0",), {"body.0": {1, 3}}) as kept:
        features = parts["body"](x)
    assert not kept["body.0"][:, [1, 3]].any() and not features[:, [1, 3]].any() and kept["body.0"][:, 0].any()


def test_no_hook_stays_after_an_error(parts):
    with pytest.raises(UserError, match=r"no layer 'body\.7'"), listening(parts, ("body.0", "body.7")):
        pass
    with pytest.raises(ValueError, match="boom"), listening(parts, ("body.0",)):
        raise ValueError("boom")
    assert not hooks(parts)


def test_layers_of_parts_with_fields_that_refer_to_the_picture(parts):
    x = torch.randn(2, 3, 9, 11)

    def run():
        return parts["heads"][1](parts["body"](x))

    layers, extent = layers_of_run(parts, run)
    assert [layer.name for layer in layers] == ["body", "body.0", "body.1", "heads", "heads.1"]
    assert extent == (9, 11) and layers[-1].output_shape == (5, 4, 5)
    assert (layers[-1].receptive_field.size, layers[-1].receptive_field.stride) == ((3, 3), (2, 2))
    assert not hooks(parts)


def test_maps_are_cut_to_a_region_of_the_picture():
    maps = torch.arange(2 * 8 * 10).reshape(2, 8, 10)
    part, corner = cut(maps, (0.25, 0.5, 0.5, 1.0), (200, 100))  # x 50 to 100 of 200: columns 2.5 to 5
    assert corner == (4, 2) and torch.equal(part, maps[:, 4:8, 2:5])
    part, corner = cut(maps, (0.25, 0.5, 0.5, 1.0), (200, 100), (40.0, 0.0, 100.0, 100.0))  # columns 1 to 6
    assert corner == (4, 1) and part.shape == (2, 4, 5)
    part, corner = cut(maps, (0.9, 0.9, 1.0, 1.0), (200, 100), (0.0, 0.0, 100.0, 50.0))
    assert part.shape == (2, 1, 1) and corner == (7, 9), "beyond what the network sees the nearest unit stays"


def test_every_call_of_a_module_is_kept_whole_where_that_is_asked_for(parts):
    first, second = torch.randn(1, 4, 2, 3), torch.randn(1, 4, 5, 1)
    with torch.inference_mode(), listening(parts, ("heads.0()", "heads.0")) as kept:
        answers = [parts["heads"][0](first), parts["heads"][0](second)]
    assert all(call.arguments[0] is x for call, x in zip(kept["heads.0()"], (first, second), strict=True))
    assert all(call.output is answer for call, answer in zip(kept["heads.0()"], answers, strict=True))
    assert torch.equal(kept["heads.0"], answers[1]) and not hooks(parts)
