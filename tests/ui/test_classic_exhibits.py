"""Faces and people with nothing downloaded: from one click to the panels that take the detectors apart."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from guiapp.core.picture import Origin, Picture
from guiapp.engine.engine import Engine
from guiapp.imaging.street import NAME, street
from guiapp.ui.main_window import MainWindow
from tests.ui.conftest import show


class QuietEngine(Engine):
    """Opens no experiment: the tests are about the live lane."""

    def open_experiment(self, name, settings=None):
        pass


@pytest.fixture
def house(application, qtbot, settings):
    window = MainWindow(engine=QuietEngine(), settings=settings)
    window.resize(1280, 800)
    show(window, qtbot)
    yield SimpleNamespace(window=window, bot=qtbot, lane=window.engine.live, live=window.panel("live"))
    window.close()
    window.deleteLater()


def press(house, name):
    QTest.mouseClick(house.window.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def test_one_click_shows_faces_on_the_sample_picture(house):
    house.window.use_layout("live")
    press(house, "live.empty-sample")
    house.bot.waitUntil(lambda: house.live.image.result is not None)
    result = house.live.image.result
    assert result.model.name == "haar-face"
    assert result.picture.origin.name == NAME
    assert house.live.line.text().startswith(NAME)
    assert len(result.drawn) == 1  # above one half; others are in the picture
    # any panel can be shown beside the live picture
    assert house.window.show_panel("activations").isVisible()
    assert house.window.show_panel("cascade").isVisible()
    # what looks at several pictures in a row gets one that moves
    house.window.open_experiment("optical-flow")
    house.bot.waitUntil(
        lambda: house.live.image.result is not None and house.live.image.result.model.name == "dis-flow"
    )
    house.bot.waitUntil(lambda: float(np.abs(house.live.image.result.drawn.vectors).max()) > 3)
    assert house.live.feed.source.loop and house.live.feed.kind == "video"
    assert house.live.line.text().startswith("Walk (drawn) · 960 × 640 · 25 frames/s")


def test_the_exhibit_of_viola_and_jones_has_its_column_for_itself(house):
    window = house.window
    window.open_experiment("viola-jones")
    panel = window.panel("cascade")
    assert panel.isVisible()
    house.bot.waitUntil(lambda: panel.width() >= 400)
    assert all(window.docks[name].isHidden() for name in ("filters", "model", "activations"))
    house.bot.waitUntil(lambda: panel.view is not None)  # there is a picture at once
    assert panel.view.face
    assert house.lane.newest.model.name == "haar-face"
    # the next picture: a live one would come so
    house.live.show_picture(Picture(np.ascontiguousarray(street().pixels[:, ::-1]), Origin("camera", "mirror")))
    house.bot.waitUntil(lambda: panel.view.area[0] < 480)
    assert panel.view.face
    window.open_experiment("ssd")
    assert window.docks["cascade"].isHidden()
    assert not window.docks["model"].isHidden()


def test_the_people_of_the_sample_are_followed_from_any_room(house):
    window = house.window
    panel = window.show_panel("gradients")
    press(house, "gradients.sample")
    house.bot.waitUntil(lambda: panel.view is not None and panel.view.score > 1)
    assert house.lane.newest.model.name == "hog-person"
    assert window.layout_id == "live-inside"
    x = panel.view.area[0] + panel.view.area[2] / 2
    assert x == pytest.approx(520, abs=25)  # the tallest
    window.commands["live.open-sample"].trigger()
    assert not house.live.inside._wanted  # the network that is open stays
    panel.follow.click()
    panel.image.clicked.emit(155.0, 440.0)
    house.bot.waitUntil(lambda: abs(panel.view.area[0] + panel.view.area[2] / 2 - 155) < 30)
    window.use_layout("train")
    panel = window.show_panel("gradients")
    house.bot.waitUntil(panel.empty.isVisible)  # the samples of an experiment are no pictures of people
    assert panel.request() is None
