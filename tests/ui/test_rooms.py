"""Catalogue entries open in their room, and the panels beside look into the network of the room that is shown."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from torch import nn

from guiapp.core.picture import Origin, Picture
from guiapp.engine.engine import Engine
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.candidates import Candidates
from guiapp.ui.main_window import MainWindow
from guiapp.ui.widgets.image_layers import MapLayer, RectLayer
from tests.ui.conftest import show

WIDTH, HEIGHT = 160, 120
BOX = (40.0, 30.0, 80.0, 90.0)


class Detector(nn.Module):
    """One object, and two maps: the picture at half its size, and its negative."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 2, 2, stride=2, bias=False)
        self.fpn = nn.ReLU()
        with torch.no_grad():
            self.backbone.weight[0], self.backbone.weight[1] = 1 / 12, -1 / 12

    def candidates(self, inputs, keep):
        self.fpn(self.backbone(torch.stack(list(inputs))))
        return Candidates(torch.tensor([BOX]), torch.tensor([0.9]), torch.tensor([1]), (HEIGHT, WIDTH))


class QuietEngine(Engine):
    """Notes which experiments were asked for: the tests are about the live lane."""

    def open_experiment(self, name, settings=None):
        self.__dict__.setdefault("asked", []).append(name)


@pytest.fixture
def house(application, qtbot, settings):
    """A window whose published networks are a small detector."""
    window = MainWindow(engine=QuietEngine(), settings=settings)
    opened = []

    def opener(name, weights, device, progress):
        opened.append((name, weights))
        torch.manual_seed(0)
        return SimpleNamespace(
            entry=ZOO[name], weights=ZOO["ssd300_vgg16"].best, module=Detector().eval().requires_grad_(False),
            labels=("__background__", "person"), device="cpu", note="by hand", flaws="", origin="published",
            prepare=lambda pixels, device: [torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)],
        )  # fmt: skip

    window.engine.live._opener = opener
    window.resize(1280, 800)
    show(window, qtbot)
    qtbot.waitUntil(lambda: bool(window.panel("live").models.found) or not window.panel("live").isVisible())
    told = []
    window.bridge.notice.connect(lambda notice: told.append(notice.text) if notice.level == "error" else None)
    yield SimpleNamespace(
        window=window, opened=opened, bot=qtbot, bridge=window.bridge, live=window.panel("live"), told=told
    )
    window.close()
    window.deleteLater()
    assert not told


def shape(maps):
    """Of the maps that the panel shows."""
    return None if maps.atlas.atlas is None else maps.atlas.atlas.values.shape


@pytest.fixture
def ssd(house):
    """The exhibit SSD is open on a picture whose left half is white."""
    house.window.open_experiment("ssd")
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2] = 255
    house.live.show_picture(Picture(pixels, Origin("file", "halves")))
    model, maps = house.window.panel("model"), house.window.show_panel("activations")
    # first the layers on a blank picture, then those on this one; then its maps
    house.bot.waitUntil(lambda: bool(house.told) or shape(maps) == (2, 60, 80))
    assert not house.told
    house.model, house.maps = model, maps
    return house


def test_a_published_network_opens_beside_its_layers(ssd):
    window = ssd.window
    assert window.layout_id == "live-inside" and window.windowTitle().startswith("SSD · ")
    assert window.workspace.experiment == "ssd" and window.panel("catalogue").tree.currentItem().text(0) == "SSD"
    assert ssd.opened == [("ssd300_vgg16", "random")], "its weights are not here, its layers can be seen all the same"
    assert ssd.bridge.subject == "live"
    assert ssd.model.about.heading.text() == "SSD300 VGG-16" and "24 parameters" in ssd.model.total.text()
    assert window.workspace.layer == "backbone" == ssd.maps.layer, "the entry's own layer is not there: the first is"
    values = ssd.maps.atlas.atlas.values
    np.testing.assert_allclose(values[0], np.repeat([[1.0] * 40 + [0.0] * 40], 60, 0), atol=1e-6)
    np.testing.assert_array_equal(values[1], -values[0])
    filters = window.show_panel("filters")
    ssd.bot.waitUntil(lambda: filters.view is not None and filters.view.layer == "backbone")


