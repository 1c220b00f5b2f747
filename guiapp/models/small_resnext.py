"""ResNeXt on pictures of 32x32 pixels: bottlenecks whose 3x3 works on groups of channels apart."""

from __future__ import annotations

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.initialise import initialise


class Bottleneck(nn.Module):
    """relu(F(x) + x), F of 1x1, grouped 3x3, 1x1 (Xie et al. 2016, arXiv 1611.05431, figure 3c; T1, T3).

    With g groups of d channels it is the sum of g small bottlenecks beside each other: the cardinality is g.

    Args:
        given, gives: Channels outside.
        groups: Cardinality.
        size: Channels of a group.
        stride: Of the 3x3.
    """

    def __init__(self, given: int, gives: int, groups: int, size: int, stride: int) -> None:
        super().__init__()
        inner = groups * size
        self.conv1 = nn.Conv2d(given, inner, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(inner)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(inner, gives, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(gives)
        same = stride == 1 and given == gives
        self.shortcut = nn.Identity() if same else nn.Conv2d(given, gives, 1, stride, bias=False)
        self.relu3 = nn.ReLU()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, gives, h / stride, w / stride) of maps (N, given, h, w)."""
        found = self.relu1(self.norm1(self.conv1(maps)))
        found = self.relu2(self.norm2(self.conv2(found)))
        found = self.norm3(self.conv3(found))
        out: torch.Tensor = self.relu3(found + self.shortcut(maps))
        return out


class SmallResNeXt(nn.Module):
    """A 3x3 convolution, three stages of two bottlenecks, the mean of each map, one dense layer.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        groups: Cardinality; 1 is a residual network.
        size: Channels of a group in the first stage; twice as many in each further one.
        filters: Channels that the first stage gives.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        groups: int = 8,
        size: int = 4,
        filters: int = 64,
    ) -> None:
        super().__init__()
        if min(groups, size, filters) < 1:
            raise UserError(f"groups, size and filters are at least 1, not {groups}, {size} and {filters}")
        self.conv = nn.Conv2d(channels, filters // 2, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(filters // 2)
        self.relu = nn.ReLU()
        given, stages = filters // 2, []
        for stage in (1, 2, 3):
            gives = filters * 2 ** (stage - 1)
            first = Bottleneck(given, gives, groups, size * 2 ** (stage - 1), 1 if stage == 1 else 2)
            stages.append(nn.Sequential(first, Bottleneck(gives, gives, groups, size * 2 ** (stage - 1), 1)))
            given = gives
        self.layer1, self.layer2, self.layer3 = stages
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(given, classes)
        initialise(self, "relu")
        for part in self.modules():
            if isinstance(part, Bottleneck):  # each of the six adds its share of the variance
                nn.init.constant_(part.norm3.weight, 6**-0.5)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, height, width)."""
        maps = self.relu(self.norm(self.conv(pictures)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        logits: torch.Tensor = self.fc(self.mean(maps).flatten(1))
        return logits
