"""The three views: numbers and contributions, templates, the plane; selection, export, other networks."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from guiapp.engine.state import Request
from guiapp.interpret.atlas import make_atlas
from guiapp.interpret.linear_views import Algebra, LinearView, Plane
from guiapp.interpret.options import LinearOptions
from guiapp.models.base import Preprocessing
from guiapp.ui.panels.linear import LinearPanel
from guiapp.ui.widgets.score_table import figure, margins


def view(shift=0.0):
    weights = torch.zeros(10, 28, 28)
    weights[3, 5, 6] = 2.0
    weights[9, 1, 2] = -1.0
    numbers = np.arange(10, dtype=np.float32) + shift
    algebra = Algebra(numbers, np.full(10, -0.5, np.float32), numbers - 0.5, make_atlas(weights, signed=True))
    slopes = np.zeros((10, 2), np.float32)
    slopes[1] = (1, 0)
    slopes[2] = (-1, 0)
    p = np.linspace(-2, 2, 81)[:-1] + 0.025
    plane = Plane(
        points=np.array([[-1, 1], [1, 0.5]], np.float32), labels=np.array([2, 1]), indices=np.array([7, 31]),
        offsets=np.zeros(10, np.float32), slopes=slopes, extent=(-2, 2, -2, 2),
        regions=np.where(p > 0, 1, 2)[None].repeat(80, 0).astype(np.uint16), explained=(0.3, 0.2),
        picture=(0.5, -0.5), distance=4.25, borders=np.array([[0, -2, 0, 2]], np.float32),
    )  # fmt: skip
    return LinearView(make_atlas(weights, signed=True), algebra, plane, 5)


def dense(kit, pixels=784, **changes):
    layer = kit.Layer("fc", "Linear", (10,), True)
    layer.kind, layer.parameters = "dense", 10 * (pixels + 1)
    prepared = Preprocessing((1, 28, 28), (0.1,), (0.3,))
    return kit.make_opened(**{"layers": (layer,), "preprocessing": prepared, **changes})


@pytest.fixture
def panel(context, kit, qtbot):
    context.bridge.give(phase="ready", opened=dense(kit))
    made = LinearPanel(context)
    made.resize(320, 420)
    qtbot.addWidget(made)
    made.show()
    made.show_look(kit.look(context, None, None, {"linear": view()}))
    return made


def column(panel, index):
    model = panel.scores.ordered
    return [model.index(row, index).data() for row in range(model.rowCount())]


def press(panel, page):
    QTest.mouseClick(panel.findChild(object, f"linear.{page}"), Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def point(panel, p, q):
    x, y = panel.plane.place(p, q)
    return QPointF(float(x), float(y)).toPoint()


# ---------------------------------------------------------------------- algebraic


def test_margin_is_the_score_minus_the_greatest_other():
    np.testing.assert_allclose(margins(np.array([1.0, 4.0, 2.5], np.float32)), [-3.0, 1.5, -1.5])
    np.testing.assert_allclose(margins(np.array([2.0, 2.0], np.float32)), [0.0, 0.0])


def test_figures_have_a_true_minus_and_no_negative_zero():
    assert [figure(v, 3) for v in (-1.5, -0.0001, 3e5)] == ["−1.500", "0.000", "3.0e+05"]


def test_scores_as_numbers(panel):
    assert column(panel, 0) == list("0123456789")
    assert column(panel, 1)[7] == "7.00" and set(column(panel, 2)) == {"−0.500"}
    assert column(panel, 3)[0] == "−0.50"
    assert column(panel, 4)[8:] == ["−1.00", "1.00"]
    assert panel.hover.text() == "9: 9.000 − 0.500 = 8.500", "the winner, where no class is chosen"


def test_a_head_sorts_by_value_not_by_text(panel):
    panel.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert column(panel, 0) == list("9876543210")
    panel.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert column(panel, 3)[0] == "−0.50"


def test_a_row_chooses_the_class_and_shows_what_its_pixels_add(panel, context):
    panel.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    place = panel.table.visualRect(panel.scores.ordered.index(6, 0)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert context.workspace.class_index == 3
    assert panel.hover.text().startswith("3: 3.000")
    shown = panel.contributions.array
    assert shown.shape == (28, 28) and shown[5, 6] == 255 and (np.delete(shown.ravel(), 5 * 28 + 6) == 128).all()
    where = panel.contributions.to_widget(QRectF(6, 5, 1, 1)).center().toPoint()
    QTest.mouseMove(panel.contributions, where)
    assert panel.hover.text() == "row 5, column 6 adds 2 to 3"
    context.workspace.class_index = 9
    assert panel.table.selectionModel().selectedRows()[0].data() == "9"
    assert panel.contributions.array[1, 2] == 65, "one scale for all classes: half of the largest"


def test_numbers_follow_the_weights_at_a_rate_that_can_be_read(panel, context, kit):
    context.bridge.give(panel, phase="running")
    panel.show_look(kit.look(context, None, None, {"linear": view(shift=1)}))
    assert column(panel, 1)[0] == "0.00", "the last words were given a moment ago"
    context.bridge.give(panel, phase="paused")
    panel.show_look(kit.look(context, None, None, {"linear": view(shift=1)}))
    assert column(panel, 1)[0] == "1.00"


def test_without_a_picture_it_says_so(panel, context, kit):
    full = view()
    panel.show_look(kit.look(context, None, None, {"linear": LinearView(full.templates, None, full.plane, 5)}))
    assert "no picture" in panel.statistics.text() and panel.scores.rowCount() == 0
    assert panel.contributions.image is None


def test_numbers_as_csv(panel, context):
    context.workspace.class_index = 3
    rows = list(csv.reader(io.StringIO(panel.contributions.csv_text())))
    assert rows[0] == ["class", "w·x", "b", "score", "margin"] and rows[10] == ["9", "9", "-0.5", "8.5", "1"]
    assert rows[12] == ["weight times pixel for 3"] and float(rows[13 + 5][6]) == 2


def test_an_activation_before_the_softmax_has_a_column_and_its_formula(panel, context, kit):
    full, numbers = view(), np.linspace(-2, 2.5, 10, dtype=np.float32)
    made = replace(full.algebra, scores=numbers, products=numbers + 0.5, activation="tanh", outputs=np.tanh(numbers))
    panel.show_look(kit.look(context, None, None, {"linear": LinearView(full.templates, made, full.plane, 5)}))
    assert panel.scores.heads == ("class", "w·x", "b", "score", "tanh")
    assert column(panel, 3)[9] == "2.50" and column(panel, 4)[9] == "0.99"
    assert panel.table.horizontalHeader().length() <= panel.table.viewport().width(), "every column is in sight"
    hint = panel.table.sizeHintForColumn
    assert all(hint(place) <= panel.table.columnWidth(place) for place in range(1, 5)), "and no number is cut off"
    assert "tanh(score)" in panel.statistics.text()
    assert panel.hover.text() == "9: 3.000 − 0.500 = 2.500 · tanh(2.500) = 0.987"
    rows = list(csv.reader(io.StringIO(panel.contributions.csv_text())))
    assert rows[0] == ["class", "w·x", "b", "score", "tanh"]
    panel.show_look(kit.look(context, None, None, {"linear": full}))
    assert panel.scores.heads == ("class", "w·x", "b", "score", "margin")


# ---------------------------------------------------------------------- as modified


def test_what_is_switched_off_is_asked_for_named_and_crossed_out(panel, context, kit, qtbot):
    with qtbot.waitSignal(panel.request_changed):
        context.workspace.switched_off = {"fc": frozenset({3, 4})}
    assert panel.request().options.switched_off == {"fc": frozenset({3, 4})}
    panel.show_look(kit.look(context, None, None, {"linear": view()}))
    for page in ("visual", "geometric", "algebraic"):
        press(panel, page)
        assert panel.statistics.text().endswith(" · modified: 2 switched off"), page
    press(panel, "visual")
    assert panel.atlas._crossed == {3, 4}
    context.workspace.switched_off = {}
    panel.show_look(kit.look(context, None, None, {"linear": view()}))
    assert panel.atlas._crossed == frozenset() and "modified" not in panel.statistics.text()
    assert panel.request().options.switched_off == {}


# ---------------------------------------------------------------------- visual


def test_templates_have_names_and_choose_the_class(panel, context):
    press(panel, "visual")
    assert panel.request() == Request("linear-views", LinearOptions(sample_limit=0, aspect=panel.atlas.aspect))
    assert panel.bar.texts() == ("−2", "2")
    where = panel.atlas.to_widget(QRectF(*panel.atlas.atlas.tile_rect(3))).center().toPoint()
    QTest.mouseMove(panel.atlas, where)
    assert panel.hover.text().startswith("template of 3 · row 1")
    QTest.mouseClick(panel.atlas, Qt.MouseButton.LeftButton, pos=where)
    assert context.workspace.class_index == 3 and panel.atlas.enlarged == 3


# ---------------------------------------------------------------------- geometric


def test_the_plane_is_asked_for_only_where_it_is_seen(panel, qtbot):
    assert panel.request().options.sample_limit == 0
    with qtbot.waitSignal(panel.request_changed):
        press(panel, "geometric")
    asked = panel.request().options
    assert asked.sample_limit == 1000 and asked.aspect == pytest.approx(panel.plane.aspect, abs=1e-3)
    with qtbot.waitSignal(panel.request_changed):
        panel.resize(480, 300)


def test_regions_points_and_scores(panel, context):
    press(panel, "geometric")
    plane = panel.plane
    assert "30 % + 20 %" in panel.statistics.text() and "off by 4.25" in panel.statistics.text()
    image, theme = plane.grab().toImage(), context.theme

    def near(place, index):
        """Whether the hue at a place is that of a class."""
        at, wanted = image.pixelColor(point(panel, *place)), theme.class_colour(index, 10)
        return abs(at.hsvHueF() - wanted.hsvHueF()) < 0.05

    assert image.pixelColor(point(panel, -1, 1)) == theme.class_colour(2, 10)
    assert near((-1.8, 1.8), 2) and near((1.8, -1.8), 1)
    line, beside = image.pixelColor(point(panel, 0, 1.5)), image.pixelColor(point(panel, 0.2, 1.5))
    assert line.lightnessF() > beside.lightnessF(), "the border stands out"
    assert plane.scores_at(1.5, 0)[1] == 1.5
    QTest.mouseMove(plane, point(panel, 1.5, -1))
    assert panel.hover.text().startswith("here 1 1.5")


def test_a_sample_is_shown_under_the_pointer_and_opened_by_a_click(panel, context):
    press(panel, "geometric")
    before = panel.plane.grab().toImage()
    QTest.mouseMove(panel.plane, point(panel, 1, 0.5))
    assert panel.hover.text() == "training sample 31 · 1 · click opens it"
    assert panel.plane.grab().toImage() != before, "its picture stands beside it"
    QTest.mouseClick(panel.plane, Qt.MouseButton.LeftButton, pos=point(panel, -1, 1))
    assert context.workspace.sample == ("train", 7) and context.workspace.picture.origin.index == 7
    QTest.mouseMove(panel.plane, point(panel, 1.8, -1.8))
    assert not panel.hover.text().startswith("training")


def test_the_wheel_zooms_and_places_stay_true(panel):
    press(panel, "geometric")
    where = QPointF(point(panel, 1, 0.5))
    QApplication.sendEvent(panel.plane, QWheelEvent(
        where, panel.plane.mapToGlobal(where), QPointF(0, 0).toPoint(), QPointF(0, 480).toPoint(),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    ))  # fmt: skip
    assert not panel.plane.fitted and (QPointF(point(panel, 1, 0.5)) - where).manhattanLength() <= 2
    assert panel.plane.sample_at(*panel.plane.to_image(where)) == 1
    x, y = panel.plane.to_cells(1, 0.5)
    assert panel.plane.to_plane(float(x), float(y)) == pytest.approx((1, 0.5))


def test_samples_of_the_plane_as_csv(panel):
    press(panel, "geometric")
    rows = list(csv.reader(io.StringIO(panel.plane.csv_text())))
    assert rows == [["sample", "p", "q", "class"], ["7", "-1", "1", "2"], ["31", "1", "0.5", "1"]]


def test_the_theme_colours_the_plane_anew(panel, context):
    press(panel, "geometric")
    light = panel.plane.array.copy()
    context.theme.set_mode("dark")
    assert (panel.plane.array != light).any()


# ---------------------------------------------------------------------- other networks


def test_other_networks_are_told_why_and_where_to_go(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.request() is None and panel.empty.isVisible()
    assert "LeNet-5 has 2 layers of weights" in panel.empty.text.text()
    QTest.mouseClick(panel.empty.findChild(object, "linear.open"), Qt.MouseButton.LeftButton)
    assert context.bridge.engine.asked[-1] == ("open_experiment", "linear-classifier")


def test_a_dense_layer_that_does_not_see_the_pixels_has_no_templates(panel, context, kit):
    context.bridge.give(panel, opened=dense(kit, pixels=6))
    assert panel.request() is None and "not a dense one on the pixels" in panel.empty.text.text()
