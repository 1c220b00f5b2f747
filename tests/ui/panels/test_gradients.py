"""The gradients panel through the mouse: cells, windows and blocks, with the numbers of the probe."""

import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.classic_options import GradientOptions
from guiapp.models.base import ModelEntry
from guiapp.tasks.predictions import Detections
from guiapp.ui.panels.gradients import GradientsPanel, _window_of

LEFT = Qt.MouseButton.LeftButton
PLACE = GradientOptions(left=414.0, top=232.0, height=408.0)


def answer(options, picture=None):
    return PROBES["gradients"].run(Look(None, (), None, picture=picture or street()), options)


@pytest.fixture(scope="module")
def first():
    return answer(PLACE)


def people(*boxes):
    scores = np.linspace(0.9, 0.5, len(boxes), dtype=np.float32)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), scores, np.zeros(len(boxes), np.int64), ("person",), (960, 640)
    )


@pytest.fixture
def panel(context, qtbot, kit, first):
    context.bridge.give(phase="ready", opened=kit.make_opened(model=ModelEntry("hog-person", "HOG", lambda *a: None)))
    context.bridge.subject = "live"
    made = GradientsPanel(context)
    qtbot.addWidget(made)
    made.resize(440, 700)
    made.show()
    qtbot.waitExposed(made)
    made.show_look(kit.look(context, street(), people([456, 283, 579, 589], [93, 311, 216, 578]), {"gradients": first}))
    return made


@pytest.fixture
def again(panel, context, kit):
    """Answer what the panel asks."""

    def give(prediction=None):
        found = answer(panel.request().options)
        panel.show_look(kit.look(context, street(), prediction, {"gradients": found}))
        return panel.view

    return give


def point(view, x, y):
    return view.to_widget(QRectF(x, y, 1, 1)).center().toPoint()


def test_the_best_person_is_followed_without_a_second_search(panel, context, kit, first, qtbot):
    asked = panel.request().options
    assert asked.height == pytest.approx(306 / 0.75)
    assert asked.left + asked.height / 4 == pytest.approx((456 + 579) / 2)
    with qtbot.assertNotEmitted(panel.request_changed):  # who moved by a pixel is looked at where he was
        panel.show_look(kit.look(context, street(), people([457, 284, 580, 590]), {"gradients": first}))
    with qtbot.waitSignal(panel.request_changed):
        panel.show_look(kit.look(context, street(), people([93, 311, 216, 578]), {"gradients": first}))
    assert panel.request().options.left < 100
    with qtbot.assertNotEmitted(panel.request_changed):  # lost: the window stays
        panel.show_look(kit.look(context, street(), people(), {"gradients": first}))


