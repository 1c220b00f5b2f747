"""LeNet-5, the network that read cheques, as course text 0 gives it."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class LeNet5(Chain):
    """Three 5x5 convolutions without padding, tanh, average pooling by 2, two dense layers (LeCun et al. 1998; T0).

    Sizes for a 32x32 picture: 28x28x6, 14x14x6, 10x10x16, 5x5x16, 1x1x120, 84, 10. With one grey channel, ten classes
    and every second-layer map connected to all six of the first (the paper left connections out) it has 156 + 2,416 +
    48,120 + 10,164 + 850 = 61,706 parameters; text 0 says about 60,000.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        if (height, width) != (32, 32):
            raise UserError(f"LeNet-5 takes 32x32 pixels, not {width}x{height}")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv2d(channels, 6, 5),
            tanh1=nn.Tanh(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            tanh2=nn.Tanh(),
            pool2=nn.AvgPool2d(2),
            conv3=nn.Conv2d(16, 120, 5),
            tanh3=nn.Tanh(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(120, 84),
            tanh4=nn.Tanh(),
            fc2=nn.Linear(84, classes),
        )
        super().__init__(layers)
        initialise(self)