def test_a_map_and_a_field_lie_over_the_live_picture(ssd):
    workspace = ssd.window.workspace
    workspace.overlay = ("backbone", 1)
    image = ssd.live.image
    ssd.bot.waitUntil(lambda: any(isinstance(layer, MapLayer) for layer in image.layers))
    (over,) = (layer for layer in image.layers if isinstance(layer, MapLayer))
    assert over.area == (0, 0, WIDTH, HEIGHT) and (over.image.width(), over.image.height()) == (80, 60)
    workspace.place = ("backbone", 10, 20)
    (field,) = (layer for layer in image.layers if isinstance(layer, RectLayer))
    assert field.area == (40, 20, 2, 2), "two pixels from twice the row and column on"
    workspace.overlay = workspace.place = None
    assert not image._over


def test_a_click_on_an_object_makes_it_the_subject_of_the_maps(ssd):
    image = ssd.live.image
    ssd.bot.waitUntil(lambda: image.layer is not None)
    middle = image.to_widget(QRectF(BOX[0], BOX[1], BOX[2] - BOX[0], BOX[3] - BOX[1])).center()
    QTest.mouseClick(image, Qt.MouseButton.LeftButton, pos=QPoint(round(middle.x()), round(middle.y())))
    # a tenth more on every side, in steps of 1/64 of the picture: 36/160 = 14.4/64, 24/120 = 12.8/64, ...
    assert ssd.window.workspace.region == (14 / 64, 13 / 64, 34 / 64, 51 / 64)
    # columns floor(17.5) to ceil(42.5), rows floor(12.19) to ceil(47.8)
    ssd.bot.waitUntil(lambda: shape(ssd.maps) == (2, 36, 26))
    assert ssd.maps.statistics.text().startswith("chosen object · ")
    chosen = image.chosen
    image.unchoose()
    assert ssd.window.workspace.region is None
    ssd.bot.waitUntil(lambda: shape(ssd.maps) == (2, 60, 80))
    ssd.window.workspace.region = (14 / 64, 13 / 64, 34 / 64, 51 / 64)  # as a study, or going back, brings it
    assert image.chosen == chosen and not image.fitted and ssd.window.workspace.region is not None
    ssd.window.workspace.region = None
    assert image.chosen is None and image.fitted
    ssd.window.workspace.region = nowhere = (0.8, 0.8, 0.9, 0.9)
    ssd.live.inside.take(image.result)
    assert ssd.window.workspace.region == nowhere and image.chosen is None, "the same picture, answered again"
    ssd.live.inside.take(replace(image.result, picture=replace(image.result.picture)))
    assert ssd.window.workspace.region is None, "another picture has no object there"


def test_channels_are_switched_off_in_the_network_that_is_shown(ssd):
    ssd.window.workspace.switched_off = {"backbone": frozenset({0})}
    ssd.bot.waitUntil(lambda: not ssd.maps.atlas.atlas.values[0].any())
    ssd.window.use_layout("train")
    ssd.bot.waitUntil(lambda: ssd.bridge.subject == "experiment")
    assert ssd.window.workspace.switched_off == {}, "it is the other network's"
    ssd.window.use_layout("live-inside")
    ssd.bot.waitUntil(lambda: ssd.bridge.subject == "live")
    assert ssd.window.workspace.switched_off == {"backbone": frozenset({0})}


def test_each_room_keeps_what_is_chosen_in_it(ssd):
    window = ssd.window
    window.workspace.layer, window.workspace.unit = "fpn", 1
    window.open_experiment("mlp")
    assert window.layout_id == "train" and window.engine.asked[-1] == "mlp"
    ssd.bot.waitUntil(lambda: ssd.bridge.subject == "experiment")
    assert (window.workspace.layer, window.workspace.unit) == (None, None)
    window.workspace.layer = "fc1"
    window.open_experiment("ssd")
    ssd.bot.waitUntil(lambda: ssd.bridge.subject == "live" and window.workspace.layer == "fpn")
    assert ssd.window.workspace.unit == 1


def test_nothing_is_asked_of_the_live_network_once_its_room_is_left(ssd):
    question = ssd.window.engine.live._inside._question
    assert question.watching and set(question.requests) >= {"activations"}
    ssd.window.use_layout("train")
    ssd.bot.waitUntil(lambda: not ssd.window.engine.live._inside._question.watching)
    assert not ssd.window.engine.live._inside._question.requests
