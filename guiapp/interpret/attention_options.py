"""The options of the probes on attention: plain data without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo


def _option(default: Any, help: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": "", "low": low, "high": high})


@dataclass(frozen=True)
class AttentionOptions:
    """Which attention is shown."""

    layer: str = _option("", "name of an attention layer, or of a layer before it; empty for the last")
    query: int | None = _option(
        None, "token that looks, row by row from 0, the class token first; empty for the class token, else the middle",
        low=0,
    )  # fmt: skip
    of: Literal["query", "mean"] = _option("query", "what one token looks at, or the mean over all tokens")
    every: bool = _option(False, "every attention layer instead of one")


@dataclass(frozen=True)
class PositionOptions:
    """Whose positions are shown."""

    layer: str = _option("", "an attention layer, for networks where each layer has positions of its own")


def attention_names(layers: Sequence[LayerInfo]) -> list[str]:
    """The attention layers in the order of the forward pass; of those inside one another the innermost."""
    named = [layer.name for layer in layers if layer.kind == "attention"]
    return [name for name in named if not any(other.startswith(f"{name}.") for other in named)]


def chosen_attention(layers: Sequence[LayerInfo], wanted: str) -> str | None:
    """The attention layer that a chosen layer means: itself, the one in it, the nearest before it; else the last."""
    there = attention_names(layers)
    if wanted in there or not there:
        return wanted if there else None
    inside = [name for name in there if wanted and name.startswith(f"{wanted}.")]
    names = [layer.name for layer in layers]
    before = names[: names.index(wanted) + 1] if wanted in names else []
    return next((name for name in [*inside, *reversed(before)] if name in there), there[-1])


def attention_layers(layers: Sequence[LayerInfo], options: AttentionOptions | None) -> tuple[str, ...]:
    """The calls that the attention probe reads."""
    options = options or AttentionOptions()
    if options.every:
        return tuple(f"{name}()" for name in attention_names(layers))
    name = chosen_attention(layers, options.layer)
    return (f"{name}()",) if name is not None else ()
