"""A form made from an option dataclass: one editor a field, checked as the command line checks it."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from guiapp.core.notices import UserError
from guiapp.training.recipe import change, hints_of


@dataclass(frozen=True)
class Field:
    """One field of an option dataclass.

    Attributes:
        dotted: Such as ``"optimiser.lr"``.
        kind: Its annotated type.
        help: One line.
        unit: Shown behind the editor.
        choices: Values to choose from, or empty.
        low, high: Smallest and largest value, or None.
        zero: What stands faint in an empty editor for 0, where 0 means that it is found; else empty.
    """

    dotted: str
    kind: Any
    help: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    zero: str = ""


def fields_of(options: Any, prefix: str = "") -> Iterator[Field]:
    """The fields of a dataclass and of those inside it, in their order."""
    hints = hints_of(type(options))
    for field in dataclasses.fields(options):
        value, kind = getattr(options, field.name), hints[field.name]
        if dataclasses.is_dataclass(value):
            yield from fields_of(value, f"{prefix}{field.name}.")
            continue
        choices = tuple(str(c) for c in typing.get_args(kind)) if typing.get_origin(kind) is Literal else ()
        told = field.metadata
        yield Field(
            prefix + field.name, kind, told.get("help", ""), told.get("unit", ""), choices,
            told.get("low"), told.get("high"), told.get("zero", ""),
        )  # fmt: skip


def value_of(options: Any, dotted: str) -> Any:
    """The value of a dotted field."""
    for name in dotted.split("."):
        options = getattr(options, name)
    return options


def text_of(value: Any) -> str:
    """A value as it is typed: numbers in as few characters as they need."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


