"""The cascade panel through the mouse: windows, rectangles, features and stages, with the numbers of the probe."""

import csv
import io
import re

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.classic_options import CascadeOptions
from guiapp.ui.panels.cascade import CascadePanel
from guiapp.ui.widgets.haar_plots import feature_weights

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def first():
    return answer(CascadeOptions())


def answer(options, picture=None):
    return PROBES["cascade"].run(Look(None, (), None, picture=picture or street()), options)


@pytest.fixture
def panel(context, opened, qtbot, kit, first):
    context.bridge.subject = "live"
    made = CascadePanel(context)
    qtbot.addWidget(made)
    made.resize(440, 700)
    made.show()
    qtbot.waitExposed(made)
    made.show_look(kit.look(context, street(), None, {"cascade": first}))
    return made


@pytest.fixture
def again(panel, context, kit):
    """Answer what the panel asks."""

    def give():
        panel.show_look(kit.look(context, street(), None, {"cascade": answer(panel.request().options)}))
        return panel.view

    return give


def point(view, x, y):
    return view.to_widget(QRectF(x, y, 1, 1)).center().toPoint()


def test_a_face_is_followed_until_a_window_is_chosen(panel, again, qtbot):
    assert panel.request().options == CascadeOptions()
    assert panel.follow.isChecked()
    assert "passes all 22 stages: a face" in panel.verdict.text()
    assert panel.says.text().startswith("1 face of ")
    with qtbot.waitSignal(panel.request_changed):
        QTest.mouseClick(panel.image, LEFT, pos=point(panel.image, 120, 60))
    assert not panel.follow.isChecked()
    view = again()
    x, y = view.area[0] + view.area[2] / 2, view.area[1] + view.area[3] / 2
    assert (x, y) == pytest.approx((120, 60), abs=25)  # brought into the picture
    stage = view.passed
    assert not view.face
    assert (
        f"refused by stage {stage + 1} of 22: {view.sums[stage]:.2f} < {view.wanted[stage]:.2f}" in panel.verdict.text()
    )
    assert panel.stage == stage  # the one that decides is looked at
    QTest.mouseClick(panel.image, LEFT, pos=point(panel.image, 775, 345))  # on the face
    assert panel.request().options == CascadeOptions(face=0)
    assert panel.follow.isChecked()
    QTest.mouseClick(panel.follow, LEFT)
    left, top, side, _ = panel.view.area
    assert panel.request().options == CascadeOptions(left=left, top=top, side=side)  # it stays where it is


