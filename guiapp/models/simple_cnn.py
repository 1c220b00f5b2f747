"""The first convolutional networks of the course: nine filters (text 2), and three layers of three (text 0)."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.activation import activation_layer
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


def _check_sizes(**sizes: int) -> None:
    for name, value in sizes.items():
        if value < 1:
            raise UserError(f"{name} is at least 1, not {value}")


class SimpleCNN(Chain):
    """Nine filters, pooling, one dense layer (T2, CNN and CNN with Pooling).

    On 28x28 pictures 5x5 filters give 24x24 maps: without pooling (``pool=1``) the dense layer has
    9 x 24 x 24 x 10 = 51,840 weights, with pooling by 2 a quarter of them, 12,960.

    Its layers are ``conv1``, the activation with a 1, ``pool1`` (left out for ``pool=1``), ``flatten``, ``fc1``.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        filters: int = 9,
        kernel: int = 5,
        pool: int = 2,
        pooling: str = "max",
        activation: str = "tanh",
    ) -> None:
        _check_sizes(filters=filters, kernel=kernel, pool=pool)
        if pooling not in ("max", "average"):
            raise UserError(f"pooling is max or average, not {pooling!r}")
        rows, columns = (height - kernel + 1) // pool, (width - kernel + 1) // pool
        if rows < 1 or columns < 1:
            raise UserError(f"a kernel of {kernel} and pooling by {pool} leave nothing of {width}x{height} pixels")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            [("conv1", nn.Conv2d(channels, filters, kernel)), (f"{activation}1", activation_layer(activation))]
        )
        if pool > 1:
            layers["pool1"] = nn.MaxPool2d(pool) if pooling == "max" else nn.AvgPool2d(pool)
        layers["flatten"] = nn.Flatten()
        layers["fc1"] = nn.Linear(filters * rows * columns, classes)
        super().__init__(layers)
        initialise(self, activation)


class SimpleCNN3(Chain):
    """Three layers of three KxK filters with padding K/2, each followed by pooling by M, then one dense layer (T0).

    The three layers have 3 K² + 3, 9 K² + 3 and 9 K² + 3 parameters: 21 K² + 9 for a grey picture. Where M³ divides
    W and H the dense layer sees 3 W H / M⁶ numbers. Text 0's total, 3 W H / M⁶ + 21 K² + 10, is that of *one* output
    unit with its bias; with C classes the dense part counts C times: C (3 W H / M⁶ + 1) + 21 K² + 9.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        kernel: int = 5,
        pool: int = 2,
        activation: str = "tanh",
    ) -> None:
        _check_sizes(kernel=kernel, pool=pool)
        if kernel % 2 == 0:
            raise UserError(f"kernel is odd, so that padding by half of it keeps the size; not {kernel}")
        rows, columns = height, width
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number in (1, 2, 3):
            layers[f"conv{number}"] = nn.Conv2d(channels if number == 1 else 3, 3, kernel, padding=kernel // 2)
            layers[f"{activation}{number}"] = activation_layer(activation)
            layers[f"pool{number}"] = nn.MaxPool2d(pool)
            rows, columns = rows // pool, columns // pool
        if rows < 1 or columns < 1:
            raise UserError(f"pooling three times by {pool} leaves nothing of {width}x{height} pixels")
        layers["flatten"] = nn.Flatten()
        layers["fc1"] = nn.Linear(3 * rows * columns, classes)
        super().__init__(layers)
        initialise(self, activation)
