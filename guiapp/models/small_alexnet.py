"""AlexNet's order of layers on pictures of 32x32 pixels, and the closer first look of ZFNet."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise

_LOOKS = {"alexnet": (7, 2), "zfnet": (3, 1)}


class SmallAlexNet(Chain):
    """Five convolutions with ReLU, overlapping 3x3 pooling after 1, 2 and 5, two dense layers with dropout (T0, T1).

    The widths are a quarter of AlexNet's (Krizhevsky et al. 2012). The first layer is what Zeiler and Fergus changed
    (2013): AlexNet's large kernel with a large step, here 7x7 with 2, against ZFNet's smaller one with a smaller step,
    here 3x3 with 1. The second kernel is 5x5, the others 3x3.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        look: ``"alexnet"`` or ``"zfnet"``.
        dropout: Share of the dense layers' inputs set to zero while training.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, look: str = "alexnet", dropout: float = 0.5
    ) -> None:
        if look not in _LOOKS:
            raise UserError(f"look is alexnet or zfnet, not {look!r}")
        kernel, stride = _LOOKS[look]
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        kinds = ((24, kernel, stride), (64, 5, 1), (96, 3, 1), (96, 3, 1), (64, 3, 1))
        given = channels
        for number, (gives, size, step) in enumerate(kinds, 1):
            layers[f"conv{number}"] = nn.Conv2d(given, gives, size, step, padding=size // 2)
            layers[f"relu{number}"] = nn.ReLU()
            if number in (1, 2, 5):
                layers[f"pool{number}"] = nn.MaxPool2d(3, 2, padding=1)
            given = gives
        layers["flatten"] = nn.Flatten()
        rows, columns = (-(-side // (8 * stride)) for side in (height, width))  # three times halved, rounded up
        layers["dropout6"] = nn.Dropout(dropout)
        layers["fc6"] = nn.Linear(given * rows * columns, 256)
        layers["relu6"] = nn.ReLU()
        layers["dropout7"] = nn.Dropout(dropout)
        layers["fc7"] = nn.Linear(256, classes)
        super().__init__(layers)
        initialise(self, "relu")
