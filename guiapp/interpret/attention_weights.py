"""The weights of attention layers, whatever library they come from: the layer is run once more on what it was given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from guiapp.core.notices import UserError

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.listen import Call

_MOST_EXTRA = 16  # tokens beside the patches: a class token, a distillation token, registers
_SOFTMAX = (functional.softmax, torch.softmax, torch.Tensor.softmax)


@dataclass(frozen=True, eq=False)
class Attention:
    """What the tokens of one layer look at, for one picture.

    Attributes:
        weights: float32 (windows, heads, queries, keys), softmax over the keys; one window where all tokens see all.
        places: int64 (windows, keys), the token that each key of a window is; -1 for padding.
        grid: Rows and columns of the tokens that are patches.
        extra: Tokens before those: 1 where there is a class token.
    """

    weights: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    grid: tuple[int, int]
    extra: int

    @property
    def heads(self) -> int:
        """Number of heads."""
        return int(self.weights.shape[1])

    @property
    def tokens(self) -> int:
        """Number of tokens, patches and others."""
        return self.extra + self.grid[0] * self.grid[1]

    @property
    def first(self) -> int:
        """The token that looks unless another is chosen: the class token, else the middle patch."""
        return 0 if self.extra else self.grid[0] // 2 * self.grid[1] + self.grid[1] // 2

    def looks_at(self, query: int) -> npt.NDArray[np.float32]:
        """What a token looks at: float32 (heads, tokens) that sum to 1; NaN for tokens that it cannot see.

        Raises:
            UserError: If there is no such token.
        """
        found = np.argwhere(self.places == query)
        if not len(found) or query < 0 or found[0][1] >= self.weights.shape[2]:
            raise UserError(f"there is no token {query}; tokens are 0 to {self.tokens - 1}")
        window, row = (int(number) for number in found[0])
        result = np.full((self.heads, self.tokens), np.nan, np.float32)
        there = self.places[window] >= 0
        result[:, self.places[window][there]] = self.weights[window, :, row][:, there]
        return result

    def mean(self) -> npt.NDArray[np.float32]:
        """What all tokens together look at: float32 (heads, tokens), the mean over those that can see a token."""
        total = np.zeros((self.heads, self.tokens + 1), np.float64)
        for places, weights in zip(self.places, self.weights, strict=True):
            real = places[: weights.shape[1]] >= 0
            total[:, places] += weights[:, real].mean(1)
        return total[:, : self.tokens].astype(np.float32)

    def on_grid(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(heads, rows, columns) of (heads, tokens): the tokens that are patches."""
        return np.ascontiguousarray(rows[:, self.extra :].reshape(-1, *self.grid))

    def spread(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """How far and how widely each head looks, in the mean over the patches that look.

        Returns:
            float32 (heads,) mean distance in patches, weighed by attention (Dosovitskiy et al. 2020, figure 7), and
            float32 (heads,) entropy in nats, at most the logarithm of the number of tokens seen.
        """
        columns = self.grid[1]
        distances, entropies = [], []
        for places, weights in zip(self.places, self.weights, strict=True):
            patch = places >= self.extra
            looks = patch[: weights.shape[1]]
            down, right = np.divmod(places - self.extra, columns)
            apart = np.hypot(down[:, None] - down[None], right[:, None] - right[None]).astype(np.float32)
            own = weights[:, looks]
            among = own[:, :, patch]
            total = among.sum(2)
            apart = apart[: weights.shape[1]][looks][:, patch]
            distances.append((among * apart).sum(2) / np.maximum(total, 1e-12))
            entropies.append(-(own * np.log(np.maximum(own, 1e-30))).sum(2))
        both = [np.concatenate(found, 1).mean(1).astype(np.float32) for found in (distances, entropies)]
        return both[0], both[1]


class _Weights(TorchFunctionMode):
    """Keeps what the first softmax over four dimensions gives, or what fused attention works out inside."""

    def __init__(self) -> None:
        super().__init__()
        self.found: torch.Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.found is None and func is functional.scaled_dot_product_attention:
            self.found = _fused(*args, **kwargs)
        output = func(*args, **kwargs)
        if self.found is None and func in _SOFTMAX and output.ndim == 4 and output.shape[-1] > 1:
            self.found = output
        return output


def _fused(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None, **_more: Any,
) -> torch.Tensor:  # fmt: skip
    """The weights of ``functional.scaled_dot_product_attention``: softmax(Q K^T / sqrt(d) + mask)."""
    scores = query.float() @ key.float().transpose(-2, -1) * (scale or query.shape[-1] ** -0.5)
    if is_causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~seen, -torch.inf)
    if attn_mask is not None:
        blind = attn_mask.dtype is torch.bool
        scores = scores.masked_fill(~attn_mask, -torch.inf) if blind else scores + attn_mask
    return scores.softmax(-1)


