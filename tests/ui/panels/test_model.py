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
from guiapp.ui.widgets.architecture_graph import WholeGraph
from guiapp.ui.widgets.architecture_painting import node_area


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


def cells(panel, *heads):
    model = panel.layers.tree.model()
    known = [model.headerData(section, Qt.Orientation.Horizontal) for section in range(model.columnCount())]
    columns = [known.index(head) for head in heads or ("layer", "output", "parameters", "%", "does")]
    return [[model.index(row, column).data() for column in columns] for row in range(model.rowCount())]


def hidden(panel, head):
    return panel.layers.tree.isColumnHidden(1 + [column.head for column in panel.layers.columns].index(head))


def counted(panel, context, build=None):
    """Run the job that the panel has asked for on a real network, and give it the answer."""
    from guiapp.interpret.cost_run import measure
    from guiapp.interpret.flow_graph import Architecture
    from guiapp.ui.panels.model_cost import Counted

    module, size = build() if build else (MODELS["mlp"].make(Preprocessing((1, 28, 28), (0,), (1,)), 10), (1, 28, 28))
    measured = measure(module, size)
    context.bridge.studied[1](Counted(measured, Architecture.of(measured)))
    return measured


def test_the_table_counts_parameters_and_their_share(panel):
    assert cells(panel) == [
        ["flatten", "784", "–", "–", "Flatten"],
        ["fc1", "64", "50,240", "98.7", "784 → 64"],
        ["tanh1", "64", "–", "–", "Tanh"],
        ["fc2", "10", "650", "1.3", "64 → 10"],
    ]
    assert panel.total.text() == "total 50,890 parameters · 204 kB as float32"


def test_words_say_what_the_network_is(panel):
    assert panel.about.heading.text() == "Multi-layer perceptron"
    assert "One hidden layer" in panel.about.about.text() and "course text 2" in panel.about.about.text()
    assert panel.about.input.text() == "input 1 × 28 × 28 · 10 classes"
    assert panel.about.scale.text() == "fed (pixel / 255 − 0.131) / 0.308"
    assert panel.sums.label.text().splitlines() == [
        "fc1: 64 × (28 × 28 + 1) = 50,240",
        "fc2: 10 × 64 = 640 and 10 biases",
    ]


