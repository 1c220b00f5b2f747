"""A network whose layers are chosen from a list: what a search over architectures searches."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise

KINDS = ("conv1", "conv3", "conv5", "separable3", "max3", "mean3", "skip")


def _convolution(channels: int, kernel: int) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv=nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
        norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
    )


def _separable(channels: int) -> OrderedDict[str, nn.Module]:
    """A 3x3 for each channel apart, then a 1x1 that mixes them (T1, depthwise separable convolutions)."""
    return OrderedDict(
        depthwise=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        mix=nn.Conv2d(channels, channels, 1, bias=False),
        norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
    )


def layer(kind: str, channels: int) -> nn.Module:
    """One of ``KINDS``; maps (N, channels, H, W) to the same shape.

    Raises:
        UserError: For another kind.
    """
    if kind in ("conv1", "conv3", "conv5"):
        return nn.Sequential(_convolution(channels, int(kind[-1])))
    if kind == "separable3":
        return nn.Sequential(_separable(channels))
    if kind == "max3":
        return nn.MaxPool2d(3, 1, padding=1)
    if kind == "mean3":
        return nn.AvgPool2d(3, 1, padding=1)
    if kind == "skip":
        return nn.Identity()
    raise UserError(f"a layer is one of {', '.join(KINDS)}, not {kind!r}")


class LayerChoices(Chain):
    """A first 3x3 convolution, four layers of a choice with pooling by 2 after the second, means, one dense layer.

    7⁴ = 2,401 networks; the choices are those of cells in Zoph et al. 2018 (arXiv 1707.07012) without dilation.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        first, second, third, fourth: Kinds of the four layers, see ``KINDS``.
        filters: Maps of each layer.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        first: str = "conv3",
        second: str = "conv3",
        third: str = "conv3",
        fourth: str = "conv3",
        filters: int = 16,
    ) -> None:
        if filters < 1:
            raise UserError(f"filters is at least 1, not {filters}")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv=nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            norm=nn.BatchNorm2d(filters),
            relu=nn.ReLU(),
            first=layer(first, filters),
            second=layer(second, filters),
            pool=nn.MaxPool2d(2),
            third=layer(third, filters),
            fourth=layer(fourth, filters),
            mean=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(filters, classes),
        )
        super().__init__(layers)
        initialise(self, "relu")
