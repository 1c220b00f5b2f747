"""The detector panel through the mouse, with the insides of small detectors that really ran."""

import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from guiapp.ui.panels.detector import DetectorPanel
from guiapp.ui.widgets.detector_plots import focal_loss
from guiapp.ui.widgets.image_layers import BoxesLayer, MapLayer
from tests.interpret.detectors import Ran, build

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def faster():
    return Ran(build("FasterRCNN"), score=0.4)


@pytest.fixture(scope="module")
def mask():
    return Ran(build("MaskRCNN"), score=0.4, top=2)


@pytest.fixture(scope="module")
def retina():
    return Ran(build("RetinaNet"), score=0.012)


@pytest.fixture
def panel(context, qtbot, kit):
    context.bridge.subject = "live"
    made = DetectorPanel(context)
    qtbot.addWidget(made)
    made.resize(320, 400)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def answer(panel, context, kit):
    """Open a network, or go on with it, and answer what the panel asks."""

    def give(ran):
        if context.bridge.state.opened is None or context.bridge.state.opened.layers is not ran.layers:
            context.bridge.give(panel, phase="ready", opened=kit.make_opened(layers=ran.layers))
        view = ran.view(panel.request().options)
        panel.show_look(kit.look(context, ran.picture, None, {"detector": view}))
        QApplication.processEvents()  # layouts follow
        return view

    return give


def choose(panel, view):
    """Take a view by the keyboard."""
    panel.views.setFocus()
    while panel.mode != view:
        key = Qt.Key.Key_Down if panel.views.currentIndex() < panel.views.findData(view) else Qt.Key.Key_Up
        QTest.keyClick(panel.views, key)


def over(view, x, y):
    """Move the pointer to a place of the picture; return where that is in the widget."""
    place = view.to_widget(QRectF(x, y, 1, 1)).center().toPoint()
    QTest.mouseMove(view, QPoint(1, 1))
    QTest.mouseMove(view, place)
    return place


def boxes_of(view):
    return [layer for layer in view._layers if isinstance(layer, BoxesLayer)]


def test_a_network_that_is_no_detector_is_asked_nothing_and_the_panel_says_what_it_needs(panel, context, opened):
    panel.show_state(context.bridge.state)
    assert panel.request() is None
    assert panel.empty.isVisible()
    for name in ("Faster", "Mask", "Keypoint", "RetinaNet", "FCOS", "SSD", "SSDlite"):
        assert name in panel.empty.text.text()


def test_before_the_first_look_it_asks_for_a_picture_only_where_there_is_none(panel, context, kit, faster):
    context.bridge.give(panel, phase="ready", opened=kit.make_opened(layers=faster.layers))
    assert panel.empty.text.text().startswith("No picture: open")
    context.bridge.live_scene.picture = True
    context.bridge.give(panel, phase="ready", opened=kit.make_opened(layers=faster.layers))
    assert panel.empty.text.text() == "Looking into the picture …"


def test_an_experiment_is_not_looked_into(panel, context, answer, faster):
    answer(faster)
    context.bridge.subject = "experiment"
    assert panel.request() is None


def test_an_exhibit_begins_with_the_view_that_it_is_about(panel, context):
    for exhibit, view in (("ssd", "anchors"), ("faster-rcnn", "scores"), ("feature-pyramid", "pyramid")):
        context.workspace.experiment = exhibit
        assert panel.mode == view
    choose(panel, "object")
    context.workspace.experiment = "lenet5"
    assert panel.mode == "object"  # what has no say leaves it
    context.workspace.experiment = None


def test_maps_of_the_pyramid_tell_their_numbers_and_grow_by_a_click(panel, answer, faster):
    view = answer(faster)
    tiles = panel.tiles
    assert tiles.isVisible() and len(tiles.tiles) == 12  # four levels with three parts but one, and P6
    index = next(i for i, tile in enumerate(tiles.tiles) if tile.place == (1, 2))
    place = tiles.place_of(index).center()
    QTest.mouseMove(tiles, place.toPoint())
    atlas = view.levels[1].maps["result"]
    _, row, column = tiles.cell_at(QPointF(place.toPoint()))
    assert panel.says.text().startswith("P3") and f"row {row}, column {column}" in panel.says.text()
    said = float(panel.says.text().rpartition(" ")[2].replace("−", "-"))
    assert said == pytest.approx(float(atlas.values[0, row, column]), rel=0.02)
    middle = view.padded[1] * place.toPoint().x() / tiles.width()
    assert middle > 0
    QTest.mouseClick(tiles, LEFT, pos=place.toPoint())
    assert tiles.enlarged == index and tiles.place_of(index).width() > 250 and tiles.place_of(0).isEmpty()
    QTest.mouseClick(tiles, LEFT, pos=tiles.place_of(index).center().toPoint())
    assert tiles.enlarged is None
    framed = [len(tile.boxes) for tile in tiles.tiles if "3×3" in tile.captions[0]]
    assert sum(framed) == len(view.boxes) > 0 and framed == [x.objects for x in view.levels[:4]]