def test_colour_channels_are_all_named(panel, context, kit):
    prepared = Preprocessing((3, 32, 32), (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    context.bridge.give(panel, opened=perceptron(kit, preprocessing=prepared))
    assert panel.about.scale.text() == "fed (pixel / 255 − (0.5, 0.4, 0.3)) / (0.2, 0.25, 0.3)"


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
    assert not panel.sums.label.isVisible() and not panel.sums.button.isVisible()


def test_a_small_panel_keeps_the_table(panel, qtbot):
    panel.resize(304, 235)
    assert hidden(panel, "does") and not panel.about.about.isVisible()
    tree = panel.layers.tree
    qtbot.waitUntil(lambda: tree.viewport().height() >= 4 * tree.rowHeight(tree.currentIndex()))
    panel.resize(480, 420)
    assert not hidden(panel, "does") and panel.about.about.isVisible()


def test_the_chosen_layer_is_told_in_full_where_its_column_has_no_room(panel, context):
    panel.resize(320, 420)
    context.workspace.layer = "fc1"
    assert hidden(panel, "does")
    assert panel.chosen.text() == "fc1 · Linear · 784 → 64"
    assert "784 → 64" in panel.layers.tree.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    context.workspace.layer = None
    assert panel.chosen.isHidden()


def test_many_sums_take_the_place_of_the_table_in_a_small_panel(panel, context, kit):
    sums = tuple(Count(f"layer {i}", "2 × 3", 6, "and a note that takes a line") for i in range(8))
    entry = dataclasses.replace(MODELS["mlp"], counts=lambda *_size, **_options: sums)
    context.bridge.give(panel, opened=perceptron(kit, model=entry))
    panel.resize(304, 300)
    assert panel.sums.button.isVisible() and panel.layers.isVisible() and not panel.sums.label.isVisible()
    panel.sums.button.click()
    assert panel.sums.label.isVisible() and not panel.layers.isVisible()
    panel.resize(480, 700)
    assert panel.sums.label.isVisible() and panel.layers.isVisible() and not panel.sums.button.isVisible()


def test_the_table_as_csv(panel, context):
    context.commands["model.copy"].trigger()
    rows = list(csv.reader(io.StringIO(QApplication.clipboard().text())))
    assert rows[0] == [
        "layer", "output", "parameters", "%", "flops", "field", "stride", "activations", "weights", "type", "detail"
    ]  # fmt: skip
    assert rows[2][:3] == ["fc1", "64", "50240"] and float(rows[2][3]) == pytest.approx(5_024_000 / 50_890)
    assert rows[2][-2:] == ["Linear", "784 → 64"]
    assert rows[-1][:4] == ["total", "", "50890", "100"]
    assert panel.csv_text().count("\n") == 6


def test_without_a_network_it_says_where_to_get_one(context, qtbot):
    made = ModelPanel(context)
    qtbot.addWidget(made)
    made.show()
    assert made.empty.isVisible() and not context.commands["model.copy"].isEnabled()


def test_costs_come_when_they_are_counted_and_follow_batch_and_convention(panel, context):
    assert ("study", "Cost of Multi-layer perceptron") in context.bridge.engine.asked
    assert cells(panel, "layer", "flops")[1] == ["fc1", "–"]
    counted(panel, context)
    assert cells(panel, "layer", "flops", "weights")[1] == ["fc1", "100 k", "201 kB"]
    panel.batch.setValue(128)
    assert cells(panel, "layer", "flops", "activations")[1] == ["fc1", "12.8 M", "33 kB"]
    panel.convention.setCurrentIndex(1)
    assert cells(panel, "layer", "parameters", "activations")[1] == ["fc1", f"{784 * 65:,}", "66 kB"]
    assert panel.total.text().startswith(f"total {784 * 65 + 64 * 11:,} parameters")
    rows = list(csv.DictReader(io.StringIO(panel.csv_text())))
    assert rows[1]["flops"] == str(2 * 784 * 64 * 128) and rows[-1]["flops"] == str(2 * 128 * 64 * (784 + 10))


def test_the_sums_of_the_chosen_layer_come_first(panel, context):
    counted(panel, context)
    context.workspace.layer = "fc1"
    lines = panel.sums.label.text().splitlines()
    assert lines[:2] == ["fc1 parameters: 64 × (784 + 1) = 50,240", "fc1 flops: 784 × 64 × 2 = 100,352"]
    assert lines[-1].startswith("fc2: ")


def test_heads_sort_and_words_search(panel, context):
    counted(panel, context)
    heads = [column.head for column in panel.layers.columns]
    flops = 1 + heads.index("flops")
    panel.layers.head_clicked.emit(flops)
    assert [row[0] for row in cells(panel)][:2] == ["fc1", "fc2"]
    panel.layers.head_clicked.emit(flops)
    assert [row[0] for row in cells(panel)][-2:] == ["fc2", "fc1"]
    panel.layers.head_clicked.emit(flops)
    assert [row[0] for row in cells(panel)] == ["flatten", "fc1", "tanh1", "fc2"]
    panel.search.setText("linear → 10")
    assert [row[0] for row in cells(panel)] == ["fc2"]
    panel.search.clear()
    assert len(cells(panel)) == 4


def test_the_graph_chooses_opens_and_is_saved(panel, context, qtbot, tmp_path):
    import torchvision

    from guiapp.interpret.layers import layer_list
    from guiapp.ui.widgets.export import save_svg

    module = torchvision.models.resnet18(weights=None)
    layers = layer_list(module, (3, 64, 64))
    context.bridge.give(panel, opened=dataclasses.replace(context.bridge.state.opened, layers=layers))
    counted(panel, context, lambda: (module, (3, 64, 64)))
    panel.view.setCurrentText("Graph")
    graph = panel.graph
    assert graph.isVisible()
    start = len(graph.drawing.nodes)
    panel.close_blocks()
    assert len(graph.drawing.nodes) == 12 < start and graph.drawing.nodes["layer1"].kind == "block"
    node = graph.drawing.nodes["layer2"]
    graph.fit_all()
    place = (graph.view.to_widget(node_area(node)).center()).toPoint()
    QTest.mouseClick(graph, Qt.MouseButton.LeftButton, pos=place)
    assert context.workspace.layer == "layer2"
    QTest.mouseDClick(graph, Qt.MouseButton.LeftButton, pos=place)
    assert {"layer2.0", "layer2.1"} <= set(graph.drawing.nodes)
    panel.open_blocks()
    assert {"layer2.0.relu", "layer2.0.relu#2"} <= set(graph.drawing.nodes)
    assert sum(node.text == "+" for node in graph.drawing.nodes.values()) == 8
    graph.resize(400, 400)
    save_svg(WholeGraph(graph), tmp_path / "graph.svg")
    assert "layer2.1" in (tmp_path / "graph.svg").read_text() or (tmp_path / "graph.svg").stat().st_size > 20_000


def test_the_table_of_text_1_is_offered_where_there_is_one(panel, context):
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.bare import open_shape

    assert panel.view.findText("Text 1") < 0
    opened = open_shape(find_model("googlenet-paper"))
    model = dataclasses.replace(MODELS["mlp"], name="googlenet-paper", counts=None)
    context.bridge.give(panel, opened=dataclasses.replace(context.bridge.state.opened, model=model))
    counted(panel, context, lambda: (opened.module, (3, 224, 224)))
    panel.view.setCurrentText("Text 1")
    assert panel.text.table.isVisible() and len(panel.text.rows) == 18
    assert panel.text.words.text().startswith("Inception v1 in course text 1, 128 pictures: 9 of 18 rows as printed")
    row = [r.printed.name for r in panel.text.rows].index("incep1")
    index = panel.text.table.model().index(row, 3)
    assert index.data() == "31,380.5 ≠ 32,954.0"
    panel.text.table.clicked.emit(index)
    assert context.workspace.layer == "inception3a"
    assert panel.csv_text().splitlines()[0].startswith("layer,in the network,parameters printed,parameters here")
    context.bridge.give(panel, opened=perceptron_again(context))
    assert panel.view.findText("Text 1") < 0 and panel.view.currentText() == "Layers"


def perceptron_again(context):
    return dataclasses.replace(context.bridge.state.opened, model=MODELS["mlp"])
