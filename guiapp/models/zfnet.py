"""ZFNet: AlexNet with a first layer that looks closer, after a look inside."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


class ZFNet(nn.Sequential):
    """Zeiler, Fergus 2013 (arXiv 1311.2901, figure 3; T1 7): a first kernel of 7x7 with step 2 instead of 11x11 with 4.

    Deconvnet pictures of AlexNet showed a first layer of very high and very low frequencies with dead filters, and
    aliasing in the second from the large step. 62,357,608 parameters, in one tower.

    Args:
        classes: Outputs; inputs are (N, 3, 224, 224).
    """

    def __init__(self, classes: int = 1000) -> None:
        layers: list[tuple[str, nn.Module]] = []
        sizes = ((3, 96, 7, 2, 1), (96, 256, 5, 2, 0), (256, 384, 3, 1, 1), (384, 384, 3, 1, 1), (384, 256, 3, 1, 1))
        pools = {1: ("pool1", 1), 2: ("pool2", 1), 5: ("pool3", 0)}
        for number, (inputs, outputs, kernel, stride, padding) in enumerate(sizes, 1):
            layers.append((f"conv{number}", nn.Conv2d(inputs, outputs, kernel, stride, padding)))
            layers.append((f"relu{number}", nn.ReLU(inplace=True)))
            if number in pools:
                name, edge = pools[number]
                layers.append((name, nn.MaxPool2d(3, 2, edge)))
            if number <= 2:
                layers.append((f"norm{number}", nn.LocalResponseNorm(5, alpha=5e-4, k=2.0)))
        layers.append(("flatten", nn.Flatten()))
        for number, (inputs, outputs) in enumerate(((9216, 4096), (4096, 4096)), 6):
            layers.append((f"drop{number}", nn.Dropout(0.5)))
            layers.append((f"fc{number}", nn.Linear(inputs, outputs)))
            layers.append((f"relu{number}", nn.ReLU(inplace=True)))
        layers.append(("fc8", nn.Linear(4096, classes)))
        super().__init__(OrderedDict(layers))
