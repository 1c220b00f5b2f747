"""The excitation panel: bars of the chosen block, what clicks choose, means over samples."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.interpret.excitation import ExcitationMeans, ExcitationView
from guiapp.ui.panels.excitation import ExcitationPanel

PICTURE = Picture(np.zeros((8, 8, 3), np.uint8), Origin("file", "black"))
VIEW = ExcitationView(
    ("one.se", "two.se"),
    (np.array([0.05, 0.5, 0.95, 0.4], np.float32), np.array([0.2, 0.8], np.float32)),
    5,
)
MEANS = ExcitationMeans(
    ("one.se", "two.se"),
    tuple("0123456789"),
    (np.full((10, 4), 0.5, np.float32), np.arange(20, dtype=np.float32).reshape(10, 2) / 20),
    40,
)


@pytest.fixture
def panel(context, kit, qtbot):
    layers = tuple(
        layer
        for name, channels in (("one", 4), ("two", 2))
        for layer in (
            kit.Layer(name, "Unit", (channels, 8, 8)),
            kit.Layer(f"{name}.se", "SqueezeExcitation", (channels, 8, 8)),
            kit.Layer(f"{name}.se.squeeze", "AdaptiveAvgPool2d", (channels, 1, 1)),
            kit.Layer(f"{name}.se.sigmoid", "Sigmoid", (channels, 1, 1)),
        )
    )
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
    context.workspace.layer = "one"
    made = ExcitationPanel(context)
    made.resize(320, 420)
    qtbot.addWidget(made)
    made.show()
    made.show_look(kit.look(context, PICTURE, kit.scores(3), {"excitation": VIEW}))
    return made


def middle(panel, channel):
    area = panel.bars.area()
    step = area.width() / len(panel.bars.weights)
    return QPoint(round(area.left() + (channel + 0.5) * step), round(area.center().y()))


def test_the_block_of_the_chosen_layer_is_shown(panel, context):
    assert panel.block == "one.se" and panel.bars.weights.tolist() == pytest.approx([0.05, 0.5, 0.95, 0.4])
    assert "1 below 0.1, 1 above 0.9" in panel.line.text()
    context.workspace.layer = "two.se.sigmoid"
    assert len(panel.bars.weights) == 2 and panel.strips.chosen == 1 and panel.blocks.currentIndex() == 1


def test_a_bar_chooses_its_channel_and_a_strip_its_block(panel, context):
    QTest.mouseMove(panel.bars, middle(panel, 2))
    assert panel.hover.text() == "channel 2: × 0.950"
    QTest.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=middle(panel, 2))
    assert (context.workspace.layer, context.workspace.unit) == ("one.se", 2) and panel.bars.chosen == 2
    QTest.mouseClick(panel.strips, Qt.MouseButton.LeftButton, pos=panel.strips.row_rect(1).center().toPoint())
    assert context.workspace.layer == "two.se" and panel.bars.chosen is None


def test_bars_are_as_high_as_the_weights(panel):
    area = panel.bars.area()
    assert panel.bars.bar_rect(2).height() == pytest.approx(0.95 * area.height())
    image = panel.bars.grab().toImage()
    assert image.pixelColor(middle(panel, 2)) != image.pixelColor(middle(panel, 0))


def test_means_are_drawn_for_the_class_that_is_read_or_chosen(panel, context):
    panel._take_means(MEANS)
    context.workspace.layer = "two"
    assert [name for name, _ in panel.bars.lines] == ["mean of 40 samples", "of class 3"]
    assert panel.bars.lines[1][1].tolist() == pytest.approx([6 / 20, 7 / 20])
    context.workspace.class_index = 9
    assert panel.bars.lines[1][0] == "of class 9"
    assert panel.bars.csv_text().splitlines()[0] == "channel,weight,mean of 40 samples,of class 9"
    assert panel.strips.csv_text().splitlines()[1] == "one.se,0,0.05"


def test_a_network_without_such_blocks_says_so(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.empty.isVisible() and panel.request() is None
