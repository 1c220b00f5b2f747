"""The panel of a person's own networks: what a file is, what of it fits, how it is set up; and out again as a file."""

from __future__ import annotations

import functools
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from guiapp.core.notices import UserError
from guiapp.models.own.settings import OwnSettings, forget, remember
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.own_file import FileRun
from guiapp.ui.panels.own_table import TensorTable
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.buttons import declare, icon_button, text_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.export import ask_save_text
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.open_own import Examined
    from guiapp.engine.state import EngineState
    from guiapp.engine.study import Study

_EMPTY = (
    "Drop a network's file on the window: weights (.safetensors, .pt, .pth, .th), TorchScript, a torch.export program "
    "(.pt2) or a Python file with a function that gives a network."
)
_INPUT = ("labels", "dataset", "height", "width", "fit", "resize", "mean", "std")
FIELDS = {
    "weights": ("architecture", "options", *_INPUT, "activation", "pooling"),
    "script": ("architecture", "task", *_INPUT, "scores"),
    "program": ("task", *_INPUT, "scores"),
    "python": ("function", "weights", "task", *_INPUT, "scores", "activation", "pooling"),
}
"""What can be set of each kind of file."""
_KINDS = {
    "weights": "Weights", "script": "TorchScript", "program": "torch.export program", "python": "Python file",
}  # fmt: skip
_SAVE_KINDS = "safetensors (*.safetensors);;ONNX (*.onnx);;torch.export program (*.pt2)"
_LABELS = {"weights": "weight file", "std": "deviation"}
_TYPING_MS = 250


