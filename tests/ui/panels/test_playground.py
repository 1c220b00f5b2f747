"""The playground: surfaces, rules, a race that is played, stepped and begun with a click."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.catalogue import EXPERIMENTS
from guiapp.ui.panels.playground import PlaygroundPanel


@pytest.fixture
def panel(context, qtbot):
    made = PlaygroundPanel(context)
    made.resize(760, 420)
    qtbot.addWidget(made)
    made.form.editor("steps").setText("40")
    made.form._take("steps", "40")
    made.show()
    return made


def test_a_race_is_worked_out_when_somebody_looks_and_stepped_through(panel, context):
    assert panel.race.done == 0
    context.commands["playground.step"].trigger()
    assert panel.race.done == 40 and panel.step == 1 and panel.words.text() == "step 1 of 40"
    assert panel.table.losses["gd"].text() == f"{panel.race.losses[0, 1]:.3g}"
    panel.slider.setValue(30)
    assert panel.step == 30 and panel.curves.series["adam"].x[-1] == 30
    assert panel.table.steps["newton"].text() == str(panel.race.steps_to(1e-3)[-1])
    assert not panel.grab().isNull() and panel.view.csv_text().count("\n") == 1 + 8 * 31


def test_run_plays_it_to_the_end(panel, context, qtbot):
    panel.speed.setValue(panel.speed.maximum())
    context.commands["playground.run"].trigger()
    assert panel.run_button.text() == "Pause"
    qtbot.waitUntil(lambda: panel.step == 40)
    assert panel.run_button.text() == "Run"
    context.commands["playground.restart"].trigger()
    assert panel.step == 0 and panel.race.done == 0


def test_a_click_is_where_the_race_begins(panel):
    x, y = panel.view.to_pixels(np.float64(2.0), np.float64(-1.0))
    QTest.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=QPoint(round(float(x)), round(float(y))))
    assert panel.race.start == pytest.approx((2.0, -1.0), abs=0.05)
    panel.choose("beale")
    assert panel.race.start == (1.0, 1.5)


def test_rules_and_rates_are_chosen(panel):
    panel.table.boxes["sgd"].click()
    assert panel.race.names == ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "newton")
    line = panel.table.lines["gd"]
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "0.52")
    QTest.keyClick(line, Qt.Key.Key_Return)
    panel.show_step(2)
    assert panel.race.places[0, 1, 1] == pytest.approx(2.0 - 0.52 * 8.0)
    assert panel.table.losses["sgd"].text() == ""
    line.selectAll()
    QTest.keyClicks(line, "fast")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert "between" in panel.message.text() and panel.message.isVisible()


def test_who_flew_out_is_told(panel):
    panel.table.lines["gd"].setText("3")
    panel.table.lines["gd"].setModified(True)
    panel.table.lines["gd"].editingFinished.emit()
    panel.show_step(40)
    assert panel.table.losses["gd"].text() == "flew out" and not panel.grab().isNull()


def test_the_exhibit_brings_its_surface(panel, context, kit):
    panel.choose("saddle")
    context.bridge.give(panel, opened=kit.make_opened(experiment=EXPERIMENTS["optimisers"]))
    assert panel.chosen.id == "ravine"


def test_the_map_tells_places_and_zooms(panel):
    panel.view.pointed.emit((1.0, 1.0))
    assert panel.place.text() == "x 1.000   y 1.000   loss 2.1"
    panel.view.pointed.emit(None)
    assert panel.place.text() == "0.1 x² + 2 y²"
