"""Catalogue entries that are published networks, named by a person in the place of the network."""

from __future__ import annotations

from guiapp.core.notices import SettingError


def network_of(target: str) -> str:
    """The published network that an exhibit shows: ``"resnet50"`` for ``"resnet"``; any other name as it is."""
    from guiapp.catalogue import EXPERIMENTS

    entry = EXPERIMENTS.get(target)
    return entry.model if entry is not None and entry.live else target


def refuse_exhibit(target: str, what: str, instead: str) -> None:
    """Say in one line that an exhibit is a published network, with which something cannot be done.

    Args:
        target: What the person named.
        what: What cannot be done, such as ``"trained"``.
        instead: What to do instead, with ``{}`` for the name.

    Raises:
        SettingError: If ``target`` is such an entry of the catalogue.
    """
    from guiapp.catalogue import EXPERIMENTS

    entry = EXPERIMENTS.get(target)
    if entry is not None and entry.live:
        named = target if entry.model == target else f"{target} ({entry.model})"
        raise SettingError(f"{named} is a published network that is not {what} here: {instead.format(target)}")
