"""Attention maps are the weights that the network itself uses, and lie where its patches lie."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.interpret import PROBES, capture
from guiapp.interpret.attention_options import AttentionOptions, PositionOptions, chosen_attention
from guiapp.interpret.attention_weights import attention_of, weights_of
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.listen import Call
from guiapp.models import MODELS, Preprocessing


def small_vit():
    torch.manual_seed(3)
    preprocessing = Preprocessing((1, 32, 32), (0.1,), (0.3,))
    model = MODELS["vit"].make(preprocessing, 10, patch=8, size=32, depth=2).eval()
    for parameter in model.parameters():  # weights as after training: attention that differs from place to place
        parameter.data += torch.randn_like(parameter) * 0.2
    return model, preprocessing


def small_swin(version):
    from torchvision.models.swin_transformer import (
        PatchMerging,
        PatchMergingV2,
        SwinTransformer,
        SwinTransformerBlock,
        SwinTransformerBlockV2,
    )

    torch.manual_seed(4)
    parts = {1: (SwinTransformerBlock, PatchMerging), 2: (SwinTransformerBlockV2, PatchMergingV2)}[version]
    model = SwinTransformer(
        [4, 4], 24, [2, 2], [3, 6], [4, 4], num_classes=5, block=parts[0], downsample_layer=parts[1]
    )
    for name, parameter in model.named_parameters():
        if "bias" in name or "logit" in name:
            parameter.data += torch.randn_like(parameter) * 0.3
    return model.eval().requires_grad_(False)


def look_at(model, preprocessing, name, options=None):
    """A look as both lanes make it."""
    probe = PROBES[name]
    options = options or probe.options()
    layers = layer_list(model, preprocessing.size)
    x = torch.randn(1, *preprocessing.size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        output, kept = capture.run(model, x, probe.layers(layers, options))
        torch.testing.assert_close(output, model(x))
        look = Look(model, layers, preprocessing, input=x, output=output, activations=kept)
        return probe.run(look, options)


def test_weights_are_the_softmax_of_the_paper():
    torch.manual_seed(0)
    module, x = nn.MultiheadAttention(6, 2, batch_first=True).eval(), torch.randn(1, 5, 6)
    found = weights_of(module, Call((x, x, x), None))
    q, k, _ = functional.linear(x, module.in_proj_weight, module.in_proj_bias).chunk(3, 2)
    for head in range(2):
        part = slice(3 * head, 3 * head + 3)
        scores = q[0, :, part] @ k[0, :, part].T / math.sqrt(3)
        torch.testing.assert_close(found[0, head], scores.softmax(1).detach())


def test_masks_are_kept():
    module, x = nn.MultiheadAttention(4, 1, batch_first=True).eval(), torch.randn(1, 3, 4)
    blind = torch.ones(3, 3).triu(1).bool()
    found = weights_of(module, Call((x, x, x), None, {"attn_mask": blind}))
    assert (found[0, 0][blind] == 0).all() and torch.allclose(found.sum(3), torch.ones(1, 1, 3))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("block", [0, 1])  # the second is shifted
def test_windows_give_the_output_of_the_layer(version, block):
    model = small_swin(version)
    module, x = model.features[1][block].attn, torch.randn(1, 6, 10, 24)  # no multiple of 4: padded
    found = attention_of(module, Call((x,), None), (), (24, 40))
    assert (found.grid, found.extra, found.heads) == ((6, 10), 0, 3)
    seen = np.sort(found.places[found.places >= 0])
    assert seen.tolist() == list(range(60))
    value = functional.linear(x, module.qkv.weight, module.qkv.bias)[..., 48:].reshape(60, 3, 8)
    padding = (module.qkv.bias[48:].reshape(3, 8) if module.qkv.bias is not None else torch.zeros(3, 8))[None]
    value = torch.cat([value, padding])  # the last, -1, stands for what was padded
    expected = module(x).reshape(60, 24)
    for query in (0, 17, 33, 59):
        window, row = np.argwhere(found.places == query)[0]
        weights = torch.from_numpy(found.weights[window, :, row])  # (heads, keys)
        mixed = torch.einsum("hk,khd->hd", weights, value[found.places[window]]).flatten()
        result = functional.linear(mixed, module.proj.weight, module.proj.bias)
        torch.testing.assert_close(result, expected[query], rtol=1e-4, atol=1e-5)


def test_timm_attention_is_read_whether_fused_or_not():
    timm = pytest.importorskip("timm.layers.attention")
    torch.manual_seed(0)
    module, x = (
        timm.Attention(12, 3, qkv_bias=True, qk_norm=True, norm_layer=nn.LayerNorm).eval(),
        torch.randn(1, 5, 12),
    )
    both = []
    for fused in (True, False):
        module.fused_attn = fused
        both.append(weights_of(module, Call((x,), None)))
    torch.testing.assert_close(*both)
    value = module.qkv(x).reshape(5, 3, 3, 4)[:, 2]
    mixed = torch.einsum("hqk,khd->qhd", both[0][0], value).reshape(1, 5, 12)
    torch.testing.assert_close(module.proj(mixed), module(x))


@pytest.mark.parametrize(("name", "side"), [("swin_tiny_patch4_window7_224", 56), ("swinv2_tiny_window8_256", 64)])
def test_windows_of_timm_hold_the_tokens_of_their_places(name, side):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    model = timm.create_model(name, img_size=side, embed_dim=12, depths=(2, 1, 1, 1)).eval()
    layers, block = layer_list(model, (3, side, side)), "layers.0.blocks.1"
    with torch.no_grad():
        _, kept = capture.run(model, torch.randn(1, 3, side, side), [f"{block}.attn()", f"{block}()"])
        call, holder = kept[f"{block}.attn()"][-1], model.get_submodule(block)
        tokens = kept[f"{block}()"][-1].arguments[0]
        tokens = (tokens if "v2" in name else holder.norm1(tokens)).reshape(-1, 12)  # version 2 normalises afterwards
        found = attention_of(holder.attn, call, layers, (side, side), f"{block}.attn", holder)
    assert found.grid == (side // 4, side // 4) and len(found.places) == 4
    assert np.any(np.diff(found.places[-1]) < 0), "shifted: the last window has tokens of both ends"
    torch.testing.assert_close(call.arguments[0], tokens[found.places])
    np.testing.assert_allclose(np.nansum(found.looks_at(33), 1), 1, rtol=1e-5)


def test_the_probe_lays_attention_over_the_patches():
    model, preprocessing = small_vit()
    found = look_at(model, preprocessing, "attention", AttentionOptions("blocks.1.attention"))
    assert (found.layer, found.grid, found.extra, found.query) == ("blocks.1.attention", (4, 4), 1, 0)
    assert found.maps.values.shape == (4, 4, 4)
    np.testing.assert_allclose(found.maps.values.sum((1, 2)) + found.itself, 1, rtol=1e-5)
    assert found.picture.shape == (32, 32, 3)
    patch = look_at(model, preprocessing, "attention", AttentionOptions("blocks.1.attention", query=6))
    np.testing.assert_allclose(found.looks(6), patch.maps.values, rtol=1e-6)
    mean = look_at(model, preprocessing, "attention", AttentionOptions("blocks.1.attention", of="mean"))
    each = np.mean([found.looks(token) for token in range(17)], 0)
    np.testing.assert_allclose(mean.maps.values, each, rtol=1e-5)
    assert mean.query is None
    with pytest.raises(UserError, match="no token 17"):
        look_at(model, preprocessing, "attention", AttentionOptions(query=17))


def test_every_layer_is_a_row_of_heads():
    model, preprocessing = small_vit()
    found = look_at(model, preprocessing, "attention", AttentionOptions(every=True))
    assert found.layers == ("blocks.1.attention", "blocks.2.attention")
    assert (found.maps.count, found.maps.columns) == (8, 4)
    single = look_at(model, preprocessing, "attention", AttentionOptions("blocks.1.attention"))
    np.testing.assert_allclose(found.maps.values[:4], single.maps.values, rtol=1e-6)
    swin = look_at(
        small_swin(1), Preprocessing((3, 64, 64), (0.5,) * 3, (0.2,) * 3), "attention", AttentionOptions(every=True)
    )
    assert (swin.maps.count, swin.maps.columns, swin.maps.values.shape[1:]) == (24, 6, (16, 16))
    assert np.isnan(swin.maps.values[3]).all() and swin.distance.shape == (4, 6)


def test_distance_and_entropy_of_a_head_that_looks_evenly_and_of_one_that_looks_at_itself():
    module = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.in_proj_weight[4:8, 4:8] = torch.eye(4)  # the second head's queries and keys: what the place is
        module.in_proj_weight[12:16, 4:8] = torch.eye(4)
    x = torch.zeros(1, 4, 8)
    x[0, :, 4:] = 1000 * torch.eye(4)
    found = attention_of(module, Call((x, x, x), None), (), (32, 32))
    distance, entropy = found.spread()
    np.testing.assert_allclose(distance, [(1 + 1 + math.sqrt(2)) / 4, 0], atol=1e-6)
    np.testing.assert_allclose(entropy, [math.log(4), 0], atol=1e-6)


def test_positions_are_compared_and_biases_laid_out():
    model, preprocessing = small_vit()
    found = look_at(model, preprocessing, "positions")
    assert (found.kind, found.grid, found.maps.count) == ("similarity", (4, 4), 16)
    own = model.embedding.position.detach()[0, 1:]
    expected = functional.cosine_similarity(own[5], own, dim=1).reshape(4, 4)
    np.testing.assert_allclose(found.maps.values[5], expected, rtol=1e-5)
    swin = small_swin(1)
    size = Preprocessing((3, 64, 64), (0.5,) * 3, (0.2,) * 3)
    bias = look_at(swin, size, "positions", PositionOptions("features.1.0"))
    table = swin.features[1][0].attn.relative_position_bias_table  # (49, heads), of query minus key
    np.testing.assert_allclose(bias.maps.values, table.T.reshape(3, 7, 7).flip(1, 2).numpy(), rtol=1e-6)


def test_a_network_without_attention_says_so_and_nothing_stays_behind():
    model, preprocessing = small_vit()
    look_at(model, preprocessing, "attention")
    assert not any(module._forward_hooks for module in model.modules())
    lenet = MODELS["lenet5"].make(preprocessing, 10).eval()
    for probe in ("attention", "positions"):
        with pytest.raises(UserError, match="no attention layers"):
            look_at(lenet, preprocessing, probe)


def test_a_chosen_layer_means_the_attention_near_it():
    model, preprocessing = small_vit()
    layers = layer_list(model, preprocessing.size)
    assert chosen_attention(layers, "blocks.1") == "blocks.1.attention"
    assert chosen_attention(layers, "blocks.2.mlp.fc1") == "blocks.2.attention"
    assert chosen_attention(layers, "patches") == chosen_attention(layers, "") == "blocks.2.attention"


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t"])
def test_published_transformers_from_the_command_line(name, tmp_path, capsys):
    from PIL import Image

    from guiapp.cli import main
    from guiapp.imaging.street import street

    file = tmp_path / "street.png"
    Image.fromarray(street().pixels).save(file)
    assert main(["probe", "attention", name, str(file), "--weights", "random", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["result"]
    assert found["grid"] == ([14, 14] if name == "vit_b_16" else [7, 7])
