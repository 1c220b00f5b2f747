"""The options of a network's builder as a form: fields, types and choices come from its entry."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from guiapp.models.base import ModelEntry
from guiapp.training.recipe import option
from guiapp.ui.widgets.marked_form import MarkedForm
from guiapp.ui.widgets.option_form import OptionForm


def options_of(entry: ModelEntry, chosen: Mapping[str, Any]) -> Any:
    """A frozen dataclass ``Model`` with the options of an entry, set as ``chosen``; None where it has none."""
    known = entry.options or {}
    if not known:
        return None
    fields = [
        (name, type(default), option(default, f"{name} of {entry.title}; the network starts afresh"))
        for name, default in known.items()
    ]
    made = dataclasses.make_dataclass("Model", fields, frozen=True)
    return made(**{name: chosen.get(name, default) for name, default in known.items()})


def marked_network_form(entry: ModelEntry, options: Any, base: Any, name: str, parent: QWidget) -> MarkedForm:
    """The form with what differs from ``base`` marked; its fields are the names without ``model.``."""
    return MarkedForm(options, base, name, choices=_choices(entry), parent=parent)


def _choices(entry: ModelEntry) -> dict[str, Any]:
    return {field: (lambda values=values: values) for field, values in (entry.choices or {}).items()}


def network_form(entry: ModelEntry, options: Any, name: str, parent: QWidget, inline: bool = False) -> OptionForm:
    """The form; its fields are the names without ``model.``."""
    choices = _choices(entry)
    return OptionForm(options, name, choices=choices, inline=inline, parent=parent)
