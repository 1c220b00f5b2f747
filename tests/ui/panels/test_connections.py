"""The heat map of a dense block: what is asked, what a cell tells, what a click chooses."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.interpret.connections import ConnectionView
from guiapp.ui.panels.connections import ConnectionsPanel

NAN = np.nan
VIEW = ConnectionView(
    "block2", ("input", "1", "2"), (8, 4, 4), ("1", "2", "classifier"),
    ("block2.layer1.conv1", "block2.layer2.conv1", "classifier"),
    np.array([[0.1, 0.2, 0.3], [NAN, 0.4, 0.25], [NAN, NAN, 0.5]], np.float32),
)  # fmt: skip


@pytest.fixture
def panel(context, kit, qtbot):
    names = ("block1", "block1.layer1", "block2", "block2.layer1", "block2.layer2", "classifier")
    layers = tuple(
        kit.Layer(name, "_DenseBlock" if "." not in name and name[0] == "b" else "x", (4, 8, 8)) for name in names
    )
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
    context.workspace.layer = "block2.layer2"
    made = ConnectionsPanel(context)
    made.resize(320, 400)
    qtbot.addWidget(made)
    made.show()
    made.show_look(SimpleNamespace(results={"connections": VIEW}))
    return made


def middle(panel, row, column):
    return panel.plot._cell_rect(row, column).center().toPoint()


def test_it_asks_for_the_block_of_the_chosen_layer(panel, context):
    assert panel.request().options.layer == "block2"
    context.workspace.layer = "classifier"
    assert panel.request().options.layer == "block2", "the one shown before stays"
    context.workspace.layer = "block1.layer1"
    assert panel.request().options.layer == "block1" and panel.blocks.currentText() == "block1"


def test_a_cell_tells_what_reads_what(panel):
    assert panel.line.text().startswith("2 layers · 8 + 2 × 4 = 16 maps")
    assert panel.plot.chosen == 1
    QTest.mouseMove(panel.plot, middle(panel, 1, 1))
    assert "layer 2 reads layer 1 (4 maps): mean |weight| 0.4" in panel.hover.text()
    QTest.mouseMove(panel.plot, middle(panel, 0, 2))
    assert "classifier reads the block's input (8 maps)" in panel.hover.text()
    QTest.mouseMove(panel.plot, middle(panel, 2, 0))
    assert "click" in panel.hover.text(), "nothing is read there"


def test_a_click_chooses_the_layer_that_reads(panel, context):
    QTest.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=middle(panel, 0, 0))
    assert context.workspace.layer == "block2.layer1.conv1" and panel.plot.chosen == 0


def test_colours_are_those_of_the_values(panel):
    shot = panel.plot.grab().toImage()
    strong, weak, none = (shot.pixelColor(middle(panel, *cell) + QPoint(0, 4)) for cell in ((2, 2), (0, 0), (2, 0)))
    assert strong.lightness() > weak.lightness()
    assert none == panel.context.theme.panel


def test_numbers_are_saved(panel):
    lines = panel.plot.csv_text().splitlines()
    assert lines[0] == ",1,2,classifier" and lines[2] == "1,,0.4,0.25"


def test_without_a_block_it_says_so(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.empty.isVisible() and panel.request() is None
