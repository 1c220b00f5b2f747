import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.ui.widgets.drawing_canvas import SIDE, DrawingCanvas


@pytest.fixture
def canvas(theme, qtbot):
    made = DrawingCanvas()
    made.resize(140, 140)
    qtbot.addWidget(made)
    made.show()
    return made


def stroke(canvas, start, end, button=Qt.MouseButton.LeftButton):
    QTest.mousePress(canvas, button, pos=QPoint(*start))
    QTest.mouseMove(canvas, QPoint(*end))
    QTest.mouseRelease(canvas, button, pos=QPoint(*end))


def test_a_stroke_is_white_ink_where_it_was_drawn(canvas):
    stroke(canvas, (20, 70), (120, 70))
    ink = canvas.canvas()
    assert ink.shape == (SIDE, SIDE) and ink.dtype == np.uint8
    rows, columns = np.nonzero(ink > 128)
    # Twice as large as on screen, as wide as the brush, with round ends.
    assert rows.mean() == pytest.approx(140, abs=1) and np.ptp(rows) == pytest.approx(canvas.brush, abs=2)
    assert columns.min() == pytest.approx(40 - canvas.brush / 2, abs=2)
    assert columns.max() == pytest.approx(240 + canvas.brush / 2, abs=2)


def test_undo_and_redo_by_stroke(canvas):
    stroke(canvas, (20, 40), (120, 40))
    first = canvas.canvas()
    stroke(canvas, (20, 100), (120, 100))
    both = canvas.canvas()
    canvas.undo()
    assert (canvas.canvas() == first).all() and canvas.can_redo
    canvas.redo()
    assert (canvas.canvas() == both).all() and not canvas.can_redo
    canvas.clear()
    assert canvas.empty
    canvas.undo()
    assert (canvas.canvas() == both).all()
    canvas.undo()
    canvas.undo()
    assert canvas.empty and not canvas.can_undo


def test_a_new_stroke_ends_redo(canvas):
    stroke(canvas, (20, 40), (120, 40))
    canvas.undo()
    stroke(canvas, (20, 100), (120, 100))
    assert not canvas.can_redo


def test_eraser_and_right_button_take_ink_away(canvas):
    stroke(canvas, (20, 70), (120, 70))
    full = canvas.canvas().sum()
    canvas.erasing = True
    stroke(canvas, (60, 40), (60, 100))
    erased = canvas.canvas()
    assert erased[140, 120] == 0 and erased.sum() < full
    canvas.erasing = False
    stroke(canvas, (90, 40), (90, 100), Qt.MouseButton.RightButton)
    assert canvas.canvas()[140, 180] == 0


def test_wider_brush_more_ink(canvas):
    stroke(canvas, (20, 70), (120, 70))
    thin = canvas.canvas().sum()
    canvas.clear()
    canvas.set_brush(44)
    stroke(canvas, (20, 70), (120, 70))
    assert canvas.canvas().sum() > 1.7 * thin


def test_what_is_shown_is_what_was_drawn(canvas):
    stroke(canvas, (20, 70), (120, 70))
    image = canvas.grab().toImage()
    assert image.pixelColor(70, 70).red() == 255 and image.pixelColor(70, 20).red() == 0
