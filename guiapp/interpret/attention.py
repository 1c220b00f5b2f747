"""The attention probe: what each head looks at from a place of the picture; and what positions have learned to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.atlas import Atlas, make_atlas
from guiapp.interpret.attention_options import (
    AttentionOptions,
    PositionOptions,
    attention_names,
    chosen_attention,
)
from guiapp.interpret.attention_weights import Attention, attention_of, patches_of
from guiapp.interpret.base import Look
from guiapp.interpret.listen import CALLS, Call

_NONE = "this network has no attention layers: open a vision transformer, such as vit_b_16"


@dataclass(frozen=True, eq=False)
class AttentionView:
    """Result of the attention probe.

    Attributes:
        layer: The layer that is shown; the last one where all are.
        layers: The layers whose rows are shown, top to bottom.
        query: The token that looks; None for the mean over all.
        extra: Tokens before the patches: 1 where there is a class token.
        grid: Rows and columns of patches.
        maps: One tile a head with what it looks at, softmax weights; with all layers a row of tiles for each layer.
        itself: float32 (heads,), share of the attention that does not fall on patches: on the class token.
        distance: float32 (layers, heads), mean distance that a head looks, in pixels of the input; NaN for none.
        entropy: float32 (layers, heads), its entropy in nats.
        picture: What the network sees, uint8 (H, W, 3); None where it is not one prepared picture.
        step: Training step of the weights, or None.
    """

    layer: str
    layers: tuple[str, ...]
    query: int | None
    extra: int
    grid: tuple[int, int]
    maps: Atlas
    itself: npt.NDArray[np.float32]
    distance: npt.NDArray[np.float32]
    entropy: npt.NDArray[np.float32]
    picture: npt.NDArray[np.uint8] | None
    step: int | None
    _attention: Attention

    @property
    def first(self) -> int:
        """The token that looks unless another is chosen."""
        return self._attention.first

    def tokens_gone(self, query: int | None) -> bool:
        """Whether a token is not among those of the shown layer."""
        return query is not None and query >= self._attention.tokens

    def looks(self, query: int | None) -> npt.NDArray[np.float32]:
        """Maps (heads, rows, columns) of the shown layer from another token; None for the mean over all tokens."""
        own = self._attention
        return own.on_grid(own.mean() if query is None else own.looks_at(query))


@dataclass(frozen=True, eq=False)
class PositionView:
    """Result of the positions probe.

    Attributes:
        kind: ``"similarity"``: tile i shows the cosine of the embedding of place i with that of every place, laid out
            as the places are (Dosovitskiy et al. 2020, figure 7); ``"bias"``: one tile a head with what it adds to
            the attention for each distance, own place in the middle (Liu et al. 2021).
        layer: The layer or module that holds them.
        maps: The tiles.
        grid: Rows and columns of a tile.
    """

    kind: str
    layer: str
    maps: Atlas
    grid: tuple[int, int]


def run(look: Look, options: AttentionOptions | None = None) -> AttentionView:
    """Work out the attention of one layer or of all for the picture.

    Raises:
        UserError: If the network has no attention layers, or they cannot be read.
    """
    options = options or AttentionOptions()
    there = attention_names(look.layers)
    chosen = chosen_attention(look.layers, options.layer)
    if chosen is None:
        raise UserError(_NONE)
    extent = look.preprocessing.size[1:]
    found: dict[str, Attention] = {}
    for name in there if options.every else [chosen]:
        call = _last_call(look, name)
        if call is None:
            continue
        try:
            holder = look.model.get_submodule(name.rpartition(".")[0])
            found[name] = attention_of(look.model.get_submodule(name), call, look.layers, extent, name, holder)
        except UserError:
            if not options.every:
                raise
    if not found:
        raise UserError(f"the attention of {chosen} cannot be read")
    name = chosen if chosen in found else list(found)[-1]
    own = found[name]
    query = own.first if options.query is None else options.query
    rows = own.mean() if options.of == "mean" else own.looks_at(query)
    itself = np.nansum(rows[:, : own.extra], 1).astype(np.float32)
    if options.every:
        maps = _every(found, own, None if options.of == "mean" else query)
    else:
        maps = make_atlas(torch.from_numpy(own.on_grid(rows)), signed=False, scale="map")
    most = max(one.heads for one in found.values())
    spread = np.full((2, len(found), most), np.nan, np.float32)
    for index, one in enumerate(found.values()):
        distance, spread[1, index, : one.heads] = one.spread()
        spread[0, index, : one.heads] = distance * (extent[0] / one.grid[0])
    return AttentionView(
        name, tuple(found), None if options.of == "mean" else query, own.extra, own.grid, maps, itself,
        spread[0], spread[1], _seen(look), look.step, own,
    )  # fmt: skip


def _every(found: dict[str, Attention], chosen: Attention, query: int | None) -> Atlas:
    """One row of tiles a layer, in the resolution of the finest."""
    finest = max((one.grid for one in found.values()), key=lambda grid: grid[0] * grid[1])
    columns = max(one.heads for one in found.values())
    tiles = np.full((len(found), columns, *finest), np.nan, np.float32)
    for row, one in enumerate(found.values()):
        looks = one.mean() if query is None else one.looks_at(_same_place(query, chosen, one))
        maps = one.on_grid(looks)
        down = np.arange(finest[0]) * one.grid[0] // finest[0]
        right = np.arange(finest[1]) * one.grid[1] // finest[1]
        tiles[row, : one.heads] = maps[:, down][:, :, right]
    return make_atlas(torch.from_numpy(tiles.reshape(-1, *finest)), signed=False, scale="map", columns=columns)


def _same_place(query: int, own: Attention, other: Attention) -> int:
    """The token of another layer that lies where a token lies."""
    if query < own.extra:
        return min(query, other.extra - 1) if other.extra else other.first
    row, column = divmod(query - own.extra, own.grid[1])
    down, right = (row * other.grid[0] // own.grid[0], column * other.grid[1] // own.grid[1])
    return other.extra + down * other.grid[1] + right


def _last_call(look: Look, name: str) -> Call | None:
    calls: Any = look.calls.get(name) or look.activations.get(name + CALLS) or ()
    return calls[-1] if len(calls) else None


def _seen(look: Look) -> npt.NDArray[np.uint8] | None:
    """The network's input as a picture again."""
    if look.input is None or look.input.ndim != 4:
        return None
    values = look.input[0].float().cpu()
    mean, std = (
        torch.tensor(numbers).reshape(-1, 1, 1) for numbers in (look.preprocessing.mean, look.preprocessing.std)
    )
    pixels = ((values * std + mean) * 255).round().clamp(0, 255).to(torch.uint8).expand(3, -1, -1)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def positions(look: Look, options: PositionOptions | None = None) -> PositionView:
    """What the network has learned about places: embeddings alike, or biases of each head.

    Raises:
        UserError: If it has no learned positions.
    """
    options = options or PositionOptions()
    chosen = chosen_attention(look.layers, options.layer)
    module = look.model.get_submodule(chosen) if chosen else None
    if module is not None and hasattr(module, "get_relative_position_bias") and chosen:
        return _bias(module, chosen)
    for name, parameter in look.model.named_parameters():
        ending = name.rpartition(".")[2]
        if "pos" in ending and parameter.ndim == 3 and parameter.shape[0] == 1:
            return _similarity(look, name, parameter.detach().float()[0].cpu())
    raise UserError(_NONE if chosen is None else "this network has no learned positions that can be shown")


