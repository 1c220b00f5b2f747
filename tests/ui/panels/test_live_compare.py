"""Two networks on the same live pictures: side by side, by a wipe, as a difference; each with its own times."""

# ruff: noqa: F811 - fixtures of the Live room are arguments here

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QPushButton, QWidget

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.models.zoo import ZOO, listed
from guiapp.models.zoo.candidates import Candidates
from guiapp.models.zoo.weights import Here
from guiapp.sources.video_reader import VideoReader
from guiapp.ui.painters.sides import FIRST, SECOND
from tests.ui.painters.pictures import pixels_of, rgb
from tests.ui.panels.test_live import DETECTOR, HEIGHT, OTHER, WIDTH, Detector, answer, hose, room, video  # noqa: F401


class Second(Detector):
    """The same person somewhat lower and less sure, and a cat that the first does not know."""

    def candidates(self, inputs, keep):
        self.runs += 1
        boxes = torch.tensor([[20.0, 36, 60, 90], [100, 10, 150, 30]])
        return Candidates(boxes, torch.tensor([0.7, 0.6]), torch.tensor([2, 1]), (HEIGHT, WIDTH))


@pytest.fixture
def pair(room):
    """The room, whose ``OTHER`` network is another one than ``DETECTOR``; with random weights it cannot be opened."""
    whole, second = room.lane._opener, Second()

    def opener(name, weights, device, progress):
        made = whole(name, weights, device, progress)
        if name == OTHER:
            if weights == "random":
                raise UserError("there is no memory left")
            return SimpleNamespace(**{**vars(made), "module": second, "labels": ("background", "cat", "person")})
        return made

    room.lane._opener = opener
    room.second = second
    return room


def still(pair, value=90):
    """A picture that stands still, with the first answer."""
    pair.panel.show_picture(Picture(np.full((HEIGHT, WIDTH, 3), value, np.uint8), Origin("file", "grey.png")))
    answer(pair)


