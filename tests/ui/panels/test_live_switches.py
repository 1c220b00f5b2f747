"""Sources of the Live room exchanged a hundred times: no thread, file or connection is left over."""

# ruff: noqa: F811 - fixtures of the Live room are arguments here

import os
import threading
from collections import Counter

import pytest

from guiapp.sources import screen
from tests.sources.conftest import Mjpeg, jpeg
from tests.ui.panels.test_live import answer, room, video  # noqa: F401
from tests.ui.panels.test_live_devices import Grey

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted as Linux tells them")


def handles():
    """What this process holds open, by its kind: files by name, sockets, pipes."""
    found = Counter()
    for number in os.listdir("/proc/self/fd"):
        try:
            found[os.readlink(f"/proc/self/fd/{number}").partition(":[")[0]] += 1
        except OSError:
            continue  # the listing itself
    return found


def threads():
    return sorted(t.name for t in threading.enumerate() if t.name.startswith(("source", "live source", "recording")))


def test_a_hundred_switches_leave_nothing_over(room, video, tmp_path, monkeypatch):
    panel = room.panel
    monkeypatch.setitem(screen.ScreenSource.__init__.__kwdefaults__, "grabber", Grey)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 99)
    picture = tmp_path / "dot.png"
    picture.write_bytes(jpeg(3))

    def stream(link):
        link.head()
        while not link.server.over.wait(0.02):  # until the window hangs up
            link.part(jpeg(7))

    server = Mjpeg(stream)
    try:
        ways = [str(video), server.url, "screen:0,0,64,48", str(broken), str(picture)]
        for text in ways:  # what is opened once for good
            panel.open_source(text)
            room.bot.wait(50)
        answer(room)
        panel.close_source()
        room.bot.waitUntil(lambda: threads() == [])
        before = handles()
        for number in range(100):
            panel.open_source(ways[number % 5])
            room.bot.wait(1 + 40 * (number % 7 == 0))  # most are left before they have opened
        panel.open_source(str(video))
        room.bot.waitUntil(lambda: panel.image.array is not None and panel.image.image_size == (160, 120))
        panel.close_source()
        room.bot.waitUntil(lambda: threads() == [])
        room.bot.waitUntil(lambda: handles()["socket"] <= before["socket"])
        assert not handles() - before
    finally:
        server.close()
    assert panel.feed.kind == "" and panel.empty.isVisible()
