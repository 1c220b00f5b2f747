"""What a layer does in short, against the modules that say it, and what is joined in the published networks."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops import MultiScaleRoIAlign, StochasticDepth

from guiapp.interpret.detail import detail_of, joined_text
from guiapp.interpret.layers import layer_list


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.Conv2d(64, 128, 3, stride=2, padding=1, groups=32), "64 → 128, 3×3, stride 2, 32 groups"),
        (nn.Conv2d(960, 256, 3, padding=12, dilation=12), "960 → 256, 3×3, dilation 12 (spans 25×25)"),
        (nn.Conv2d(8, 8, (5, 1), stride=(2, 1)), "8 → 8, 5×1, stride 2×1"),
        (nn.Conv2d(8, 16, 3, groups=8), "8 → 16, 3×3, depthwise"),
        (nn.Conv2d(8, 16, 1, dilation=2), "8 → 16, 1×1, dilation 2"),
        (nn.Conv1d(4, 8, 9), "4 → 8, 9"),
        (nn.Conv3d(3, 64, (3, 7, 7), stride=(1, 2, 2)), "3 → 64, 3×7×7, stride 1×2×2"),
        (nn.ConvTranspose2d(256, 128, 2, stride=2), "256 → 128, 2×2, stride 2, transposed"),
        (nn.Linear(512, 1000), "512 → 1000"),
        (nn.MaxPool2d(3, 2), "max 3×3, stride 2"),
        (nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)), "max 1×3×3, stride 1×2×2"),
        (nn.AvgPool2d(2), "mean 2×2, stride 2"),
        (nn.MaxPool2d(3, 1, 1), "max 3×3"),
        (nn.AdaptiveAvgPool2d(1), "mean to 1×1"),
        (nn.AdaptiveAvgPool2d((6, None)), "mean to 6×?"),
        (MultiScaleRoIAlign(["0"], 7, 2), "to 7×7"),
        (nn.MultiheadAttention(768, 12), "768, 12 heads of 64"),
        (nn.Embedding(10, 4), "10 of 4"),
        (nn.LSTM(7, 5), "7 → 5"),
        (nn.GroupNorm(4, 32), "32 in 4 groups"),
        (nn.LocalResponseNorm(5), "over 5 maps"),
        (nn.Dropout(0.25), "p 0.25"),
        (StochasticDepth(0.1, "row"), "p 0.1"),
        (nn.Upsample(scale_factor=2), "by 2"),
        (nn.BatchNorm2d(7), ""),
        (nn.ReLU(), ""),
        (nn.Sequential(nn.Linear(2, 2)), ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_short_forms(module, said):
    assert detail_of(module) == said


def test_what_is_joined():
    assert joined_text(256, 192, [64, 128, 32, 32]) == "64 + 128 + 32 + 32 joined"
    assert joined_text(256, 64, [32] * 6) == "64 + 6 × 32 joined"
    assert joined_text(256, 192, [64, 256]) == "" and joined_text(64, 64, [64]) == ""


def details(name, **options):
    with torch.device("meta"):
        model = torchvision.models.get_model(name, weights=None, **options)
    return {layer.name: layer.detail for layer in layer_list(model, (3, 224, 224))}


def test_branches_of_inception_and_growth_of_densenet_are_told():
    found = details("googlenet", init_weights=False)
    assert found["inception3a"] == "64 + 128 + 32 + 32 joined" and found["inception5b"].startswith("384 + 384")
    assert found["inception3a.branch2"] == "" and found["inception3a.branch2.1.conv"] == "96 → 128, 3×3"
    found = details("densenet121")
    assert found["features.denseblock3"] == "256 + 24 × 32 joined"
    assert found["features.denseblock3.denselayer24.conv1"] == "992 → 128, 1×1"


def test_cardinality_and_heads_are_told():
    assert details("resnext50_32x4d")["layer1.0.conv2"] == "128 → 128, 3×3, 32 groups"
    found = details("swin_t")
    assert found["features.1.0.attn"] == "96, 3 heads of 32" and found["features.1.0.mlp.0"] == "96 → 384"
