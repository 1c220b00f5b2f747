"""Networks as their papers describe them, where today's libraries build a later variant."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn


class AlexNet(nn.Sequential):
    """AlexNet with the widths of 2012 (Krizhevsky, Sutskever, Hinton 2012; T1 7), on one device, so without groups.

    Its layers are those of the table in course text 1, 62,378,344 parameters; the paper's two towers have 60,965,224,
    torchvision's network of 2014 has 61,100,840.

    Args:
        classes: Outputs; inputs are (N, 3, 224, 224).
    """

    def __init__(self, classes: int = 1000) -> None:
        layers: list[tuple[str, nn.Module]] = []
        sizes = ((3, 96, 11, 4, 2), (96, 256, 5, 1, 2), (256, 384, 3, 1, 1), (384, 384, 3, 1, 1), (384, 256, 3, 1, 1))
        pools = {1: "pool1", 2: "pool2", 5: "pool3"}
        for number, (inputs, outputs, kernel, stride, padding) in enumerate(sizes, 1):
            layers.append((f"conv{number}", nn.Conv2d(inputs, outputs, kernel, stride, padding)))
            layers.append((f"relu{number}", nn.ReLU(inplace=True)))
            if number <= 2:
                layers.append((f"norm{number}", nn.LocalResponseNorm(5, alpha=5e-4, k=2.0)))  # the sum, not the mean
            if number in pools:
                layers.append((pools[number], nn.MaxPool2d(3, 2)))
        layers.append(("flatten", nn.Flatten()))
        for number, (inputs, outputs) in enumerate(((9216, 4096), (4096, 4096)), 6):
            layers.append((f"drop{number}", nn.Dropout(0.5)))
            layers.append((f"fc{number}", nn.Linear(inputs, outputs)))
            layers.append((f"relu{number}", nn.ReLU(inplace=True)))
        layers.append(("fc8", nn.Linear(4096, classes)))
        super().__init__(OrderedDict(layers))


class Inception(nn.Module):
    """An inception module: 1x1, 3x3, 5x5 and pooling beside each other, the last three narrowed by 1x1 (T1 7).

    Args:
        inputs: Channels that it is given.
        one: Of the 1x1.
        three, five: Of the 1x1 before the 3x3 (5x5), and of the 3x3 (5x5).
        pooled: Of the 1x1 after the pooling.
    """

    def __init__(self, inputs: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> None:
        super().__init__()
        self.branch1 = _convolution("conv", inputs, one, 1)
        self.branch2 = _narrowed(inputs, *three, 3)
        self.branch3 = _narrowed(inputs, *five, 5)
        self.branch4 = nn.Sequential(OrderedDict(pool=nn.MaxPool2d(3, 1, 1), **_parts("project", inputs, pooled, 1)))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (N, one + three + five + pooled, h, w) of maps (N, inputs, h, w)."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(maps) for branch in branches], 1)


class GoogLeNet(nn.Sequential):
    """GoogLeNet, Inception v1, of the paper (Szegedy et al. 2014; T1 7): real 5x5, biases, no batch normalisation.

    6,998,552 parameters; without the two heads that only help to train. torchvision's has 3x3 in the place of 5x5 and
    batch normalisation.

    Args:
        classes: Outputs; inputs are (N, 3, 224, 224).
    """

    def __init__(self, classes: int = 1000) -> None:
        layers: dict[str, nn.Module] = {
            **_parts("conv1", 3, 64, 7, 2),
            "pool1": nn.MaxPool2d(3, 2, 1),
            "norm1": nn.LocalResponseNorm(5, k=1.0),
            **_parts("conv2", 64, 64, 1),
            **_parts("conv3", 64, 192, 3),
            "norm2": nn.LocalResponseNorm(5, k=1.0),
            "pool2": nn.MaxPool2d(3, 2, 1),
            "inception3a": Inception(192, 64, (96, 128), (16, 32), 32),
            "inception3b": Inception(256, 128, (128, 192), (32, 96), 64),
            "pool3": nn.MaxPool2d(3, 2, 1),
            "inception4a": Inception(480, 192, (96, 208), (16, 48), 64),
            "inception4b": Inception(512, 160, (112, 224), (24, 64), 64),
            "inception4c": Inception(512, 128, (128, 256), (24, 64), 64),
            "inception4d": Inception(512, 112, (144, 288), (32, 64), 64),
            "inception4e": Inception(528, 256, (160, 320), (32, 128), 128),
            "pool4": nn.MaxPool2d(3, 2, 1),
            "inception5a": Inception(832, 256, (160, 320), (32, 128), 128),
            "inception5b": Inception(832, 384, (192, 384), (48, 128), 128),
            "avgpool": nn.AvgPool2d(7),
            "flatten": nn.Flatten(),
            "drop": nn.Dropout(0.4),
            "fc1": nn.Linear(1024, classes),
        }
        super().__init__(OrderedDict(layers))


def _parts(name: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> dict[str, nn.Module]:
    """A convolution that keeps the size for stride 1, and its ReLU."""
    return {
        name: nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2),
        f"relu_{name}": nn.ReLU(inplace=True),
    }


def _convolution(name: str, inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(_parts(name, inputs, outputs, kernel)))


def _narrowed(inputs: int, narrow: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict({**_parts("reduce", inputs, narrow, 1), **_parts("conv", narrow, outputs, kernel)})
    )
