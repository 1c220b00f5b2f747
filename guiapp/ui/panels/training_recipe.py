"""The row over the curves: data set, the fields of the recipe that are used most, and the way to all the others."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from guiapp.engine.state import Opened
from guiapp.ui.context import Context
from guiapp.ui.panels.recipe_words import LABELS
from guiapp.ui.panels.training_status import remembers
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.quiet_label import QuietLabel

_FOLDER, _TABLE = "Folder…", "Labels (.csv)…"
_FIELDS = ("optimiser.name", "optimiser.lr", "schedule.name", "batch", "epochs")


class RecipeRow(QWidget):
    """Shows and changes the recipe; row and recipe panel always say the same.

    Attributes:
        edited: Dotted name and value of a field that was changed.
        rejected: What a field of the row takes, or ``""`` once it is right again.
        dataset_chosen: Name of another data set.
        dataset: The data set, ``training.dataset``.
        form: The recipe's most used fields, ``training.<field>``; None until an experiment is open.
        memory: Stands in place of the fields for a network that keeps the training part, ``training.memory``.
        button: Shows the recipe panel, which has every field, ``training.recipe``.
        beside: The button for runs beside this one.
    """

    edited = Signal(str, object)
    rejected = Signal(str)
    dataset_chosen = Signal(str)

    def __init__(self, context: Context, beside: QPushButton, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form: OptionForm | None = None
        self._opened: Opened | None = None
        self._context = context
        context.draft.changed.connect(self._follow_draft)
        self.dataset = QComboBox(self)
        self.dataset.setObjectName("training.dataset")
        self.dataset.setAccessibleName("Data set")
        self.dataset.setToolTip("Data set on which the network is trained")
        self.dataset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.dataset.setMinimumContentsLength(6)
        self.dataset.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.dataset.activated.connect(lambda row: self._choose_dataset(self.dataset.itemData(row)))
        self.memory = QuietLabel("training.memory", self, context.theme.faint)
        self.memory.set_text("one pass, nothing to learn but memory", ("one pass: it remembers",))
        self.memory.hide()
        self.button = QPushButton("Recipe …", self)
        self.button.setObjectName("training.recipe")
        self.button.setToolTip("Every field of the recipe: optimiser, schedule, weight decay, seed, device, …")
        self.button.clicked.connect(lambda _checked=False: context.bridge.panel_wanted.emit("recipe"))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.dataset)
        self._row.addWidget(self.memory, 1)
        self.beside = beside
        self._row.addStretch(1)
        self._row.addWidget(self.beside)
        self._row.addWidget(self.button)

    def set_opened(self, opened: Opened) -> None:
        """Show the recipe of what was opened."""
        self._opened = opened
        if self.form is None:
            self.form = OptionForm(opened.recipe, "training", only=_FIELDS, labels=LABELS, inline=True, parent=self)
            self.form.edited.connect(self.edited)
            self.form.rejected.connect(self.rejected)
            for dotted in ("batch", "epochs"):
                self.form.editor(dotted).setFixedWidth(46)
            self.form.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self._row.insertWidget(1, self.form)
        self._follow_draft()
        memory = remembers(opened)
        self.form.setHidden(memory)
        self.memory.setVisible(memory)
        self._list_datasets(opened.dataset.name)

    def follow(self, phase: str, reopening: bool = False) -> None:
        """Enable what can be changed in a phase: during a run the rate alone, of a ``"watched"`` one nothing.

        While the experiment is ``reopening`` with what was typed here, typing goes on.
        """
        typing = phase in ("ready", "finished", "failed") or (phase == "opening" and reopening)
        free = None if typing else ("optimiser.lr",) if phase in ("running", "paused") else ()
        self.dataset.setEnabled(phase not in ("running", "opening", "watched"))
        if self.form is not None:
            self.form.set_enabled(free)

    def fit(self, width: int) -> None:
        """Leave out what does not fit into a panel of a width, least needed first; the recipe panel has every field."""
        form = self.form
        if form is None or form.isHidden():
            return
        parts = {d: (form.caption(d), form.editor(d)) for d in _FIELDS}
        drops: list[QWidget] = [parts["optimiser.name"][0], parts["schedule.name"][0]]
        drops += [*parts["epochs"], *parts["batch"], parts["schedule.name"][1]]
        shown = [widget for pair in parts.values() for widget in pair]
        fixed = self.dataset, self.beside, self.button
        room = width - sum(widget.sizeHint().width() + 4 for widget in fixed) - 20
        while drops and sum(w.sizeHint().width() + 6 for w in shown) > room:
            shown.remove(drops.pop(0))
        for widget in (w for pair in parts.values() for w in pair):
            if widget.isHidden() == (widget in shown):
                widget.setVisible(widget in shown)

    def _follow_draft(self) -> None:
        """Show the recipe as it stands."""
        if self.form is not None and self._opened is not None and self._context.draft.opened is not None:
            self.form.set_options(self._context.draft.recipe)

    def _list_datasets(self, current: str) -> None:
        from guiapp.datasets import DATASETS

        names = [name for name, entry in DATASETS.items() if name == current or entry.available()]
        if current not in names:
            names.append(current)
        names += [_FOLDER, _TABLE]
        if [self.dataset.itemData(i) for i in range(self.dataset.count())] != names:
            self.dataset.clear()
            for name in names:
                own = name not in DATASETS and name not in (_FOLDER, _TABLE)
                self.dataset.addItem(self._opened.dataset.title if own and self._opened is not None else name, name)
                self.dataset.setItemData(self.dataset.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.dataset.setCurrentIndex(self.dataset.findData(current))

    def _choose_dataset(self, name: str) -> None:
        if self._opened is None:
            return
        current = self._opened.dataset.name
        if name in (_FOLDER, _TABLE):
            self.dataset.setCurrentIndex(
                self.dataset.findData(current)
            )  # until it is open, and where nothing is chosen
            name = self._ask_own(name)
        if name and name != current:
            self.dataset_chosen.emit(name)

    def _ask_own(self, kind: str) -> str:
        """Let the person choose a folder with one sub-folder a class, or a table of labels; empty where they do not."""
        if kind == _FOLDER:
            return QFileDialog.getExistingDirectory(self, "Folder with one sub-folder of pictures a class")
        tables = "Tables (*.csv *.tsv);;All files (*)"
        return QFileDialog.getOpenFileName(self, "Table of files and labels", "", tables)[0]
