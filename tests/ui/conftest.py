"""A window on an engine that notes what is asked of it and trains nothing."""

import gc

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from guiapp.app import create_application
from guiapp.engine.engine import Engine
from guiapp.ui import main_window
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panel_table import PANELS

# What is waited for comes when the machine gets to it; a loaded one may take longer than pytest-qt's 5 s.
for wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals):
    wait.__kwdefaults__["timeout"] = 60_000

# A window takes a breath of 30 ms before each of some forty panels that it builds out of sight: a second of waiting.
main_window._BREATH_MS = 0


@pytest.fixture(autouse=True, scope="module")
def kept():
    """What is there before the tests of a file is not searched for garbage at the end of each of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def released():
    """In the end all of it is, or libraries say that they leak."""
    yield
    gc.unfreeze()


class NotingEngine(Engine):
    """Opens nothing; ``asked`` holds what was asked, in order."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = []

    def open_experiment(self, name, settings=None):
        self.asked.append(("experiment", name))

    def open_run(self, folder):
        self.asked.append(("run", folder))

    def start(self, until=""):
        self.asked.append(("start",))

    def predict_many(self, images, title="predictions", asked_of=None):
        raise AssertionError("nothing is open")


@pytest.fixture
def application(qapp):
    return create_application(["test"])


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "session.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def make_window(application, qtbot, settings):
    """Makes windows; each is closed and destroyed at the end of the test."""
    made = []

    def make(shown=True, whole=True, **options):
        window = MainWindow(engine=NotingEngine(), **{"settings": settings, **options})
        made.append(window)
        if shown and whole:
            with qtbot.waitSignals([window.first_painted, window.panels_built], timeout=30_000):
                window.show()
        elif shown:
            show(window, qtbot)
        return window

    yield make
    for window in made:
        destroy(window)


@pytest.fixture
def window(make_window):
    return make_window(whole=False)


def show(window, qtbot):
    """Show a window with the panels of its layout: each other one is built when a test, or a command, asks for it."""
    for panel in PANELS:
        if window.layout_id in panel.layouts:
            window.panel(panel.id)
    with pytest.MonkeyPatch.context() as patch, qtbot.waitSignal(window.first_painted):
        patch.setattr(main_window, "_BREATH_MS", 3_600_000)
        window.show()
        qtbot.waitUntil(lambda: window._arranged)


def destroy(window):
    """Close a window and let Qt delete it."""
    if shiboken6.isValid(window):
        window.close()
        window.deleteLater()
        settle()


def settle():
    """Carry out what waits in the event loop, deletions included."""
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
