"""The activation functions that the networks offer by name."""

from torch import nn

from guiapp.core.notices import UserError

ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def activation_layer(name: str) -> nn.Module:
    """Make an activation layer.

    Raises:
        UserError: For a name that is not in ``ACTIVATIONS``.
    """
    try:
        return ACTIVATIONS[name]()
    except KeyError:
        raise UserError(f"activation is one of {', '.join(ACTIVATIONS)}, not {name!r}") from None
