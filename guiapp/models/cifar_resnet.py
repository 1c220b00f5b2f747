"""The residual networks for pictures of 32x32 pixels, with shortcuts that have no weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import UserError
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
    """Two 3x3 convolutions F beside a shortcut, with normalisation and ReLU at one of the places that were tried.

    He et al. 2016, arXiv 1603.05027, figure 4; T3, residual networks, has the table of their errors:

    - ``"original"``: relu(x + F(x)), F = conv, bn, relu, conv, bn;
    - ``"bn-after-addition"``: relu(bn(x + F(x))), F = conv, bn, relu, conv;
    - ``"relu-before-addition"``: x + F(x), F = conv, bn, relu, conv, bn, relu;
    - ``"relu-only-pre-activation"``: x + F(x), F = relu, conv, bn, relu, conv, bn;
    - ``"full-pre-activation"``: x + F(x), F = bn, relu, conv, bn, relu, conv.

    Without the shortcut it is two layers of a plain network: nothing is added.

    Args:
        before, after: Channels.
        stride: Of the first convolution.
        unit: One of ``UNITS``.
        residual: Whether x is added.
    """

    def __init__(self, before: int, after: int, stride: int, unit: str = "original", residual: bool = True) -> None:
        super().__init__()
        made: dict[str, nn.Module] = {
            "conv1": nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
            "bn1": nn.BatchNorm2d(before if unit == "full-pre-activation" else after),
            "relu1": nn.ReLU(),
            "conv2": nn.Conv2d(after, after, 3, padding=1, bias=False),
            "bn2": nn.BatchNorm2d(after),
            "relu2": nn.ReLU(),
        }
        inner, outer = _ORDERS[unit]
        shortcut: nn.Module = PaddedShortcut(before, after) if stride > 1 else nn.Identity()
        self._inner, self._outer = inner, outer
        for name in inner:
            self.add_module(name, made[name])
        self.shortcut = shortcut if residual else None
        for name in outer:
            self.add_module(name, made[name])

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, after, h, w) of maps (N, before, H, W)."""
        found = maps
        for name in self._inner:
            found = self.get_submodule(name)(found)
        if self.shortcut is not None:
            found = found + self.shortcut(maps)
        for name in self._outer:
            found = self.get_submodule(name)(found)
        return found


_ORDERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "original": (("conv1", "bn1", "relu1", "conv2", "bn2"), ("relu2",)),
    "bn-after-addition": (("conv1", "bn1", "relu1", "conv2"), ("bn2", "relu2")),
    "relu-before-addition": (("conv1", "bn1", "relu1", "conv2", "bn2", "relu2"), ()),
    "relu-only-pre-activation": (("relu1", "conv1", "bn1", "relu2", "conv2", "bn2"), ()),
    "full-pre-activation": (("bn1", "relu1", "conv1", "bn2", "relu2", "conv2"), ()),
}
UNITS = tuple(_ORDERS)


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
        unit: Where normalisation and ReLU stand, see ``ResidualUnit``.
        residual: Whether the units have shortcuts; without them it is the plain network of the same layers.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        units: int,
        unit: str = "original",
        residual: bool = True,
    ) -> None:
        super().__init__()
        if unit not in UNITS:
            raise UserError(f"unit is one of {', '.join(UNITS)}, not {unit!r}")
        self._unit, self._residual = unit, residual
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.layer1 = self._stage(WIDTHS[0], WIDTHS[0], units)
        self.layer2 = self._stage(WIDTHS[0], WIDTHS[1], units)
        self.layer3 = self._stage(WIDTHS[1], WIDTHS[2], units)
        # A unit that ends with an addition leaves its sum as it is: the last one is activated here (section 3.3).
        self.bn2 = nn.BatchNorm2d(WIDTHS[2]) if unit == "full-pre-activation" else None
        self.relu2 = nn.ReLU() if unit.endswith("pre-activation") else None
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(WIDTHS[2], classes)
        initialise(self, "relu")
        for part in self.modules():
            # Each adds its share: else 54 units double the variance 54 times.
            if isinstance(part, ResidualUnit) and residual and unit == "original":
                nn.init.constant_(part.get_parameter("bn2.weight"), (3 * units) ** -0.5)

    def _stage(self, before: int, after: int, units: int) -> nn.Sequential:
        first = ResidualUnit(before, after, 1 if before == after else 2, self._unit, self._residual)
        return nn.Sequential(
            first, *(ResidualUnit(after, after, 1, self._unit, self._residual) for _ in range(units - 1))
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, H, W)."""
        maps = self.relu(self.bn1(self.conv1(pictures)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        for last in (self.bn2, self.relu2):
            maps = maps if last is None else last(maps)
        logits: torch.Tensor = self.linear(self.mean(maps).flatten(1))
        return logits


def resnet20(
    channels: int, height: int, width: int, classes: int, unit: str = "original", residual: bool = True
) -> CifarResNet:
    """Three units a stage."""
    return CifarResNet(channels, height, width, classes, 3, unit, residual)


def resnet32(
    channels: int, height: int, width: int, classes: int, unit: str = "original", residual: bool = True
) -> CifarResNet:
    """Five units a stage."""
    return CifarResNet(channels, height, width, classes, 5, unit, residual)


def resnet44(
    channels: int, height: int, width: int, classes: int, unit: str = "original", residual: bool = True
) -> CifarResNet:
    """Seven units a stage."""
    return CifarResNet(channels, height, width, classes, 7, unit, residual)


def resnet56(
    channels: int, height: int, width: int, classes: int, unit: str = "original", residual: bool = True
) -> CifarResNet:
    """Nine units a stage."""
    return CifarResNet(channels, height, width, classes, 9, unit, residual)


def resnet110(
    channels: int, height: int, width: int, classes: int, unit: str = "original", residual: bool = True
) -> CifarResNet:
    """Eighteen units a stage."""
    return CifarResNet(channels, height, width, classes, 18, unit, residual)
