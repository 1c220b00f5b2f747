from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.ui.panels.samples import SamplesPanel
from guiapp.ui.widgets.drawing_pad import DrawingPad
from guiapp.ui.widgets.sample_browser import SampleBrowser


def truth_of(images):
    """The label that the strokes of the test data set were drawn for."""
    return (images[:, :, 12, 0] > 0).sum(1) - 2


def reader(wrong=()):
    def scores(images):
        labels = truth_of(images)
        best = np.where(np.isin(labels, wrong), (labels + 1) % 10, labels)
        return np.eye(10, dtype=np.float32)[best]

    return scores


@pytest.fixture
def browser(context, opened, qtbot):
    context.bridge.engine.scores = reader(wrong=(4,))
    made = SampleBrowser(context, "samples")
    made.resize(320, 300)
    qtbot.addWidget(made)
    made.show()
    return made


def test_click_puts_the_sample_into_the_workspace(browser, context, opened):
    browser.part.setCurrentIndex(browser.part.findData("validation"))
    QTest.mouseClick(browser.grid.viewport(), Qt.MouseButton.LeftButton, pos=browser.grid.cell_rect(4).center())
    assert context.workspace.sample == ("validation", 4)
    assert context.workspace.picture.label == opened.dataset.validation.labels[4]
    QTest.keyClick(browser.grid, Qt.Key.Key_Right)
    assert context.workspace.sample == ("validation", 5)


def test_parts_and_classes_filter(browser, opened):
    assert [browser.part.itemData(i) for i in range(3)] == ["train", "validation", "test"]
    browser.part.setCurrentIndex(0)
    assert len(browser.grid.shown) == 40
    browser.classes.setCurrentIndex(browser.classes.findData(7))
    assert (opened.dataset.train.labels[browser.grid.shown] == 7).all() and len(browser.grid.shown) == 4


def test_only_visible_samples_are_read(browser, context, qtbot):
    qtbot.waitUntil(lambda: bool((browser.grid.predictions >= 0).any()))
    read = [call[1] for call in context.bridge.engine.asked if call[0] == "predict_many"]
    assert read and max(read) <= len(browser.grid.visible_indices())
    visible = browser.grid.visible_indices()
    expected = truth_of(browser.grid.samples.images[visible])
    expected[expected == 4] = 5
    assert (browser.grid.predictions[visible] == expected).all()


def test_mistakes_alone(browser, opened):
    browser.part.setCurrentIndex(0)
    browser.mistakes.click()
    assert (opened.dataset.train.labels[browser.grid.shown] == 4).all() and len(browser.grid.shown) == 4
    assert browser.count.text() == "4 of 40 wrong"
    browser.mistakes.click()
    assert len(browser.grid.shown) == 40


def test_new_weights_are_read_seldom_while_training(browser, context, kit, qtbot):
    qtbot.waitUntil(lambda: bool((browser.grid.predictions >= 0).any()))
    context.bridge.give(phase="running")
    context.bridge.engine.asked.clear()
    for step in range(20):
        context.bridge.looked.emit(kit.look(context, None, None, step=step + 10))
    assert [c for c in context.bridge.engine.asked if c[0] == "predict_many"] == []
    assert browser._timer.isActive() and browser._timer.remainingTime() > 1000


def test_another_data_set(browser, context, kit):
    context.bridge.give(opened=kit.make_opened(kit.make_dataset(classes=tuple("abcdefghij"))))
    assert browser.classes.itemText(1) == "a"


def test_scores_of_another_network_that_opens_meanwhile_are_not_shown(browser, context, qtbot, kit):
    """Its classes are others: painting a class that the open data set has not took the program down."""
    late = []
    ask = context.bridge.engine.predict_many
    context.bridge.engine.predict_many = lambda *args: late.append(args) or ask(*args)
    context.bridge.engine.scores = lambda images: np.zeros((0, 0), np.float32)  # what the lane gives then
    browser.part.setCurrentIndex(0)
    browser.mistakes.click()
    assert late and all(asked_of is context.bridge.state.opened for _, _, asked_of in late)
    assert (browser.grid.predictions == -1).all() and "reading" in browser.count.text()
    context.bridge.engine.scores = reader(wrong=(4,))
    qtbot.waitUntil(lambda: browser.count.text() == "4 of 40 wrong")


def test_report_of_the_check(context, opened, qtbot):
    context.bridge.engine.scores = reader()
    panel = SamplesPanel(context)
    qtbot.addWidget(panel)
    panel.show()
    context.commands["samples.check"].trigger()
    text = panel.report.toPlainText()
    assert panel.report.isVisible() and "40" in text and "mean" in text
    assert "Repeated within a part: train 30" in text  # ten different pictures in forty
    context.commands["samples.browse"].trigger()
    assert panel.browser.isVisible()


