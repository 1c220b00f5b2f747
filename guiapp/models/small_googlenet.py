"""Inception modules on pictures of 32x32 pixels: four branches beside each other, joined channel by channel."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.initialise import initialise


def _layer(given: int, gives: int, kernel: int) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; the size stays."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(given, gives, kernel, padding=kernel // 2, bias=False),
            norm=nn.BatchNorm2d(gives),
            relu=nn.ReLU(),
        )
    )


class Inception(nn.Module):
    """1x1; 1x1 then 3x3; 1x1 then 5x5; 3x3 maximum then 1x1: joined (Szegedy et al. 2014, figure 2b; T0, T1).

    The 1x1 before the 3x3 and the 5x5 brings their inputs to fewer channels: that is what makes it cheap.

    Args:
        given: Channels that come in.
        one: Channels of the 1x1.
        three: Channels before and of the 3x3.
        five: Channels before and of the 5x5.
        pooled: Channels of the 1x1 after the maximum.
    """

    def __init__(self, given: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> None:
        super().__init__()
        self.branch1 = _layer(given, one, 1)
        self.branch2 = nn.Sequential(_layer(given, three[0], 1), _layer(three[0], three[1], 3))
        self.branch3 = nn.Sequential(_layer(given, five[0], 1), _layer(five[0], five[1], 5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _layer(given, pooled, 1))
        self.channels = one + three[1] + five[1] + pooled

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, one + three + five + pooled, H, W) of maps (N, given, H, W)."""
        return torch.cat([self.branch1(maps), self.branch2(maps), self.branch3(maps), self.branch4(maps)], 1)


class SmallGoogLeNet(nn.Module):
    """A 3x3 convolution, four Inception modules in two stages, the mean of each map, one dense layer.

    The shares of the branches are about those of GoogLeNet's module 3a: 64, 128, 32 and 32 of 256.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        filters: Channels that the first module gives; a multiple of 16.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int, filters: int = 64) -> None:
        super().__init__()
        if filters < 16 or filters % 16:
            raise UserError(f"filters is a multiple of 16 that the branches can share, not {filters}")
        self.stem = _layer(channels, filters // 2, 3)
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        given = filters // 2
        for name, width_of in (("a", filters), ("b", filters), ("c", 2 * filters), ("d", 2 * filters)):
            unit = width_of // 16
            made = Inception(given, 4 * unit, (6 * unit, 8 * unit), (unit, 2 * unit), 2 * unit)
            self.add_module(f"inception_{name}", made)
            given = made.channels
            if name == "b":
                self.pool2 = nn.MaxPool2d(3, 2, padding=1)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(given, classes)
        initialise(self, "relu")

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, height, width)."""
        maps = self.pool1(self.stem(pictures))
        maps = self.pool2(self.get_submodule("inception_b")(self.get_submodule("inception_a")(maps)))
        maps = self.get_submodule("inception_d")(self.get_submodule("inception_c")(maps))
        logits: torch.Tensor = self.fc(self.mean(maps).flatten(1))
        return logits