def weights_of(module: nn.Module, call: Call) -> torch.Tensor | None:
    """The attention weights (windows, heads, queries, keys) of one call of a layer; None where it has none to show."""
    arguments = tuple(_plain(value) for value in call.arguments)
    keywords = {name: _plain(value) for name, value in call.keywords.items()}
    with torch.no_grad():
        if isinstance(module, nn.MultiheadAttention):
            keywords |= {"need_weights": True, "average_attn_weights": False}
            _, weights = module.forward(*arguments, **keywords)
        else:
            with _Weights() as kept:
                module.forward(*arguments, **keywords)
            weights = kept.found
    if weights is None or weights.ndim != 4:
        return None
    found: torch.Tensor = weights.detach().float().cpu()
    return found


def _plain(value: Any) -> Any:
    """A tensor that the layer may be run on again, outside of inference mode."""
    return value.clone() if isinstance(value, torch.Tensor) and value.is_inference() else value


def attention_of(
    module: nn.Module,
    call: Call,
    layers: Sequence[LayerInfo],
    extent: Sequence[int],
    name: str = "this layer",
    holder: nn.Module | None = None,
) -> Attention:
    """The attention of one call of a layer on one picture, with the place of every token.

    Args:
        module: ``nn.MultiheadAttention``, torchvision's or timm's shifted windows, or any layer that uses softmax or
            fused attention over all tokens.
        call: What it was given.
        layers: All layers, of which one made the patches.
        extent: Height and width of the network's input.
        name: What a message calls the layer.
        holder: The module that holds it: timm's blocks cut windows before they call their attention.

    Raises:
        UserError: If the weights, or where their tokens lie, cannot be worked out.
    """
    weights = weights_of(module, call)
    if weights is None:
        raise UserError(f"the attention of {name} ({type(module).__name__}) cannot be read: it shows no weights")
    window = getattr(module, "window_size", None)
    given = call.arguments[0] if call.arguments else None
    if window is not None and isinstance(given, torch.Tensor) and given.ndim == 4:
        grid = (given.shape[1], given.shape[2])
        places = _windows(grid, window, getattr(module, "shift_size", (0, 0)))
        if places.shape == (len(weights), weights.shape[3]):
            return Attention(weights.numpy(), places, grid, 0)
    held = getattr(holder, "input_resolution", None), getattr(holder, "window_size", None)
    if all(isinstance(sides, Sequence) and len(sides) == 2 for sides in held):
        grid = (int(held[0][0]), int(held[0][1]))  # type: ignore[index]
        places = _windows(grid, held[1], getattr(holder, "shift_size", (0, 0)))  # type: ignore[arg-type]
        if places.shape == (len(weights), weights.shape[3]):
            return Attention(weights.numpy(), places, grid, 0)
    keys = weights.shape[3]
    found = patches_of(keys, layers, extent)
    if len(weights) != 1 or found is None:
        raise UserError(f"where the {keys} tokens of {name} ({type(module).__name__}) lie in the picture is not known")
    grid, extra = found
    return Attention(weights.numpy(), np.arange(keys)[None], grid, extra)


def _windows(grid: tuple[int, int], window: Sequence[int], shift: Sequence[int]) -> npt.NDArray[np.int64]:
    """The tokens of each window (windows, window area), after padding and a cyclic shift (Liu et al. 2021)."""
    down, right = (-(-extent // side) * side for extent, side in zip(grid, window, strict=True))
    tokens = np.full((down, right), -1, np.int64)
    tokens[: grid[0], : grid[1]] = np.arange(grid[0] * grid[1]).reshape(grid)
    shifts = [0 if side >= extent else by for side, extent, by in zip(window, (down, right), shift, strict=True)]
    tokens = np.roll(tokens, (-shifts[0], -shifts[1]), (0, 1))
    parts = tokens.reshape(down // window[0], window[0], right // window[1], window[1])
    return parts.transpose(0, 2, 1, 3).reshape(-1, window[0] * window[1])


def patches_of(tokens: int, layers: Sequence[LayerInfo], extent: Sequence[int]) -> tuple[tuple[int, int], int] | None:
    """Rows and columns of the patches among so many tokens, and how many tokens stand before them."""
    shapes = [x.output_shape[1:] for x in layers if x.kind == "conv" and len(x.output_shape) == 3]
    made = [(tokens - rows * columns, (rows, columns)) for rows, columns in shapes]
    fitting = [(extra, grid) for extra, grid in made if 0 <= extra <= _MOST_EXTRA]
    if fitting:
        extra, grid = min(fitting)
        return grid, extra
    for extra in (0, 1, 2):
        side = math.isqrt(max(tokens - extra, 0))
        if side > 1 and side * side == tokens - extra and extent[0] == extent[1]:
            return (side, side), extra
    return None
