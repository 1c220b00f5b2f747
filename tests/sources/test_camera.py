"""Cameras through an injected device: found by name, lost, plugged in elsewhere."""

import threading

import pytest

from guiapp.sources.base import Source
from guiapp.sources.camera import Camera, CameraSource, list_cameras


class Bus:
    """Devices that can be plugged in and out while they are read."""

    def __init__(self, tools):
        self.tools = tools
        self.present = {0: "Integrated Camera", 2: "Logitech BRIO"}
        self.busy = False
        self.least = 0.0  # the rate that a camera gives whatever is asked for
        self.opened = []
        self.released = 0
        self.step = threading.Event()

    def list(self):
        return [Camera(index, name) for index, name in self.present.items()]

    def open(self, index):
        bus = self
        bus.opened.append(index)
        name = bus.present.get(index)

        class Device:
            settings: dict = {}  # noqa: RUF012

            def __init__(self):
                self.settings = {}
                bus.device = self

            def isOpened(self):
                return name is not None and not bus.busy

            def read(self):
                bus.step.wait(0.005)
                if bus.present.get(index) != name:
                    return False, None
                return True, bus.tools.coded(10 + index)[:, :, ::-1].copy()

            def set(self, key, value):
                self.settings[key] = value
                return True

            def get(self, key):
                return bus.least or self.settings.get(key, 0.0)

            def release(self):
                bus.released += 1

        return Device()


@pytest.fixture
def bus(tools):
    return Bus(tools)


@pytest.fixture
def film(bus, closing):
    def opened(which, **options):
        return closing(CameraSource(which, cameras=bus.list, capture=bus.open, pauses=(0.01,), **options))

    return opened


@pytest.mark.parametrize(
    "which, index", [(0, 0), (2, 2), ("Logitech BRIO", 2), ("logitech brio", 2), ("brio", 2), ("Integrated", 0)]
)
def test_by_number_and_by_name(film, bus, tools, which, index):
    source = film(which)
    assert isinstance(source, Source)
    picture = source.next()
    assert tools.number_of(picture.pixels) == 10 + index
    assert picture.pixels[32, 2, 0] == 200  # red is the first channel
    assert picture.origin.kind == "camera"
    assert bus.opened == [index]
    tools.until(lambda: source.state == "playing")


def test_a_camera_that_is_unplugged_comes_back_under_another_number(film, bus, tools):
    source = film(2)
    source.next()
    del bus.present[2]
    tools.until(lambda: source.state == "waiting")
    tools.until(lambda: "it is not plugged in (there are 0: Integrated Camera)" in source.trouble)
    held = source.latest()
    assert tools.number_of(held.pixels) == 12
    assert source.latest() is held
    bus.present[5] = "Logitech BRIO"
    tools.until(lambda: source.state == "playing" and tools.number_of(source.latest().pixels) == 15)
    assert source.trouble == ""
    assert bus.released == len(bus.opened) - 1  # the lost device was let go


def test_a_camera_that_was_never_there(film, bus, tools):
    bus.present.clear()
    source = film("BRIO")
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert source.trouble.startswith("BRIO: it is not plugged in (there is no camera)")
    assert source.latest() is None
    bus.present[1] = "Logitech BRIO"
    assert tools.number_of(source.next().pixels) == 11


def test_a_camera_that_another_program_uses(film, bus, tools):
    bus.busy = True
    source = film(0)
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert "another program may be using it" in source.trouble
    bus.busy = False
    assert source.next() is not None


def test_resolution_and_rate_are_asked_for_and_can_be_changed(film, bus, tools):
    import cv2

    source = film(0, resolution=(1280, 720), fps=60)
    source.next()
    first = bus.device.settings
    assert (first[cv2.CAP_PROP_FRAME_WIDTH], first[cv2.CAP_PROP_FRAME_HEIGHT]) == (1280, 720)
    assert first[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert (first[cv2.CAP_PROP_FPS], source.fps, source.resolution) == (60, 60, (1280, 720))
    told = []
    source.on_state = lambda: told.append(source.state)
    for width in range(320, 380):  # many changes are no deeper than one
        source.set_mode((width, 240), 30)
    tools.until(lambda: bus.device.settings.get(cv2.CAP_PROP_FRAME_WIDTH) == 379)
    tools.until(lambda: source.fps == 30)
    assert cv2.CAP_PROP_FOURCC not in bus.device.settings
    assert "waiting" not in told


def test_what_a_camera_gives_instead_is_told_and_what_fits_is_not(film, bus, tools):
    source = film(0, resolution=(96, 64), fps=30)  # what the test's camera gives
    source.next()
    tools.until(lambda: source.state == "playing")
    assert source.trouble == "" and source.number == 0
    source.set_mode((1920, 1080), 30)
    tools.until(lambda: source.trouble == "Integrated Camera gives 96 × 64 instead of 1920 × 1080")
    assert source.state == "playing"
    bus.least = 15.0
    source.set_mode((96, 64), 60)
    told = "Integrated Camera gives 96 × 64 at 15 frames/s instead of 96 × 64 at 60 frames/s"
    tools.until(lambda: source.trouble == told)
    source.set_mode(None, 15)
    tools.until(lambda: source.trouble == "" and source.asked_fps == 15)


def test_systems_that_do_not_tell_their_cameras(film, bus, closing, tools):
    source = closing(CameraSource(2, cameras=lambda: None, capture=bus.open, pauses=(0.01,)))
    assert tools.number_of(source.next().pixels) == 12
    named = closing(CameraSource("BRIO", cameras=lambda: None, capture=bus.open, pauses=(0.01,)))
    named.start()
    tools.until(lambda: named.state == "waiting")
    assert "camera:0" in named.trouble


def test_a_fault_of_the_driver_is_told_and_ends_the_source(film, bus, tools):
    bus.open = lambda index: 1 / 0
    source = film(0)
    source._capture = bus.open
    source.start()
    tools.until(lambda: source.state == "failed")
    assert source.trouble == "Integrated Camera stopped: division by zero"


def test_names_from_the_system(tmp_path):
    for index, (name, node) in enumerate([("Front", "0"), ("Front", "1"), ("Back: USB", "0")]):
        folder = tmp_path / f"video{index}"
        folder.mkdir()
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(node + "\n")
    (tmp_path / "v4l-subdev0").mkdir()
    (tmp_path / "video9").mkdir()  # unplugged in this moment
    assert list_cameras(tmp_path) == [Camera(0, "Front"), Camera(2, "Back: USB")]
    assert not list_cameras(tmp_path / "none")
