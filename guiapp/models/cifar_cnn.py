"""The network C1 to F8 that course text 2 trains on CIFAR-10."""

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class CifarCNN(Chain):
    """C1 P2 C3 P4 C5 P6 F7 F8 with dropout on F7 (T2, Anatomy of a CNN).

    C1 finds low-level features, P2 (maximum) allows for their location, C3 finds parts, P4 (average) smooths them, C5
    finds structures, P6 (average) smooths those, F7 is the latent space, F8 the classifier. Text 2 names 32 channels
    into C3; widths it leaves open are 32, 32, 64 with 5x5 filters, windows of 3 at stride 2 as in its pooling formula.
    On 32x32 pixels the maps are 16x16, 8x8 and 4x4 after the three poolings.
    """

    def __init__(
        self, channels: int, height: int, width: int, classes: int, hidden: int = 128, dropout: float = 0.5
    ) -> None:
        if hidden < 1:
            raise UserError(f"hidden is a number of units, at least 1, not {hidden}")
        if not 0 <= dropout < 1:
            raise UserError(f"dropout is the share of units dropped, from 0 to below 1, not {dropout:g}")
        rows, columns = height, width
        for _ in range(3):
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            c1=nn.Conv2d(channels, 32, 5, padding=2),
            relu1=nn.ReLU(),
            p2=nn.MaxPool2d(3, 2, padding=1),
            c3=nn.Conv2d(32, 32, 5, padding=2),
            relu3=nn.ReLU(),
            p4=nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
            c5=nn.Conv2d(32, 64, 5, padding=2),
            relu5=nn.ReLU(),
            p6=nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
            flatten=nn.Flatten(),
            f7=nn.Linear(64 * rows * columns, hidden),
            relu7=nn.ReLU(),
            dropout7=nn.Dropout(dropout),
            f8=nn.Linear(hidden, classes),
        )
        super().__init__(layers)
        initialise(self, "relu")