class OwnPanel(Panel):
    """A file at the top, what it is below, pages for its settings, its tensors and for writing the open network.

    Attributes:
        wanted: Emitted with the path of a file whose network is to be opened in the live room.
        looking: The look into the file; ``bar`` says how far it is.
        form: Settings, ``own.<setting>``.
        table: Tensors, ``own.tensors``.
        saving: The writing of a network; ``save_bar`` says what came of it.
        found: What is known of the file, or None.
    """

    id = "own"
    title = "Your network"
    follows_live = True
    wanted = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme, commands = context.theme, context.commands
        self.found: Examined | None = None
        self._path: Path | None = None
        self._use_after, self._otherwise = False, ""
        self.name = QuietLabel("own.file", self)
        bold = self.name.font()
        bold.setWeight(bold.Weight.DemiBold)
        self.name.setFont(bold)
        self.about = QLabel(self)
        self.about.setObjectName("own.about")
        self.about.setWordWrap(True)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.looking = FileRun(self)
        self.bar = StudyBar(self.looking, "own.bar", theme, self)
        self.looking.done.connect(self._show)
        self.saving = StudyRun(self)
        self.save_bar = StudyBar(self.saving, "own.save-bar", theme, self)
        self.saving.done.connect(lambda written: self.save_bar.say(written.words))
        self.open_action = declare(commands, Command(
            "file.open-network", "Open network file…", self.ask, "Open a network of your own: weights, TorchScript, "
            "torch.export, Python", "Ctrl+Shift+N", "open", menu="File",
        ))  # fmt: skip
        self.save_action = declare(commands, Command(
            "file.save-network", "Save network as…", self.ask_save, "Write the network that is open as safetensors, "
            "ONNX or torch.export program, and check that it answers the same", "", "save", menu="File",
        ))  # fmt: skip
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(lambda: self._look(self.form.options))
        self._build(theme)
        self.show_state(self.seen)
        self._tell()

    # ------------------------------------------------------------------ building

    def _build(self, theme: Any) -> None:
        self.use_button = self._button("own.use", "Open", "Open it in the live room, with these settings", self.use)
        self.use_button.setProperty("primary", True)
        self.partial_button = self._button(
            "own.partial", "Open with what fits", "Open it though tensors are missing: those are random", self._partly
        )
        self.trust_button = self._button(
            "own.trust",
            "Run this file",
            "Its code runs with your rights; asked again if it changes",
            self.trust,
        )
        self.forget_button = self._button(
            "own.forget", "Forget settings", "Go back to what the file and its architecture say", self._forget
        )
        self.functions = QComboBox(self)
        self.functions.setObjectName("own.functions")
        self.functions.setAccessibleName("Function that gives the network")
        self.functions.setToolTip("Function of the file that gives the network")
        self.functions.textActivated.connect(lambda text: self.set_options({"function": text}))
        self.also = QComboBox(self)
        self.also.setObjectName("own.architectures")
        self.also.setAccessibleName("Architectures that fit")
        self.also.setToolTip("Other architectures that the weights fit as well")
        self.also.textActivated.connect(lambda text: self.set_options({"architecture": text}))
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("own.pages")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")
        self._pages = QStackedWidget(self)
        for title, page in (("Settings", self._settings()), ("Tensors", self._tensors(theme)), ("Save", self._save())):
            self.tabs.addTab(title)
            self._pages.addWidget(page)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.empty = EmptyState(_EMPTY, ((self.open_action, "own.empty-open"),), self)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.name, 1)
        top.addWidget(icon_button(self, self.open_action, "own.open"))
        row = QHBoxLayout()
        row.setSpacing(4)
        for part in (self.functions, self.also, self.use_button, self.trust_button, self.partial_button):
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.forget_button)
        self._file = QWidget(self)
        head = QVBoxLayout(self._file)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(self.about)
        head.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self._file)
        column.addWidget(self.empty, 1)
        column.addWidget(self.bar)
        column.addWidget(self.tabs)
        column.addWidget(self._pages, 1)

    def _button(self, name: str, title: str, tip: str, call: Any) -> QPushButton:
        button = QPushButton(title, self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.clicked.connect(lambda _=False: call())
        return button

    def _settings(self) -> QWidget:
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget(area)
        first = ("function", "weights", "architecture", "options", "task")
        names = tuple(dict.fromkeys((*first, *_INPUT, "scores", "activation", "pooling")))
        self.form = OptionForm(OwnSettings(), "own", names, _LABELS, parent=inside)
        self.form.setObjectName("own.settings")
        for name in ("architecture", "labels", "dataset", "mean", "std", "options", "function", "weights"):
            editor = self.form.editor(name)
            if isinstance(editor, QLineEdit):
                editor.setMinimumWidth(110)
                editor.setMaximumWidth(220)
        self.rejected = QuietLabel("own.rejected", inside, self.context.theme.error)
        self.form.rejected.connect(self.rejected.set_text)
        self.form.edited.connect(lambda _name, _value: self._typing.start())
        row = QHBoxLayout()
        row.addWidget(self.form)
        row.addStretch(1)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        column.addWidget(self.rejected)
        column.addStretch(1)
        area.setWidget(inside)
        return area

    def _tensors(self, theme: Any) -> QWidget:
        page = QWidget(self)
        self._model = TensorTable(theme, self)
        self.table = NumberTable(page, "own.tensors", "Tensors of the file and of the network", self._model.ordered)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setTextElideMode(Qt.TextElideMode.ElideLeft)  # names differ at their ends
        self.table.names, self.table.padding = 60, 16
        self.filter = QLineEdit(page)
        self.filter.setObjectName("own.filter")
        self.filter.setPlaceholderText("Find a tensor …")
        self.filter.setClearButtonEnabled(True)
        self.bad = QPushButton("Only what does not fit", page)
        self.bad.setObjectName("own.bad")
        self.bad.setCheckable(True)
        self.copy = declare(self.context.commands, Command(
            "own.copy", "Copy tensors", lambda: QGuiApplication.clipboard().setText(self._model.csv_text()),
            "Put the table of tensors on the clipboard, as comma-separated values", "", "copy",
        ))  # fmt: skip
        self.csv = declare(self.context.commands, Command(
            "own.save-csv", "Save tensors as CSV …", self._save_csv, "Save the table of tensors as comma-separated "
            "values", "", "csv",
        ))  # fmt: skip
        for signal in (self.filter.textChanged, self.bad.toggled):
            signal.connect(lambda _value: self._model.ordered.show_only(self.bad.isChecked(), self.filter.text()))
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.filter, 1)
        row.addWidget(self.bad)
        row.addWidget(icon_button(page, self.copy, "own.copy-tensors"))
        row.addWidget(icon_button(page, self.csv, "own.save-tensors"))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        return page

    def _save(self) -> QWidget:
        page = QWidget(self)
        self.what = QLabel(page)
        self.what.setObjectName("own.what")
        self.what.setWordWrap(True)
        self.what.setProperty("faint", True)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.what)
        row = QHBoxLayout()
        row.addWidget(text_button(page, self.save_action, "own.save"))
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.save_bar)
        column.addStretch(1)
        return page

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 180)

    def show_waiting(self, text: str) -> None:
        """The empty page is about a file, which can be opened at any time."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.about.setMaximumHeight(max(3 * self.fontMetrics().lineSpacing(), self.height() // 3))

    # ------------------------------------------------------------------ a file

    def ask(self) -> None:
        """Let the person choose a file."""
        from guiapp.models.own.files import ENDINGS

        start = str(self.context.settings.value("last-folder", str(Path.home())))
        patterns = " ".join(f"*{ending}" for ending in ENDINGS)
        name, _ = QFileDialog.getOpenFileName(self, "Open network file", start, f"Networks ({patterns});;All files (*)")
        if name:
            self.context.settings.setValue("last-folder", str(Path(name).parent))
            self.open_file(Path(name))

    def open_file(self, path: Path, use: bool = True, otherwise: str = "") -> None:
        """Look into a file; where nothing is wrong with it, its network is opened in the live room.

        Args:
            path: The file.
            use: Whether it is opened at once.
            otherwise: Architecture that weights are compared with where they belong to none that is known.
        """
        self._otherwise = otherwise
        self._path, self._use_after, self.found = path.expanduser().absolute(), use, None
        self.tabs.setCurrentIndex(0)
        self._model.show_rows(())
        self._tell()
        self._look(None)

    def _look(self, settings: OwnSettings | None) -> None:
        if self._path is not None:
            self.looking.look_into(self._path, settings)

    def _show(self, found: Examined) -> None:
        other, self._otherwise = self._otherwise, ""
        if other and found.kind == "weights" and found.reason and not found.architectures:
            self.set_options({"architecture": other})
            return
        use, self._use_after = self._use_after, False
        self.found = found
        self.form.set_options(found.settings)
        self.form.show_only(FIELDS[found.kind])
        size = found.opened.preprocessing.size if found.opened is not None and found.opened.preprocessing else ()
        for name, side in zip(("height", "width"), size[1:] or ("any", "any"), strict=True):
            self.form.set_found(name, f"{side}, found" if size else "any" if found.opened is not None else "not found")
        self._complete()
        self._fill(self.functions, found.functions, found.settings.function)
        self._fill(self.also, found.architectures if len(found.architectures) > 1 else (), found.settings.architecture)
        self._model.show_rows(found.match.rows if found.match is not None else ())
        bad = found.match is not None and not found.match.complete
        self.bad.setChecked(bad)
        self.table.fit()
        if found.reason and bad:
            self.tabs.setCurrentIndex(1)
        self._tell()
        if use and not found.reason:
            self.use()

    @staticmethod
    def _fill(box: QComboBox, names: tuple[str, ...], chosen: str) -> None:
        box.clear()
        box.addItems(list(names))
        box.setCurrentText(chosen or (names[0] if names else ""))
        box.setVisible(len(names) > 1)

    def _complete(self) -> None:
        """Names of architectures and data sets while they are typed."""
        line = self.form.editor("architecture")
        if isinstance(line, QLineEdit) and line.completer() is None:
            from guiapp.datasets import DATASETS
            from guiapp.models.base import MODELS
            from guiapp.models.zoo import ZOO

            names = {"architecture": sorted({*MODELS, *ZOO}), "dataset": list(DATASETS)}
            for field, words in names.items():
                completer = QCompleter(words, self)
                completer.setFilterMode(Qt.MatchFlag.MatchContains)
                completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
                self.form.editor(field).setCompleter(completer)

    def set_options(self, changes: dict[str, Any]) -> None:
        """Change settings and look again."""
        from guiapp.training.recipe import change

        try:
            self.form.set_options(change(self.form.options, changes))
        except UserError as error:
            self.rejected.set_text(str(error))
            return
        self._look(self.form.options)

    def use(self) -> None:
        """Keep the settings and open the network in the live room."""
        if self.found is not None and not self.found.reason:
            remember(self.found.path, self.found.settings)
            self.wanted.emit(self.found.path)

    def _partly(self) -> None:
        self._use_after = True
        found = self.found
        named = found.architectures[0] if found is not None and found.architectures else ""
        self.set_options({"partial": "true", "architecture": self.form.options.architecture or named})

    def trust(self) -> None:
        """Let the code of this very file run."""
        if self.found is not None and self._path is not None:
            remember(self._path, self.form.options, trusted=True)
            self._use_after = True
            self._look(self.form.options)

    def _forget(self) -> None:
        if self._path is not None:
            forget(self._path)
            self._look(OwnSettings())

    def _tell(self) -> None:
        """Say what the file is."""
        found, path = self.found, self._path
        self.empty.setVisible(path is None)
        self._file.setVisible(path is not None)
        self.bar.setVisible(path is not None)
        for page in (0, 1):
            self.tabs.setTabEnabled(page, path is not None)
        if path is None:
            self.tabs.setCurrentIndex(2)
        self.name.set_text(path.name if path is not None else "")
        self.name.tip = str(path or "")
        opens = found is not None and not found.reason
        fits = found is not None and found.match is not None and found.match.count("fits") > 0
        self.use_button.setVisible(opens)
        self.partial_button.setVisible(found is not None and not opens and fits and not found.match.filled)
        self.trust_button.setVisible(found is not None and found.needs_trust)
        self.forget_button.setVisible(found is not None)
        self.tabs.setTabText(1, f"Tensors {len(self._model.rows)}" if self._model.rows else "Tensors")
        self.about.setText(words_of(found) if found is not None else "")
        self.about.setToolTip(self.about.text())
        wrong = found is not None and bool(found.reason) and not found.needs_trust
        self.about.setProperty("error", wrong)
        self.about.style().unpolish(self.about)
        self.about.style().polish(self.about)

    def _save_csv(self) -> None:
        if self._path is not None:
            ask_save_text(self, f"{self._path.stem}-tensors.csv", self._model.csv_text())

    # ------------------------------------------------------------------ out again

    def show_state(self, state: EngineState) -> None:
        """Say which network would be written."""
        opened = state.opened
        self.what.setText(
            "Open a network, and it can be written here as safetensors, ONNX or a torch.export program."
            if opened is None
            else f"{opened.model.title} with its preprocessing and class names, as safetensors (opens here again, and "
            "in other programs), ONNX (with a description beside it) or a torch.export program. Each file is read "
            "back and must give the same output."
        )

    def ask_save(self) -> None:
        """Ask for a file, then write the open network there."""
        opened = self.seen.opened
        if opened is None:
            self.context.notices.post("info", "No network is open: open one first, then save it.", topic="save network")
            return
        stem = Path(opened.model.name.replace(":", "-")).stem
        start = Path(str(self.context.settings.value("last-folder", str(Path.home())))) / f"{stem}.safetensors"
        name, kind = QFileDialog.getSaveFileName(self, "Save network as", str(start), _SAVE_KINDS)
        if name:
            path = Path(name)
            self.save_as(path if path.suffix else path.with_suffix(kind.rpartition("*")[2].rstrip(")")))

    def save_as(self, path: Path) -> None:
        """Write the network that is open, and compare what is read back."""
        self.tabs.setCurrentIndex(2)
        self.saving.start(functools.partial(_write, path), f"Saving {path.name}")


def _write(path: Path, study: Study, _tell: Any) -> Generator[Any, None, Any]:
    from guiapp.engine.export import write

    return (yield from write(study, path))


def words_of(found: Examined) -> str:
    """What is known of a file, in one paragraph."""
    if found.needs_trust:
        return (
            f"{found.path.name} is Python code, which can do anything on this machine that you can. "
            "Run it only if you know where it comes from."
        )
    if found.reason:
        return found.reason
    opened = found.opened
    parts = [_KINDS[found.kind]]
    if opened is not None:
        parts = [opened.note, f"{opened.entry.task}, {len(opened.labels)} classes"]
        if opened.preprocessing is not None:
            channels, height, width = opened.preprocessing.size
            parts.append(f"input {channels}×{height}×{width}")
        parts.append(f"{opened.entry.parameters:,} parameters")
    return " · ".join(parts)
