"""PyTorch's own optimisers, made from a recipe."""

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

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
    fused = device.type in ("cpu", "cuda", "mps")
    name, lr, decay = options.name, options.lr, options.weight_decay
    if name in ("sgd", "momentum", "nesterov"):
        momentum = 0.0 if name == "sgd" else options.momentum
        nesterov = name == "nesterov" and momentum > 0.0
        sgd = quick(torch.optim.SGD)
        return sgd(trained, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=decay, fused=fused)
    if name == "adagrad":
        return quick(torch.optim.Adagrad)(trained, lr=lr, weight_decay=decay, fused=device.type == "cpu")
    if name == "rmsprop":
        rmsprop = quick(torch.optim.RMSprop)
        return rmsprop(trained, lr=lr, alpha=options.beta2, momentum=options.momentum, weight_decay=decay, foreach=True)
    kind = quick(torch.optim.AdamW if name == "adamw" else torch.optim.Adam)
    return kind(trained, lr=lr, betas=(options.beta1, options.beta2), weight_decay=decay, fused=fused)


@cache
def quick(kind: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """The optimiser class without its wrapping for ``torch.compile``, which loads the compiler at the first call.

    That takes 1 to 4 s when a person presses Start for the first time. The update itself is torch's; where another
    version of torch wraps nothing, nothing is taken off.
    """
    update = inspect.unwrap(kind.step)

    def step(self: torch.optim.Optimizer, closure: None = None) -> None:
        with torch.no_grad():
            update(self)

    step.hooked = True  # type: ignore[attr-defined] # keeps torch from wrapping it again
    plain: dict[str, Any] = {"step": step}
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        plain[name] = inspect.unwrap(getattr(kind, name))
    return type(kind.__name__, (kind,), plain)
