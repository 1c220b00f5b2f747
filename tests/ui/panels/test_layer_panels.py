import numpy as np
import pytest
import torch
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem

from guiapp.engine.state import Request
from guiapp.interpret.activations import ActivationView, statistics
from guiapp.interpret.atlas import make_atlas
from guiapp.interpret.filters import FilterView
from guiapp.interpret.options import ActivationOptions, FilterOptions
from guiapp.interpret.receptive_field import ReceptiveField
from guiapp.ui.panels.activations import ActivationsPanel
from guiapp.ui.panels.filters import FiltersPanel
from guiapp.ui.widgets.colour_bar import short
from guiapp.ui.widgets.layer_chooser import DOES, OUTPUT, LayerChooser, LayerColumn, shorter


def shown(panel, qtbot, width=320, height=420):
    panel.resize(width, height)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def activations(context, opened, qtbot):
    return shown(ActivationsPanel(context), qtbot)


@pytest.fixture
def filters(context, opened, qtbot):
    return shown(FiltersPanel(context), qtbot)


def activation_look(context, kit, layer="conv1", maps=None):
    maps = torch.randn(6, 28, 28) if maps is None else maps
    view = ActivationView({layer: make_atlas(maps, aspect=1.2)}, {layer: statistics(maps.numpy())}, 5)
    picture = context.bridge.state.opened.dataset.picture("test", 0)
    return kit.look(context, picture, kit.scores(3), {"activations": view})


def filter_view(layer="conv1", filters=6, inputs=1, size=5, first=0):
    weight = torch.randn(filters, inputs, size, size)
    flat = weight.reshape(filters, -1)
    numbers = [flat.amin(1), flat.amax(1), flat.mean(1), flat.std(1, correction=0), flat.norm(dim=1)]
    atlas = make_atlas(weight.reshape(-1, size, size), signed=True)
    what = "inputs" if inputs > 1 else "filters"
    return weight, FilterView(
        layer, what, atlas, first, inputs, filters, inputs, (size, size), "one filter", *(n.numpy() for n in numbers),
        np.arange(filters, dtype=np.float32), 5,
    )  # fmt: skip


def tile_point(panel, tile, row=0, column=0):
    left, top, _, _ = panel.atlas.atlas.tile_rect(tile)
    return panel.atlas.to_widget(QRectF(left + column, top + row, 1, 1)).center().toPoint()


def test_activations_ask_for_the_chosen_layer_alone(activations, context, qtbot):
    asked = activations.request()
    assert asked == Request("activations", ActivationOptions("conv1", "layer", activations.atlas.aspect))
    with qtbot.waitSignal(activations.request_changed):
        context.workspace.layer = "pool1"
    assert activations.request().options.layer == "pool1" and activations.chooser.current == "pool1"
    activations.scale.setCurrentIndex(1)
    assert activations.request().options.scale == "map"


def test_a_layer_chosen_in_the_tree_is_chosen_everywhere(activations, filters, context):
    context.workspace.unit = 3
    index = activations.chooser._items["fc"].index()
    activations.chooser.tree.clicked.emit(index)
    assert context.workspace.layer == "fc" and context.workspace.unit is None
    assert filters.chooser.current == "fc"


def test_statistics_and_value_under_the_pointer(activations, context, kit):
    maps = torch.zeros(6, 28, 28)
    maps[4, 2, 9] = 3.0
    activations.show_look(activation_look(context, kit, maps=maps))
    assert "zeros 100 %" in activations.statistics.text() and "5 all zero" in activations.statistics.text()
    QTest.mouseMove(activations.atlas, tile_point(activations, 4, 2, 9))
    assert activations.hover.text().startswith("map 4 · row 2, column 9: 3 ")


def point_at(panel, tile, row, column):
    """Move the pointer there from elsewhere: a test before may have left it at the same place."""
    QTest.mouseMove(panel.atlas, tile_point(panel, 0, 27, 27))
    QTest.mouseMove(panel.atlas, tile_point(panel, tile, row, column))


def test_what_the_unit_under_the_pointer_sees_is_told_and_shared(activations, context, kit, opened):
    opened.layers[0].receptive_field = ReceptiveField((5, 5), (1, 1), (0, 0))
    try:
        activations.show_look(activation_look(context, kit))
        point_at(activations, 4, 2, 9)
        assert " · sees 5 × 5 · " in activations.hover.text()
        assert context.workspace.place == ("conv1", 2, 9)
        point_at(activations, 5, 0, 1)
        assert context.workspace.place == ("conv1", 0, 1)
        context.workspace.layer = "pool1"
        assert context.workspace.place is None, "the maps under the pointer are no longer there"
    finally:
        opened.layers[0].receptive_field = None


def test_without_a_known_field_nothing_is_claimed(activations, context, kit):
    activations.show_look(activation_look(context, kit))
    point_at(activations, 4, 2, 9)
    assert "sees" not in activations.hover.text()
    activations.atlas.leaveEvent(None)
    assert context.workspace.place is None


