"""Time to the window: from the start of the process to its first completed paint."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

from guiapp.bench.figures import Tell, paired

_EMPTY = """
import PySide6.QtWidgets, pyqtgraph
from PySide6.QtCore import QEvent, QTimer
class Window(PySide6.QtWidgets.QMainWindow):
    painted = False
    def event(self, event):
        done = super().event(event)
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            QTimer.singleShot(0, lambda: print("painted", flush=True))
        return done
application = PySide6.QtWidgets.QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
application.exec()
"""

_OURS = """
from guiapp.app import create_application
application = create_application(["guiapp"])
from guiapp.ui.main_window import MainWindow
from PySide6.QtCore import QTimer
window = MainWindow()
window.first_painted.connect(lambda: print("painted", flush=True))
timer = QTimer(window)
def look():
    if "training.start" in window.commands and window.commands["training.start"].isEnabled():
        timer.stop()
        print("ready", flush=True)
timer.timeout.connect(look)
timer.start(5)
window.show()
application.exec()
"""

WHAT = (
    "start of the process to the first completed paint with the experiments listed, against importing "
    "PySide6.QtWidgets and pyqtgraph and showing an empty QMainWindow"
)


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Start both programs in turn; ``start_enabled`` is the time until Start can be pressed."""
    from guiapp.drive import apart, without_display

    without_display()
    pairs, ready = [], []
    with apart():
        for program in (_OURS, _EMPTY):  # once each, so that the files are in memory
            _time(program, ["painted"])
        count = 2 if quick else 11
        for number in range(count):
            tell(f"pair {number + 1} of {count}")
            ours = _time(_OURS, ["painted", "ready"])
            (peer,) = _time(_EMPTY, ["painted"])
            pairs.append((ours[0], peer))
            ready.append(ours[1])
    return paired(pairs, "s", "lower", WHAT, start_enabled=statistics.median(ready))


def _time(program: str, words: list[str]) -> list[float]:
    """Seconds until each word is printed; the process is ended then."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    found = []
    try:
        for word in words:
            line = process.stdout.readline()
            if line.strip() != word:
                process.kill()
                reason = process.communicate()[1].strip().splitlines()
                raise RuntimeError(f"the window did not get to {word!r}: {reason[-1] if reason else 'no output'}")
            found.append(time.perf_counter() - begin)
    finally:
        process.kill()
        process.communicate()
    return found
