import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from guiapp.engine.state import Request
from guiapp.interpret.atlas import make_atlas
from guiapp.interpret.linear_views import Algebra, LinearView, Plane
from guiapp.interpret.options import LinearOptions
from guiapp.ui.panels.linear import LinearPanel


def view():
    weights = torch.zeros(10, 28, 28)
    weights[3, 5, 6] = 2.0
    numbers = np.arange(10, dtype=np.float32)
    algebra = Algebra(numbers, np.full(10, -0.5, np.float32), numbers - 0.5, make_atlas(weights, signed=True))
    slopes = np.zeros((10, 2), np.float32)
    slopes[1] = (1, 0)
    slopes[2] = (-1, 0)
    p = np.linspace(-2, 2, 8)
    plane = Plane(
        points=np.array([[-1, 0], [1, 0.5]], np.float32), labels=np.array([2, 1]), indices=np.array([7, 31]),
        offsets=np.zeros(10, np.float32), slopes=slopes, extent=(-2, 2, -1, 1),
        regions=np.where(p > 0, 1, 2)[None].repeat(8, 0).astype(np.uint16), explained=(0.3, 0.2),
        picture=(0.5, -0.5), distance=4.25,
    )  # fmt: skip
    return LinearView(make_atlas(weights, signed=True), algebra, plane, 5)


@pytest.fixture
def panel(context, kit, qtbot):
    layer = kit.Layer("linear", "Linear", (10,), True)
    layer.kind = "dense"
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=(layer,)))
    made = LinearPanel(context)
    made.resize(320, 360)
    qtbot.addWidget(made)
    made.show()
    made.show_look(kit.look(context, None, None, {"linear": view()}))
    return made


def test_terms_add_up_to_the_score(panel, context):
    assert panel.request() == Request("linear-views", LinearOptions())
    assert panel.hover.text() == "9: 9 − 0.5 = 8.5"
    assert panel.bar.texts() == ("−2", "2")


def test_a_click_on_a_tile_chooses_the_class(panel, context):
    from PySide6.QtCore import QRectF

    place = panel.atlas.to_widget(QRectF(*panel.atlas.atlas.tile_rect(3))).center().toPoint()
    QTest.mouseClick(panel.atlas, Qt.MouseButton.LeftButton, pos=place)
    assert context.workspace.class_index == 3


def test_plane_regions_points_and_scores(panel, context):
    panel.show_page("plane")
    plane = panel.plane
    assert "30 % and 20 %" in panel.statistics.text() and "4.25" in panel.statistics.text()
    x, y = plane.to_widget(1.0, 0.5)
    assert plane.to_plane(QPointF(float(x), float(y))) == pytest.approx((1.0, 0.5))
    image = plane.grab().toImage()
    left, right = image.pixelColor(20, 20), image.pixelColor(plane.width() - 20, 20)
    assert left != right
    assert image.pixelColor(round(float(x)), round(float(y))) == context.theme.class_colour(1, 10)
    assert plane.scores_at(1.5, 0)[1] == 1.5
    QTest.mouseMove(plane, QPointF(float(x), float(y)).toPoint())
    assert panel.hover.text().startswith("1 ")


def test_a_click_on_a_point_looks_at_the_sample(panel, context):
    panel.show_page("plane")
    x, y = panel.plane.to_widget(-1, 0)
    QTest.mouseClick(panel.plane, Qt.MouseButton.LeftButton, pos=QPointF(float(x) + 3, float(y)).toPoint())
    assert context.workspace.sample == ("train", 7)
    assert context.workspace.picture.origin.index == 7


def test_other_networks_are_sent_to_the_catalogue(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.request() is None and panel.empty.isVisible() and "linear classifier" in panel.empty.text.text()
