"""A form whose changed fields are marked, and go back with a click."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QLineEdit, QToolButton, QWidget

from guiapp.ui.icons import icon
from guiapp.ui.widgets.option_form import OptionForm, fields_of, text_of, value_of

_CAPTION, _EDITOR, _BUTTON = 104, 92, 22


class MarkedForm(OptionForm):
    """Fields in a column; what differs from ``base`` has its name in weight and a button behind it, ``<field>.reset``.

    Attributes:
        base: What the fields go back to.
        changed: Names of the fields that differ from it.
    """

    def __init__(
        self,
        options: Any,
        base: Any,
        name: str,
        only: Iterable[str] | None = None,
        labels: Mapping[str, str] | None = None,
        choices: Mapping[str, Callable[[], Iterable[str]]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        self.base = base
        self.changed: frozenset[str] = frozenset()
        self._back: dict[str, QToolButton] = {}
        super().__init__(options, name, only, labels, choices, parent=parent)
        grid = self.layout()
        assert isinstance(grid, QGridLayout)
        grid.setColumnMinimumWidth(0, _CAPTION)
        grid.setHorizontalSpacing(6)
        grid.setColumnStretch(3, 1)
        found = {f.dotted: f for f in fields_of(options)}
        for dotted, editor in self._editors.items():
            low, high = found[dotted].low, found[dotted].high
            editor.setMinimumWidth(_EDITOR)
            editor.setMaximumWidth(_EDITOR if isinstance(editor, QLineEdit) else 16_777_215)
            between = f"\nfrom {low:g} to {high:g}" if low is not None and high is not None else ""
            for widget in (editor, self._captions[dotted]):
                widget.setToolTip(editor.toolTip() + between)
        grid.setColumnMinimumWidth(4, _BUTTON)
        self._grid, self._name = grid, name
        self.mark(options, base)

    def _button(self, dotted: str) -> QToolButton:
        """The button that gives a field its old value, made when one is needed."""
        if dotted not in self._back:
            button = QToolButton(self)
            button.setObjectName(f"{self._name}.{dotted}.reset")
            button.setIcon(icon("undo"))
            button.setIconSize(QSize(12, 12))
            button.setAutoRaise(True)
            button.setEnabled(self._editors[dotted].isEnabled())
            button.clicked.connect(lambda _checked=False, d=dotted: self.put_back(d))
            self._grid.addWidget(button, list(self._editors).index(dotted), 4)
            self._back[dotted] = button
        return self._back[dotted]

    def put_back(self, dotted: str) -> None:
        """Give one field its value of ``base``."""
        self._take(dotted, value_of(self.base, dotted))

    def mark(self, options: Any, base: Any, alike: frozenset[str] = frozenset()) -> None:
        """Show values, and what of them differs from another base.

        Args:
            options: The values.
            base: What they are compared with and go back to.
            alike: Names that count as the base's own although their values differ.
        """
        self.base = base
        self.set_options(options)
        self.changed = frozenset(
            d for d in self._editors if d not in alike and value_of(options, d) != value_of(base, d)
        )
        for dotted, caption in self._captions.items():
            differs = dotted in self.changed
            if bool(caption.property("heading")) != differs:
                caption.setProperty("heading", differs)
                caption.setProperty("faint", not differs)
                caption.style().unpolish(caption)
                caption.style().polish(caption)
            if differs:
                tip = f"Back to {text_of(value_of(base, dotted)) or 'empty'}"
                self._button(dotted).setToolTip(tip)
                self._button(dotted).setAccessibleName(f"{self._label(dotted)}: {tip}")
        self._show_buttons()

    def _show_buttons(self) -> None:
        for dotted, button in self._back.items():
            button.setVisible(dotted in self.changed and not self._captions[dotted].isHidden())

    def show_only(self, names: Iterable[str] | None) -> None:
        """Show these fields alone; None shows all."""
        super().show_only(names)
        self._show_buttons()

    def set_enabled(self, names: Iterable[str] | None) -> None:
        """Enable these fields alone, and going back in them; None enables all."""
        super().set_enabled(names)
        wanted = set(self._editors) if names is None else set(names)
        for dotted, button in self._back.items():
            button.setEnabled(dotted in wanted)