def test_click_chooses_the_unit_and_enlarges_it(activations, context, kit):
    activations.show_look(activation_look(context, kit))
    QTest.mouseClick(activations.atlas, Qt.MouseButton.LeftButton, pos=tile_point(activations, 5, 10, 10))
    assert (context.workspace.layer, context.workspace.unit) == ("conv1", 5)
    assert activations.atlas.enlarged == 5


def test_switching_a_channel_off_and_restoring(activations, context, kit):
    activations.show_look(activation_look(context, kit))
    switch = context.commands["activations.switch-off"]
    assert not switch.isEnabled()
    context.workspace.unit = 2
    switch.trigger()
    assert context.workspace.switched_off == {"conv1": frozenset({2})}
    assert activations.atlas._crossed == frozenset({2})
    context.workspace.unit = 4
    switch.trigger()
    assert context.workspace.switched_off == {"conv1": frozenset({2, 4})}
    switch.trigger()
    assert context.workspace.switched_off == {"conv1": frozenset({2})}
    context.commands["model.restore"].trigger()
    assert context.workspace.switched_off == {} and activations.atlas._crossed == frozenset()
    assert not context.commands["model.restore"].isEnabled()


def test_right_click_offers_the_tile_under_the_pointer(activations, context, kit):
    activations.show_look(activation_look(context, kit))
    menu = activations.atlas.make_menu(tile_point(activations, 3, 5, 5).toPointF())
    titles = [a.text() for a in menu.actions() if a.text()]
    assert titles[:3] == ["Switch channel 3 off", "Lay map 3 over the picture", "Enlarge"]
    menu.actions()[0].trigger()
    assert context.workspace.switched_off == {"conv1": frozenset({3})}
    menu.actions()[1].trigger()
    assert context.workspace.overlay == ("conv1", 3)


def test_overlay_goes_on_and_off(activations, context, kit):
    activations.show_look(activation_look(context, kit))
    context.workspace.unit = 1
    context.commands["activations.overlay"].trigger()
    assert context.workspace.overlay == ("conv1", 1)
    context.commands["activations.overlay"].trigger()
    assert context.workspace.overlay is None


def test_results_of_another_layer_are_not_shown(activations, context, kit):
    context.workspace.layer = "pool1"
    activations.show_look(activation_look(context, kit, "conv1"))
    assert activations.atlas.atlas is None


def test_filters_show_only_layers_with_weights(filters, context, qtbot):
    assert [filters.chooser.box.itemData(i) for i in range(filters.chooser.box.count())] == ["conv1", "fc"]
    with qtbot.waitSignal(filters.request_changed):
        context.workspace.layer = "pool1"
    # The filters that made the pooled maps.
    asked = filters.request()
    assert (asked.probe, asked.options) == ("filters", FilterOptions("conv1", None, "layer", filters.atlas.aspect))
    assert 0 < asked.pause < 1, "filters move slowly: they leave the processor to the training"


def test_filter_value_and_statistics_under_the_pointer(filters, context, kit):
    weight, view = filter_view()
    filters.show_look(kit.look(context, None, None, {"filters": view}))
    QTest.mouseMove(filters.atlas, tile_point(filters, 4, 1, 3))
    text = filters.hover.text()
    assert text.startswith("filter 4 · row 1, column 3: ") and "bias 4" in text
    assert f"{float(weight[4, 0, 1, 3]):.3g}".replace("-", "−") in text
    low, high = filters.bar.texts()
    assert low == f"−{high}"


def test_inputs_of_one_filter_of_a_deep_layer(filters, context, kit, qtbot):
    assert filters.inputs.isHidden()
    _, view = filter_view(inputs=3)
    filters.show_look(kit.look(context, None, None, {"filters": view}))
    assert filters.inputs.isVisible() and filters.inputs.count() == 7
    with qtbot.waitSignal(filters.request_changed):
        filters.inputs.setCurrentIndex(5)
    assert filters.request().options.filter == 4
    QTest.mouseClick(filters.atlas, Qt.MouseButton.LeftButton, pos=tile_point(filters, 7, 1, 1))
    assert context.workspace.unit == 2  # tile 7 is filter 2, input 1


def test_a_network_without_weights_says_so(context, kit, qtbot):
    layers = (kit.Layer("distances", "Distances", (10,)),)
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
    panel = shown(FiltersPanel(context), qtbot)
    assert panel.request() is None and panel.empty.isVisible() and "no weights" in panel.empty.text.text()


def test_words_without_room_are_written_shorter(qtbot, context, opened):
    chooser = LayerChooser("test")
    qtbot.addWidget(chooser)
    chooser.set_layers(opened.layers)
    index = chooser.tree.model().index(0, 2)
    index.model().setData(index, "max 3×3, stride 2")
    for width, said in ((400, "max 3×3, stride 2"), (90, "max 3×3 /2")):
        option = QStyleOptionViewItem()
        option.rect = QRect(0, 0, width, 20)
        chooser.tree.itemDelegateForIndex(index).initStyleOption(option, index)
        assert option.text == said
    assert (shorter("BatchNorm2d"), shorter("16 → 16, 3×3, groups 4")) == ("BatchNorm", "16→16, 3×3, groups 4")


