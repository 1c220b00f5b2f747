"""Tips are asked for from outside of the widget, so that nothing is painted inside of a Python call."""

import re
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

import guiapp.ui
from guiapp.ui.widgets.tips import Tips


class _Halves(QWidget):
    def tip_at(self, at):
        return "left < half" if at.x() < 50 else "" if at.x() < 90 else None


def test_a_tip_says_what_its_owner_has_there(qtbot):
    widget = _Halves()
    qtbot.addWidget(widget)
    widget.resize(100, 100)
    widget.show()
    Tips(widget)
    for x, said in ((10, "left < half"), (95, "left < half"), (60, "")):  # None leaves what is shown
        where = QPoint(x, 10)
        QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, where, widget.mapToGlobal(where)))
        qtbot.waitUntil(lambda said=said: QToolTip.isVisible() == bool(said) and (not said or QToolTip.text() == said))


def test_no_widget_paints_inside_of_a_python_call():
    """With an override of these an error of Python's own code in a ``paintEvent`` is a crash before Python 3.12."""
    sources = Path(guiapp.ui.__file__).parent.rglob("*.py")
    found = [
        path.name for path in sources if re.search(r"def (event|viewportEvent|notify)\(self, .*event", path.read_text())
    ]
    assert found == []
