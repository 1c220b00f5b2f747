import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.engine.state import Request
from guiapp.interpret.activations import ActivationView
from guiapp.interpret.atlas import make_atlas
from guiapp.interpret.options import ActivationOptions
from guiapp.interpret.receptive_field import ReceptiveField
from guiapp.models.base import Preprocessing
from guiapp.sources.drawing import drawing_picture
from guiapp.ui.panels.viewer import ViewerPanel, network_area


@pytest.fixture
def viewer(context, opened, qtbot):
    panel = ViewerPanel(context)
    panel.resize(700, 420)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def ink(*rows):
    canvas = np.zeros((280, 280), np.uint8)
    for row in rows:
        canvas[row : row + 20, 60:220] = 255
    return canvas


def test_a_picture_is_shown_at_once_with_its_name(viewer, context, opened):
    context.workspace.picture = opened.dataset.picture("test", 3)
    assert viewer.image.image_size == (28, 28)
    assert "test 3" in viewer.source.text()


def test_prediction_truth_and_loss(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    context.workspace.picture = picture
    viewer.show_look(kit.look(context, picture, kit.scores(picture.label)))
    assert viewer.truth.text() == f"reads {picture.label}: right"
    assert "cross-entropy 0.094 nats" in viewer.uncertainty.text()
    viewer.show_look(kit.look(context, picture, kit.scores(0)))
    assert viewer.truth.text() == f"reads 0, true class {picture.label}"


def test_a_picture_that_was_read_as_a_drawing_says_so_and_lies_as_its_sample_under_a_map(viewer, context, kit):
    picture = Picture(np.full((50, 40, 3), 255, np.uint8), Origin("file", "scan.png"))
    fed = np.zeros((28, 28, 1), np.uint8)
    context.workspace.picture = picture
    viewer.show_look(kit.look(context, picture, kit.scores(3), fed=fed, read_as="drawing"))
    assert viewer.source.text() == "scan.png · 40 × 50 · read as a drawing"
    context.workspace.overlay = ("conv1", 0)
    assert viewer.image.image_size == (28, 28)
    context.workspace.overlay = None
    viewer.show_look(kit.look(context, picture, kit.scores(3), fed=picture.pixels))
    assert viewer.source.text() == "scan.png · 40 × 50", "another network may read it as it is"


def test_history_of_a_drawing_goes_on_over_strokes_and_begins_anew_when_cleared(viewer, context, opened, kit):
    for rows in ((20,), (20, 120), (20, 120, 200)):
        picture = drawing_picture(ink(*rows), opened.dataset)
        context.workspace.picture = picture
        viewer.show_look(kit.look(context, picture, kit.scores(3)))
    assert viewer.history.count == 3
    context.workspace.picture = drawing_picture(ink(), opened.dataset)
    assert viewer.history.count == 0 and viewer.bars.count == 0 and viewer.truth.text() == ""


def test_each_other_picture_has_its_own_history(viewer, context, opened, kit):
    for index in (1, 1, 2):
        picture = opened.dataset.picture("test", index)
        context.workspace.picture = picture
        viewer.show_look(kit.look(context, picture, kit.scores(3)))
    assert viewer.history.count == 1


def test_click_on_a_class_chooses_it_everywhere_and_once_more_frees_it(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    viewer.show_look(kit.look(context, picture, kit.scores(3)))
    for expected in (4, None):
        QTest.mouseClick(viewer.bars.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 4 * 18 + 5))
        assert context.workspace.class_index == expected


def test_modified_network_has_a_badge_that_restores_it(viewer, context):
    assert viewer.badge.isHidden()
    context.workspace.switched_off = {"conv1": frozenset({2})}
    assert viewer.badge.isVisible()
    QTest.mouseClick(viewer.badge, Qt.MouseButton.LeftButton)
    assert context.workspace.switched_off == {} and viewer.badge.isHidden()


def test_difference_to_the_plain_network_is_shown(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    viewer.show_look(
        kit.look(context, picture, kit.scores(3, share=0.5), plain=kit.scores(3, share=0.91), modified=True)
    )
    row = viewer.bars._painted[3]
    assert row[1] == "50.0 %" and row[-1] == "−41.0"


def test_neighbours_of_a_nearest_neighbour_network(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    found = (np.array([7, 2, 31]), np.array([0.5, 1.25, 3.0], np.float32))
    viewer.show_look(kit.look(context, picture, kit.scores(3, neighbours=found)))
    assert viewer.neighbours.isVisible()
    QTest.mouseClick(viewer.neighbours, Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
    assert context.workspace.sample == ("train", 2)
    assert context.workspace.picture.origin.part == "train"
    viewer.show_look(kit.look(context, picture, kit.scores(3)))
    assert viewer.neighbours.isHidden()


def test_overlay_is_asked_for_and_lies_where_the_network_saw_it(viewer, context, opened, kit, qtbot):
    picture = drawing_picture(ink(20, 200), opened.dataset)
    context.workspace.picture = picture
    assert viewer.image.image_size == (280, 280) and viewer.request() is None
    with qtbot.waitSignal(viewer.request_changed):
        context.workspace.overlay = ("conv1", 1)
    assert viewer.request() == Request("activations", ActivationOptions("conv1", "map"))
    assert viewer.image.image_size == (28, 28)
    maps = torch.zeros(6, 28, 28)
    maps[1, 10, 20] = 1
    view = ActivationView({"conv1": make_atlas(maps, scale="map")}, {}, 5)
    viewer.show_look(kit.look(context, picture, kit.scores(3), {"viewer": view}))
    (layer,) = viewer.image._layers
    assert layer.area == (-2, -2, 32, 32)  # the network's input is padded by two
    assert layer.image.pixelIndex(20, 10) == 255
    context.workspace.overlay = None
    assert viewer.image._layers == () and viewer.image.image_size == (280, 280)


def test_what_the_unit_under_the_pointer_sees_is_framed(viewer, context, opened, kit):
    picture = drawing_picture(ink(20, 200), opened.dataset)
    context.workspace.picture = picture
    opened.layers[1].receptive_field = ReceptiveField((6, 6), (2, 2), (-1, 0))
    try:
        viewer.show_look(kit.look(context, picture, kit.scores(3)))
        context.workspace.place = ("pool1", 0, 7)
        assert viewer.image.image_size == (28, 28), "what the network was fed"
        (layer,) = viewer.image._layers
        assert layer.area == (14 - 2, 0 - 2, 6, 5), "of the input, padded by two, without what lies over its edge"
        viewer.show_look(kit.look(context, picture, kit.scores(3)))
        assert [made.area for made in viewer.image._layers] == [layer.area]
        context.workspace.place = ("fc", 0, 0)
        assert viewer.image._layers == () and viewer.image.image_size == (280, 280), "not known for that layer"
        context.workspace.place = ("pool1", 1, 1)
        context.workspace.place = None
        assert viewer.image._layers == () and viewer.image.image_size == (280, 280)
    finally:
        opened.layers[1].receptive_field = None


@pytest.mark.parametrize(
    ("size", "fit", "picture", "area"),
    [
        ((1, 32, 32), "pad", (28, 28), (-2, -2, 32, 32)),
        ((1, 32, 32), "pad", (8, 8), (0, 0, 8, 8)),
        ((3, 32, 32), "stretch", (100, 50), (0, 0, 100, 50)),
        ((3, 100, 100), "crop", (400, 200), (100, 0, 200, 200)),
    ],
)
def test_network_area(size, fit, picture, area):
    assert network_area(Preprocessing(size, (0.5,), (0.5,), fit), *picture) == pytest.approx(area)


def test_pictures_larger_than_the_view_shrink_smoothly(viewer, context):
    board = (np.indices((2000, 2000)).sum(0) % 2 * 255).astype(np.uint8)
    context.workspace.picture = Picture(np.repeat(board[..., None], 3, 2), Origin("file", "board.png"))
    grey = viewer.image.grab().toImage().pixelColor(viewer.image.rect().center()).red()
    assert 90 < grey < 165


def test_draw_time_is_measured(viewer, context, opened, kit, qtbot):
    picture = opened.dataset.picture("test", 3)
    viewer.show_look(kit.look(context, picture, kit.scores(3)))
    viewer.grab()
    assert 0 < viewer.draw_ms < 1000


def test_commands(viewer, context):
    assert {"viewer.copy", "viewer.save-png", "viewer.save-csv", "viewer.fit", "viewer.sort"} <= set(
        context.commands.records
    )
    context.commands["viewer.sort"].trigger()
    assert context.commands["viewer.sort"].isChecked()


def test_empty_viewer_says_what_to_do(viewer):
    assert viewer.empty.isVisible() and "draw" in viewer.empty.text.text()


def test_the_last_words_come_when_no_further_look_does(viewer, context, opened, kit, qtbot):
    context.bridge.give(phase="running")
    picture = opened.dataset.picture("test", 3)
    viewer.show_look(kit.look(context, picture, kit.scores(picture.label)))
    viewer.show_look(kit.look(context, picture, kit.scores(0), step=3))
    qtbot.waitUntil(lambda: viewer.truth.text() == f"reads 0, true class {picture.label}")
    assert "cross-entropy 4.605 nats" in viewer.uncertainty.text(), "-log 0.01, with 0.09 shared by nine classes"


def test_an_earlier_step_is_named_at_once(viewer, context, opened, kit):
    context.bridge.give(phase="running")
    picture = opened.dataset.picture("test", 3)
    viewer.show_look(kit.look(context, picture, kit.scores(3), step=40))
    assert viewer.step.text() == ""
    viewer.show_look(kit.look(context, picture, kit.scores(5), step=3, live=False))
    assert viewer.step.text() == "at step 3" and viewer.step.ink == context.theme.accent
    assert viewer.truth.text().startswith("reads 5")


def test_a_modified_network_takes_no_room_from_the_history(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    viewer.resize(691, 320)  # the viewer at 1280 x 800
    viewer.show_look(kit.look(context, picture, kit.scores(3)))
    before = viewer.history.isVisible()
    context.workspace.switched_off = {"conv1": frozenset({2})}
    viewer.show_look(kit.look(context, picture, kit.scores(3), modified=True))
    assert before and viewer.badge.isVisible() and viewer.history.isVisible()


def test_words_on_the_prediction_are_not_cut_off_at_1280_pixels(viewer, context, opened, kit):
    picture = opened.dataset.picture("test", 3)
    viewer.resize(571, 400)
    context.workspace.picture = picture
    viewer.show_look(kit.look(context, picture, kit.scores(3)))
    for label in (viewer.uncertainty, viewer.truth, viewer.source):
        assert "…" not in label.shown, label.shown
    assert "KL" in viewer.uncertainty.shown and "entropy" in viewer.uncertainty.shown