def test_a_value_of_a_tile_lies_where_its_cell_lies_in_the_picture(panel, answer, faster):
    view = answer(faster)
    place = panel.tiles.place_of(0)  # P2, lateral
    width, height = view.size
    stride = view.levels[0].stride[0] * float(view.scale[0])
    x, y = 100.0, 40.0
    cell = panel.tiles.cell_at(QPointF(place.x() + x / width * place.width(), place.y() + y / height * place.height()))
    assert cell == (0, int(y / stride), int(x / stride))


def test_anchors_of_the_cell_under_the_pointer_are_framed(panel, answer, faster, context):
    answer(faster)
    choose(panel, "anchors")
    view = answer(faster)
    table = panel.table
    rows = [row[table.head.index("all")] for row in table.rows]
    assert rows == [f"{x.anchors:,}" for x in view.levels] and table.head[1:3] == ("grid", "sizes")
    assert [row[2] for row in table.rows] == ["32", "64", "128", "256", "512"]
    QTest.mouseClick(table, LEFT, pos=table.row_place(1).center().toPoint())
    assert panel.level is view.levels[1] and table.chosen == 1
    total = sum(x.anchors for x in view.levels)
    assert f"3 × 12 × 16 = 576 of {total:,} anchors" in panel.says.text() and "1:2 1:1 2:1" in panel.says.text()
    over(panel.image, 101, 61)
    scale = view.scale
    # the anchors of torchvision stand at the corners of the cells: the nearest corner's are shown
    row, column = round(61.5 / scale[1] / 8), round(101.5 / scale[0] / 8)
    assert panel.cell == (row, column)
    expected = view.levels[1].anchors_at(row, column) * np.tile(scale, 2)
    shown = np.concatenate([layer.boxes for layer in boxes_of(panel.image)[1:]])  # the first is the object
    np.testing.assert_allclose(np.sort(shown, 0), np.sort(expected, 0), rtol=1e-5)
    assert f"{view.levels[1].scores[row, column].max():.3f}" in panel.says.text()
    assert boxes_of(panel.image)[0].boxes[0] == pytest.approx(view.object.box)


