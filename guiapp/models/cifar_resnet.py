"""The residual networks for pictures of 32x32 pixels, with shortcuts that have no weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from guiapp.models.initialise import initialise

WIDTHS = (16, 32, 64)


class PaddedShortcut(nn.Module):
    """Every second pixel, with maps of zeros around the channels: the shortcut "A" of the paper, without weights."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, after, H/2, W/2) of maps (N, before, H, W)."""
        missing = self.after - self.before
        return functional.pad(maps[:, :, ::2, ::2], (0, 0, 0, 0, missing // 2, missing - missing // 2))

    def extra_repr(self) -> str:
        """Channels before and after."""
        return f"{self.before}, {self.after}"


class ResidualUnit(nn.Module):
    """relu(F(x) + x), F of two 3x3 convolutions with batch normalisation (He et al. 2015, figure 2)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = PaddedShortcut(before, after) if stride > 1 else nn.Identity()
        self.relu2 = nn.ReLU()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, after, h, w) of maps (N, before, H, W)."""
        found = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(maps)))))
        result: torch.Tensor = self.relu2(found + self.shortcut(maps))
        return result


class CifarResNet(nn.Module):
    """6n + 2 layers for pictures of 32x32 pixels (He, Zhang, Ren, Sun 2015, section 4.2; T1, residual networks).

    A first 3x3 convolution, three stages of n units with 16, 32 and 64 maps of 32, 16 and 8 pixels, the mean of each
    map, one dense layer. With three channels and ten classes and n = 3, 5, 7, 9, 18: 0.27, 0.46, 0.66, 0.85 and 1.7
    million parameters, as table 6 of the paper says.

    Args:
        channels: Of the picture.
        height, width: Of the picture; any from 8 on.
        classes: Number of logits.
        units: n, units in a stage.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int, units: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.layer1 = self._stage(WIDTHS[0], WIDTHS[0], units)
        self.layer2 = self._stage(WIDTHS[0], WIDTHS[1], units)
        self.layer3 = self._stage(WIDTHS[1], WIDTHS[2], units)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(WIDTHS[2], classes)
        initialise(self, "relu")
        for part in self.modules():
            if isinstance(part, ResidualUnit):  # each adds its share: else 54 units double the variance 54 times
                nn.init.constant_(part.bn2.weight, (3 * units) ** -0.5)

    @staticmethod
    def _stage(before: int, after: int, units: int) -> nn.Sequential:
        first = ResidualUnit(before, after, 1 if before == after else 2)
        return nn.Sequential(first, *(ResidualUnit(after, after, 1) for _ in range(units - 1)))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, H, W)."""
        maps = self.relu(self.bn1(self.conv1(pictures)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        logits: torch.Tensor = self.linear(self.mean(maps).flatten(1))
        return logits


def resnet20(channels: int, height: int, width: int, classes: int) -> CifarResNet:
    """Three units a stage."""
    return CifarResNet(channels, height, width, classes, 3)


def resnet32(channels: int, height: int, width: int, classes: int) -> CifarResNet:
    """Five units a stage."""
    return CifarResNet(channels, height, width, classes, 5)


def resnet44(channels: int, height: int, width: int, classes: int) -> CifarResNet:
    """Seven units a stage."""
    return CifarResNet(channels, height, width, classes, 7)


def resnet56(channels: int, height: int, width: int, classes: int) -> CifarResNet:
    """Nine units a stage."""
    return CifarResNet(channels, height, width, classes, 9)


def resnet110(channels: int, height: int, width: int, classes: int) -> CifarResNet:
    """Eighteen units a stage."""
    return CifarResNet(channels, height, width, classes, 18)
