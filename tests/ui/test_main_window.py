"""The window: docks, layouts, session, theme, no leaks."""

import threading

import pytest
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QTabBar, QToolButton, QWidget

from guiapp.catalogue import DEFAULT, EXPERIMENTS
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.ui.layouts import LAYOUTS
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panel_table import PANELS
from tests.ui.conftest import destroy, settle


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


@pytest.mark.parametrize("name", [p.id for p in PANELS])
def test_every_dock_closes_and_comes_back_from_the_view_menu(window, name):
    action, dock = window.commands[f"view.{name}"], window.docks[name]
    window.show_panel(name)
    assert action.isChecked()
    dock.findChild(QToolButton, f"{name}.close").click()
    assert dock.isHidden() and not action.isChecked()
    action.trigger()
    assert not dock.isHidden() and action.isChecked()
    settle()
    assert dock.widget().isVisible(), "it comes back in front of its tabs"


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_layouts_show_their_panels_and_fit_a_small_screen(window, layout):
    window.resize(1280, 800)
    for panel in PANELS:
        window.docks[panel.id].close()
    window.commands[f"layout.{layout.id}"].trigger()
    settle()
    assert {n for n, d in window.docks.items() if not d.isHidden()} == {p.id for p in PANELS if layout.id in p.layouts}
    assert [known.id for known in LAYOUTS if window.commands[f"layout.{known.id}"].isChecked()] == [layout.id]
    assert (window.width(), window.height()) == (1280, 800)
    for panel in PANELS:
        fellows = {dock.entry.row for dock in window.tabifiedDockWidgets(window.docks[panel.id])}
        assert fellows <= {panel.row}, f"the tabs of {panel.id} are those of its own row"
    for dock in window.docks.values():
        if dock.isVisible() and not dock.visibleRegion().isEmpty():
            inside = window.rect().contains(dock.geometry())
            assert inside, f"{dock.objectName()} {dock.geometry()} reaches over the window"


def test_reset_layout_brings_back_what_was_closed_and_floated(window):
    window.docks["viewer"].setFloating(True)
    window.docks["catalogue"].close()
    window.commands["layout.reset"].trigger()
    assert not window.docks["viewer"].isFloating()
    assert not window.docks["catalogue"].isHidden()


def sizes(window):
    return {name: dock.geometry() for name, dock in window.docks.items() if not dock.visibleRegion().isEmpty()}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
@pytest.mark.parametrize("closed", [("viewer", "training", "source", "catalogue", "filters"), ("source",), ("viewer",)])
def test_docks_that_were_closed_come_back_with_their_share(window, layout, closed):
    window.resize(1280, 800)
    window.commands[f"layout.{layout.id}"].trigger()
    settle()
    before = sizes(window)
    closed = [name for name in closed if name in before]
    for name in closed:
        window.docks[name].close()
        settle()
    for name in closed:
        window.commands[f"view.{name}"].trigger()
        settle()
    after = sizes(window)
    for name in closed:
        assert abs(after[name].width() - before[name].width()) <= 8, name
        assert abs(after[name].height() - before[name].height()) <= 8, name


def test_a_dock_that_comes_back_leaves_other_areas_as_the_person_made_them(window):
    window.resizeDocks([window.docks["filters"]], [200], Qt.Orientation.Vertical)
    window.resizeDocks([window.docks["catalogue"]], [300], Qt.Orientation.Horizontal)
    settle()
    filters, width = window.docks["filters"].height(), window.docks["catalogue"].width()
    for name in ("viewer", "source"):
        window.docks[name].close()
        settle()
        window.commands[f"view.{name}"].trigger()
        settle()
    assert window.docks["filters"].height() == filters
    assert window.docks["catalogue"].width() == width


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_reset_layout_gives_the_default_picture(window, layout):
    window.resize(1280, 800)
    window.commands[f"layout.{layout.id}"].trigger()
    settle()
    before = sizes(window)
    window.docks["viewer"].setFloating(True)
    for name in ("training", "source", "activations"):
        window.docks[name].close()
    window.tabifyDockWidget(window.docks["filters"], window.docks["catalogue"])
    window.resizeDocks([window.docks["filters"]], [500], Qt.Orientation.Horizontal)
    settle()
    window.commands["layout.reset"].trigger()
    settle()
    assert sizes(window) == before


