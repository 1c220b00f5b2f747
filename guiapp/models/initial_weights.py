"""First weights of any network by the rules of the course, in the place of those that its builder gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Rule:
    """How first weights are drawn.

    Attributes:
        name: One of ``KINDS``.
        deviation: Of ``"small"``.
        distribution: ``"normal"`` or ``"uniform"``, of the same deviation.
    """

    name: str
    deviation: float = 0.01
    distribution: str = "normal"


KINDS = ("zero", "small", "xavier", "xavier-torch", "kaiming")


def deviation(kind: str, weight: torch.Tensor, small: float = 0.01) -> float:
    """Standard deviation of the first weights of a dense layer or convolution.

    Args:
        kind: One of ``KINDS``.
        weight: Shape (outputs, inputs, ...): D_in is inputs times the places of the kernel, as is fan_in; fan_out is
            outputs times those places.
        small: Of ``"small"``.

    Returns:
        0; ``small``; 1/sqrt(D_in) (T4 8.3, Xavier); sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010, and PyTorch);
        sqrt(2/D_in) (He et al. 2015; T4 8.3, Kaiming).

    Raises:
        ValueError: For another kind.
    """
    fan_in = weight[0].numel()
    fan_out = weight.shape[0] * (fan_in // weight.shape[1])
    known = {
        "zero": 0.0,
        "small": small,
        "xavier": fan_in**-0.5,
        "xavier-torch": math.sqrt(2 / (fan_in + fan_out)),
        "kaiming": math.sqrt(2 / fan_in),
    }
    if kind not in known:
        raise ValueError(f"first weights are one of {', '.join(KINDS)}, not {kind!r}")
    return float(known[kind])


def set_weights(layers: Sequence[nn.Module], wanted: Rule) -> None:
    """Draw the weights of dense layers and convolutions anew from torch's global generator; biases become zero."""
    for layer in layers:
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, torch.Tensor)
        spread = deviation(wanted.name, weight, wanted.deviation)
        if wanted.distribution == "normal":
            nn.init.normal_(weight, std=spread)
        else:
            nn.init.uniform_(weight, -spread * math.sqrt(3), spread * math.sqrt(3))
        if isinstance(bias, torch.Tensor):
            nn.init.zeros_(bias)
