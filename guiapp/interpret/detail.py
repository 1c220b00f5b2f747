"""What a layer does, in the short form of the field, read from the module itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from torch import nn


def detail_of(module: nn.Module) -> str:
    """Channels, kernel, stride, groups and dilation of a layer, width and heads of attention; empty where none apply.

    What is not said is 1, and padding is never said: ``"64 → 128, 3×3, stride 2, 32 groups"``,
    ``"960 → 256, 3×3, dilation 12 (spans 25×25)"``, ``"3 → 64, 3×7×7, stride 1×2×2"`` (time first),
    ``"64 → 64, 3×3, depthwise"``, ``"512 → 1000"``, ``"max 3×3, stride 2"``, ``"768, 12 heads of 64"``, ``"p 0.5"``.
    """
    heads = getattr(module, "num_heads", None)
    if isinstance(heads, int) and (width := _width_of(module)):
        return f"{width}, {heads} head{'s' if heads > 1 else ''} of {width // heads}"
    return _of_weights(module) or _of_pooling(module) or _of_small(module)


def joined_text(own: int, given: int, parts: Sequence[int]) -> str:
    """How the channels of a container come from branches that lie beside each other; empty where they do not.

    Four branches of an inception module: ``"64 + 128 + 32 + 32 joined"``; a dense block, whose layers each add to what
    was there: ``"64 + 6 × 32 joined"``.

    Args:
        own: Channels that it gives.
        given: Channels that it is given.
        parts: Channels that each of what it holds gives.
    """
    if len(parts) < 2 or own not in (sum(parts), given + sum(parts)):
        return ""
    counted = [(channels, len(list(group))) for channels, group in itertools.groupby(parts)]
    words = [
        f"{count} × {channels}" if count > 2 else " + ".join([f"{channels}"] * count) for channels, count in counted
    ]
    return " + ".join(([] if own == sum(parts) else [str(given)]) + words) + " joined"


def _of_weights(module: nn.Module) -> str:
    """Of convolutions, dense layers and their kin: what goes in and comes out."""
    if isinstance(module, nn.modules.conv._ConvNd):
        turned = ", transposed" if module.transposed else ""
        return f"{module.in_channels} → {module.out_channels}, {_window(module)}{turned}"
    if isinstance(module, nn.Linear):
        return f"{module.in_features} → {module.out_features}"
    if isinstance(module, nn.RNNBase):
        return f"{module.input_size} → {module.hidden_size}"
    return f"{module.num_embeddings} of {module.embedding_dim}" if isinstance(module, nn.Embedding) else ""


def _of_pooling(module: nn.Module) -> str:
    """Of pooling by windows, or to a size."""
    name = type(module).__name__
    what = "max " if "Max" in name else "mean " if "Avg" in name else ""
    if "Pool" in name and hasattr(module, "kernel_size"):
        return what + _window(module)
    if ("Pool" in name or "RoIAlign" in name) and hasattr(module, "output_size"):
        return f"{what}to {_extent(module.output_size, _dimensions(module))}"
    return ""


def _of_small(module: nn.Module) -> str:
    """Of normalisation, dropout and resizing."""
    if isinstance(module, nn.GroupNorm):
        return f"{module.num_channels} in {module.num_groups} groups"
    if isinstance(module, nn.LocalResponseNorm):
        return f"over {module.size} maps"
    if isinstance(module, nn.Upsample):
        return f"by {module.scale_factor:g}" if isinstance(module.scale_factor, float) else ""
    share = getattr(module, "p", None)
    if isinstance(share, int | float) and re.search("Drop|StochasticDepth", type(module).__name__):
        return f"p {share:.3g}"
    return ""


def _window(module: Any) -> str:
    """Kernel, and what of stride, groups and dilation is not 1."""
    size = _dimensions(module)
    kernel, stride = _all(module.kernel_size, size), _all(module.stride or module.kernel_size, size)
    dilation, groups = _all(getattr(module, "dilation", 1), size), getattr(module, "groups", 1)
    words = ["×".join(map(str, kernel))]
    if set(stride) != {1}:
        words.append(f"stride {_extent(stride)}")
    if groups > 1:
        words.append("depthwise" if groups == module.in_channels else f"{groups} groups")
    if set(dilation) != {1}:
        words.append(f"dilation {_extent(dilation)}")
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        if spans != list(kernel):
            words[-1] += f" (spans {'×'.join(map(str, spans))})"
    return ", ".join(words)


def _dimensions(module: nn.Module) -> int:
    """1 for sequences, 2 for pictures, 3 for clips, by the name of the layer."""
    found = re.search(r"([123])[dD]$", type(module).__name__)
    return int(found[1]) if found else 2


def _all(value: Any, size: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * size


def _extent(value: Any, size: int = 1) -> str:
    """``2`` for (2, 2), ``1×2×2`` for others; one number stands for all of ``size`` where that is above 1."""
    numbers = _all(value, size)
    if size == 1 and len(set(numbers)) == 1:
        return str(numbers[0])
    return "×".join("?" if number is None else str(number) for number in numbers)


def _width_of(module: nn.Module) -> int | None:
    """Width of an attention layer, however the library calls it."""
    known = getattr(module, "embed_dim", None) or getattr(module, "dim", None)
    if not isinstance(known, int):
        known = getattr(getattr(module, "qkv", None), "in_features", None)
    return known if isinstance(known, int) else None
