"""DenseNet on pictures of 32x32 pixels: every layer of a block sees the maps of all before it."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.initialise import initialise


class DenseLayer(nn.Module):
    """Batch normalisation, ReLU, 3x3 convolution; its maps are joined to those that came in.

    Args:
        given: Channels that come in.
        growth: Channels that it adds (k of the paper).
    """

    def __init__(self, given: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(given)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(given, growth, 3, padding=1, bias=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, given + growth, H, W) of maps (N, given, H, W)."""
        return torch.cat([maps, self.conv(self.relu(self.norm(maps)))], 1)


class DenseBlock(nn.Sequential):
    """Dense layers one after the other; what looks at dense blocks knows one by its type."""


class SmallDenseNet(nn.Module):
    """Three dense blocks with transitions between them (Huang et al. 2016, arXiv 1608.06993; T3, dense connections).

    A block of L layers that is given k0 maps ends with k0 + L k. A transition is a 1x1 convolution to half the maps
    and average pooling by 2.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        growth: k, maps that a layer adds.
        layers: L, layers in a block.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int, growth: int = 12, layers: int = 5) -> None:
        super().__init__()
        if growth < 1 or layers < 1:
            raise UserError(f"growth and layers are at least 1, not {growth} and {layers}")
        given = 2 * growth
        parts: OrderedDict[str, nn.Module] = OrderedDict(conv=nn.Conv2d(channels, given, 3, padding=1, bias=False))
        for block in (1, 2, 3):
            made: OrderedDict[str, nn.Module] = OrderedDict()
            for number in range(1, layers + 1):
                made[f"layer{number}"] = DenseLayer(given, growth)
                given += growth
            parts[f"block{block}"] = DenseBlock(made)
            parts[f"norm{block}"] = nn.BatchNorm2d(given)
            parts[f"relu{block}"] = nn.ReLU()
            if block < 3:
                parts[f"transition{block}"] = nn.Conv2d(given, given // 2, 1, bias=False)
                parts[f"pool{block}"] = nn.AvgPool2d(2)
                given //= 2
        self.features = nn.Sequential(parts)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(given, classes)
        initialise(self, "relu")

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, height, width)."""
        logits: torch.Tensor = self.fc(self.mean(self.features(pictures)).flatten(1))
        return logits
