"""The attention panel: what is asked, what lies over the picture, what clicks choose."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.interpret import PROBES, capture
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.models import MODELS, Preprocessing
from guiapp.ui.panels.attention import AttentionPanel
from guiapp.ui.widgets.image_layers import MapLayer, RectLayer

PREPROCESSING = Preprocessing((1, 32, 32), (0.1,), (0.3,))
PICTURE = Picture(np.full((28, 28, 3), 90, np.uint8), Origin("file", "grey"))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    model = MODELS["vit"].make(PREPROCESSING, 10, patch=8, size=16, depth=2, hidden=16).eval()
    for parameter in model.parameters():
        parameter.data += torch.randn_like(parameter) * 0.3
    return model, layer_list(model, PREPROCESSING.size)


@pytest.fixture
def panel(context, kit, qtbot, network):
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=tuple(network[1]), preprocessing=PREPROCESSING))
    context.workspace.layer = "blocks.1"
    made = AttentionPanel(context)
    made.resize(360, 460)
    qtbot.addWidget(made)
    made.show()

    def answer():
        """Answer what it asks, as the look lane does."""
        request, (model, layers) = made.request(), network
        probe, x = PROBES[request.probe], torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            output, kept = capture.run(model, x, probe.layers(layers, request.options))
            look = Look(model, layers, PREPROCESSING, 5, PICTURE, x, output, kept)
            made.show_look(kit.look(context, PICTURE, None, {"attention": probe.run(look, request.options)}))

    made.answer = answer
    answer()
    return made


def at(panel, column, row):
    """A point of the widget over a pixel of the picture."""
    view = panel.picture
    return QPoint(round(column * view.scale + view._offset.x()), round(row * view.scale + view._offset.y()))


def test_it_asks_for_the_layer_near_the_chosen_one(panel, context):
    assert panel.request().options.layer == "blocks.1.attention"
    assert panel.layers.currentText() == "layer 1 of 2"
    context.workspace.layer = "fc"
    assert panel.request().options.layer == "blocks.2.attention" and panel.layers.currentIndex() == 1
    panel.layers.activated.emit(0)
    assert context.workspace.layer == "blocks.1.attention"


def test_a_click_on_a_patch_looks_from_it(panel):
    assert [box.itemText(0) for box in (panel.looks, panel.heads)] == ["from the class token", "mean of heads"]
    assert [type(layer) for layer in panel.picture._layers] == [MapLayer]
    QTest.mouseClick(panel.picture, Qt.MouseButton.LeftButton, pos=at(panel, 20, 12))  # row 1, column 2
    assert panel.request().options.query == 1 + 4 + 2
    assert panel.looks.currentText() == "from patch 1, 2"
    frame = panel.picture._layers[-1]
    assert isinstance(frame, RectLayer) and frame.area == (16, 8, 8, 8)
    before = panel.tiles.atlas.values.copy()
    panel.answer()
    assert panel.view.query == 7 and not np.allclose(panel.tiles.atlas.values, before)
    panel.looks.setCurrentIndex(1)
    panel.looks.activated.emit(1)
    assert panel.request().options.of == "mean" and panel.request().options.query is None


def test_a_tile_lays_its_head_over_the_picture_and_takes_it_away_again(panel):
    panel._tile_clicked(2)
    assert panel.heads.currentText() == "head 3" and panel.tiles._chosen == 2
    expected = panel.view.looks(0)[2]
    index = np.unravel_index(expected.argmax(), expected.shape)
    image = panel.picture._layers[0].image
    assert image.pixelIndex(int(index[1]), int(index[0])) == 255
    panel._tile_clicked(2)
    assert panel.heads.currentText() == "mean of heads" and panel.tiles._chosen is None


def test_pointing_tells_the_share_and_where_the_patch_lies(panel, context):
    QTest.mouseMove(panel.picture, at(panel, 4, 28))
    share = float(panel.view.looks(0).mean(0)[3, 0])
    assert panel.hover.text().startswith(f"patch 3, 0: {100 * share:.2f} % of the attention")
    assert context.workspace.place == ("patches", 3, 0)


def test_every_layer_is_shown_and_a_tile_chooses_layer_and_head(panel, context):
    panel.views.setCurrentIndex(1)
    assert panel.request().options.every
    panel.answer()
    assert panel.tiles.atlas.count == 8 and panel.tiles._captions[5] == "2.2"
    panel._tile_clicked(5)
    assert context.workspace.layer == "blocks.2.attention" and panel.heads.currentText() == "head 2"
    panel.answer()
    assert panel.tiles._chosen == 5


def test_positions_fill_the_panel(panel):
    panel.views.setCurrentIndex(2)
    assert panel.request().probe == "positions" and panel.picture.isHidden()
    panel.answer()
    assert panel.tiles.atlas.count == 16 and panel.places.grid == (4, 4)


def test_a_network_without_attention_says_so(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.empty.isVisible() and panel.request() is None
