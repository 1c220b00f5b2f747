"""One hidden layer of units before the same picture, connected fully, locally, or locally with shared weights."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class LocallyConnected2d(nn.Module):
    """A convolution whose weights are not shared: each place of the output has kernels of its own (T4 7).

    Attributes:
        weight: (filters * rows * columns, channels, kernel, kernel); the places of the first filter come first.
        bias: (filters, rows, columns).

    Args:
        channels, height, width: Of the input.
        filters: Maps of the output.
        kernel: Side of what a unit sees.
        stride: Between neighbouring units.
    """

    def __init__(self, channels: int, height: int, width: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.filters, self.kernel, self.stride = filters, kernel, stride
        self.rows, self.columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        self.weight = nn.Parameter(torch.empty(filters * self.rows * self.columns, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(filters, self.rows, self.columns))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, filters, rows, columns) of maps (N, channels, height, width)."""
        seen = functional.unfold(maps, self.kernel, stride=self.stride)  # N, channels * kernel², places
        weight = self.weight.reshape(self.filters, seen.shape[2], seen.shape[1])
        units = torch.einsum("nip,fpi->nfp", seen, weight)
        return units.reshape(-1, self.filters, self.rows, self.columns) + self.bias

    def extra_repr(self) -> str:
        """Filters, kernel and stride."""
        return f"{self.filters} filters, kernel {self.kernel}, stride {self.stride}, {self.rows}x{self.columns} places"


CONNECTIONS = ("full", "local", "shared")


class Connections(Chain):
    """F x R x S hidden units, ReLU, one dense layer (T4 7: fully connected, locally connected, convolutional).

    With N input numbers, M hidden units and receptive fields of P numbers the hidden layer has N M weights fully
    connected, P M locally connected, and P F convolutional with F filters (biases: M, M and F).

    Args:
        channels, height, width: Of the picture.
        classes: Number of logits.
        connection: ``"full"``, ``"local"`` or ``"shared"``.
        filters: F, maps of hidden units.
        kernel: Side of a receptive field; 3 for pictures under 16 pixels, whatever is asked.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        connection: str = "local",
        filters: int = 8,
        kernel: int = 5,
    ) -> None:
        if connection not in CONNECTIONS:
            raise UserError(f"connection is one of {', '.join(CONNECTIONS)}, not {connection!r}")
        if filters < 1 or not 1 <= kernel <= min(height, width):
            raise UserError(f"filters is at least 1 and kernel lies between 1 and {min(height, width)}")
        kernel = min(kernel, 3) if min(height, width) < 16 else kernel
        stride = 1 if min(height, width) < 16 else 2
        rows, columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        units = filters * rows * columns
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if connection == "full":
            layers["flatten"] = nn.Flatten()
            layers["hidden"] = nn.Linear(channels * height * width, units)
            layers["maps"] = nn.Unflatten(1, (filters, rows, columns))
        elif connection == "local":
            layers["hidden"] = LocallyConnected2d(channels, height, width, filters, kernel, stride)
        else:
            layers["hidden"] = nn.Conv2d(channels, filters, kernel, stride)
        layers["relu"] = nn.ReLU()
        layers["flatten2"] = nn.Flatten()
        layers["fc"] = nn.Linear(units, classes)
        super().__init__(layers)
        initialise(self, "relu")
