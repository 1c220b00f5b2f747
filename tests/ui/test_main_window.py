"""The window: docks, layouts, session, theme, no leaks."""

import threading
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QToolButton

from guiapp.catalogue import DEFAULT, EXPERIMENTS
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.state import EngineState
from guiapp.ui import main_window
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panel_table import PANELS
from tests.ui.conftest import destroy, settle


@pytest.fixture
def window(make_window):
    return make_window()


def test_the_default_experiment_is_opened_after_the_first_paint(window):
    assert window.engine.asked == [("experiment", DEFAULT)]
    assert window.workspace.experiment == DEFAULT


def test_nothing_is_opened_before_the_window_is_painted(make_window):
    window = make_window(shown=False)
    assert window.engine.asked == []
    assert set(window._panels) == {p.id for p in PANELS if p.early}


def test_every_panel_is_built_and_named(window):
    for panel in PANELS:
        dock = window.docks[panel.id]
        assert dock.objectName() == f"{panel.id}-panel"
        assert window.panel(panel.id).id == panel.id
        assert dock.windowTitle() == panel.title == window.panel(panel.id).title
    assert [n for n in window.context.notices.notices if n.level == "error"] == []


def test_a_command_of_a_panel_that_is_not_built_yet_builds_it(make_window):
    window = make_window(shown=False)
    assert "runs.open" not in window.commands
    assert window.commands["runs.open"].text() == "Open run"
    with pytest.raises(KeyError):
        window.commands["runs.fly"]


def test_session_comes_back(make_window, settings):
    window = make_window()
    window.commands["layout.look-inside"].trigger()
    window.commands["view.theme-light"].trigger()
    window.docks["catalogue"].close()
    window.workspace.experiment = "mlp"
    window.workspace.layer = "hidden"
    destroy(window)
    again = make_window(settings=QSettings(settings.fileName(), QSettings.Format.IniFormat))
    assert again.docks["catalogue"].isHidden()
    assert again.commands["layout.look-inside"].isChecked()
    assert again.theme.mode == "light" and not again.theme.dark
    assert again.engine.asked == [("experiment", "mlp")]
    assert again.settings.value("layer") == "hidden"


def test_a_session_with_an_unknown_experiment_opens_the_default(make_window, settings):
    settings.setValue("experiment", "gone")
    settings.setValue("docks", b"nonsense")
    assert make_window().engine.asked == [("experiment", DEFAULT)]


def test_the_session_is_kept_in_the_users_folder(application, home):
    window = MainWindow(Workspace(experiment="mlp"), engine=Engine())
    destroy(window)
    assert (home / "session.ini").is_file()


def test_theme_switch_changes_the_palette_and_tells_the_panels(window, qtbot):
    window.commands["view.theme-dark"].trigger()
    dark = QApplication.palette().window().color()
    with qtbot.waitSignal(window.theme.changed):
        window.commands["view.theme-toggle"].trigger()
    light = QApplication.palette().window().color()
    assert dark.lightness() < 80 < 200 < light.lightness()
    assert window.commands["view.theme-light"].isChecked()
    assert window.theme.training == QColor("#3b82f6")


def test_shortcuts_are_different(window):
    keys = [window.commands[name].shortcut().toString() for name in window.commands]
    keys = [key for key in keys if key]
    assert len(keys) == len(set(keys))


def test_every_command_has_a_menu_or_is_a_toggle_of_the_toolbar(window):
    for name, record in window.commands.records.items():
        assert record.title
        assert record.id == name
        assert "." in name
    listed = {action.objectName() for action in window.menus.actions()}
    assert {n for n, r in window.commands.records.items() if r.menu} <= listed
    assert window.menus["File"].actions()[-1].objectName() == "file.quit"


