"""A small residual network whose blocks weigh their channels: squeeze and excitation."""

from collections import OrderedDict

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.initialise import initialise


class SqueezeExcitation(nn.Module):
    """A weight from 0 to 1 for each channel, from the means of all channels (Hu et al. 2017, arXiv 1709.01507).

    Squeeze: z = mean of each map. Excitation: s = sigmoid(W2 relu(W1 z)), with W1 of C / reduction rows. The maps are
    multiplied by s.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.relu = nn.ReLU()
        self.fc2 = nn.Conv2d(hidden, channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (N, C, h, w) with their channels weighed."""
        weights: torch.Tensor = self.sigmoid(self.fc2(self.relu(self.fc1(self.squeeze(maps)))))
        return maps * weights


class Unit(nn.Module):
    """Two 3x3 convolutions, the weighing of their channels, and what they were given added (He et al. 2015)."""

    branch_ends = ("se",)  # see models.changed_drops

    def __init__(self, channels: int, filters: int, stride: int, reduction: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.se = SqueezeExcitation(filters, reduction) if reduction else nn.Identity()
        same = stride == 1 and channels == filters
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, filters, 1, stride)
        self.relu2 = nn.ReLU()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (N, filters, h / stride, w / stride) of maps (N, channels, h, w)."""
        found = self.relu1(self.norm1(self.conv1(maps)))
        found = self.se(self.norm2(self.conv2(found)))
        out: torch.Tensor = self.relu2(found + self.shortcut(maps))
        return out


class SENet(nn.Module):
    """A convolution, three stages of two residual units with squeeze and excitation, the mean over places, one layer.

    ``reduction`` is r of the paper, 4 for so few channels where the paper has 16 for 256 and more; 0 leaves the
    weighing out, so that it can be compared with the same network without it.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, filters: int = 16, reduction: int = 4
    ) -> None:
        super().__init__()
        if filters < 1 or reduction < 0:
            raise UserError(f"filters is at least 1 and reduction at least 0, not {filters} and {reduction}")
        self.conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.relu = nn.ReLU()
        units: OrderedDict[str, nn.Module] = OrderedDict()
        given = filters
        for stage, stride in ((1, 1), (2, 2), (3, 2)):
            gives = filters * 2 ** (stage - 1)
            units[f"unit{stage}a"] = Unit(given, gives, stride, reduction)
            units[f"unit{stage}b"] = Unit(gives, gives, 1, reduction)
            given = gives
        self.units = nn.Sequential(units)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(given, classes)
        initialise(self, "relu")

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, height, width)."""
        maps = self.units(self.relu(self.norm(self.conv(pictures))))
        logits: torch.Tensor = self.fc(self.mean(maps).flatten(1))
        return logits
