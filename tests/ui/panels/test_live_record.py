"""Recordings from the Live room: what is shown, and whole videos, in files that can be played."""

# ruff: noqa: F811 - fixtures of the Live room are arguments here

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from guiapp.sources import record as recording
from guiapp.sources.video_reader import VideoReader
from tests.ui.panels.test_live import FRAMES, HEIGHT, OTHER, WIDTH, answer, hose, room, video  # noqa: F401


def frames_of(path):
    reader = VideoReader(path)
    try:
        return [pixels for _, _, pixels in reader.frames()], reader.fps, reader.cut_off()
    finally:
        reader.close()


def ended(room, act):
    """The end of a recording that ``act`` brings about."""
    with room.bot.waitSignal(room.panel.record.ended, timeout=30_000) as signal:
        act()
    assert not room.panel.record.active and not room.panel.record.isVisible()
    return signal.args[0]


def record_frames(room, hose, values):
    """Give the stream frames, each after the one before was recorded or shown."""
    for value in values:
        result = room.panel.image.result
        hose[0].give(value)
        room.bot.waitUntil(lambda r=result: room.panel.image.result is not r)


def test_what_is_shown_is_recorded_with_its_boxes_and_thresholds(room, hose, tmp_path):
    panel, commands = room.panel, room.window.commands
    assert not commands["live.stop-recording"].isEnabled() and not commands["live.record-whole"].isEnabled()
    hose[0].give(40)
    answer(room)
    panel.record.start(tmp_path / "shown.mp4")
    assert commands["live.record"].text() == "Stop recording" and panel.record.isVisible()
    record_frames(room, hose, [50, 60])
    panel.shown.sliders["score"].setValue(20)
    room.bot.waitUntil(lambda: len(panel.image.result.drawn) == 2)
    room.bot.wait(150)  # a moment of film
    room.bot.waitUntil(lambda: "frames" in panel.record.state.text())
    end = ended(room, commands["live.record"].trigger)
    assert end.path == tmp_path / "shown.mp4" and end.reason == "" and end.bytes == end.path.stat().st_size
    frames, fps, trouble = frames_of(end.path)
    assert len(frames) == end.frames and not trouble and frames[0].shape == (HEIGHT, WIDTH, 3)
    assert end.seconds == pytest.approx(end.frames / fps)
    first, last = frames[0].astype(int), frames[-1].astype(int)
    assert np.abs(first - 40).max() > 60, "it begins with what is shown already"
    assert abs(np.median(last[:, 150:]) - 60) < 6, "the last picture"
    assert np.abs(last - 60).max() > 60, "and its boxes"
    dog = np.abs(last[40:80, 98:103] - 60).max()
    assert dog > 40 > np.abs(first[60:80, 139:142] - np.median(first)).max(), "the weak one from the threshold on"
    assert "is saved" in room.window.context.notices.notices[-1].text
    assert sorted(file.name for file in tmp_path.glob("*.mp4")) == ["shown.mp4"] and not list(tmp_path.glob(".*.mp4"))


def test_without_a_network_the_pictures_themselves_are_recorded_and_sizes_may_change(room, hose, tmp_path):
    source = hose[0]
    source.give(40)
    room.bot.waitUntil(room.panel.image.isVisible)
    room.panel.record.start(tmp_path / "raw.mp4")
    room.bot.waitUntil(lambda: room.panel.record.recording._recorder is not None)
    source._publish(np.full((HEIGHT * 2, WIDTH, 3), 200, np.uint8))
    room.bot.waitUntil(lambda: room.panel.image.image_size == (WIDTH, HEIGHT * 2))
    source.hang_up()
    end = ended(room, room.window.commands["live.close"].trigger)
    frames = frames_of(end.path)[0]
    assert abs(int(frames[0][5, 5, 0]) - 40) < 5
    assert frames[-1].shape == (HEIGHT, WIDTH, 3) and frames[-1][60, 80, 0] > 190 > 20 > frames[-1][60, 5, 0]


def test_a_recording_goes_on_out_of_sight_and_while_networks_are_exchanged(room, hose, tmp_path):
    panel = room.panel
    hose[0].give(40)
    answer(room)
    panel.record.start(tmp_path / "on.mp4")
    answer(room, OTHER, "random")
    room.window.use_layout("train")
    room.bot.wait(250)
    assert not hose[0]._stopped() and panel.record.active
    with room.bot.waitSignal(
        room.window.bridge.live_result, check_params_cb=lambda found: found.picture.pixels[0, 0, 0] == 90
    ):
        hose[0].give(90)
    end = ended(room, panel.record.stop)
    last = frames_of(end.path)[0][-1]
    assert abs(np.median(last[:, 150:].astype(int)) - 90) < 6
    room.bot.waitUntil(hose[0]._stopped)


def test_closing_the_window_ends_the_recording_with_a_file_that_can_be_played(room, hose, tmp_path):
    hose[0].give(40)
    room.bot.waitUntil(room.panel.image.isVisible)
    room.panel.record.start(tmp_path / "closed.mp4")
    room.window.close()
    frames, _, trouble = frames_of(tmp_path / "closed.mp4")
    assert frames and not trouble


