"""Runs a method of attribution: checks that it applies, chooses its layer, and lets it go on step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guiapp.interpret.attribution.insertion import Curves
    from guiapp.interpret.attribution.method import Attribution
    from guiapp.interpret.attribution.options import CurveOptions, SanityOptions
    from guiapp.interpret.attribution.randomised import Sanity
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


def curves(
    case: Case,
    target: Target,
    found: Attribution,
    options: CurveOptions | None = None,
    tell: Callable[[Curves], None] | None = None,
) -> Generator[Step, None, Curves]:
    """Insertion and deletion curves of a map (Petsiuk et al. 2018). A generator, as ``attribute``.

    The score of a class is taken as its probability, whatever the map explained.

    Args:
        case: The network on the picture of the map.
        target: What the map explains.
        found: The map.
        options: How many steps, what stands in for what is missing.
        tell: Called with what is known so far.

    Returns:
        The curves: their shares, scores and areas.
    """
    from guiapp.interpret.attribution import insertion as module

    return (yield from module.curves(case, target, found, options, tell))


def sanity(
    case: Case,
    target: Target,
    method: str,
    options: Any = None,
    how: SanityOptions | None = None,
    tell: Callable[[Sanity], None] | None = None,
) -> Generator[Step, None, Sanity]:
    """The map again and again while weights are randomised from the output down (Adebayo et al. 2018).

    A map that stays alike does not show what the network has learned. The weights are those of a copy.

    Args:
        case: The network on a picture.
        target: What is explained; the class or box that it means in the network as it is stays.
        method: Name in ``METHODS``.
        options: The method's own options.
        how: How many stages, and the seed of the order into which weights are shuffled.
        tell: Called after each stage.

    Returns:
        The maps with their likeness to the first.
    """
    from guiapp.interpret.attribution import randomised as module

    return (yield from module.sanity(case, target, method, options, how, tell))
