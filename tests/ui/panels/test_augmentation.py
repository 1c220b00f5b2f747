"""The augmentation panel: pictures by mode, strengths that go into the recipe, a click that looks, votes."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from guiapp.training.augmentation_preview import Measured, Shown
from guiapp.training.recipe import Recipe, change
from guiapp.ui.panels.augmentation import AugmentationPanel


@pytest.fixture
def panel(context, kit, qtbot):
    context.bridge.give(phase="ready", opened=kit.make_opened(recipe=change(Recipe(), {"augmentation": "none"})))
    context.bridge.look_at = lambda picture, sample=None: setattr(context.workspace, "picture", picture)
    made = AugmentationPanel(context)
    made.resize(320, 460)
    qtbot.addWidget(made)
    made.show()
    return made


def finished(panel):
    """Carry out the study that the panel has asked for."""
    panel.compute()
    work, done, _ = panel.context.bridge.studied
    job = work(SimpleNamespace(module=None, dataset=panel._dataset()), lambda _found: None)
    while True:
        try:
            next(job)
        except StopIteration as end:
            done(end.value)
            return end.value


def shown(count):
    pictures = [np.full((28, 28, 1), 20 * n, np.uint8) for n in range(count)]
    return Shown(pictures, [f"draw {n}" for n in range(count)], [3] * count, "train 0, 3: draws")


def test_draws_of_the_chosen_sample_then_the_batch_of_a_step(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened(recipe=change(Recipe(batch=8), {"augmentation": "flip-crop"})))
    panel.show_state(context.bridge.state)
    context.workspace.sample = ("validation", 4)
    found = finished(panel)
    assert found.text == "validation 4, 7: draws 1 to 11" and len(panel.pictures.pictures) == 12
    panel.mode.setCurrentIndex(1)
    panel._choose_mode()
    panel.number.setValue(6)
    assert finished(panel).text == "epoch 2, batch 2 of 5: 8 of 8 samples"


def test_a_strength_goes_into_the_recipe_and_a_wrong_one_is_told(panel, context):
    editor = panel.forms[1].editor("rotation")
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, "15\r")
    assert ("configure", {"augmentation.rotation": 15.0}) in context.bridge.engine.asked
    QTest.keyClicks(editor, "999\r")
    assert "between 0 and 180" in panel.message.text() and not panel.message.isHidden()
    context.bridge.give(phase="running")
    panel.show_state(context.bridge.state)
    assert not editor.isEnabled()


def test_a_click_looks_at_a_picture_as_a_sample(panel, context):
    panel._take(shown(4))
    panel.pictures.resize(300, 200)
    QTest.mouseClick(panel.pictures, Qt.MouseButton.LeftButton, pos=panel.pictures.cell(2).center())
    picture = context.workspace.picture
    assert (picture.label, picture.origin.name) == (3, "Strokes · train 0 · draw 2")
    assert picture.sample[0, 0, 0] == 40 and picture.pixels.shape == (28, 28, 3)


def test_pictures_share_the_room_and_a_csv_holds_their_lines(panel):
    panel._take(shown(12))
    grid = panel.pictures
    grid.resize(300, 200)
    cells = [grid.cell(n) for n in range(12)]
    assert all(grid.rect().contains(cell) for cell in cells)
    assert not any(a.intersects(b) for n, a in enumerate(cells) for b in cells[n + 1 :])
    assert grid.csv_text().splitlines()[:2] == ["picture,caption", "0,draw 0"]


def test_votes_are_measured_on_validation_the_best_stands_out(panel):
    panel.mode.setCurrentIndex(2)
    panel._choose_mode()
    assert not panel.views.isHidden() and panel.number.isHidden()
    panel.measure.click()

    def figures(accuracy):
        return SimpleNamespace(accuracy=accuracy, interval=(accuracy - 0.1, accuracy + 0.1), count=25)

    panel._take([
        Measured("alone", 1, dict.fromkeys(("majority", "mean"), figures(0.6))),
        Measured("ten", 10, {"majority": figures(0.62), "mean": figures(0.7)}),
    ])  # fmt: skip
    rows = [[cell.text for cell in row] for row in panel._table.rows]
    assert rows == [["no vote", "1", "60.00 %", "60.00 %"], ["both: ten crops", "10", "62.00 %", "70.00 %"]]
    assert [cell.mark for cell in panel._table.rows[1]] == [False, False, False, True]
    assert ("study", "accuracy by vote") in panel.context.bridge.engine.asked