def test_anchors_that_fire_and_that_would_be_positive_have_colours_of_their_own(panel, answer, faster, context):
    answer(faster)
    choose(panel, "anchors")
    view = answer(faster)
    level = next(i for i, x in enumerate(view.levels) if x.matching)
    QTest.mouseClick(panel.table, LEFT, pos=panel.table.row_place(level).center().toPoint())
    box = view.object.box
    over(panel.image, float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    _, fired, positive = panel.anchors()
    _, plain, blue, green = boxes_of(panel.image)
    assert len(blue.boxes) == int((fired & ~positive).sum()) and len(green.boxes) == int(positive.sum())
    assert len(plain.boxes) + len(blue.boxes) + len(green.boxes) == 3
    assert green.colour == context.theme.good and blue.colour == context.theme.accent
    assert str(sum(x.matching for x in view.levels)) in panel.more.text() and view.object.label in panel.more.text()


def test_scores_lie_over_the_picture_with_the_boxes_of_the_first_stage(panel, answer, faster):
    answer(faster)
    choose(panel, "scores")
    view = answer(faster)
    heat = panel.image._layers[0]
    assert isinstance(heat, MapLayer) and heat.area == pytest.approx(view.area)
    for words, count in view.steps:
        assert f"{count:,} {words}" in panel.says.text()
    assert not panel.focal.plot.isVisible() and panel.boxes.isVisible()
    panel.boxes.setFocus()
    QTest.keyClick(panel.boxes, Qt.Key.Key_Down)
    before = sum(len(layer.boxes) for layer in boxes_of(panel.image))
    QTest.keyClick(panel.boxes, Qt.Key.Key_Down)
    others, own = boxes_of(panel.image)
    assert before == len(view.before) == 100 and len(others.boxes) + len(own.boxes) == len(view.after)
    assert len(own.boxes) == int((view.after[:, 5] == 0).sum())
    over(panel.image, 50, 50)
    row, column = panel.cell
    assert f"{view.levels[0].scores[row, column].max():.3f}" in panel.more.text()


def test_the_object_follows_the_choice_in_the_live_picture(panel, answer, faster, context, qtbot):
    answer(faster)
    choose(panel, "object")
    view = answer(faster)
    assert panel.says.text().startswith("best shown") and "⌊4 + log₂" in panel.says.text()
    assert panel.object.maps.maps[0][1] is view.object.pooled
    width, height = view.size
    box = view.boxes[(view.boxes[:, 2:] - view.boxes[:, :2]).min(1).argmax()]
    grown = box + (box[2:] - box[:2])[[0, 1, 0, 1]] * (-0.1, -0.1, 0.1, 0.1)
    with qtbot.waitSignal(panel.request_changed):
        region = np.clip(grown / (width, height, width, height), 0, 1)
        context.workspace.region = tuple(np.round(region * 64) / 64)
    view = answer(faster)
    assert view.object.chosen and view.object.box == pytest.approx(box, rel=1e-5)
    assert panel.says.text().startswith("chosen: ") and view.object.label in panel.says.text()
    start, end = boxes_of(panel.object.crop)
    assert start.dashed and end.boxes[0, 2:] - end.boxes[0, :2] == pytest.approx(
        view.object.box[2:] - view.object.box[:2], abs=1e-3
    )
    assert panel.object.classes.classes == view.object.classes and panel.object.classes.chosen == view.object.label


def test_a_mask_tells_its_probabilities(panel, answer, mask):
    answer(mask)
    choose(panel, "object")
    view = answer(mask)
    maps = panel.object.maps
    assert [name for name, _ in maps.maps] == ["RoIAlign 7×7, mean |x|", "mask 28×28"]
    place = maps.places()[1]
    QTest.mouseMove(maps, QPoint(1, 1))
    QTest.mouseMove(maps, place.center().toPoint())
    _, _, row, column, value = maps.value_at(QPointF(place.center().toPoint()))
    assert value == pytest.approx(float(view.object.mask.values[0, row, column]))
    assert f"mask 28×28 · row {row}, column {column}: {value:.3f}" in panel.more.text()
    lines = list(csv.reader(io.StringIO(maps.csv_text())))
    assert len(lines) == 1 + 7 + 28 and len(lines[-1]) == 3 + 28


def test_gamma_turns_the_focal_loss_of_one_stage_detectors(panel, answer, retina):
    panel.resize(400, 560)
    answer(retina)
    choose(panel, "scores")
    view = answer(retina)
    assert panel.focal.plot.isVisible() and not panel.boxes.isVisible() and "sigmoid" in panel.more.text()
    assert "γ = 2.0" in panel.focal.told.text()
    at_two = float(panel.focal.told.text().partition("carry ")[2].partition(" %")[0])
    scores = np.sort(np.concatenate([x.scores.ravel() for x in view.levels]).astype(float))[::-1]
    loss = scores**2 * -np.log(1 - scores)
    hardest = len(scores) // 100
    assert at_two == pytest.approx(100 * loss[:hardest].sum() / loss.sum(), abs=0.51)
    slider = panel.focal.gamma
    QTest.mouseClick(slider, LEFT, pos=QPoint(round(slider.x_of(0)), slider.height() // 2))
    assert panel.focal.plot.gamma == 0 and panel.focal.gamma_text.text() == "γ = 0.0"
    at_zero = float(panel.focal.told.text().partition("carry ")[2].partition(" %")[0])
    assert at_zero < at_two
    area = panel.focal.plot.area()
    QTest.mouseMove(panel.focal.plot, QPoint(round(area.x() + area.width() / 2), round(area.center().y())))
    assert "p = 0.5" in panel.focal.told.text() and "0.69" in panel.focal.told.text()


def test_the_focal_loss_is_that_of_the_paper():
    p = np.array([0.1, 0.5, 0.9])
    assert focal_loss(p, 0) == pytest.approx(-np.log(p))
    # Lin et al. 2017: with gamma = 2 an example at 0.9 costs a hundred times less
    assert focal_loss(p, 2)[2] == pytest.approx(-np.log(0.9) / 100)


@pytest.mark.parametrize("size", [(320, 385), (540, 760), (900, 300)])
def test_every_view_fits(panel, answer, retina, faster, size, context):
    panel.resize(*size)
    for ran in (faster, retina):
        for view in ("pyramid", "anchors", "scores", "object"):
            answer(faster) if panel.request() is None else None
            choose(panel, view)
            answer(ran)
            assert (panel.width(), panel.height()) == size, view
            for part in (
                panel.tiles,
                panel.image,
                panel.table,
                panel.focal.plot,
                panel.object.crop,
                panel.object.classes,
                panel.says,
            ):
                if part.isVisible():
                    left = part.mapTo(panel, QPoint(0, 0))
                    assert left.x() >= 0 and left.x() + part.width() <= size[0], (view, part.objectName())
                    assert left.y() >= 0 and left.y() + part.height() <= size[1], (view, part.objectName())
            if panel.tiles.isVisible():
                last = panel.tiles.place_of(len(panel.tiles.tiles) - 1)
                assert last.right() <= panel.tiles.width() + 1 and last.bottom() <= panel.tiles.height() + 1


def test_colours_follow_the_theme(panel, answer, faster, context):
    answer(faster)
    choose(panel, "object")
    answer(faster)
    light = boxes_of(panel.object.crop)[0].colour
    context.theme.set_mode("dark")
    assert boxes_of(panel.object.crop)[0].colour == context.theme.warning != light
