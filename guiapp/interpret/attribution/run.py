"""Runs a method of attribution: checks that it applies, chooses its layer, and lets it go on step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guiapp.interpret.attribution.method import Attribution
    from guiapp.interpret.case import Case
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.targets import Target

Step = tuple[float, str] | None


def attribute(
    case: Case,
    target: Target,
    method: str,
    options: Any = None,
    tell: Callable[[Attribution], None] | None = None,
) -> Generator[Step, None, Attribution]:
    """Explain a target by a method. A generator: every ``yield`` is a place where it can be stopped.

    Whatever happens, also where it is closed half-way, no hook and no flag stays behind.

    Args:
        case: The network on a picture.
        target: What is explained.
        method: Name in ``METHODS``.
        options: The method's own dataclass; its defaults where None.
        tell: Called now and then with what is known so far, by slow methods.

    Returns:
        The attribution.

    Raises:
        UnknownName: If there is no such method.
        UserError: If it does not apply to this network or target; in one line.
    """
    from guiapp.interpret.attribution import work

    return (yield from work.attribute(case, target, method, options, tell))


def default_layer(layers: Sequence[LayerInfo]) -> str:
    """The layer that CAMs weight by default: the last one whose output still has places; empty where none has."""
    from guiapp.interpret.attribution.layer import best_layer

    return best_layer(layers)


def reasons_against(method: str, case: Case) -> str:
    """Why a method does not apply to a network, in one line; empty where it does."""
    from guiapp.interpret.attribution import work

    return work.reasons_against(method, case)
