"""Making the application: no display, no libraries, handlers."""

import gc
import os
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Signal

from guiapp.app import create_application, install_exception_hook, keep_modules
from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.state import EngineState

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are named so on Linux alone")


def run(code, **environment):
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(  # noqa: PLW1510 - the tests look at the code
        [sys.executable, "-c", code], env={**env, **environment}, capture_output=True, text=True, timeout=60
    )


def test_without_a_display_one_line_says_what_to_do():
    done = run("from guiapp.app import create_application\ntry: create_application(['x'])\nexcept Exception as e: "
               "print(type(e).__name__, e)")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("UserError there is no display")
    assert "xvfb-run" in line and "guiapp train" in line


def test_a_display_that_cannot_be_reached_is_one_line_and_no_crash():
    done = run("from guiapp.app import create_application\ntry: create_application(['x'])\nexcept Exception as e: "
               "print(type(e).__name__, e)", DISPLAY=":987")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("UserError") and ("cannot be reached" in line or "apt install" in line)


def test_the_command_line_says_the_same_without_a_traceback():
    done = run("import sys; sys.argv=['guiapp']; from guiapp.__main__ import main; main()")
    assert done.returncode != 0
    assert "no display" in done.stderr and "Traceback" not in done.stderr


def test_a_missing_system_library_is_named():
    code = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "PySide6.QtWidgets":
            raise ImportError("libEGL.so.1: cannot open shared object file")
sys.meta_path.insert(0, Finder())
from guiapp.app import create_application
try: create_application(["x"])
except Exception as e: print(type(e).__name__, e)
"""
    done = run(code, QT_QPA_PLATFORM="offscreen")
    (line,) = done.stdout.splitlines()
    assert line.startswith("UserError") and "libEGL.so.1" in line and "apt install" in line


def test_nothing_heavy_is_imported_before_the_first_paint(tmp_path):
    code = """
import sys
from guiapp.app import create_application
app = create_application(["x"])
from guiapp.ui.main_window import MainWindow
window = MainWindow()
def painted():
    print([m for m in ("torch", "torchvision", "sklearn", "scipy", "cv2", "PIL", "pyqtgraph") if m in sys.modules])
    window.close(); app.quit()
window.first_painted.connect(painted)
window.show()
app.exec()
"""
    done = run(code, QT_QPA_PLATFORM="offscreen", GUIAPP_HOME=str(tmp_path))
    assert done.stdout.strip() == "[]", done.stderr


def test_theme_can_be_forced(qapp):
    assert create_application(["x", "--theme", "light"]).property("theme") == "light"
    assert create_application(["x", "--theme=dark"]).property("theme") == "dark"
    with pytest.raises(UserError, match="--theme is one of"):
        create_application(["x", "--theme", "pink"])
    qapp.setProperty("theme", None)


def test_errors_are_told_once_and_written_as_python_does(monkeypatch):
    board, written = NoticeBoard(), []
    monkeypatch.setattr(sys, "excepthook", lambda *error: written.append(error))
    install_exception_hook(board)
    hook = sys.excepthook

    def fail(error):
        try:
            raise error
        except type(error) as caught:
            hook(type(caught), caught, caught.__traceback__)

    for _ in range(3):
        fail(ValueError("broken"))
    fail(UserError("choose another folder"))
    assert [n.text for n in board.notices] == ["Something went wrong: broken", "choose another folder"]
    assert "ValueError: broken" in board.notices[0].details
    assert len(written) == 4, "nothing is swallowed"


def test_an_error_that_was_told_keeps_nothing_of_what_its_functions_held(monkeypatch):
    class Painter:
        pass

    held = []

    def paint():
        painter = Painter()
        held.append(weakref.ref(painter))
        raise IndexError("beyond the last")

    monkeypatch.setattr(sys, "excepthook", lambda *error: None)
    install_exception_hook(NoticeBoard())
    try:
        paint()
    except IndexError as error:
        sys.excepthook(IndexError, error, error.__traceback__)
        assert held[0]() is None


def test_imports_are_not_read_for_features_that_nobody_uses(qapp):
    import builtins

    create_application(["guiapp"])
    assert "feature" not in repr(builtins.__import__)


class Bridge(QObject):
    state_changed = Signal(object)


def test_what_was_imported_is_spared_by_the_garbage_collector_once_an_experiment_is_open(qapp):
    gc.unfreeze()
    bridge = Bridge()
    keep_modules(SimpleNamespace(bridge=bridge))
    try:
        bridge.state_changed.emit(EngineState(phase="opening"))
        assert gc.get_freeze_count() == 0, "torch is not there yet"
        bridge.state_changed.emit(EngineState(phase="ready", opened=object()))
        kept = gc.get_freeze_count()
        assert kept > 10_000
        later = [[] for _ in range(1000)]
        bridge.state_changed.emit(EngineState(phase="ready", opened=object()))
        assert gc.get_freeze_count() < kept + len(later), "what comes later is collected"
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    "text", ["camera:0", "camera:Desk cam", "screen:", "rtsp://host/stream", "http://host:80/a.mjpg"]
)
def test_open_takes_cameras_and_addresses_as_they_are(text, monkeypatch):
    from guiapp.cli import main

    seen = []
    monkeypatch.setattr("guiapp.app.run_window", lambda argv, source: seen.append(source) or 0)
    assert main(["open", text]) == 0
    assert seen == [text]
