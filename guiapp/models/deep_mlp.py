"""A stack of dense layers of one width: the network on which rules of first weights are told apart."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.activation import activation_layer
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class DeepMLP(Chain):
    """x_l = f(W_l x_(l-1) + b_l) for ``depth`` layers of ``width`` units, then the scores (T4 8.3; He et al. 2015).

    He et al. compare rules of first weights on plain networks of 22 and 30 layers; this one shows the same in seconds.
    Its layers are ``flatten``, ``fc1``, ``relu1`` and so on, and ``scores``.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, depth: int = 30, units: int = 64,
        activation: str = "relu",
    ) -> None:  # fmt: skip
        if not (1 <= depth <= 500 and units >= 1):
            raise UserError(f"depth is 1 to 500 layers and units at least 1, not {depth} and {units}")
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        given = channels * height * width
        for number in range(1, depth + 1):
            layers[f"fc{number}"] = nn.Linear(given, units)
            layers[f"{activation}{number}"] = activation_layer(activation)
            given = units
        layers["scores"] = nn.Linear(given, classes)
        super().__init__(layers)
        initialise(self, activation)
