"""A convolutional network whose last layer but one has two units, so that what it has learnt is a plane to look at."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.activation import activation_layer
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class PlaneNet(Chain):
    """Two convolutions, a dense layer, two units, and a linear classifier in the plane of these two.

    The class of a point of the plane is decided by lines, w_c . z + b_c; so training has to turn the classes into
    sectors around a middle (as figure 2 of Wen et al., 2016, shows for MNIST). Its layers are ``conv1``, the
    activation with a 1, ``pool1``, ``conv2`` and so on, ``flatten``, ``fc1``, ``plane`` (the two units) and ``fc2``.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, hidden: int = 64, activation: str = "tanh"
    ) -> None:
        if min(height, width) < 4:
            raise UserError(f"plane-net takes pictures of at least 4x4 pixels, not {width}x{height}")
        if hidden < 1:
            raise UserError(f"hidden is a number of units, at least 1, not {hidden}")
        places = (height // 4) * (width // 4)
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            [
                ("conv1", nn.Conv2d(channels, 16, 3, padding=1)),
                (f"{activation}1", activation_layer(activation)),
                ("pool1", nn.MaxPool2d(2)),
                ("conv2", nn.Conv2d(16, 32, 3, padding=1)),
                (f"{activation}2", activation_layer(activation)),
                ("pool2", nn.MaxPool2d(2)),
                ("flatten", nn.Flatten()),
                ("fc1", nn.Linear(32 * places, hidden)),
                (f"{activation}3", activation_layer(activation)),
                ("plane", nn.Linear(hidden, 2)),
                ("fc2", nn.Linear(2, classes)),
            ]
        )
        super().__init__(layers)
        initialise(self, activation)
