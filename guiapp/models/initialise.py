"""First weights: scaled to the layer for the hidden layers, small for the last, so that training starts at log C."""

from torch import nn

LOGIT_SCALE = 0.1  # deviation of the first logits for inputs of deviation 1: adds about 0.005 to a loss of log C


def initialise(model: nn.Module, activation: str = "tanh") -> None:
    """Set the weights of all dense and convolution layers; biases become zero.

    Hidden layers get Xavier's uniform weights (tanh, sigmoid) or Kaiming's normal ones (relu). The last layer with
    weights gets normal ones of deviation 0.1 / sqrt(fan in): its first outputs are near zero, so the first loss of a
    network with C classes is near log C.

    Args:
        model: Network whose ``modules()`` run in the order of its layers.
        activation: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.

    Raises:
        ValueError: For another activation.
    """
    if activation not in ("tanh", "sigmoid", "relu"):
        raise ValueError(f"no initial weights are known for {activation!r}")
    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for layer in layers[:-1]:
        if activation == "relu":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(layer.weight)
    fan_in = layers[-1].weight[0].numel()
    nn.init.normal_(layers[-1].weight, std=LOGIT_SCALE / fan_in**0.5)
    for layer in layers:
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