def _similarity(look: Look, name: str, embedding: torch.Tensor) -> PositionView:
    found = patches_of(len(embedding), look.layers, look.preprocessing.size[1:])
    if found is None:
        raise UserError(f"where the {len(embedding)} positions of {name} lie is not known")
    grid, extra = found
    alike = nn.functional.normalize(embedding[extra:], dim=1)
    tiles = (alike @ alike.T).reshape(-1, *grid)
    return PositionView("similarity", name, make_atlas(tiles, signed=True, columns=grid[1]), grid)


def _bias(module: nn.Module, name: str) -> PositionView:
    """Bias (heads, 2h - 1, 2w - 1) of shifted windows by how far down and right of the query the key lies."""
    rows, columns = (int(side) for side in module.window_size)  # type: ignore[union-attr]
    with torch.no_grad():
        bias = module.get_relative_position_bias()[0].float().cpu()  # type: ignore[operator]
    row, column = torch.arange(rows * columns) // columns, torch.arange(rows * columns) % columns
    down, right = row[None] - row[:, None] + rows - 1, column[None] - column[:, None] + columns - 1
    table = torch.zeros(len(bias), 2 * rows - 1, 2 * columns - 1)
    table[:, down, right] = bias
    return PositionView("bias", name, make_atlas(table, signed=True), (2 * rows - 1, 2 * columns - 1))