def test_what_cannot_be_recorded_is_told(room, hose, tmp_path, monkeypatch):
    notices, record = room.window.context.notices, room.panel.record
    hose[0].give(40)
    room.bot.waitUntil(room.panel.image.isVisible)
    record.start(tmp_path / "a.avi")
    assert "end the name in .mp4" in notices.notices[-1].text and not record.active
    (tmp_path / "file").touch()
    end = ended(room, lambda: record.start(tmp_path / "file" / "a.mp4"))
    assert end.path is None and "cannot be written to" in notices.notices[-1].text
    record.start(tmp_path / "a.mp4")
    room.bot.waitUntil(lambda: record.recording._recorder is not None)
    hose[0].give(50)
    room.bot.waitUntil(lambda: record.recording.frames > 0)
    usage = recording.shutil.disk_usage
    monkeypatch.setattr(recording.shutil, "disk_usage", lambda path: usage(path)._replace(free=1000))
    room.bot.wait(150)  # so that a frame is due
    end = ended(room, lambda: hose[0].give(60))
    assert end.path == tmp_path / "a.mp4" and frames_of(end.path)[0]
    assert "make room" in notices.notices[-1].text and "is saved" in notices.notices[-1].text


def test_a_whole_video_is_recorded_frame_by_frame(room, video, tmp_path):
    panel, commands = room.panel, room.window.commands
    panel.open_source(str(video))
    room.bot.waitUntil(lambda: panel.image.array is not None)
    answer(room)
    room.bot.waitUntil(commands["live.record-whole"].isEnabled)
    panel.record.start_whole(video)
    assert "end the name in .mp4" in room.window.context.notices.notices[-1].text
    end = ended(room, lambda: panel.record.start_whole(tmp_path / "whole.mp4"))
    assert end.path == tmp_path / "whole.mp4" and end.frames == FRAMES
    assert panel.feed.source.state in ("paused", "ended")
    frames, fps, trouble = frames_of(end.path)
    assert len(frames) == FRAMES and fps == 25 and not trouble
    for index, frame in enumerate(frames):
        assert abs(int(frame[110, 150, 0]) - 5 * index) < 6, "none left out"
    assert np.abs(frames[10].astype(int) - 50).max() > 60, "boxes"


def test_a_whole_video_can_be_stopped_and_what_is_done_is_kept(room, video, tmp_path):
    panel = room.panel
    panel.open_source(str(video))
    room.bot.waitUntil(lambda: panel.image.array is not None)
    answer(room)
    real, seen = room.detector.candidates, []

    def slow(inputs, keep):
        seen.append(1)
        if len(seen) > 5:
            panel.record._job.stop()
        return real(inputs, keep)

    panel.feed.source.pause()
    room.bot.waitUntil(lambda: panel.feed.source.state == "paused")
    room.detector.candidates = slow
    end = ended(room, lambda: panel.record.start_whole(tmp_path / "part.mp4"))
    assert 0 < end.frames < FRAMES and len(frames_of(end.path)[0]) == end.frames
    assert f"{end.frames} of {FRAMES} frames" in room.window.context.notices.notices[-1].text


def test_closing_the_window_keeps_what_is_done_of_a_whole_video(room, video, tmp_path):
    panel = room.panel
    panel.open_source(str(video))
    room.bot.waitUntil(lambda: panel.image.array is not None)
    answer(room)
    panel.feed.source.pause()
    real, enough = room.detector.candidates, []

    def counted(inputs, keep):
        enough.append(1)
        if len(enough) > 6:
            threading.Event().wait(0.05)  # a slow network
        return real(inputs, keep)

    room.detector.candidates = counted
    panel.record.start_whole(tmp_path / "part.mp4")
    room.bot.waitUntil(lambda: len(enough) > 3)
    room.window.close()
    frames, _, trouble = frames_of(tmp_path / "part.mp4")
    assert 0 < len(frames) <= FRAMES and not trouble


def test_the_button_asks_for_a_file_and_remembers_the_folder(room, hose, tmp_path, monkeypatch):
    from guiapp.ui.panels import live_record

    asked = []

    def ask(_parent, _title, start, _patterns):
        asked.append(start)
        return str(tmp_path / "named"), ""

    monkeypatch.setattr(live_record.QFileDialog, "getSaveFileName", ask)
    hose[0].give(40)
    room.bot.waitUntil(room.panel.image.isVisible)
    QTest.mouseClick(room.panel.findChild(QToolButton, "live.record"), Qt.MouseButton.LeftButton)
    room.bot.waitUntil(lambda: room.panel.record.active)
    assert room.panel.record.recording.path == tmp_path / "named.mp4"
    ended(room, room.window.commands["live.stop-recording"].trigger)
    room.window.commands["live.record"].trigger()
    assert asked[1] == str(tmp_path / "live.mp4")
    ended(room, room.panel.record.stop)
