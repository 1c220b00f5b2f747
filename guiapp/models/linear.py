"""Classifiers of one dense layer: the linear (soft-max) classifier and the multiperceptron."""

from collections import OrderedDict

from torch import nn

from guiapp.models.chain import Chain
from guiapp.models.initialise import initialise


class Linear(Chain):
    """Scores s = Wx + b; row c of W is the template of class c (T1 3, T4 5.2).

    With the cross-entropy of the soft-max of its scores as loss this is the soft-max classifier (multinomial logistic
    regression). Input (N, C, H, W), output (N, classes).
    """

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            flatten=nn.Flatten(), fc=nn.Linear(channels * height * width, classes)
        )
        super().__init__(layers)
        initialise(self)


class Multiperceptron(Chain):
    """y = tanh(Wx + b), and P(c | x) is the soft-max of y (T2, Activation Functions).

    Text 2 sends the scores through tanh once, before the soft-max, not another time. Each y lies in (-1, 1), so no
    class of C ever gets a probability above e / (e + (C - 1) / e): 0.45 for ten classes.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            flatten=nn.Flatten(), fc=nn.Linear(channels * height * width, classes), tanh=nn.Tanh()
        )
        super().__init__(layers)
        initialise(self)
