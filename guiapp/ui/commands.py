"""Every action of the window as one declared record; menus, toolbar, palette and tests use the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence


@dataclass(frozen=True)
class Command:
    """One action.

    Attributes:
        id: ``<panel>.<verb>``, such as ``"training.start"``.
        title: Imperative, as in a menu.
        function: Called without arguments (with the new state, for ``checkable`` ones).
        tip: One line on what it does.
        shortcut: Key sequence in Qt's portable text, or empty.
        icon: Name of an SVG in ``resources/icons`` without ending, or empty.
        checkable: Whether it is a switch.
        menu: Menu that lists it: ``"File"``, ``"View"``, ``"Source"``, ``"Model"``, ``"Run"``, ``"Help"``, or empty.
    """

    id: str
    title: str
    function: Callable[..., object]
    tip: str = ""
    shortcut: str = ""
    icon: str = ""
    checkable: bool = False
    menu: str = ""


class Commands(Mapping[str, QAction]):
    """Actions by id: ``window.commands["training.start"].trigger()``.

    Panels are built after the first paint; asking for a command of a panel that is not there yet builds it.

    Attributes:
        records: The declared records by id.
        on_added: Called with each record and its action, so that the window can list it.
        on_missing: Called with an id that is not declared (yet); may declare it.
    """

    def __init__(
        self,
        parent: QObject,
        on_added: Callable[[Command, QAction], object] | None = None,
        on_missing: Callable[[str], object] | None = None,
    ) -> None:
        self._parent = parent
        self._actions: dict[str, QAction] = {}
        self.records: dict[str, Command] = {}
        self.on_added = on_added
        self.on_missing = on_missing

    def add(self, command: Command) -> QAction:
        """Declare a command and return its action.

        Raises:
            ValueError: If the id or the shortcut is taken.
        """
        if command.id in self.records:
            raise ValueError(f"two commands are named {command.id!r}")
        taken = {r.shortcut: r.id for r in self.records.values() if r.shortcut}
        if command.shortcut in taken:
            raise ValueError(f"{command.id!r} and {taken[command.shortcut]!r} share the shortcut {command.shortcut}")
        action = QAction(command.title, self._parent)
        action.setObjectName(command.id)
        action.setCheckable(command.checkable)
        tip = command.tip or command.title
        if command.shortcut:
            action.setShortcut(QKeySequence(command.shortcut))
            tip = f"{tip} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})"
        action.setToolTip(tip)
        action.setStatusTip(tip)
        if command.checkable:
            action.toggled.connect(lambda on, call=command.function: call(on))
        else:
            action.triggered.connect(lambda _checked=False, call=command.function: call())
        self.records[command.id] = command
        self._actions[command.id] = action
        if self.on_added is not None:
            self.on_added(command, action)
        return action

    def __getitem__(self, name: str) -> QAction:
        if name not in self._actions and self.on_missing is not None:
            self.on_missing(name)
        return self._actions[name]

    def __contains__(self, name: object) -> bool:
        return name in self._actions  # asking must not build a panel

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)
