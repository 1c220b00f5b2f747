"""Attention roll-out: which patches the attention of all blocks together leads to."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.options import RolloutOptions
from guiapp.interpret.attribution.work import Asked, Found, Step
from guiapp.interpret.case import Case
from guiapp.interpret.maps import as_maps

_WINDOWS = "this network attends within windows, so that no attention leads over the whole picture"


def reason_against(case: Case) -> str:
    """Why roll-out does not apply; empty where it does."""
    if not any(layer.kind == "attention" for layer in case.layers):
        return "attention roll-out is for networks with attention: this one has none"
    if not any(len(layer.output_shape) == 2 for layer in case.layers):
        return _WINDOWS
    return ""


def rollout(asked: Asked) -> Generator[Step, None, Found]:
    """Multiply the attention of the blocks, each mixed half and half with what passes by it (Abnar, Zuidema 2020)."""
    options: RolloutOptions = asked.options
    yield 0.0, "forward"
    with torch.no_grad(), attentions(asked.case.module) as found:
        asked.value = float(asked.score(asked.batch)[0])
    row = rolled(found, options)
    extra = 1 if _has_class_token(asked.case, row.shape[0]) else 0
    seen = row[0] if extra else row.mean(0)
    grid = as_maps(seen[None, :, None], None, asked.case.layers, asked.batch.shape[-2:])[0]
    if grid.ndim == 5:
        grid = grid.mean(2)
    if grid.ndim != 4:
        raise UserError("the tokens of this network are no grid of patches")
    return Found(map=grid[0, 0], note="attention roll-out is the same for every target")


def _has_class_token(case: Case, tokens: int) -> bool:
    grid = as_maps(torch.zeros(1, tokens, 1), None, case.layers, case.batch.shape[-2:])[0]
    return grid.ndim > 3 and grid[0, 0].numel() < tokens


def rolled(weights: list[torch.Tensor], options: RolloutOptions) -> torch.Tensor:
    """The product of the blocks' attention, (tokens, tokens): row i says what token i has gathered from which patch.

    Args:
        weights: For each block (1, heads, tokens, tokens), rows sum to 1.
        options: How heads are joined, what is dropped, where it begins.

    Raises:
        UserError: If there is none, or blocks attend to different numbers of tokens.
    """
    weights = [found for found in weights if found.shape[-1] == found.shape[-2]][options.first :]
    if not weights:
        raise UserError("no block of this network attends over tokens as a whole; begin with an earlier block")
    if any(len(found) != 1 or found.shape[-1] != weights[0].shape[-1] for found in weights):
        raise UserError(_WINDOWS)
    size = weights[0].shape[-1]
    total = torch.eye(size, device=weights[0].device)
    for found in weights:
        joined = found[0].float()
        if options.heads == "mean":
            joined = joined.mean(0)
        else:
            joined = joined.amax(0) if options.heads == "max" else joined.amin(0)
        dropped = int(options.discard * joined.numel())
        if dropped:
            weakest = joined.flatten().topk(dropped, largest=False).indices
            weakest = weakest[weakest != 0]  # the class token's attention to itself stays
            joined = joined.flatten().index_fill(0, weakest, 0.0).reshape(size, size)
        mixed = joined + torch.eye(size, device=joined.device)
        total = mixed / mixed.sum(1, keepdim=True) @ total
    return total


@contextmanager
def attentions(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Note the attention weights of every block, (N, heads, queries, keys), in the order in which they are run.

    torch's ``MultiheadAttention`` is asked for its weights; elsewhere calls of torch's fused attention are followed.
    """
    found: list[torch.Tensor] = []

    def asked(_module: nn.Module, arguments: Any, options: dict[str, Any]) -> Any:
        return arguments, {**options, "need_weights": True, "average_attn_weights": False}

    def heard(_module: nn.Module, _arguments: Any, output: Any) -> None:
        if isinstance(output, tuple) and len(output) > 1 and output[1] is not None:
            found.append(output[1].detach())

    handles: list[Any] = []
    try:
        for part in module.modules():
            if isinstance(part, nn.MultiheadAttention):
                handles.append(part.register_forward_pre_hook(asked, with_kwargs=True))
                handles.append(part.register_forward_hook(heard))
        with _Followed(found):
            yield found
    finally:
        for handle in handles:
            handle.remove()


class _Followed(TorchFunctionMode):
    """Works out the weights of each call of the fused attention beside it."""

    def __init__(self, found: list[torch.Tensor]) -> None:
        super().__init__()
        self._found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            self._found.append(_weights(*args, **(kwargs or {})))
        return func(*args, **(kwargs or {}))


def _weights(
    query: torch.Tensor,
    key: torch.Tensor,
    _value: torch.Tensor | None = None,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **_others: Any,
) -> torch.Tensor:
    """Soft-max of scaled products of queries (N, heads, L, d) and keys, as torch documents its fused attention."""
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -torch.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1).detach()
