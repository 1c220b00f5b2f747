"""Two networks side by side: which layers stand where, and what differs in their sizes and costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guiapp.interpret.cost import Cost, LayerCost

_KINDS = (("Conv", "conv"), ("Pool", "pool"), ("Linear", "dense"))


@dataclass(frozen=True)
class Pair:
    """Layers of two networks that stand at the same place; None where only one of them has one there."""

    first: LayerCost | None
    second: LayerCost | None

    @property
    def differs(self) -> bool:
        """Whether kernel, step, output or parameters are different."""
        if self.first is None or self.second is None:
            return True
        return any(size(self.first, what) != size(self.second, what) for what in ("window", "output", "parameters"))


def size(layer: LayerCost | None, what: str) -> str:
    """One figure of a layer in words.

    Args:
        layer: The layer; None gives nothing.
        what: ``"window"``, such as ``"7×7 / 2"`` (kernel / step), ``"output"``, ``"parameters"``, ``"flops"`` in
            millions, ``"field"`` for the receptive field and its stride.
    """
    return _WORDS[what](layer) if layer is not None else ""


def pairs(first: Cost, second: Cost) -> tuple[Pair, ...]:
    """The convolutions, poolings and dense layers of two networks, those of one kind beside each other.

    Within a stretch between two poolings layers are matched in their order; what is left over stands alone.
    """
    ours, theirs = _counted(first.layers), _counted(second.layers)
    kinds = [_kind(layer) for layer in ours], [_kind(layer) for layer in theirs]
    found: list[Pair] = []
    matcher = SequenceMatcher(None, *kinds, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            found += [Pair(x, y) for x, y in zip(ours[a:b], theirs[c:d], strict=True)]
        else:
            found += [Pair(layer, None) for layer in ours[a:b]]
            found += [Pair(None, layer) for layer in theirs[c:d]]
    return tuple(found)


def _counted(layers: Sequence[LayerCost]) -> list[LayerCost]:
    return [layer for layer in layers if _kind(layer) and layer.output]


def _kind(layer: LayerCost) -> str:
    return next((kind for part, kind in _KINDS if part in layer.type), "")


def _one(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else _times(numbers)


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _window(layer: LayerCost) -> str:
    return f"{_times(layer.window.kernel)} / {_one(layer.window.step)}" if layer.window is not None else ""


def _field(layer: LayerCost) -> str:
    if layer.receptive_field is None or layer.stride is None:
        return ""
    return f"{_one(layer.receptive_field)} / {_one(layer.stride)}" if any(layer.stride) else "all"


_WORDS: dict[str, Callable[[LayerCost], str]] = {
    "window": _window,
    "output": lambda layer: _times(layer.output),
    "parameters": lambda layer: f"{layer.parameters:,}" if layer.parameters else "–",
    "flops": lambda layer: f"{layer.flops / 1e6:,.1f}" if layer.flops else "–",
    "field": _field,
}
