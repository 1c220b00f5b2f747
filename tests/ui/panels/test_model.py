"""The table of layers: numbers, selection both ways, sums of the course, CSV."""

import csv
import dataclasses
import io

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from guiapp.models import MODELS, Preprocessing
from guiapp.models.counting import Count
from guiapp.ui.panels.model import ModelPanel


def layer(kit, name, kind, shape, parameters=0):
    made = kit.Layer(name, kind, shape, parameters > 0)
    made.parameters = parameters
    return made


def perceptron(kit, **changes):
    layers = (
        layer(kit, "flatten", "Flatten", (784,)),
        layer(kit, "fc1", "Linear", (64,), 50_240),
        layer(kit, "tanh1", "Tanh", (64,)),
        layer(kit, "fc2", "Linear", (10,), 650),
    )
    layers[1].detail, layers[3].detail = "784 → 64", "64 → 10"
    fields = {
        "layers": layers,
        "parameters": 50_890,
        "model": MODELS["mlp"],
        "model_options": {"hidden": 64, "activation": "tanh"},
        "preprocessing": Preprocessing((1, 28, 28), (0.1307,), (0.3081,)),
    }
    return kit.make_opened(**{**fields, **changes})


@pytest.fixture
def panel(context, kit, qtbot):
    context.bridge.give(phase="ready", opened=perceptron(kit))
    made = ModelPanel(context)
    made.resize(480, 420)
    qtbot.addWidget(made)
    made.show()
    return made


def cells(panel):
    model = panel.layers.tree.model()
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]


def test_the_table_counts_parameters_and_their_share(panel):
    assert cells(panel) == [
        ["flatten", "784", "–", "–", "Flatten"],
        ["fc1", "64", "50,240", "98.7", "784 → 64"],
        ["tanh1", "64", "–", "–", "Tanh"],
        ["fc2", "10", "650", "1.3", "64 → 10"],
    ]
    assert panel.total.text() == "total 50,890 parameters · 204 kB as float32"


def test_words_say_what_the_network_is(panel):
    assert panel.heading.text() == "Multi-layer perceptron"
    assert "One hidden layer" in panel.about.text() and "course text 2" in panel.about.text()
    assert panel.input.text() == "input 1 × 28 × 28 · 10 classes"
    assert panel.scale.text() == "fed (pixel / 255 − 0.131) / 0.308"
    assert panel.counts.text().splitlines() == [
        "fc1: 64 × (28 × 28 + 1) = 50,240",
        "fc2: 10 × 64 = 640 and 10 biases",
    ]


def test_colour_channels_are_all_named(panel, context, kit):
    prepared = Preprocessing((3, 32, 32), (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    context.bridge.give(panel, opened=perceptron(kit, preprocessing=prepared))
    assert panel.scale.text() == "fed (pixel / 255 − (0.5, 0.4, 0.3)) / (0.2, 0.25, 0.3)"


def test_a_click_chooses_the_layer_for_every_panel(panel, context):
    context.workspace.unit = 3
    tree = panel.layers.tree
    place = tree.visualRect(tree.model().index(3, 2)).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (context.workspace.layer, context.workspace.unit) == ("fc2", None)


def test_it_follows_the_layer_chosen_elsewhere(panel, context):
    context.workspace.layer = "fc1"
    assert panel.layers.tree.currentIndex().row() == 1


def test_another_network_replaces_the_table(panel, context, kit):
    none = perceptron(
        kit, layers=(layer(kit, "vote", "Vote", (10,)),), parameters=0, model=MODELS["knn"], model_options={}
    )
    context.bridge.give(panel, opened=none)
    assert cells(panel) == [["vote", "10", "–", "–", "Vote"]]
    assert panel.total.text().startswith("no parameters")
    assert not panel.counts.isVisible() and not panel.sums.isVisible()


def test_a_small_panel_keeps_the_table(panel, qtbot):
    panel.resize(304, 235)
    assert panel.layers.tree.isColumnHidden(4) and not panel.about.isVisible()
    tree = panel.layers.tree
    qtbot.waitUntil(lambda: tree.viewport().height() >= 4 * tree.rowHeight(tree.currentIndex()))
    panel.resize(480, 420)
    assert not panel.layers.tree.isColumnHidden(4) and panel.about.isVisible()


def test_the_chosen_layer_is_told_in_full_where_its_column_has_no_room(panel, context):
    panel.resize(320, 420)
    context.workspace.layer = "fc1"
    assert panel.layers.tree.isColumnHidden(4)
    assert panel.chosen.text() == "fc1 · Linear · 784 → 64"
    assert "784 → 64" in panel.layers.tree.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    context.workspace.layer = None
    assert panel.chosen.isHidden()


def test_many_sums_take_the_place_of_the_table_in_a_small_panel(panel, context, kit):
    sums = tuple(Count(f"layer {i}", "2 × 3", 6, "and a note that takes a line") for i in range(8))
    entry = dataclasses.replace(MODELS["mlp"], counts=lambda *_size, **_options: sums)
    context.bridge.give(panel, opened=perceptron(kit, model=entry))
    panel.resize(304, 300)
    assert panel.sums.isVisible() and panel.layers.isVisible() and not panel.counts.isVisible()
    panel.sums.click()
    assert panel.counts.isVisible() and not panel.layers.isVisible()
    panel.resize(480, 700)
    assert panel.counts.isVisible() and panel.layers.isVisible() and not panel.sums.isVisible()


def test_the_table_as_csv(panel, context):
    context.commands["model.copy"].trigger()
    rows = list(csv.reader(io.StringIO(QApplication.clipboard().text())))
    assert rows[0] == ["layer", "output", "parameters", "%", "type", "detail"]
    assert rows[2][:3] == ["fc1", "64", "50240"] and float(rows[2][3]) == pytest.approx(5_024_000 / 50_890)
    assert rows[2][4:] == ["Linear", "784 → 64"]
    assert rows[-1][:4] == ["total", "", "50890", "100"]
    assert panel.csv_text().count("\n") == 6


def test_without_a_network_it_says_where_to_get_one(context, qtbot):
    made = ModelPanel(context)
    qtbot.addWidget(made)
    made.show()
    assert made.empty.isVisible() and not context.commands["model.copy"].isEnabled()