def test_docks_that_share_a_place_have_one_row_of_tabs_and_no_title(window, qtbot):
    training = window.docks["training"]
    qtbot.waitUntil(training._title.isHidden)
    window.docks["runs"].close()
    window.docks["storage"].close()
    qtbot.waitUntil(lambda: not training._title.isHidden())


def test_names_of_tabs_are_not_under_the_buttons_of_their_row(window, qtbot):
    window.resize(1280, 800)
    window.use_layout("look-inside")
    for name in ("groups", "sizes", "own"):
        window.show_panel(name)

    def row():
        bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return next(bar for bar in bars if "Your network" in [bar.tabText(tab) for tab in range(bar.count())])

    def in_front():
        bar = row()
        corner, tab = bar.findChild(QWidget, "tabs.corner"), bar.currentIndex()
        assert corner is not None
        room = bar.tabRect(tab).width() - (corner.width() if tab == bar.count() - 1 else 0)
        ends = bar.tabRect(bar.count() - 1).right() - corner.width()
        assert ends <= corner.x() and room >= bar.fontMetrics().horizontalAdvance(bar.tabText(tab))

    qtbot.waitUntil(in_front)
    window.show_panel("embedding")
    qtbot.waitUntil(in_front)


def test_a_tab_put_in_before_others_leaves_the_last_one_seen(window, qtbot):
    window.resize(1280, 800)
    for name in ("samples", "events"):
        window.show_panel(name)

    def names_fill_their_tabs():
        bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        bar = next(bar for bar in bars if "Event files" in [bar.tabText(tab) for tab in range(bar.count())])
        tabs, wide = range(bar.count()), bar.fontMetrics().horizontalAdvance
        corner = bar.findChild(QWidget, "tabs.corner")
        assert bar.tabText(bar.count() - 1) != "Event files" and bar.tabText(bar.currentIndex()) == "Event files"
        over = [bar.tabRect(tab).width() - wide(bar.tabText(tab)) for tab in tabs]
        assert max(over[:-1]) < corner.width() <= over[-1]

    qtbot.waitUntil(names_fill_their_tabs)


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
    listed = {a.objectName() for menu in window._menus.values() for a in menu.actions()}
    assert {n for n, r in window.commands.records.items() if r.menu} <= listed
    assert window._menus["File"].actions()[-1].objectName() == "file.quit"


def test_help_of_a_panel_opens_and_closes_without_being_modal(window, monkeypatch):
    from guiapp.ui import help as helps

    monkeypatch.setattr(helps, "text", lambda name: f"# Title\n\nThis is **{name}**.")
    window.docks["filters"].findChild(QToolButton, "filters.help").click()
    (card,) = [c for c in window.findChildren(helps.HelpCard) if c.isVisible()]
    assert "This is filters" in card.view.toPlainText()
    assert not card.isModal()
    assert window.rect().contains(card.geometry())
    window.show_help("filters")
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


def test_the_help_button_of_every_dock_opens_a_text_of_its_own(window):
    from guiapp.ui import help as helps

    seen = set()
    for panel in PANELS:
        window.docks[panel.id].findChild(QToolButton, f"{panel.id}.help").click()
        (card,) = [c for c in window.findChildren(helps.HelpCard) if not c.isHidden()]
        assert card.topic == panel.id
        seen.add(card.view.toPlainText())
        window.show_help(panel.id)
    assert len(seen) == len(PANELS)
    assert window.context.notices.notices == []


@pytest.mark.parametrize("name", [p.id for p in PANELS])
def test_every_panel_has_a_help_text(name):
    from guiapp.ui import help as helps

    written = helps.text(name)
    assert written is not None and len(written) > 100
