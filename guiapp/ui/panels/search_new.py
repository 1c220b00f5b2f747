"""The page of a new search: what is to be searched, what that comes to, and how it begins."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.engine.state import Opened
from guiapp.training.search_record import SearchFolder
from guiapp.ui.context import Context
from guiapp.ui.panels import search_work
from guiapp.ui.panels.search_form import SearchForm, names_of
from guiapp.ui.widgets.buttons import text_button
from guiapp.ui.widgets.quiet_label import QuietLabel

_PLAN_MS = 300
_BREAK = "\u200b"
"""Takes no room and lets a line end where it stands."""
_NOTHING = "Open an experiment to search its settings."


class NewSearchPage(QWidget):
    """A search of the open experiment, planned in words as it is written.

    Attributes:
        opened: The experiment, or None.
        form: What is to be searched.
        plan: ``search.plan``, what it comes to, or why it cannot be; ``cost``: ``search.cost``.
        begun: Emitted with the folder of a search that has begun and its process.
    """

    begun = Signal(object, object)

    def __init__(self, context: Context, start: QAction, parent: QWidget) -> None:
        super().__init__(parent)
        self.opened: Opened | None = None
        self._context, self._start = context, start
        self._configured: str | None = None
        self._asked = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PLAN_MS)
        self._soon.timeout.connect(self.check)
        fields = QWidget(self)
        self.about = QLabel(_NOTHING, fields)
        self.about.setObjectName("search.about")
        self.about.setWordWrap(True)
        self.form = SearchForm(fields)
        self.form.changed.connect(self._soon.start)
        self.plan = QLabel(fields)
        self.plan.setObjectName("search.plan")
        self.plan.setWordWrap(True)
        self.plan.setProperty("faint", True)
        theme = context.theme
        self.cost = QuietLabel("search.cost", self, theme.faint)
        theme.changed.connect(lambda: setattr(self.cost, "ink", theme.faint))
        inner = QVBoxLayout(fields)
        inner.setContentsMargins(0, 2, 6, 0)
        inner.setSpacing(6)
        inner.addWidget(self.about)
        inner.addWidget(self.form)
        inner.addWidget(self.plan)
        inner.addStretch(1)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(fields)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(text_button(self, start, "search.start-button", primary=True))
        row.addWidget(self.cost, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, 1)
        column.addLayout(row)  # below the form, whatever its length: seen without scrolling
        start.setEnabled(False)

    def show_opened(self, opened: Opened | None) -> None:
        """Offer the settings of the experiment that is open."""
        if opened is self.opened:
            return
        self.opened = opened
        if opened is None:
            self.about.setText(_NOTHING)
            self._start.setEnabled(False)
            return
        self.about.setText(f"<b>{opened.experiment.title}</b> on {opened.dataset.title}, with the settings as they are")
        self.form.set_names(names_of(opened.recipe, tuple(opened.model.options or ())))
        if self._configured != opened.experiment.id:
            self._configured = opened.experiment.id
            self._begin_with(opened)
        self._soon.start()

    def _begin_with(self, opened: Opened) -> None:
        """What the experiment suggests to search, else the learning rate."""
        begin: Mapping[str, Any] = opened.experiment.begin
        self.form.clear()
        for way in ("grid", "random"):
            for name, values in dict(begin.get(f"search.{way}", {})).items():
                self.form.add_line(name, values, way)  # type: ignore[arg-type]
        chosen = {n: begin.get(f"search.{n}", 0) for n in ("halving", "folds", "seeds", "draws")}
        self.form.set_choices(
            epochs=opened.recipe.epochs, trials=begin.get("search.trials", 12),
            budget=begin.get("search.budget", ""), **chosen,
        )  # fmt: skip
        if not any(key.startswith("search.") for key in begin):
            self.form.add_line()

    def check(self) -> None:
        """Say what would be done, or why not."""
        self._asked += 1
        self._ask(False, "planning a search", partial(self._planned, self._asked))

    def start(self) -> None:
        """Begin the search in a process of its own."""
        self._ask(True, "beginning a search", self._begun)

    def shut(self) -> None:
        """Plan nothing any more."""
        self._soon.stop()

    def _ask(self, begin: bool, title: str, then: Callable[[Any], object]) -> None:
        """Make the plan on the work lane; with ``begin`` also the folder and the process."""
        opened, choices = self.opened, self.form.choices()
        if opened is None:
            then("Open an experiment first")
            return
        try:
            fixed, varied = self.form.axes()
        except UserError as error:
            then(str(error))
            return
        settings = search_work.settings_of(opened, fixed, varied, choices)
        bridge = self._context.bridge
        work = partial(search_work.planned, opened, settings, fixed, varied, choices, begin)
        bridge.call(bridge.engine.submit(work, title=title), then)

    def _planned(self, number: int, found: Any) -> None:
        if number != self._asked:
            return
        sound = not isinstance(found, str)
        self._start.setEnabled(sound and self.opened is not None)
        text = found[0] if sound else found
        self.plan.setText(text.replace(",", f",{_BREAK}"))  # long lists of values are one word else
        self.cost.set_text(text.rpartition(": ")[2] if sound else "not yet: see above")
        self.plan.setProperty("faint", sound)
        self.plan.setProperty("error", not sound)
        self.plan.style().unpolish(self.plan)
        self.plan.style().polish(self.plan)

    def _begun(self, found: tuple[str, SearchFolder, subprocess.Popen[bytes]] | str) -> None:
        if isinstance(found, str):
            self._context.notices.post("error", f"The search cannot begin: {found}")
        else:
            self.begun.emit(*found[1:])