def test_another_size_about_the_same_middle(panel, again):
    before = panel.view.area
    QTest.mouseClick(panel.extent, LEFT, pos=QPoint(panel.extent.width() - 7, panel.extent.height() // 2))
    options = panel.request().options
    assert options.side > 400
    assert options.left + options.side / 2 == pytest.approx(before[0] + before[2] / 2)
    assert again().area[2] == pytest.approx(options.side, rel=0.1)  # sizes go up by a tenth
    assert panel.extent_text.text() == f"{panel.view.area[2]:.0f} px"


def test_the_sum_of_a_rectangle_comes_from_four_numbers(panel):
    panel.views.setCurrentIndex(panel.views.findData("integral"))
    assert "drag a rectangle" in panel.says.text()
    image, before = panel.image, panel.image.scale
    QTest.mousePress(image, LEFT, pos=point(image, 30, 40))
    QTest.mouseMove(image, point(image, 60, 50))
    QTest.mouseRelease(image, LEFT, pos=point(image, 84, 60))
    grey = panel.view.grey
    total = int(grey[40:61, 30:85].sum())
    numbers = [int(n.replace(",", "")) for n in re.findall(r"[\d,]{4,}", panel.says.text())]
    table = panel.view.table
    assert numbers[:4] == [table[61, 85], table[40, 85], table[61, 30], table[40, 30]]
    assert numbers[0] - numbers[1] - numbers[2] + numbers[3] == numbers[4] == total
    assert f"55 × 21 · mean {total / (55 * 21):.1f}" in panel.says.text()
    assert image.scale == before  # the picture did not move
    assert image._layers[-1].area == (30, 40, 55, 21)  # with its corners A to D
    panel.grab()
    assert f"{table[10, 20]:,} above and to the left" in image.value_text(20, 10)
    panel.views.setCurrentIndex(panel.views.findData("reached"))
    assert image.value_text(0, 0).endswith("of 22 stages")
    assert not image.drawing


def test_features_and_stages_by_the_mouse(panel):
    view, cascade = panel.view, panel.view.cascade
    assert panel.stage == 0
    assert len(panel.votes.votes) == 3
    upper, lower = panel.stages.areas()
    QTest.mouseClick(
        panel.stages, LEFT, pos=QPointF(upper.x() + 4.5 * upper.width() / 22, lower.center().y()).toPoint()
    )
    assert panel.stage == 4
    begin, end = cascade.begins[4:6]
    np.testing.assert_array_equal(panel.votes.votes, view.passage.votes[begin:end])
    assert panel.votes.votes.sum() == pytest.approx(view.sums[4])
    survivors = f"{view.survivors[4]:,} windows → {view.survivors[5]:,}"
    assert survivors in panel.about_stage.text()
    bar = panel.votes.bar(7)
    QTest.mouseClick(panel.votes, LEFT, pos=QPointF(bar.center().x(), 20).toPoint())
    assert panel.stump == begin + 7
    assert f"feature 8 of {end - begin}" in panel.about_feature.text()
    assert f"vote {view.passage.votes[begin + 7]:.3f}" in panel.about_feature.text()
    assert panel.feature.stump == begin + 7


def test_a_feature_is_painted_white_where_it_adds_and_black_where_it_takes_away(panel):
    rectangles = panel.view.cascade.rectangles[panel.view.cascade.feature[0]]
    weights = feature_weights(rectangles)
    assert weights[7, 3] == -1  # the eyes
    assert weights[9, 3] == 1  # 2 - 1: the cheeks
    assert weights.sum() == 0
    place, shown = panel.feature.place(), panel.feature.grab().toImage()
    side, ratio = place.width() / 20, shown.width() / panel.feature.width()

    def grey(row, column):
        return shown.pixelColor(
            round((place.x() + (column + 0.5) * side) * ratio), round((place.y() + (row + 0.5) * side) * ratio)
        ).red()

    crop = panel.view.crop
    assert grey(8, 8) == pytest.approx(0.4 * crop[8, 8], abs=4)
    assert grey(10, 8) == pytest.approx(0.4 * crop[10, 8] + 153, abs=4)
    assert grey(2, 8) == crop[2, 8]


def test_numbers_as_csv(panel):
    rows = list(csv.reader(io.StringIO(panel.stages.csv_text())))
    assert rows[0] == ["stage", "sum", "threshold", "windows left"]
    assert [int(row[3]) for row in rows[1:]] == panel.view.survivors[1:].tolist()
    rows = list(csv.reader(io.StringIO(panel.votes.csv_text())))
    assert float(rows[-1][3]) == pytest.approx(panel.view.sums[0], rel=1e-5)
    assert len(panel.feature.csv_text().splitlines()) == 20


def test_nothing_is_asked_of_the_samples_of_an_experiment(panel, context):
    context.bridge.subject = "experiment"
    assert panel.request() is None
    panel.show_state(context.bridge.state)
    assert panel.view is None
    assert panel.empty.isVisible()


def test_a_window_without_contrast_is_told(panel, context, kit):
    flat = Picture(np.full((200, 300, 3), 90, np.uint8), Origin("file", "grey"))
    panel.show_look(kit.look(context, flat, None, {"cascade": answer(CascadeOptions(), flat)}))
    assert "too little contrast" in panel.verdict.text()
    assert panel.says.text().startswith("no face")
    panel.grab()
