"""PyTorch's own optimisers, made from a recipe."""

from collections.abc import Iterable

import torch

from guiapp.training.recipe import Optimiser


def build(options: Optimiser, parameters: Iterable[torch.nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """Make the optimiser (course text T4, optimisation; the updates are those of torch's documentation).

    The fused kernels are used where torch has them for the device: one call for all tensors. RMSProp has none.

    Args:
        options: Name, rate and coefficients.
        parameters: What it changes; frozen parameters are left out.
        device: Where they are.
    """
    trained = [p for p in parameters if p.requires_grad]
    fused = device.type in ("cpu", "cuda", "mps") and all(p.is_floating_point() for p in trained)
    name, lr, decay = options.name, options.lr, options.weight_decay
    if name in ("sgd", "momentum", "nesterov"):
        return torch.optim.SGD(
            trained,
            lr=lr,
            momentum=0.0 if name == "sgd" else options.momentum,
            nesterov=name == "nesterov" and options.momentum > 0.0,
            weight_decay=decay,
            fused=fused,
        )
    if name == "adagrad":
        return torch.optim.Adagrad(trained, lr=lr, weight_decay=decay, fused=fused and device.type == "cpu")
    if name == "rmsprop":
        return torch.optim.RMSprop(
            trained, lr=lr, alpha=options.beta2, momentum=options.momentum, weight_decay=decay, foreach=True
        )
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    return kind(trained, lr=lr, betas=(options.beta1, options.beta2), weight_decay=decay, fused=fused)