def test_the_tree_gives_way_in_a_small_panel(activations, qtbot):
    assert not activations.chooser.compact and activations.chooser.tree.isVisible()
    activations.resize(320, 240)
    assert activations.chooser.compact and activations.chooser.box.isVisible()
    activations.resize(700, 240)
    assert not activations.chooser.compact
    qtbot.waitUntil(lambda: activations.chooser.height() > 100)
    assert activations.chooser.geometry().right() < activations.atlas.geometry().left()


def test_without_an_experiment_the_panels_say_what_to_do(context, qtbot):
    panel = shown(ActivationsPanel(context), qtbot)
    assert panel.empty.isVisible() and "catalogue" in panel.empty.text.text()


def test_the_last_statistics_come_when_no_further_look_does(filters, activations, context, kit, qtbot):
    context.bridge.give(phase="running")
    picture = context.bridge.state.opened.dataset.picture("test", 0)
    for _ in range(2):
        weight, view = filter_view()
        filters.show_look(kit.look(context, picture, kit.scores(3), {"filters": view}))
        maps = torch.randn(6, 28, 28) + 3
        activations.show_look(activation_look(context, kit, maps=maps))
    low = short(float(weight.min()))
    qtbot.waitUntil(lambda: f"· {low} …" in filters.statistics.text())
    qtbot.waitUntil(lambda: f"mean {short(float(maps.mean()))}" in activations.statistics.text())


def test_the_colour_bar_has_room_beside_both_boxes(filters, context, kit):
    picture = context.bridge.state.opened.dataset.picture("test", 0)
    filters.resize(320, 270)  # as at 1280 x 800
    _, view = filter_view(filters=16, inputs=6)
    filters.show_look(kit.look(context, picture, kit.scores(3), {"filters": view}))
    filters.grab()
    assert filters.inputs.isVisible()
    low, bar, high = filters.bar.places()
    assert bar.width() >= 40 and not low.intersects(high) and not bar.intersects(low) and not bar.intersects(high)
    assert filters.bar.geometry().left() > filters.scale.geometry().right()
    wide = filters.bar.fontMetrics().horizontalAdvance
    assert all(wide(text) <= place.width() for text, place in zip(filters.bar.texts(), (low, high), strict=True))


def test_what_a_dilated_kernel_spans_is_told(context, kit, qtbot):
    layer = kit.Layer("conv", "Conv2d", (6, 28, 28), True)
    layer.detail = "6 → 6, 3×3, dilation 12 (spans 25×25)"
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=(layer,)))
    made = ActivationsPanel(context)
    qtbot.addWidget(made)
    assert made._seen(layer) == " · dilated kernel spans 25×25"
    layer.receptive_field = ReceptiveField((31, 41), (1, 1), (0, 0))
    assert made._seen(layer) == " · sees 41 × 31 · dilated kernel spans 25×25"


def test_numbers_keep_their_room_beside_long_names(context, kit, qtbot):
    chooser = LayerChooser("model")
    qtbot.addWidget(chooser)
    count = LayerColumn("parameters", lambda layer: 102_764_544, lambda n: f"{n:,}", number=True)
    chooser.columns = (OUTPUT, count)
    chooser.resize(304, 200)
    chooser.show()
    chooser.set_layers([kit.Layer("a_layer_with_a_name_that_is_very_long_indeed", "Conv2d", (512, 28, 28), True)])
    chooser.fit()
    header, tree = chooser.tree.header(), chooser.tree
    assert header.sectionSize(0) >= 72 and header.sectionSize(2) >= tree.sizeHintForColumn(2)
    assert header.length() <= tree.viewport().width()
    chooser.columns = (OUTPUT, DOES)
    chooser.resize(232, 200)  # words are cut off where the view ends, not behind its edge
    chooser.set_layers([kit.Layer("conv", "Conv2d", (512, 28, 28), True)])
    assert 0 < header.sectionSize(2) < 84 and header.length() <= tree.viewport().width()
    deep = [
        kit.Layer(".".join("abcdefgh"[:n]), "Conv2d", (512, 28, 28), True, parent=".".join("abcdefgh"[: n - 1]))
        for n in range(1, 9)
    ]
    chooser.set_layers(deep)
    assert header.sectionSize(0) - 8 * tree.indentation() >= 36, "the innermost name has room, too"
    chooser.resize(600, 200)
    assert tree.indentation() == 12


def test_a_unit_is_inspected_from_its_map(activations, context, kit):
    wanted = []
    context.bridge.panel_wanted.connect(wanted.append)
    activations.show_look(activation_look(context, kit))
    menu = activations.atlas.make_menu(tile_point(activations, 3, 5, 5).toPointF())
    next(action for action in menu.actions() if action.text() == "Inspect unit 3").trigger()
    assert (context.workspace.layer, context.workspace.unit, wanted) == ("conv1", 3, ["units"])
