"""Newton's method for networks: the step to the minimum of the second-order model, found by conjugate gradients.

The Hessian H is never formed: conjugate gradients ask for products H v alone, each of which is one more backward pass
through the graph of the gradient (Pearlmutter 1994; Martens 2010). Course text T1, 4.2, equation (14).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class NewtonCG(torch.optim.Optimizer):
    """Adds -lr (H + damping I)^-1 g to the weights, g the gradient and H the Hessian of the loss given to ``backward``.

    Conjugate gradients stop after ``iterations`` products, where what is left of the equation is below a thousandth of
    g, or where H does not curve upwards, along which the model without damping has no minimum: what was found so far is
    taken, or g over the damping where nothing was. So no step is longer than lr / damping times the gradient's.

    Args:
        params: What it changes.
        lr: Share of the step to the minimum; 1 is Newton's own.
        damping: Added to the curvature in every direction, above 0.
        iterations: Products with the Hessian that a step may take.
        weight_decay: d adds d / 2 times the sum of squares to the loss.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float = 1.0,
        damping: float = 0.1,
        iterations: int = 10,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "damping": damping, "iterations": iterations, "weight_decay": weight_decay}
        super().__init__(params, defaults)
        self._graph: list[torch.Tensor] = []

    @staticmethod
    @contextmanager
    def differentiable() -> Iterator[None]:
        """A context for the forward pass in which attention too can be differentiated twice.

        As ``torch.nn.attention.sdpa_kernel``, which loads torch's compiler.
        """
        kinds = torch.backends.cuda
        pairs = (
            (kinds.flash_sdp_enabled, kinds.enable_flash_sdp),
            (kinds.mem_efficient_sdp_enabled, kinds.enable_mem_efficient_sdp),
            (kinds.cudnn_sdp_enabled, kinds.enable_cudnn_sdp),
        )
        before = [enabled() for enabled, _ in pairs]  # type: ignore[no-untyped-call]
        try:
            for _, enable in pairs:
                enable(False)
            yield
        finally:
            for (_, enable), was in zip(pairs, before, strict=True):
                enable(was)

    def backward(self, loss: torch.Tensor) -> None:
        """Put the gradient of a loss, 0-d, into the parameters and keep what products with its Hessian need."""
        weights = self._weights()
        self._graph = list(torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True))
        for weight, gradient in zip(weights, self._graph, strict=True):
            weight.grad = gradient.detach().clone()

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change the weights; ``backward`` was called before, and what else was done to the gradients counts."""
        group = self.param_groups[0]
        weights, decay = self._weights(), group["weight_decay"]
        gradient = [w.grad + decay * w if decay else w.grad for w in weights if w.grad is not None]
        direction = self._solve(weights, gradient, group["damping"], decay, group["iterations"])
        rates = [g["lr"] for g in self.param_groups for _ in g["params"]]
        for weight, change, rate in zip(weights, direction, rates, strict=True):
            weight.sub_(change, alpha=rate)
        self._graph = []

    def _weights(self) -> list[torch.Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _solve(
        self, weights: list[torch.Tensor], gradient: list[torch.Tensor], damping: float, decay: float, most: int
    ) -> list[torch.Tensor]:
        """X of (H + (damping + decay) I) x = g, as far as it was found."""
        found = [torch.zeros_like(g) for g in gradient]
        left = [g.clone() for g in gradient]
        along = [g.clone() for g in gradient]
        size = start = _dot(left, left)
        for _ in range(most):
            if size <= 1e-6 * start:
                break
            bent = self._product(weights, along, damping + decay)
            curvature = _dot(along, bent)
            if curvature <= (damping + decay) * _dot(along, along):  # H itself does not curve upwards
                return found if size < start else [g / damping for g in gradient]
            far = size / curvature
            torch._foreach_add_(found, along, alpha=far)
            torch._foreach_sub_(left, bent, alpha=far)
            size, before = _dot(left, left), size
            along = [one + size / before * old for one, old in zip(left, along, strict=True)]
        return found

    def _product(self, weights: list[torch.Tensor], vector: list[torch.Tensor], damping: float) -> list[torch.Tensor]:
        with torch.enable_grad():  # the vector as an argument would make torch load its compiler
            along = torch.stack([torch.sum(one * v) for one, v in zip(self._graph, vector, strict=True)]).sum()
        bent = torch.autograd.grad(along, weights, retain_graph=True, allow_unused=True, materialize_grads=True)
        return [one + damping * v for one, v in zip(bent, vector, strict=True)]


def _dot(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    return float(sum(torch.sum(a * b, dtype=torch.float64) for a, b in zip(one, other, strict=True)))
