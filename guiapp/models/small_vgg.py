"""VGG's one idea on pictures of 32x32 pixels: nothing but 3x3 convolutions, twice as many maps after each pooling."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class SmallVGG(Chain):
    """Blocks of 3x3 convolutions with ReLU between poolings by 2, one hidden dense layer (Simonyan 2014; T0, T1).

    Two 3x3 layers see 5x5 pixels with 18 C² weights where one 5x5 has 25 C²; three see 7x7 with 27 C² for 49 C².

    Its layers are ``conv1_1``, ``relu1_1``, … ``pool1``, ``conv2_1``, …, ``fc1``, ``relu_fc1``, ``dropout``, ``fc2``.

    Args:
        channels, height, width: Of the picture; at least 8 pixels.
        classes: Number of logits.
        filters: Maps of the first block; VGG has 64.
        layers: Convolutions in a block.
        dropout: Share of the hidden units set to zero while training.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        filters: int = 24,
        layers: int = 2,
        dropout: float = 0.3,
    ) -> None:
        if filters < 1 or layers < 1:
            raise UserError(f"filters and layers are at least 1, not {filters} and {layers}")
        made: OrderedDict[str, nn.Module] = OrderedDict()
        given = channels
        for block in (1, 2, 3):
            gives = filters * 2 ** (block - 1)
            for number in range(1, layers + 1):
                made[f"conv{block}_{number}"] = nn.Conv2d(given, gives, 3, padding=1)
                made[f"relu{block}_{number}"] = nn.ReLU()
                given = gives
            made[f"pool{block}"] = nn.MaxPool2d(2)
        made["flatten"] = nn.Flatten()
        made["fc1"] = nn.Linear(given * (height // 8) * (width // 8), 128)
        made["relu_fc1"] = nn.ReLU()
        made["dropout"] = nn.Dropout(dropout)
        made["fc2"] = nn.Linear(128, classes)
        super().__init__(made)
        initialise(self, "relu")
