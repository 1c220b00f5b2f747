"""Network in network: 1x1 convolutions between the others, and the mean of a map as the score of a class."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class NiN(Chain):
    """Three blocks of one convolution and two of 1x1; the last gives a map for each class (Lin et al. 2013; T2).

    A 1x1 convolution is a small network run at every place. No dense layer: logits are the means of the class maps
    (global average pooling), so the same weights give a prediction for every place when the mean is left out.

    Its layers are ``conv1``, ``mix1a``, ``mix1b``, ``pool1``, … ``classes``, ``mean``, ``flatten``, with ``relu``s
    after all convolutions but the last.

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        filters: Maps of the first block; the paper has 192.
        dropout: Share of the pooled maps' values set to zero while training.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, filters: int = 48, dropout: float = 0.2
    ) -> None:
        if filters < 2:
            raise UserError(f"filters is at least 2, not {filters}")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        given = channels
        for block, (size, mixed) in enumerate(((5, filters // 2), (5, filters), (3, classes)), 1):
            last = block == 3
            names = (
                (f"conv{block}", f"mix{block}", "classes") if last else (f"conv{block}", f"mix{block}a", f"mix{block}b")
            )
            outputs = (filters, filters, mixed)
            for number, (name, gives) in enumerate(zip(names, outputs, strict=True)):
                kernel = size if number == 0 else 1
                layers[name] = nn.Conv2d(given, gives, kernel, padding=kernel // 2)
                if name != "classes":
                    layers[f"relu_{name}"] = nn.ReLU()
                given = gives
            if not last:
                layers[f"pool{block}"] = nn.MaxPool2d(3, 2, padding=1) if block == 1 else nn.AvgPool2d(3, 2, padding=1)
                layers[f"dropout{block}"] = nn.Dropout(dropout)
        layers["mean"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        super().__init__(layers)
        initialise(self, "relu")
