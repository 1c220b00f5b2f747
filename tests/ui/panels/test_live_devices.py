"""The Live room's cameras and screen: what is offered, what is asked for, what is chosen with the mouse."""

# ruff: noqa: F811 - fixtures of the Live room are arguments here

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from guiapp.sources import camera, camera_modes, screen
from guiapp.sources import open as opening
from guiapp.sources.camera import Camera, CameraSource
from guiapp.sources.camera_modes import Mode
from guiapp.sources.screen import Region
from tests.ui.panels.test_live import room  # noqa: F401

MODES = [Mode(1280, 720, (30.0, 10.0)), Mode(640, 480, (60.0, 30.0))]


class Usb:
    """One camera that gives 640 x 480 at most, and can be pulled out."""

    def __init__(self):
        self.present = [Camera(3, "Desk cam")]
        self.asked = []

    def capture(self, number):
        usb = self

        class Device:
            def isOpened(self):
                return bool(usb.present)

            def read(self):
                if not usb.present:
                    return False, None
                return True, np.zeros((480, 640, 3), np.uint8)

            def set(self, key, value):
                usb.asked.append((key, value))
                return True

            def get(self, key):
                return 0.0

            def release(self):
                pass

        return Device()


@pytest.fixture
def usb(monkeypatch):
    made = Usb()
    real = opening.open_live

    def open_live(text, **options):
        if text.startswith("camera:"):
            return CameraSource(
                int(text[7:]), cameras=lambda: made.present, capture=made.capture, pauses=(0.02,), **options
            )
        return real(text, **options)

    monkeypatch.setattr(opening, "open_live", open_live)
    monkeypatch.setattr(camera_modes, "list_modes", lambda number: MODES if number == 3 else None)
    return made


def items(box):
    return [box.itemText(i) for i in range(box.count())]


def choose(box, text):
    """As a person does: the box is set and says that it was activated."""
    index = items(box).index(text)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_a_camera_offers_its_modes_is_pulled_out_and_comes_back(room, usb):
    panel = room.panel
    boxes = panel.transport.camera
    assert not boxes.isVisible()
    panel.open_source("camera:3")
    room.bot.waitUntil(lambda: boxes.resolution.count() == 3)
    assert items(boxes.resolution) == ["as it comes", "1280 × 720", "640 × 480"]
    assert items(boxes.rate) == ["as it comes", "60 frames/s", "30 frames/s", "10 frames/s"]
    choose(boxes.resolution, "1280 × 720")
    assert items(boxes.rate) == ["as it comes", "30 frames/s", "10 frames/s"]
    room.bot.waitUntil(lambda: panel.line.text() == "Desk cam gives 640 × 480 instead of 1280 × 720")
    choose(boxes.rate, "10 frames/s")
    room.bot.waitUntil(lambda: panel.feed.source.asked_fps == 10 and panel.feed.source.resolution == (1280, 720))
    choose(boxes.resolution, "640 × 480")
    assert boxes.rate.currentData() is None, "ten a second are not offered with it"
    room.bot.waitUntil(lambda: "640 × 480" in panel.line.text() and "instead" not in panel.line.text())

    usb.present = []
    room.bot.waitUntil(lambda: "not plugged in" in panel.line.text() or "it is gone" in panel.line.text())
    assert panel.image.isVisible() and panel.retry.isVisible()
    usb.present = [Camera(5, "Desk cam")]
    room.bot.waitUntil(lambda: panel.feed.source.state == "playing" and panel.feed.source.number == 5)
    room.bot.waitUntil(lambda: not panel.retry.isVisible())


def test_a_camera_that_was_out_of_sight_is_opened_as_it_was(room, usb):
    panel = room.panel
    panel.open_source("camera:3")
    room.bot.waitUntil(lambda: panel.transport.camera.resolution.count() == 3)
    choose(panel.transport.camera.resolution, "1280 × 720")
    room.window.commands["live.mirror"].trigger()
    first = panel.feed.source
    room.window.use_layout("train")
    room.bot.waitUntil(lambda: panel.feed.source is None and first._stopped())
    room.window.use_layout("live")
    room.bot.waitUntil(lambda: panel.feed.source is not None and panel.feed.source.number == 3)
    assert panel.feed.source.resolution == (1280, 720) and panel.feed.source.mirror
    room.bot.waitUntil(lambda: panel.transport.camera.resolution.currentText() == "1280 × 720")


def test_the_open_list_of_cameras_follows_what_is_plugged_in(room, monkeypatch):
    present = [Camera(0, "Desk cam")]
    monkeypatch.setattr(camera, "list_cameras", lambda: list(present))
    menu = room.panel.sources.camera.menu()
    room.panel.sources._again.setInterval(5)
    menu.popup(QPoint(10, 10))
    assert [action.text() for action in menu.actions()] == ["Desk cam"]
    present.append(Camera(1, "Door cam"))
    room.bot.waitUntil(lambda: [action.text() for action in menu.actions()] == ["Desk cam", "Door cam"])
    menu.close()
    assert not room.panel.sources._again.isActive()


class Grey:
    whole = Region(0, 0, 800, 600)

    def grab(self, region):
        return np.full((region.height, region.width, 3), region.x % 256, np.uint8)

    def close(self):
        pass


@pytest.fixture
def display(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":1")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    monkeypatch.setitem(screen.ScreenSource.__init__.__kwdefaults__, "grabber", Grey)


def test_the_screen_is_chosen_by_mouse_whole_or_by_numbers(room, display, monkeypatch):
    panel, sources = room.panel, room.panel.sources
    room.window.commands["live.open-region"].trigger()
    selectors = sources.screen_button.choice.selectors
    assert len(selectors) == len(QGuiApplication.screens())
    selector = selectors[0]
    QTest.mousePress(selector, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    QTest.mouseMove(selector, QPoint(100, 50))
    QTest.mouseRelease(selector, Qt.MouseButton.LeftButton, pos=QPoint(101, 51))
    assert panel.feed.kind == "screen" and sources.screen_button.choice.selectors == []
    room.bot.waitUntil(lambda: panel.image.image_size == (200, 150))
    assert panel.feed.source.region == Region(101, 51, 200, 150) and panel.image.array[0, 0, 0] == 101
    assert panel.transport.freeze.isEnabled() and not panel.transport.camera.isVisible()

    room.window.commands["live.open-region"].trigger()
    selector = sources.screen_button.choice.selectors[0]
    QTest.mouseClick(selector, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert selector.isVisible() and selector.selection.isEmpty(), "a mere click chooses nothing"
    QTest.keyClick(selector, Qt.Key.Key_Escape)
    assert sources.screen_button.choice.selectors == [] and panel.feed.source.region == Region(101, 51, 200, 150)
    room.window.commands["live.open-screen"].trigger()
    room.bot.waitUntil(lambda: panel.image.array is not None and panel.image.image_size == (800, 600))
    sources.screen_button.menu().actions()[2].trigger()
    assert sources.address.text() == "screen:0,0,640,480" and sources.address.selectedText() == "0,0,640,480"
    QTest.keyClicks(sources.address, "9,9,30,20")
    QTest.keyClick(sources.address, Qt.Key.Key_Return)
    room.bot.waitUntil(lambda: panel.image.array is not None and panel.image.image_size == (30, 20))
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    room.window.commands["live.open-region"].trigger()
    assert "Wayland" in room.window.context.notices.notices[-1].text