@pytest.fixture
def pad(context, opened, qtbot):
    made = DrawingPad(context)
    made.resize(200, 320)
    qtbot.addWidget(made)
    made.show()
    return made


def draw(pad, qtbot, context, height):
    before = context.workspace.picture
    width = pad.canvas.width()
    QTest.mousePress(pad.canvas, Qt.MouseButton.LeftButton, pos=QPoint(width // 4, height))
    QTest.mouseMove(pad.canvas, QPoint(3 * width // 4, height))
    QTest.mouseRelease(pad.canvas, Qt.MouseButton.LeftButton, pos=QPoint(3 * width // 4, height))
    qtbot.waitUntil(lambda: context.workspace.picture is not before and not pad._due.isActive())
    return context.workspace.picture


def test_a_stroke_becomes_the_picture_and_its_sample(pad, context, opened, qtbot):
    picture = draw(pad, qtbot, context, 60)
    assert picture.origin.kind == "drawing" and picture.pixels.shape == (280, 280, 3) and picture.pixels.max() == 255
    assert (picture.sample == opened.dataset.from_drawing(pad.canvas.canvas())).all()
    assert (pad.sample.array == picture.sample[:, :, 0]).all() and pad.size_label.text() == "28 × 28"


def test_undo_and_clear_by_command(pad, context, qtbot):
    undo = context.commands["source.undo"]
    assert not undo.isEnabled()
    first = draw(pad, qtbot, context, 40)
    draw(pad, qtbot, context, 100)
    undo.trigger()
    qtbot.waitUntil(lambda: np.array_equal(context.workspace.picture.pixels, first.pixels))
    context.commands["source.redo"].trigger()
    context.commands["source.clear"].trigger()
    qtbot.waitUntil(lambda: not context.workspace.picture.pixels.any())
    context.commands["source.eraser"].trigger()
    assert pad.canvas.erasing


def test_many_strokes_make_few_pictures(pad, context, qtbot):
    made = []
    context.workspace.subscribe("picture", made.append)
    for step in range(200):
        pad.canvas._begin(QPoint(20 + step % 90, 50).toPointF(), 1.0, False)
    qtbot.waitUntil(lambda: bool(made) and not pad._due.isActive())
    assert len(made) <= 3
    assert (made[-1].pixels[:, :, 0] == pad.canvas.canvas()).all()


def test_another_data_set_gets_the_same_ink(pad, context, kit, qtbot):
    from guiapp.datasets.drawing import to_digits

    draw(pad, qtbot, context, 60)
    context.bridge.give(opened=kit.make_opened(kit.make_dataset(from_drawing=to_digits)))
    qtbot.waitUntil(lambda: context.workspace.picture.sample.shape == (8, 8, 1))


def test_a_data_set_without_drawings_says_so(pad, context, kit):
    assert pad.note.isHidden()
    context.bridge.give(opened=kit.make_opened(kit.make_dataset(from_drawing=None, title="Clothes")))
    assert pad.note.isVisible() and "Clothes" in pad.note.text() and "digits" in pad.note.text()


def test_a_new_run_is_read_anew_although_its_step_is_that_of_the_weights_before(browser, context, kit, qtbot):
    context.bridge.looked.emit(kit.look(context, None, None, step=0))
    qtbot.waitUntil(lambda: not browser._timer.isActive())
    context.bridge.engine.asked.clear()
    context.bridge.looked.emit(kit.look(context, None, None, step=0))
    assert not browser._timer.isActive(), "the same weights"
    context.bridge.give(run=Path("a-run"))
    context.bridge.looked.emit(kit.look(context, None, None, step=0))
    qtbot.waitUntil(lambda: any(c[0] == "predict_many" for c in context.bridge.engine.asked))


def test_the_check_follows_the_data_set_while_the_panel_is_hidden(context, qtbot, kit):
    panel = SamplesPanel(context)
    qtbot.addWidget(panel)
    assert not context.commands["samples.check"].isEnabled()
    context.bridge.give(phase="ready", opened=kit.make_opened())
    assert context.commands["samples.check"].isEnabled()


def test_the_pad_can_be_looked_at_while_it_is_empty(pad, context, opened):
    context.workspace.picture = opened.dataset.picture("test", 0)
    context.commands["source.look-at-pad"].trigger()
    assert context.workspace.picture.origin.kind == "drawing" and not context.workspace.picture.pixels.any()


def test_a_watched_network_that_cannot_run_is_not_asked(browser, context, opened):
    context.bridge.give(opened=replace(opened, runs=False), phase="running")
    context.bridge.engine.asked.clear()
    browser._ask()
    browser.mistakes.click()
    assert [c for c in context.bridge.engine.asked if c[0] == "predict_many"] == []