def test_help_of_a_panel_opens_and_closes_without_being_modal(window, monkeypatch):
    from guiapp.ui import help as helps

    monkeypatch.setattr(helps, "text", lambda name: f"# Title\n\nThis is **{name}**.")
    window.docks["filters"].findChild(QToolButton, "filters.help").click()
    (card,) = [c for c in window.findChildren(helps.HelpCard) if c.isVisible()]
    assert "This is filters" in card.view.toPlainText()
    assert not card.isModal()
    assert window.rect().contains(card.geometry())
    window.helps.show("filters")
    assert [c for c in window.findChildren(helps.HelpCard) if not c.isHidden()] == []


def test_a_panel_that_cannot_be_built_says_so_and_leaves_the_window_alive(make_window, monkeypatch):
    from guiapp.ui.panels import storage

    monkeypatch.setattr(storage.StoragePanel, "__init__", lambda *_: 1 / 0)
    window = make_window()
    window.show()
    (notice,) = [n for n in window.context.notices.notices if n.level == "error"]
    assert "Storage" in notice.text and "ZeroDivisionError" in notice.details
    assert window.panel("runs").id == "runs"


def test_five_windows_leave_nothing_behind(application, qtbot, tmp_path):
    from tests.ui.conftest import NotingEngine

    def once(number):
        window = MainWindow(
            engine=NotingEngine(), settings=QSettings(str(tmp_path / f"{number}.ini"), QSettings.Format.IniFormat)
        )
        with qtbot.waitSignals([window.first_painted, window.panels_built], timeout=30_000):
            window.show()
        window.open_palette()
        window.commands["view.theme-toggle"].trigger()
        destroy(window)
        del window
        settle()

    def alive():
        widgets = [type(w).__name__ for w in QApplication.allWidgets()]
        timers = [t for t in QApplication.instance().findChildren(QTimer) if t.isActive()]
        return sorted(widgets), len(timers), sorted(t.name for t in threading.enumerate())

    once(0)
    before = alive()
    for number in range(1, 6):
        once(number)
    assert alive() == before


def test_experiments_open_from_the_window(window):
    name = next(n for n in EXPERIMENTS if n != DEFAULT)
    window.open_experiment(name)
    assert window.engine.asked[-1] == ("experiment", name)
    assert window.workspace.experiment == name


def test_panels_of_an_experiment_come_to_the_front_and_guests_go_with_it(window, monkeypatch):
    guest = next(p.id for p in PANELS if not p.layouts)
    window.show_panel("runs")
    window.docks["filters"].close()
    window.raise_panels(("filters", "training", guest), front=True)
    settle()
    assert window.docks["filters"].isHidden(), "what the person has closed stays closed"
    assert not window.docks[guest].isHidden()
    window.raise_panels(("training",), front=True)
    settle()
    assert window.docks[guest].isHidden()
    assert not window.docks["training"].visibleRegion().isEmpty()


def test_the_experiment_that_a_window_opens_by_itself_brings_no_panels_into_the_live_room(window, monkeypatch):
    def opened(name):
        experiment = SimpleNamespace(id=name, title=name, panels=("training", "filters"))
        return EngineState("ready", SimpleNamespace(experiment=experiment))

    monkeypatch.setattr(window.status, "show_state", lambda state: None)
    monkeypatch.setattr(main_window, "follow", lambda *what: None)
    window.use_layout("live")
    for name, there in (("lenet5", False), ("mlp", True)):  # the second was chosen by the person, there
        window._show_state(opened(name))
        assert window.docks["training"].isHidden() is not there, name


def test_the_help_button_of_every_dock_opens_a_text_of_its_own(window):
    from guiapp.ui import help as helps

    seen = set()
    for panel in PANELS:
        window.docks[panel.id].findChild(QToolButton, f"{panel.id}.help").click()
        (card,) = [c for c in window.findChildren(helps.HelpCard) if not c.isHidden()]
        assert card.topic == panel.id
        seen.add(card.view.toPlainText())
        window.helps.show(panel.id)
    assert len(seen) == len(PANELS)
    assert window.context.notices.notices == []


@pytest.mark.parametrize("name", [p.id for p in PANELS])
def test_every_panel_has_a_help_text(name):
    from guiapp.ui import help as helps

    written = helps.text(name)
    assert written is not None and len(written) > 100
