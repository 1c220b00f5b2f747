"""What the embedding panel and its probe can be asked: plain data without torch, from which forms are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

INPUT, OUTPUT = "(input)", "(output)"
"""Names that stand for no layer: the prepared picture itself, and what the network gives."""

Method = Literal["PCA", "t-SNE", "UMAP", "plane"]


def _option(default: Any, help: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": "", "low": low, "high": high})


@dataclass(frozen=True)
class PcaOptions:
    """Principal component analysis (Pearson, 1901)."""

    across: int = _option(1, "principal component to the right, 1 for the one with the largest variance", 1, 512)
    up: int = _option(2, "principal component upwards", 1, 512)


@dataclass(frozen=True)
class TsneOptions:
    """t-SNE (van der Maaten and Hinton, 2008)."""

    perplexity: float = _option(30.0, "neighbours that each point has, in effect", 2, 500)
    iterations: int = _option(750, "steps of the descent, the exaggerated ones included", 50, 10_000)
    exaggeration: float = _option(12.0, "factor of the attraction in the first quarter", 1, 100)
    seed: int = _option(0, "of what is drawn at random", 0)


@dataclass(frozen=True)
class UmapOptions:
    """UMAP (McInnes, Healy and Melville, 2018)."""

    neighbours: int = _option(15, "neighbours that each point is joined with", 2, 500)
    min_dist: float = _option(0.1, "how close points may lie in the map", 0.0, 1.0)
    epochs: int = _option(200, "rounds of the descent", 10, 5000)
    seed: int = _option(0, "of what is drawn at random", 0)


@dataclass(frozen=True)
class PlaneOptions:
    """Two units of the layer against each other."""

    across: int = _option(0, "unit to the right, counted from 0", 0)
    up: int = _option(1, "unit upwards, counted from 0", 0)


MapOptions = PcaOptions | TsneOptions | UmapOptions | PlaneOptions
METHODS: dict[Method, type[Any]] = {"PCA": PcaOptions, "t-SNE": TsneOptions, "UMAP": UmapOptions, "plane": PlaneOptions}


@dataclass(frozen=True)
class Source:
    """Which pictures: a part of the open data set, the test part of a known one, a folder, or a video.

    Attributes:
        kind: Which of them.
        part: Part of the open data set.
        name: Name of the known data set.
        path: The folder or the file.
        most: How many at most; 0 for all.
    """

    kind: Literal["data", "set", "folder", "video"] = "data"
    part: Literal["train", "validation", "test", "all"] = "validation"
    name: str = ""
    path: Path | None = None
    most: int = 2000


@dataclass(frozen=True)
class EmbeddingOptions:
    """What the embedding probe answers for one picture."""

    layer: str = _option("", "name of the layer; empty for the last that is not the classifier")
    pool: Literal["mean", "max", "class token", "all"] = _option(
        "mean", "over the places of maps and tokens: mean, maximum, class token alone, or all"
    )
    count: int = _option(8, "neighbours to name, where there is a map", 1, 100)
    placed_in: Any = field(default=None, metadata={"help": "a map in which the picture is placed; the window's"})


def default_layer(layers: Sequence[LayerInfo]) -> str:
    """The layer whose output is usually meant by "the embedding": what the classifier is given.

    The classifier is the last dense layer, else the last one with weights. What comes before it, dropout and flattening
    apart, is the answer; where a block ends there, the block (its last part may be only a part of its output).
    ``OUTPUT`` for a network without layers.
    """
    leaves = [layer for layer in layers if layer.kind != "container" and layer.output_shape]
    dense = [at for at, layer in enumerate(leaves) if layer.kind == "dense"]
    weighted = [at for at, layer in enumerate(leaves) if layer.has_weights]
    if not dense and not weighted:
        return leaves[-1].name if leaves else OUTPUT
    last = (dense or weighted)[-1]
    before = [layer for layer in leaves[:last] if layer.kind not in ("dropout", "shape")]
    if not before:
        return leaves[last].name
    name = before[-1].name
    holders = [layer.name for layer in layers if layer.kind == "container" and name.startswith(f"{layer.name}.")]
    ended = [holder for holder in holders if not leaves[last].name.startswith(f"{holder}.")]
    inside = {holder: [leaf.name for leaf in before if leaf.name.startswith(f"{holder}.")] for holder in ended}
    return next((holder for holder in ended if inside[holder][-1] == name), name)


def asked_layer(layers: Sequence[LayerInfo], options: EmbeddingOptions | None) -> str:
    """The layer that is meant: the one that is named, else that of the map, else the usual one."""
    if options is None:
        return default_layer(layers)
    of_map = options.placed_in.features.layer if options.placed_in is not None else ""
    return options.layer or of_map or default_layer(layers)


def embedding_layers(layers: Sequence[LayerInfo], options: EmbeddingOptions | None) -> tuple[str, ...]:
    """The layer whose output the embedding probe needs."""
    name = asked_layer(layers, options)
    return () if name in (INPUT, OUTPUT) else (name,)
