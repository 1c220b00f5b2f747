"""A network whose layers follow one another, under names of its own."""

from collections import OrderedDict
from typing import Any

from torch import nn


class Chain(nn.Sequential):
    """``nn.Sequential`` for subclasses with arguments of their own: a slice is a plain ``nn.Sequential``."""

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[index]))
        return super().__getitem__(index)
