"""The screen as a source: regions, what lies outside, and a real display where one can be made."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.sources import screen
from guiapp.sources.open import is_live, open_live
from guiapp.sources.screen import MssGrabber, Region, ScreenSource, parse_region


class Display:
    """Two screens beside each other, 60 x 40 pixels; the red of a pixel is its column, the green its row."""

    whole = Region(-20, 0, 60, 40)

    def __init__(self):
        self.closed = False
        self.broken = False

    def grab(self, region):
        if self.broken:
            raise OSError("the display\nis gone")
        y, x = np.mgrid[region.y : region.y + region.height, region.x : region.x + region.width]
        return np.stack([x * 0 + 9, y, x + 20, x * 0], 2).astype(np.uint8)

    def close(self):
        self.closed = True


def test_regions_as_they_are_written():
    assert parse_region("") is None and parse_region(" ") is None
    assert parse_region("-20, 0,640,480") == Region(-20, 0, 640, 480)
    assert str(Region(1, 2, 3, 4)) == "1,2,3,4"
    for wrong in ("1,2,3", "1,2,3,4,5", "a,b,c,d", "640x480", "1.5,0,3,3"):
        with pytest.raises(UserError, match=r"as in screen:0,0,640,480"):
            parse_region(wrong)
    with pytest.raises(UserError, match="at least 1 pixel"):
        parse_region("0,0,0,9")


@pytest.mark.parametrize(
    "region, size, corner",
    [
        (None, (60, 40), (0, 0)),
        (Region(0, 5, 10, 20), (10, 20), (20, 5)),
        (Region(30, 30, 500, 500), (10, 10), (50, 30)),  # what is outside is left out
        (Region(-90, -9, 80, 10), (10, 1), (0, 0)),
    ],
)
def test_pixels_of_a_region(closing, region, size, corner):
    display = Display()
    source = closing(ScreenSource(region, grabber=lambda: display, fps=200))
    picture = source.next()
    assert picture.size == size and picture.origin.kind == "screen"
    assert picture.pixels[0, 0].tolist() == [*corner, 9]
    assert source.next() is not picture and source.state == "playing"
    source.close()
    assert display.closed


def test_a_region_outside_and_a_display_that_goes(closing, tools):
    outside = closing(ScreenSource(Region(40, 0, 9, 9), grabber=Display))
    with pytest.raises(UserError, match="outside of the screen, which is 60 × 40"):
        outside.next()
    display = Display()
    source = closing(ScreenSource(grabber=lambda: display, fps=500))
    kept = source.next()
    display.broken = True
    tools.until(lambda: source.state == "failed")
    assert source.trouble == "the screen cannot be read: the display is gone" and display.closed
    assert source.latest().size == kept.size, "the last picture stays"


def test_it_is_opened_by_name(closing):
    assert is_live("screen:") and is_live("screen:0,0,640,480")
    assert closing(open_live("screen:0,0,640,480")).region == Region(0, 0, 640, 480)
    assert closing(open_live("screen:")).region is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland and DISPLAY are matters of Linux")
def test_sessions_that_let_no_one_read_the_screen(monkeypatch):
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="DISPLAY is not set"):
        MssGrabber()
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(UserError, match="cannot be read"):
        MssGrabber()
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    with pytest.raises(UserError, match="Wayland"):
        MssGrabber()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb makes the display")
def test_a_real_display(monkeypatch, closing):
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", "320x241x24", "-nolisten", "tcp"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().strip()}")
        source = closing(ScreenSource(Region(300, 200, 100, 100)))
        assert source.next().size == (20, 41)
        whole = closing(ScreenSource())
        assert whole.next().size == (320, 241) and whole.next() is not None
        source.close()
        whole.close()
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def test_nothing_reads_the_screen_before_it_is_asked_for():
    assert "mss" not in vars(screen)
