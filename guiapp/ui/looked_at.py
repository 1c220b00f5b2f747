"""Back and forward through what was looked at, across panels and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from guiapp.core.history import FIELDS, History, Moment, moment_of, restore
from guiapp.ui.commands import Command

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow

_SETTLED_MS = 350
"""Changes that come sooner after one another are one moment: a click moves several fields."""


class LookedAt(QObject):
    """Notes what is selected, once it has stayed for a moment, and brings it back.

    Attributes:
        history: The moments.
        changed: Emitted when going back or forward has become possible or impossible.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.history = History()
        self._wanted: Moment | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLED_MS)
        self._settle.timeout.connect(self.note)
        add = window.commands.add
        self.back = add(Command(
            "view.back", "Back", lambda: self.go(-1), "Back to what was looked at before", "Alt+Left", "left",
            menu="View",
        ))  # fmt: skip
        self.forward = add(Command(
            "view.forward", "Forward", lambda: self.go(1), "Forward again", "Alt+Right", "right", menu="View",
        ))  # fmt: skip
        for field in FIELDS:
            window.workspace.subscribe(field, lambda _value: self._stir())
        # After all others: a network that is opened brings a selection of its own first.
        for signal in (window.bridge.subject_changed, window.bridge.state_changed, window.bridge.live_state):
            signal.connect(self._follow, Qt.ConnectionType.QueuedConnection)
        self._enable()

    def now(self) -> Moment:
        """The selection as it is."""
        window = self._window
        return moment_of(window.workspace, window.bridge.subject, self._network(), self._dataset())

    def note(self) -> None:
        """Remember what is selected now."""
        self._settle.stop()
        if self._wanted is None and self._network():
            self.history.note(self.now())
        self._enable()

    def go(self, steps: int) -> None:
        """Back or forward by so many moments."""
        if self._settle.isActive():
            self.note()
        at = self.history.now
        moment = self.history.go(steps)
        if moment is not None and not self.show(moment):
            self.history.go(-steps)
        elif moment is not at:
            self._enable()

    def show(self, moment: Moment) -> bool:
        """Bring a moment back, opening its network where it is not open; False where a running training forbids it."""
        window = self._window
        self._wanted = moment
        if self._arrived():
            return True
        elsewhere = moment.subject == "experiment" and self._open_experiment() != moment.network
        if elsewhere and window.bridge.state.phase == "running":
            self._wanted = None
            text = "That was looked at in another experiment: pause the run that trains before it is opened."
            window.context.notices.post("info", text, topic="history")
            return False
        if moment.subject == "experiment":
            window.open_experiment(moment.network)
        else:
            live = window.show_panel("live")
            if window.layout_id not in ("live", "live-inside"):
                window.use_layout("live-inside")
            live.open_network(moment.network)
        self._arrived()
        return True

    @Slot()
    def _follow(self) -> None:
        self._arrived()

    def expect(self, moment: Moment) -> None:
        """Bring a moment into the selection once its network, which was asked for just now, is looked into."""
        self._wanted = moment

    def waits_for(self, moment: Moment) -> bool:
        """Whether a moment that was expected has not come yet."""
        return self._wanted is moment

    def give_up(self, moment: Moment) -> None:
        """Expect a moment no more, where its network does not come."""
        if self._wanted is moment:
            self._wanted = None

    def _arrived(self) -> bool:
        """Bring back what is wanted if its network is looked into by now."""
        wanted, window = self._wanted, self._window
        if wanted is None:
            return False
        if (window.bridge.subject, self._network()) != (wanted.subject, wanted.network):
            return False
        newest = window.bridge.engine.live.newest
        unknown = newest.inside is None and wanted.values["layer"] is not None
        if wanted.subject == "live" and (newest.phase != "ready" or unknown):
            return False
        if not restore(wanted, window.workspace, self._dataset()):
            text = f"The samples that were chosen are of {wanted.dataset}, which is not open: choose that data set."
            window.context.notices.post("info", text, topic="history")
        self._wanted = None
        self._settle.stop()
        return True

    def _stir(self) -> None:
        if self._wanted is None:
            self._settle.start()
            self.back.setEnabled(self.history.now is not None)

    def _open_experiment(self) -> str:
        opened = self._window.bridge.state.opened
        return opened.experiment.id if opened is not None else ""

    def _dataset(self) -> str:
        opened = self._window.bridge.state.opened
        return opened.dataset.name if opened is not None else ""

    def _network(self) -> str:
        if self._window.bridge.subject == "live":
            entry = self._window.bridge.engine.live.newest.model
            return entry.name if entry is not None else ""
        return self._open_experiment()

    def _enable(self) -> None:
        self.back.setEnabled(self.history.can_go_back)
        self.forward.setEnabled(self.history.can_go_forward)
        self.changed.emit()
