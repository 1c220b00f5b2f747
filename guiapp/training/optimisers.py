"""PyTorch's own optimisers, and Newton's method, made from a recipe."""

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch

from guiapp.training.newton import NewtonCG
from guiapp.training.recipe import Optimiser


def build(options: Optimiser, parameters: Iterable[torch.nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """Make the optimiser (course texts T1, 4, and T4, 8.5; the updates are those of torch's documentation).

    The fused kernels are used where torch has them for the device: one call for all tensors. RMSProp has none. What
    makes ``gd`` differ from ``sgd`` is the batch: the whole training part (see ``data``).

    Args:
        options: Name, rate and coefficients.
        parameters: What it changes; frozen parameters are left out.
        device: Where they are.
    """
    trained = [p for p in parameters if p.requires_grad]
    fused = device.type in ("cpu", "cuda", "mps")
    name, lr, decay = options.name, options.lr, options.weight_decay
    if name in ("gd", "sgd", "momentum", "nesterov"):
        momentum = 0.0 if name in ("gd", "sgd") else options.momentum
        nesterov = name == "nesterov" and momentum > 0.0
        sgd = quick(torch.optim.SGD)
        return sgd(trained, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=decay, fused=fused)
    if name == "newton":
        newton = quick(NewtonCG)
        return newton(trained, lr=lr, damping=options.damping, iterations=options.iterations, weight_decay=decay)
    if name == "adagrad":
        return quick(torch.optim.Adagrad)(trained, lr=lr, weight_decay=decay, fused=device.type == "cpu")
    if name == "rmsprop":
        rmsprop = quick(torch.optim.RMSprop)
        return rmsprop(trained, lr=lr, alpha=options.beta2, momentum=options.momentum, weight_decay=decay, foreach=True)
    kind = quick(torch.optim.AdamW if name == "adamw" else torch.optim.Adam)
    return kind(trained, lr=lr, betas=(options.beta1, options.beta2), weight_decay=decay, fused=fused)


def set_rates(optimiser: torch.optim.Optimizer, lr: float, momentum: float | None = None) -> None:
    """Give the next step its rate, and its momentum (beta 1 of Adam) where that changes.

    Args:
        optimiser: A group with a ``"scale"`` learns at that share of the rate.
        lr: The rate.
        momentum: None leaves it as it is.
    """
    for group in optimiser.param_groups:
        group["lr"] = lr * group.get("scale", 1.0)
        if momentum is None:
            continue
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


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