def test_a_window_is_chosen_by_a_click_and_its_score_is_a_sum(panel, again, qtbot):
    with qtbot.waitSignal(panel.request_changed):
        QTest.mouseClick(panel.image, LEFT, pos=point(panel.image, 155, 440))
    assert not panel.follow.isChecked()
    options = panel.request().options
    assert (options.left + options.height / 4, options.top + options.height / 2) == pytest.approx((155, 440), abs=3)
    view = again(people([456, 283, 579, 589]))
    assert panel.request().options == options  # a person elsewhere does not take it away
    total = view.contributions.sum()
    assert panel.verdict.text().startswith(f"blocks {total:.2f} − 6.67 = {view.score:.2f}".replace("-", "−"))
    QTest.mouseClick(panel.extent, LEFT, pos=QPoint(7, panel.extent.height() // 2))
    assert panel.request().options.height == pytest.approx(128 * 960 / 640, rel=0.02)
    assert again().area[3] == pytest.approx(192, rel=0.02)
    assert panel.extent_text.text() == f"{panel.view.area[3]:.0f} px"
    QTest.mouseClick(panel.follow, LEFT)
    assert panel.request().options == GradientOptions()


def test_a_person_cut_off_by_the_border_has_the_window_that_found_him():
    """Of boxes that end with the picture the side that is whole tells where the window was."""
    whole = _window_of([456, 283, 598.8, 589], (960, 640))  # 0.7 of the width of a window of 408
    assert whole == pytest.approx((425.4, 232, 408), abs=0.1)
    shift = 500.0
    left = _window_of([0, 283, 598.8 - shift, 589], (960, 640))
    assert left == pytest.approx((425.4 - shift, 232, 408), abs=0.1)
    right = _window_of([456 + 400, 283, 960, 589], (960, 640))
    assert right == pytest.approx((425.4 + 400, 232, 408), abs=0.1)
    below = _window_of([456, 283 + 100, 598.8, 640], (960, 640))
    assert below == pytest.approx((425.4, 332, 408), abs=0.1)


def test_the_cell_under_the_pointer_shows_its_votes(panel):
    view = panel.view
    side = 8 * view.scale[0]
    QTest.mouseMove(panel.image, point(panel.image, 20.5 * side, 14.5 * side))
    assert panel.cell == (14, 20)
    np.testing.assert_array_equal(panel.cell_plot.votes, view.histograms[14, 20])
    expected = [view.normalised[14, 20, 0, 0], view.normalised[14, 19, 0, 1], view.normalised[13, 20, 1, 0]]
    np.testing.assert_array_equal(panel.cell_plot.shares, [*expected, view.normalised[13, 19, 1, 1]])
    best = int(view.histograms[14, 20].argmax())
    text = f"cell 14, 20 · strongest {best * 20}° to {best * 20 + 20}°: {view.histograms[14, 20].max():.2f}"
    assert panel.about_cell.text().startswith(text)
    upper = panel.cell_plot.areas()[0]
    QTest.mouseMove(panel.cell_plot, QPoint(round(upper.x() + upper.width() * 2.5 / 9), round(upper.center().y())))
    assert f"40° to 60°: {view.histograms[14, 20][2]:.2f}" in panel.about_cell.text()
    QTest.mouseMove(panel.image, point(panel.image, 1, 1))
    assert len(panel.cell_plot.shares) == 1  # the corner is in one block
    rows = list(csv.reader(io.StringIO(panel.cell_plot.csv_text())))
    assert rows[0] == ["degrees", "votes", "block 1"]
    assert [float(row[1]) for row in rows[1:]] == pytest.approx(view.histograms[0, 0].tolist(), rel=1e-5)


def test_a_block_tells_what_it_adds(panel):
    plot, view = panel.window_plot, panel.view
    place = plot._blocks(plot.places()[3])
    where = QPoint(round(place.x() + place.width() * 3.5 / 7), round(place.y() + place.height() * 4.5 / 15))
    QTest.mouseMove(plot, where)
    assert panel.about_block.text() == f"block 4, 3 adds {view.contributions[4, 3]:.3f}".replace("-", "−")
    rows = list(csv.reader(io.StringIO(plot.csv_text())))
    assert sum(float(v) for row in rows[1:] for v in row[1:]) == pytest.approx(view.score - view.bias, rel=1e-4)


def test_every_view_says_what_is_under_the_pointer(panel):
    image, view = panel.image, panel.view
    panel.views.setCurrentIndex(panel.views.findData("magnitude"))
    assert image.image_size == view.shrunk
    assert f"length {view.lengths[60, 150]:.2f}" in image.value_text(150, 60)
    panel.views.setCurrentIndex(panel.views.findData("direction"))
    assert f"{np.degrees(view.angles[60, 150]):.0f}°" in image.value_text(150, 60)
    panel.views.setCurrentIndex(panel.views.findData("scores"))
    x, y = view.area[0] + view.area[2] / 2, view.area[1] + view.area[3] / 2
    assert image.value_text(round(x) + 2, round(y) + 2) == f"window about here {view.score:.2f}"
    assert "over the edge" in image.value_text(0, 0)
    panel.grab()
    image.composed()


def test_small_pictures_and_no_live_room(panel, context, kit):
    tiny = Picture(np.zeros((20, 24, 3), np.uint8), Origin("file", "tiny"))
    panel.follow.setChecked(False)
    panel.show_look(kit.look(context, tiny, None, {"gradients": answer(GradientOptions(height=30.0), tiny)}))
    assert "no person" in panel.verdict.text()
    panel.grab()
    context.bridge.subject = "experiment"
    assert panel.request() is None
    panel.show_state(context.bridge.state)
    assert panel.empty.isVisible()
