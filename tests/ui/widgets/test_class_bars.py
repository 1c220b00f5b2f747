import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent, QTextDocumentFragment
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from guiapp.tasks.predictions import ClassScores
from guiapp.ui.widgets.class_bars import ROW, ClassBars, percent, signed_percent


@pytest.fixture
def bars(theme, qtbot):
    made = ClassBars(theme)
    made.resize(260, 220)
    qtbot.addWidget(made)
    made.show()
    return made


def prediction(*p):
    return ClassScores(np.array(p, np.float32), tuple("abcdefghij"[: len(p)]))


def test_entropy_and_cross_entropy_in_nats(bars):
    bars.set_prediction(prediction(0.5, 0.25, 0.25), truth=1)
    assert bars.entropy() == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(4))
    assert bars.cross_entropy() == pytest.approx(math.log(4))
    bars.set_prediction(prediction(0.5, 0.25, 0.25))
    assert bars.cross_entropy() is None
    bars.set_prediction(prediction(1.0, 0.0), truth=1)
    assert math.isfinite(bars.cross_entropy()) and bars.entropy() == 0


def test_order_by_index_or_best_first(bars):
    bars.set_prediction(prediction(0.1, 0.7, 0.2))
    assert bars.order == [0, 1, 2]
    bars.set_sorted(True)
    assert bars.order == [1, 2, 0]


def test_click_chooses_the_class_of_the_row(bars, qtbot):
    bars.set_prediction(prediction(0.1, 0.7, 0.2))
    bars.set_sorted(True)
    with qtbot.waitSignal(bars.class_clicked) as clicked:
        QTest.mouseClick(bars.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, ROW + 4))
    assert clicked.args == [2]


def test_only_rows_that_look_different_are_painted(bars, qtbot):
    bars.set_prediction(prediction(0.1, 0.7, 0.2))
    bars.grab()
    regions = []
    bars.viewport().update = lambda *area: regions.append(area)
    bars.set_prediction(prediction(0.1, 0.7, 0.2))
    assert regions == []
    bars.set_prediction(prediction(0.1, 0.65, 0.25))
    assert sorted(area[1] for area in regions) == [ROW, 2 * ROW]


def tip_at(bars, y):
    where = QPoint(30, y)
    QApplication.sendEvent(bars.viewport(), QHelpEvent(QEvent.Type.ToolTip, where, bars.viewport().mapToGlobal(where)))
    return QToolTip.text()


def test_a_name_that_is_cut_off_is_read_in_full_under_the_pointer(bars, qtbot):
    names = ("black-and-tan coonhound of the <third> kind", "b")
    probabilities = np.array([0.8765432, 0.1234568], np.float32)
    bars.set_prediction(ClassScores(probabilities, names), truth=1)
    assert bars.fontMetrics().horizontalAdvance(names[0]) > bars._name_width, "it is cut off"
    shown = QTextDocumentFragment.fromHtml(tip_at(bars, ROW // 2)).toPlainText()
    assert shown == f"{names[0]}: 0.876543 = 87.7 %"
    assert "b: 0.123457 = 12.3 % · true class" in tip_at(bars, ROW + ROW // 2)
    tip_at(bars, 5 * ROW)
    qtbot.waitUntil(lambda: not QToolTip.isVisible())  # below the last row there is no class
    bars.set_prediction(ClassScores(probabilities, names), plain=ClassScores(probabilities[::-1].copy(), names))
    assert "· 0.876543 in the network as it is" in tip_at(bars, ROW + ROW // 2)


def test_a_thousand_classes_scroll(bars):
    p = np.full(1000, 0.001, np.float32)
    bars.set_prediction(ClassScores(p, tuple(f"class {i}" for i in range(1000))))
    assert bars.verticalScrollBar().maximum() == 1000 * ROW - bars.viewport().height()
    bars.verticalScrollBar().setValue(500 * ROW)
    assert bars.row_at(1) == 500
    assert not bars.grab().isNull()


def test_figures():
    assert percent(0.70549) == "70.5 %"
    assert (signed_percent(0.123), signed_percent(-0.02), signed_percent(0.0001)) == ("+12.3", "−2.0", "")
