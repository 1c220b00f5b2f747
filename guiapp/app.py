"""Makes the application: display check, crash handlers, logging, theme, and the window on a source."""

from __future__ import annotations

import builtins
import faulthandler
import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import NoticeBoard, UserError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from guiapp.engine.state import EngineState
    from guiapp.ui.main_window import MainWindow

log = logging.getLogger("guiapp.qt")
_LIBRARIES = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxkbcommon-x11-0"
_INSTEAD = "log in to a desktop, use `ssh -X` or `xvfb-run guiapp`, or work without a window: `guiapp train lenet5`"


def check_display() -> None:
    """Say in one line what to do where no window can be shown.

    Raises:
        UserError: On Linux without a display.
    """
    if not sys.platform.startswith(("linux", "freebsd")):
        return
    platform, display = os.environ.get("QT_QPA_PLATFORM", ""), os.environ.get("DISPLAY")
    wayland = os.environ.get("WAYLAND_DISPLAY")
    if not (platform or display or wayland):
        raise UserError(f"there is no display (DISPLAY and WAYLAND_DISPLAY are not set): {_INSTEAD}")
    if platform.startswith("xcb") or (display and not platform and not wayland):
        _check_x11(display or "")


def _check_x11(display: str) -> None:
    """Qt aborts the process where it cannot reach the X server or misses a library; say it in one line before.

    Raises:
        UserError: If so.
    """
    import ctypes

    try:
        xcb = ctypes.CDLL("libxcb.so.1")
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        raise UserError(f"Qt cannot start: {error}. On Debian or Ubuntu: `sudo apt install {_LIBRARIES}`") from None
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if broken:
        raise UserError(f"the display {display!r} cannot be reached: {_INSTEAD}")


def create_application(argv: Sequence[str]) -> QApplication:
    """The QApplication, made with handlers and style or, where there is one already, given those.

    ``--theme system|light|dark`` in ``argv`` overrides the remembered theme.

    Raises:
        UserError: Without a display, without Qt or a system library that it needs, or for an unknown theme.
    """
    from guiapp.core.compiler import load_when_asked
    from guiapp.core.memory import arrange_heap

    check_display()
    arrange_heap()
    load_when_asked()
    if not faulthandler.is_enabled() and _real_stderr():
        faulthandler.enable()
    if sys.platform == "win32":
        import torch  # noqa: F401 - there Qt's libraries, loaded first, break those of torch
    try:
        from PySide6.QtCore import qInstallMessageHandler
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise UserError(f"Qt cannot start: {error}. On Debian or Ubuntu: `sudo apt install {_LIBRARIES}`") from None
    _import_plainly()
    arguments, theme = _theme(list(argv))
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        qInstallMessageHandler(_log_qt)
        application = QApplication(arguments)
        application.setApplicationName("vision-explorer")
        application.setApplicationDisplayName("Vision Explorer")
        application.setOrganizationName("vision-explorer")
        application.setDesktopFileName("vision-explorer")
    if application.style().objectName() != "fusion":
        application.setStyle("Fusion")
    if theme:
        application.setProperty("theme", theme)
    return application


def _import_plainly() -> None:
    """Take back the import function that PySide6 puts in Python's place.

    It reads the source of every module that anybody imports, torch's thousands too, in search of a feature switch
    that this program does not use: the window stood still for it, up to 0.6 s.
    """
    plain = getattr(builtins, "__orig_import__", None)
    if plain is not None:
        builtins.__import__ = plain


def run_window(argv: Sequence[str], source: str | None = None) -> int:
    """Open the window, on ``source`` where one is given, and stay until it is closed; return the exit code."""
    application = create_application(argv)
    from guiapp.ui.main_window import MainWindow

    window = MainWindow()
    install_exception_hook(window.context.notices)
    keep_modules(window)
    if source is not None:
        window.first_painted.connect(lambda: window.files.open_text(source))
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the run that is training can be resumed
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: window.close())
    window.show()
    return application.exec()


def keep_modules(window: MainWindow) -> None:
    """Spare the garbage collector what was imported, once the first experiment is open and all of it is there."""
    from guiapp.core.memory import keep_for_good

    def once(state: EngineState) -> None:
        if state.opened is not None:
            window.bridge.state_changed.disconnect(once)
            keep_for_good()

    window.bridge.state_changed.connect(once)


def install_exception_hook(notices: NoticeBoard) -> None:
    """Show each unforeseen error as one notice, the same one only once, and write it to stderr as Python does."""
    seen: set[str] = set()
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(130)
        details = "".join(traceback.format_exception(kind, error, trace))
        # Python keeps the last error with all that its functions held: a painter among it that was never ended would
        # hold its widget's picture, and take the program down with it.
        traceback.clear_frames(trace)
        if details in seen:
            return
        seen.add(details)
        text = str(error) if isinstance(error, UserError) else f"Something went wrong: {error or kind.__name__}"
        notices.post("error", text, details)

    sys.excepthook = hook


def _theme(argv: list[str]) -> tuple[list[str], str]:
    """Take ``--theme X`` or ``--theme=X`` out of the arguments."""
    for at, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name != "--theme":
            continue
        value, used = (value, 1) if equals else ((argv[at + 1] if at + 1 < len(argv) else ""), 2)
        if value not in ("system", "light", "dark"):
            raise UserError(f"--theme is one of system, light, dark, not {value!r}")
        return argv[:at] + argv[at + used :], value
    return argv, ""


def _log_qt(kind: Any, context: Any, text: str) -> None:
    """Send Qt's messages to logging."""
    from PySide6.QtCore import QtMsgType

    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    if "propagateSizeHints" in text:
        level = logging.DEBUG  # the offscreen platform says so for every window; it means nothing
    log.log(level, "%s%s", f"{context.category}: " if context.category not in (None, "default") else "", text)


def _real_stderr() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.fileno() >= 0
    except (io.UnsupportedOperation, AttributeError, ValueError):
        return False
