import csv
import errno
import io

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest

from guiapp.core.notices import UserError
from guiapp.ui.widgets import export
from guiapp.ui.widgets.image_layers import RectLayer
from guiapp.ui.widgets.image_view import ImageView


@pytest.fixture
def view(theme, qtbot):
    made = ImageView(theme)
    made.resize(300, 200)
    qtbot.addWidget(made)
    made.show()
    array = np.zeros((8, 8, 3), np.uint8)
    array[2, 5] = (255, 10, 20)
    made.set_image(array)
    return made


def centre(view, column, row):
    return view.to_widget(QRectF(column, row, 1, 1)).center().toPoint()


def test_pixels_are_shown_as_pixels(view):
    image = view.grab().toImage()
    assert view.scale == 24
    box = view.to_widget(QRectF(5, 2, 1, 1)).toRect()
    for point in (box.topLeft(), box.center(), box.bottomRight() - QPoint(1, 1)):
        assert image.pixelColor(point).red() == 255
    assert image.pixelColor(box.left() - 2, box.center().y()).red() == 0


def test_hover_tells_position_and_value(view, qtbot):
    with qtbot.waitSignal(view.hovered) as hovered:
        QTest.mouseMove(view, centre(view, 5, 2))
    assert hovered.args == [(5, 2)]
    assert view.value_text(5, 2) == "x 5  y 2  ·  255 10 20"


def test_another_pixel_is_told_under_a_pointer_that_rests_while_the_picture_moves(view, qtbot):
    centre_before = centre(view, 6, 3)
    with qtbot.waitSignal(view.hovered):
        QTest.mouseMove(view, centre_before)
    view.show_area(QRectF(1, 0, 4, 4))
    column, row = view.to_image(QPointF(centre_before))
    assert view.pointer == (int(column), int(row)) != (6, 3)
    view.fit()
    assert view.pointer == (6, 3)


def test_click_gives_picture_coordinates(view, qtbot):
    with qtbot.waitSignal(view.clicked) as clicked:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=centre(view, 3, 6))
    assert [int(v) for v in clicked.args] == [3, 6]


def test_zoom_keeps_what_is_under_the_pointer_and_double_click_fits(view):
    point = QPointF(centre(view, 5, 2))
    before = view.to_image(point)
    view.zoom(3, point)
    assert view.to_image(point) == pytest.approx(before) and not view.fitted
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert view.fitted and view.scale == 24


def test_a_picture_of_another_size_fits_again(view):
    view.zoom(5, QPointF(100, 100))
    view.set_image(np.zeros((8, 8, 3), np.uint8))
    assert not view.fitted
    view.set_image(np.zeros((16, 8, 3), np.uint8))
    assert view.fitted


def test_palette_indices(view):
    table = [0xFF000000 | i for i in range(256)]
    view.set_image(np.full((4, 4), 77, np.uint8), table)
    assert view.grab().toImage().pixelColor(centre(view, 1, 1)).blue() == 77


def test_layers_are_painted_and_saved(view, tmp_path):
    view.set_layers([RectLayer((5, 2, 1, 1), QColor(0, 255, 0))])
    image = view.composed()
    assert image.width() == 512
    edge = image.pixelColor(5 * 64, round(2.5 * 64))
    assert edge.green() == 255
    view.copy()
    assert not QGuiApplication.clipboard().image().isNull()


def test_values_as_csv(view):
    rows = list(csv.reader(io.StringIO(view.csv_text())))
    red = [r for r in rows if r[0] == "red"]
    assert len(red) == 8 and red[2][2 + 5] == "255"


def test_menu_offers_copy_and_save(view):
    titles = [a.text() for a in view.make_menu(QPointF(10, 10)).actions() if a.text()]
    assert titles == ["Fit", "Copy picture", "Save as PNG …", "Save values as CSV …"]


def test_a_full_disk_is_told_and_leaves_no_damaged_picture(view, tmp_path, monkeypatch):
    old = tmp_path / "old.png"
    old.write_bytes(b"as it was")

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "write_atomic", full)
    with pytest.raises(UserError, match=r"old\.png: No space left on device"):
        export.save_image(view.composed(), old)
    assert old.read_bytes() == b"as it was"
    monkeypatch.undo()
    export.save_image(view.composed(), old)
    assert QImage(str(old)).size() == view.composed().size()
    with pytest.raises(UserError, match="choose the ending"):
        export.save_image(view.composed(), tmp_path / "no.ending")
