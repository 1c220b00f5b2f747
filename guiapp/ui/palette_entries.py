"""What the command palette finds: actions, experiments, layers, classes, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence

from guiapp.core import paths
from guiapp.ui.palette import Entry

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow

_RUNS = 200


def entries(window: MainWindow) -> list[Entry]:
    """Everything that can be found now."""
    return [*_actions(window), *_experiments(window), *_network(window), *_runs(window)]


def _actions(window: MainWindow) -> list[Entry]:
    found = []
    for name, record in window.commands.records.items():
        action = window.commands[name]
        if not action.isEnabled() or name == "palette.open":
            continue
        title = record.title
        if name.startswith("view.") and record.checkable:
            title = f"{'Close' if action.isChecked() else 'Show'} {record.title}"
        elif name.startswith("layout.") and name != "layout.reset":
            title = f"Layout {record.title}"
        hint = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        found.append(Entry(title.rstrip("…"), "Action", action.trigger, hint, record.tip, f"{name} {record.menu}"))
    return found


def _experiments(window: MainWindow) -> list[Entry]:
    from guiapp.catalogue import EXPERIMENTS

    return [
        Entry(e.title, "Experiment", lambda name=e.id: window.open_experiment(name), "", e.summary, f"{e.id} {e.model}")
        for e in EXPERIMENTS.values()
    ]


def _network(window: MainWindow) -> list[Entry]:
    opened = window.bridge.state.opened
    if opened is None:
        return []
    layers = [
        Entry(layer.name, "Layer", lambda name=layer.name: setattr(window.workspace, "layer", name))
        for layer in opened.layers
    ]
    classes = [
        Entry(label, "Class", lambda at=index: setattr(window.workspace, "class_index", at), f"{index}")
        for index, label in enumerate(opened.labels)
    ]
    return [*layers, *classes]


def _runs(window: MainWindow) -> list[Entry]:
    """Names alone: reading each run would hold up the window."""
    try:
        names = sorted((p.name for p in paths.runs().iterdir() if not p.name.startswith(".")), reverse=True)[:_RUNS]
    except OSError:
        return []
    return [Entry(name, "Run", lambda n=name: window.files.open_run(paths.runs() / n)) for name in names]