class OptionForm(QWidget):
    """Editors for the fields of an option dataclass.

    A value that does not fit is not taken: the editor is marked and ``rejected`` says in one line what it takes.

    Attributes:
        edited: Dotted name and the accepted value.
        rejected: The message, or ``""`` once the field is right again.
        options: The dataclass with the accepted values.
    """

    edited = Signal(str, object)
    rejected = Signal(str)

    def __init__(
        self,
        options: Any,
        name: str,
        only: Iterable[str] | None = None,
        labels: Mapping[str, str] | None = None,
        choices: Mapping[str, Callable[[], Iterable[str]]] | None = None,
        inline: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make the form.

        Args:
            options: The dataclass.
            name: Editors are named ``<name>.<dotted field>``.
            only: Dotted fields to show, in this order; all by default.
            labels: Labels that differ from the field names.
            choices: Values to choose from for text fields, asked when the form is made.
            inline: One row instead of a column.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.options = options
        self._labels = dict(labels or {})
        self._editors: dict[str, QWidget] = {}
        self._captions: dict[str, QLabel] = {}
        self._units: dict[str, QLabel] = {}
        self._errors: dict[str, str] = {}
        self._unitless = False
        found = {f.dotted: f for f in fields_of(options)}
        self._zeros = {f.dotted for f in found.values() if f.zero}
        self._numbers = frozenset(f.dotted for f in found.values() if f.kind in (int, float))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4 if inline else 8)
        grid.setVerticalSpacing(4)
        for number, dotted in enumerate(only if only is not None else found):
            field = found[dotted]
            if choices is not None and dotted in choices:
                field = dataclasses.replace(field, choices=tuple(choices[dotted]()))
            editor = self._make(field, inline)
            editor.setObjectName(f"{name}.{dotted}")
            editor.setAccessibleName(self._label(dotted))
            tip = field.help[:1].upper() + field.help[1:]
            editor.setToolTip(f"{tip} ({field.unit})" if field.unit else tip)
            caption = QLabel(self._label(dotted), self)
            caption.setProperty("faint", True)
            caption.setToolTip(editor.toolTip())
            caption.setBuddy(editor)
            self._editors[dotted], self._captions[dotted] = editor, caption
            if inline:
                grid.addWidget(caption, 0, 3 * number)
                grid.addWidget(editor, 0, 3 * number + 1)
                grid.setColumnMinimumWidth(3 * number + 2, 4)
            else:
                grid.addWidget(caption, number, 0)
                grid.addWidget(editor, number, 1)
                if field.unit:
                    unit = QLabel(field.unit, self)
                    unit.setProperty("faint", True)
                    grid.addWidget(unit, number, 2)
                    self._units[dotted] = unit
        self.set_options(options)

    def _label(self, dotted: str) -> str:
        return self._labels.get(dotted, dotted.replace("_", " ").replace(".", " · "))

    def _make(self, field: Field, inline: bool) -> QWidget:
        if field.choices:
            box = QComboBox(self)
            box.addItems(list(field.choices))
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.textActivated.connect(lambda text, d=field.dotted: self._take(d, text))
            return box
        if field.kind is bool:
            check = QCheckBox(self)
            check.clicked.connect(lambda on, d=field.dotted: self._take(d, on))
            return check
        line = QLineEdit(self)
        number = field.dotted in self._numbers
        if number:
            line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.setPlaceholderText(field.zero)
        line.setFixedWidth(64 if inline else 110)
        line.editingFinished.connect(lambda d=field.dotted, w=line: self._finished(d, w))
        if number:
            line.textEdited.connect(lambda text, d=field.dotted: text.strip() or self._mark(d, ""))
        return line

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names of its fields."""
        return tuple(self._editors)

    def editor(self, dotted: str) -> QWidget:
        """The editor of a field."""
        return self._editors[dotted]

    def caption(self, dotted: str) -> QLabel:
        """The label before an editor."""
        return self._captions[dotted]

    def set_found(self, dotted: str, words: str) -> None:
        """What stands faint in the empty editor of a field whose value is found."""
        editor = self._editors[dotted]
        if isinstance(editor, QLineEdit):
            editor.setPlaceholderText(words)

    def _text(self, dotted: str) -> str:
        """The accepted value as it stands in its editor."""
        value = value_of(self.options, dotted)
        return "" if dotted in self._zeros and not value else text_of(value)

    def leave_out_units(self, left_out: bool = True) -> None:
        """Show no units beside the editors; their tips name them."""
        self._unitless = left_out
        for dotted, unit in self._units.items():
            unit.setVisible(not left_out and not self._captions[dotted].isHidden())

    def set_options(self, options: Any) -> None:
        """Show other values; a field that is being typed in keeps what is typed."""
        self.options = options
        for dotted, editor in self._editors.items():
            text = self._text(dotted)
            if isinstance(editor, QComboBox):
                if editor.findText(text) < 0:
                    editor.addItem(text)
                editor.setCurrentText(text)
            elif isinstance(editor, QCheckBox):
                editor.setChecked(bool(value_of(options, dotted)))
            elif isinstance(editor, QLineEdit) and not (editor.hasFocus() and editor.isModified()):
                if text != editor.text():
                    editor.setText(text)
                self._mark(dotted, "")

    def show_only(self, names: Iterable[str] | None) -> None:
        """Show these fields alone; None shows all."""
        wanted = set(self._editors) if names is None else set(names)
        for dotted in self._editors:
            for part in (self._editors[dotted], self._captions[dotted]):
                part.setVisible(dotted in wanted)
            if dotted in self._units:
                self._units[dotted].setVisible(dotted in wanted and not self._unitless)

    def set_enabled(self, names: Iterable[str] | None) -> None:
        """Enable these fields alone; None enables all."""
        wanted = set(self._editors) if names is None else set(names)
        for dotted, editor in self._editors.items():
            if editor.isEnabled() != (dotted in wanted):
                editor.setEnabled(dotted in wanted)

    def _finished(self, dotted: str, line: QLineEdit) -> None:
        """Take what was typed; a number that was taken away is the accepted one again."""
        if not line.isModified():
            return
        if line.text().strip() or dotted not in self._numbers:
            self._take(dotted, line.text())
        elif dotted in self._zeros:
            self._take(dotted, "0")
        else:
            line.setText(self._text(dotted))
            self._mark(dotted, "")

    def _take(self, dotted: str, value: Any) -> None:
        try:
            options = change(self.options, {dotted: value})
        except UserError as error:
            self._mark(dotted, str(error))
            return
        editor = self._editors[dotted]
        if isinstance(editor, QLineEdit):
            editor.setModified(False)
        self._mark(dotted, "")
        if options != self.options:
            self.options = options
            self.edited.emit(dotted, value_of(options, dotted))
        if isinstance(editor, QLineEdit):
            editor.setText(self._text(dotted))

    def _mark(self, dotted: str, error: str) -> None:
        if error == self._errors.get(dotted, ""):
            return
        self._errors[dotted] = error
        editor = self._editors[dotted]
        editor.setStyleSheet("border-color: #ef4444;" if error else "")
        self.rejected.emit(error or next((e for e in self._errors.values() if e), ""))
