"""The multi-layer perceptron: one hidden layer between the pixels and the classifier."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.activation import activation_layer
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class MLP(Chain):
    """logits = W2 f(W1 x + b1) + b2 (T2, MNIST: Multi-layer Perceptron).

    With 784 pixels and 64 hidden units the first layer has 64 (784 + 1) = 50,240 parameters and the second 640
    weights beside its ten biases. Its layers are ``flatten``, ``fc1``, the activation with a 1, and ``fc2``.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, hidden: int = 64, activation: str = "tanh"
    ) -> None:
        if hidden < 1:
            raise UserError(f"hidden is a number of units, at least 1, not {hidden}")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            [
                ("flatten", nn.Flatten()),
                ("fc1", nn.Linear(channels * height * width, hidden)),
                (f"{activation}1", activation_layer(activation)),
                ("fc2", nn.Linear(hidden, classes)),
            ]
        )
        super().__init__(layers)
        initialise(self, activation)
