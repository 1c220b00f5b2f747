"""Where docks stand: layouts, closing and coming back, rows of tabs; one window is arranged anew for each test."""

import pytest
from PySide6.QtCore import QEventLoop, QSettings, Qt
from PySide6.QtWidgets import QApplication, QTabBar, QToolButton, QWidget

from guiapp.app import create_application
from guiapp.ui.layouts import LAYOUTS
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panel_table import PANELS
from tests.ui.conftest import NotingEngine, destroy


def settle():
    """Let every dock get its place; what was deleted may wait."""
    for _ in range(3):
        QApplication.processEvents()


@pytest.fixture(scope="module")
def one_window(qapp, tmp_path_factory):
    create_application(["test"])
    folder = tmp_path_factory.mktemp("window")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUIAPP_HOME", str(folder / "home"))
        settings = QSettings(str(folder / "session.ini"), QSettings.Format.IniFormat)
        window, loop = MainWindow(engine=NotingEngine(), settings=settings), QEventLoop()
        window.panels_built.connect(loop.quit)
        window.show()
        loop.exec()
        yield window
        destroy(window)


@pytest.fixture
def window(one_window):
    """The window as it comes, in its first layout."""
    one_window.showNormal()
    one_window.resize(1280, 800)
    one_window.use_layout(LAYOUTS[0].id)
    settle()
    return one_window


@pytest.mark.parametrize("name", [p.id for p in PANELS])
def test_every_dock_closes_and_comes_back_from_the_view_menu(window, name, monkeypatch):
    action, dock = window.commands[f"view.{name}"], window.docks[name]
    window.show_panel(name)
    assert action.isChecked()
    assert isinstance(dict(dock.widget().told()), dict), "for a report"
    ended = []
    monkeypatch.setattr(dock.widget(), "put_away", lambda: ended.append(name))
    dock.findChild(QToolButton, f"{name}.close").click()
    assert dock.isHidden() and not action.isChecked() and ended == [name]
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