def compare(pair, mode="beside"):
    """Switch the comparison on, choose the second network in the list, and wait for its answer."""
    pair.window.commands["live.compare"].setChecked(True)
    choose(pair, OTHER)
    QTest.mouseClick(find(pair, QPushButton, "live.compare-open"), Qt.MouseButton.LeftButton)
    pair.bot.waitUntil(lambda: has_other(pair))
    QTest.mouseClick(find(pair, QPushButton, f"live.compare-mode-{mode}"), Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def another(pair, value):
    """Another picture, with both answers."""
    still(pair, value)
    pair.bot.waitUntil(lambda: has_other(pair) and pair.panel.image.result.picture.pixels[0, 0, 0] == value)


def click(image, column, row):
    QTest.mouseClick(image, Qt.MouseButton.LeftButton, pos=QPoint(x_of(image, column), y_of(image, row)))


def has_other(pair):
    result = pair.panel.image.result
    return result is not None and result.other is not None and result.other.model is ZOO[OTHER]


def choose(pair, name):
    models = find(pair, QComboBox, "live.compare-model")
    models.setCurrentIndex(models.findData(name))
    models.activated.emit(models.currentIndex())


def find(pair, kind, name):
    return pair.window.findChild(kind, name)


def x_of(image, column):
    return round(image.to_widget(QRectF(column, 0, 0, 0)).x())


def y_of(image, row):
    return round(image.to_widget(QRectF(0, row, 0, 0)).y())


def seen(view):
    return pixels_of(view.grab().toImage()).astype(int)


def has(pixels, colour, by=6):
    return bool((np.abs(pixels - rgb(colour)).max(-1) <= by).any())


def test_the_switch_opens_a_network_that_is_here_and_lets_go_of_it_again(pair):
    still(pair)
    panel, box = pair.panel, find(pair, QCheckBox, "live.compare")
    assert not find(pair, QWidget, "live.compare-mode").isVisible() and not panel.compare.strip.isVisible()
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    pair.bot.waitUntil(lambda: panel.image.result.other is not None)
    model = panel.image.result.other.model
    assert model.task == "detection" and panel.models.found[model.name], "without a download"
    assert panel.compare.model.chosen is model and panel.compare.strip.isVisible()
    assert find(pair, QWidget, "live.compare-mode").isVisible()
    box.click()
    pair.bot.waitUntil(lambda: pair.lane.newest.other is None and pair.lane._beside.network is None)
    pair.bot.waitUntil(lambda: not panel.compare.strip.isVisible())
    assert not panel.compare.views.second.isVisible() and panel.compare.views.second.array is None
    assert panel.image.mode == "" and pair.lane.newest.phase == "ready"


def test_what_is_suggested_is_here_and_knows_the_same_classes(pair):
    zoo, none = listed(), Here((), (), False)
    here = {name: Here((zoo[name].best.name,), (), True) for name in ("haar-face", "hog-person", "ultraface")}
    model = pair.panel.compare.model
    model.fill(zoo, {name: here.get(name, none) for name in zoo})
    model.set_task("detection")
    assert model.suggestion("haar-face") == ("ultraface", zoo["ultraface"].best.name)
    assert model.suggestion("ultraface")[0] == "haar-face"
    model.choose("ssdlite320_mobilenet_v3_large", "random")
    model.set_task("segmentation")
    assert model.suggestion("haar-face") is None
    pair.window.theme.set_mode("dark")
    assert model.chosen.name == "ssdlite320_mobilenet_v3_large" and model.weights.currentData() == "random"


def test_side_by_side_both_answers_zoom_and_move_together(pair):
    still(pair)
    compare(pair)
    first, second = pair.panel.image, pair.panel.compare.views.second
    assert first.result.drawn.scores.tolist() == pytest.approx([0.9])
    assert second.result.drawn.scores.tolist() == pytest.approx([0.7, 0.6])
    assert first.array is second.array and second.isVisible()
    assert has(seen(first), FIRST) and has(seen(second), SECOND), "the tags"
    place = QPointF(first.width() / 2, first.height() / 2)
    QApplication.sendEvent(first, QWheelEvent(
        place, first.mapToGlobal(place), QPoint(), QPoint(0, 360), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    ))  # fmt: skip
    assert not second.fitted and second.scale == first.scale
    centre = second.rect().center()
    QTest.mousePress(second, Qt.MouseButton.LeftButton, pos=centre)
    QTest.mouseMove(second, centre + QPoint(25, 10))
    QTest.mouseRelease(second, Qt.MouseButton.LeftButton, pos=centre + QPoint(25, 10))
    assert first.to_image(place) == pytest.approx(second.to_image(place), abs=1.0)
    QTest.mouseDClick(first, Qt.MouseButton.LeftButton, pos=centre)
    assert first.fitted and second.fitted
    QTest.mouseClick(second, Qt.MouseButton.LeftButton, pos=QPoint(x_of(second, 40), y_of(second, 60)))
    assert second.chosen is not None and not second.fitted and first.scale == second.scale, (
        "a click enlarges the person"
    )
    QTest.keyClick(second, Qt.Key.Key_Escape)
    assert second.chosen is None and first.fitted and second.fitted


def test_each_side_has_its_meter_and_a_line_says_what_differs(pair):
    still(pair)
    compare(pair)
    strip = pair.panel.compare.strip
    said = "1 box in both, 0 only A, 1 only B (1 of classes that A does not know), mean change of score −0.20"
    pair.bot.waitUntil(lambda: strip.words.text() == said)
    for meter in strip.meters:
        assert all(float(value.text()) >= 0 for value in meter.values.values())
    prepared = strip.meters[0].values["preprocess"].text()
    pair.panel.compare.show_result(replace(pair.panel.image.result, milliseconds={"forward": 77.7}))
    pair.bot.waitUntil(lambda: strip.meters[0].values["forward"].text() == "77.7")
    assert strip.meters[0].values["preprocess"].text() == prepared, "a run on the same input prepares nothing"
    assert not pair.panel.count.text(), "objects of which network?"


def test_the_wipe_is_dragged_and_divides_the_answers(pair, tmp_path):
    still(pair)
    compare(pair, "wipe")
    image = pair.panel.image
    assert not pair.panel.compare.views.second.isVisible() and image.at == 0.5
    middle = QPoint(round(image._handle()), image.height() // 2)
    QTest.mouseMove(image, middle)
    assert image.cursor().shape() == Qt.CursorShape.SplitHCursor
    target = x_of(image, 40)
    QTest.mousePress(image, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(image, QPoint(target, middle.y()))
    QTest.mouseRelease(image, Qt.MouseButton.LeftButton, pos=QPoint(target, middle.y()))
    assert image.at == pytest.approx(40 / WIDTH, abs=0.01) and image.fitted, "the picture stays"
    # the person's upper edge: the first sees it at row 30, the second at row 36
    row_30, row_36 = (y_of(image, row) for row in (30, 36))
    left, right = x_of(image, 32), x_of(image, 54)
    pixels = seen(image)
    ground = rgb(image.theme.panel.fromRgb(90, 90, 90))
    marked = [[np.abs(pixels[y : y + 3, x] - ground).max() > 20 for x in (left, right)] for y in (row_30, row_36)]
    assert marked == [[True, False], [False, True]]
    image.setFocus()
    QTest.keyClick(image, Qt.Key.Key_Right)
    assert image.at == pytest.approx(target_share(image, target) + 0.02, abs=0.01)
    QTest.mousePress(image, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    QTest.mouseMove(image, QPoint(45, 5))
    QTest.mouseRelease(image, Qt.MouseButton.LeftButton, pos=QPoint(45, 5))
    assert not image.fitted, "elsewhere the picture is moved"
    QTest.keyClick(image, Qt.Key.Key_Escape)
    assert image.fitted

    # an object is chosen and followed, by the answer of the side where it is
    workspace = pair.window.workspace
    click(image, 30, 80)
    assert image.chosen == (1, (20, 30, 60, 90)) and not image.fitted and workspace.region is not None
    image.move_handle(0.1)
    another(pair, 120)
    assert image.chosen == (1, (20, 36, 60, 90)) and image._chosen_index() == -1
    QTest.mouseClick(find(pair, QPushButton, "live.compare-mode-difference"), Qt.MouseButton.LeftButton)
    assert image.chosen is None and workspace.region is None and image.fitted
    click(image, 125, 20)
    cat = image.chosen
    assert cat[1] == (100, 10, 150, 30) and image.layer.object_at(125, 20).index == image._chosen_index()
    another(pair, 60)
    assert image.chosen == cat and workspace.region is not None
    QTest.keyClick(image, Qt.Key.Key_Escape)
    assert image.chosen is None and workspace.region is None and image.fitted
    before = len(pair.lane._notices.notices)
    pair.panel.snapshot.save(tmp_path / "wipe.png")
    pair.bot.waitUntil(lambda: len(pair.lane._notices.notices) > before)
    saved = pixels_of(QImage(str(tmp_path / "wipe.png"))).astype(int)
    assert saved.shape == (HEIGHT, WIDTH, 3) and has(saved[:20], FIRST) and has(saved[:20], SECOND)


def target_share(image, x):
    return image.to_image(QPointF(x, 0))[0] / WIDTH


def test_the_difference_follows_the_thresholds_without_the_networks(pair, tmp_path):
    still(pair)
    compare(pair, "difference")
    image, found = pair.panel.image, lambda: pair.panel.image.result.other.difference
    assert image.layer.drawn is found() and len(found().only_second) == 1
    pixels = seen(image)
    edge = y_of(image, 30) - 2
    assert has(pixels[edge - 1 : edge + 3, x_of(image, 110) : x_of(image, 140)], SECOND), "the cat's box"
    runs = pair.detector.runs, pair.second.runs
    pair.panel.shown.sliders["score"].setValue(65)
    pair.bot.waitUntil(lambda: len(found().only_second) == 0)
    pair.panel.shown.sliders["score"].setValue(20)
    pair.bot.waitUntil(lambda: len(found().only_first) == 1, timeout=5000)
    assert (pair.detector.runs, pair.second.runs) == runs
    QTest.mouseMove(image, QPoint(x_of(image, 120), y_of(image, 60)))
    assert image.hit().text.startswith("only A: dog 0.30")
    before = len(pair.lane._notices.notices)
    pair.window.commands["live.compare-beside"].trigger()
    pair.panel.snapshot.save(tmp_path / "both.png")
    pair.bot.waitUntil(lambda: len(pair.lane._notices.notices) > before)
    saved = pixels_of(QImage(str(tmp_path / "both.png"))).astype(int)
    assert saved.shape == (HEIGHT, 2 * WIDTH + 4, 3)
    assert has(saved[:, :WIDTH], FIRST) and has(saved[:, -WIDTH:], SECOND)


def test_both_answer_each_frame_of_a_video_and_none_while_nobody_looks(pair, video):
    panel, commands = pair.panel, pair.window.commands
    panel.open_source(str(video))
    pair.bot.waitUntil(lambda: panel.image.array is not None)
    answer(pair)
    compare(pair)
    commands["live.play"].trigger()
    pair.bot.waitUntil(lambda: panel.feed.source.state == "paused")
    here = panel.feed.source.index
    commands["live.frame-on"].trigger()
    twin = panel.compare.views.second
    pair.bot.waitUntil(lambda: panel.image.result.picture.origin.index == here + 1)
    assert twin.result.picture is panel.image.result.picture and twin.array is panel.image.array
    assert panel.image.result.other is not None
    commands["live.play"].trigger()
    pair.window.use_layout("train")
    pair.bot.waitUntil(lambda: panel.feed.source.state == "paused" and not panel.isVisible())
    pair.bot.waitUntil(lambda: pair.lane._source is None)
    pair.bot.wait(60)  # what was begun ends
    runs = pair.detector.runs, pair.second.runs
    pair.bot.wait(120)
    assert (pair.detector.runs, pair.second.runs) == runs


def test_a_recording_holds_both_answers(pair, hose, tmp_path):
    hose[0].give(90)
    answer(pair)
    compare(pair, "wipe")
    pair.panel.record.start(tmp_path / "both.mp4")
    for value in (100, 110):
        result = pair.panel.image.result
        hose[0].give(value)
        pair.bot.waitUntil(lambda r=result: pair.panel.image.result is not r)
    pair.bot.wait(120)
    with pair.bot.waitSignal(pair.panel.record.ended, timeout=30_000):
        pair.window.commands["live.record"].trigger()
    reader = VideoReader(tmp_path / "both.mp4")
    frames = [pixels.astype(int) for _, _, pixels in reader.frames()]
    reader.close()
    last = frames[-1]
    assert last.shape == (HEIGHT, WIDTH, 3)
    assert has(last[:14, :60], FIRST, 40) and has(last[:14, -60:], SECOND, 40), "the tags of both"
    assert last[60:100, 78:83].max() > 200, "the handle"


def test_a_second_network_that_fails_says_why_and_the_first_stays(pair):
    still(pair)
    compare(pair)
    weights, note = find(pair, QComboBox, "live.compare-weights"), find(pair, QWidget, "live.compare-note")
    weights.setCurrentIndex(weights.findData("random"))
    weights.activated.emit(weights.currentIndex())
    pair.bot.waitUntil(lambda: note.text() == "there is no memory left")
    assert pair.panel.image.mode == "" and not pair.panel.compare.strip.isVisible()
    assert pair.panel.image.result.drawn.scores.tolist() == pytest.approx([0.9])


def test_one_network_with_two_weights_and_networks_of_two_tasks(pair):
    still(pair)
    pair.window.commands["live.compare"].setChecked(True)
    pair.panel.compare.model.wanted.emit(DETECTOR, "random")
    image = pair.panel.image
    pair.bot.waitUntil(lambda: image._names[1].endswith("random weights: means nothing"))
    assert image._names[0].endswith(ZOO[DETECTOR].best.name), "of one network both sides name their weights"
    pair.bot.waitUntil(lambda: image.result.other is not None and image.result.other.model is ZOO[DETECTOR])
    pair.panel.compare.model.wanted.emit("dis-flow", "best")
    pair.bot.waitUntil(lambda: "there is no difference" in pair.panel.compare.strip.words.text())
    pair.window.commands["live.compare-difference"].trigger()
    assert pair.panel.image.layer.drawn is pair.panel.image.result.drawn, "the first answer"


def test_the_same_motion_has_the_same_colour_in_both_pictures(pair, video):
    pair.panel.open_source(str(video))
    pair.panel.models.wanted.emit("dis-flow", "best")
    pair.window.commands["live.compare"].setChecked(True)
    pair.panel.compare.model.wanted.emit("farneback-flow", "best")
    first, second = pair.panel.image, pair.panel.compare.views.second
    pair.bot.waitUntil(lambda: second.layer is not None and first.result.other.difference is not None)
    pair.window.commands["live.play"].trigger()
    pair.bot.waitUntil(lambda: pair.panel.feed.source.state == "paused")
    assert first.layer.longest == second.layer.longest == first._look.longest > 0
    pair.panel.shown.sliders["opacity"].setValue(30)
    assert (first.layer.look.opacity, second.layer.look.opacity) == (0.3, 0.3)
    assert first.layer.longest == second.layer.longest
    pair.window.commands["live.compare"].setChecked(False)
    pair.bot.waitUntil(lambda: first.mode == "")
    assert first._look.longest == 0


def test_a_whole_video_is_recorded_with_both_answers_side_by_side(pair, video, tmp_path):
    pair.panel.open_source(str(video))
    pair.bot.waitUntil(lambda: pair.panel.image.array is not None)
    answer(pair)
    pair.window.commands["live.play"].trigger()
    compare(pair)
    out = tmp_path / "both.mp4"
    with pair.bot.waitSignal(pair.panel.record.ended, timeout=30_000) as signal:
        pair.panel.record.start_whole(out)
    end = signal.args[0]
    reader = VideoReader(out)
    frames = [pixels for _, _, pixels in reader.frames()]
    reader.close()
    assert end.path == out and end.frames == len(frames) == 40
    assert frames[0].shape[0] == HEIGHT and frames[0].shape[1] in (2 * WIDTH + 4, 2 * WIDTH + 5)
    left, right = frames[3][:, :WIDTH].astype(int), frames[3][:, WIDTH + 4 : 2 * WIDTH + 4].astype(int)
    ground = 15
    assert abs(np.median(left) - ground) < 6 and abs(np.median(right) - ground) < 6
    edge = (slice(18, 28), slice(99, 103))  # of the cat that the second network alone has found
    assert (np.abs(right[edge] - ground).max((1, 2)) > 60).all()
    assert np.median(np.abs(left[edge] - ground)) < 10


def test_the_second_network_counts_with_other_numbers(pair, monkeypatch):
    still(pair)
    compare(pair)
    box = find(pair, QComboBox, "live.compare-precision")
    assert box.isVisible() and box.currentData() is None
    told = []
    monkeypatch.setattr(pair.lane, "set_run", lambda run, second=None: told.append((run, second)))
    box.setCurrentIndex(box.findData("bfloat16"))
    box.activated.emit(box.currentIndex())
    assert [(run.precision, second.precision) for run, second in told] == [("float32", "bfloat16")]
    pair.panel.run_box.threads.activated.emit(0)
    assert told[-1][1].precision == "bfloat16"
