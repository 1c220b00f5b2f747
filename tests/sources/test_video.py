"""Video files: exact frames, order, time, damage."""

import struct
import threading
import time

import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.sources.base import Source
from guiapp.sources.video import VideoSource
from guiapp.sources.video_reader import VideoReader

REAL = ("WUzgd7C1pWA.mp4", "one-by-one-person-detection.mp4", "v_SoccerJuggling_g23_c01.avi", "facenet_video.mp4")


@pytest.fixture
def video(tmp_path, tools):
    return tools.write_video(tmp_path / "größe 日本.mp4", 60)


@pytest.fixture
def play(closing):
    def opened(path, **options):
        return closing(VideoSource(path, **options))

    return opened


def numbers(source, tools, damaged=999):
    """Everything that comes until the end, and that index, time and content belong together, up to a damaged one."""
    seen = []
    while (picture := source.next()) is not None:
        assert picture.origin.index >= damaged or tools.number_of(picture.pixels) == picture.origin.index
        assert picture.origin.seconds == pytest.approx(picture.origin.index / 25)
        seen.append(picture.origin.index)
    return seen


def test_every_frame_once_in_its_order(video, play, tools):
    source = play(video, every=True)
    assert isinstance(source, Source)
    assert source.live
    assert numbers(source, tools) == list(range(60))
    assert (source.state, source.trouble, source.dropped, source.frames) == ("ended", "", 0, 60)
    last = source.latest()
    assert last is source.latest()
    assert last.origin.index == 59
    assert (last.origin.kind, last.origin.name, last.origin.path) == ("video", video.name, video)
    assert last.pixels[32, 2, 0] > 150 > last.pixels[32, 2, 2]  # red is the first channel
    assert (source.count, source.fps, source.size) == (60, 25, (96, 64))
    assert source.duration == pytest.approx(2.4)
    source.close()
    assert source.latest() is None
    assert source.next() is None


@pytest.mark.parametrize("codec, ending", [("mp4v", "mp4"), ("MJPG", "avi"), ("mp4v", "mkv"), ("VP90", "webm")])
def test_seeking_gives_the_very_frame(tmp_path, tools, codec, ending):
    path = tools.write_video(tmp_path / f"a.{ending}", 90, codec=codec)
    reader = VideoReader(path)
    for index in (50, 3, 89, 0, 88, 41, 42, 12, 13, 89, 1):
        assert tools.number_of(reader.frame(index)) == index
        assert (reader.index, reader.seconds) == (index, pytest.approx(index / 25, abs=2e-3))
    assert reader.count == 90
    assert reader.frame(90) is None
    assert tools.number_of(reader.frame(70)) == 70
    for index in range(69, -1, -1):
        assert tools.number_of(reader.frame(index, backward=True)) == index
    assert [tools.number_of(pixels) for index, _, pixels in reader.frames()][-1] == 89
    assert [reader.find(s) for s in (-1.0, 0.0, 0.041, 1.0, 1.039, 99.0)] == [0, 0, 1, 25, 25, 89]
    reader.close()


def test_a_video_of_varying_rate_is_sought_by_its_time_stamps(tmp_path, tools):
    # The second half of the frames lasts four times as long: what a computed index would get wrong.
    path = tools.write_video(tmp_path / "phone.mp4", 60)
    content = path.read_bytes()
    at = content.index(b"stts")
    entries, count, delta = struct.unpack(">III", content[at + 8 : at + 20])
    assert (entries, count) == (1, 60)
    # The box grows by one entry of eight bytes, and so do the boxes around it; the list of edits would cut the end off.
    changed = bytearray(content.replace(b"edts", b"free"))
    changed[at + 8 : at + 20] = struct.pack(">IIIII", 2, 30, delta, 30, 4 * delta)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        where = bytes(changed).index(box) - 4
        changed[where : where + 4] = struct.pack(">I", struct.unpack(">I", changed[where : where + 4])[0] + 8)
    assert content.index(b"mdat") < at  # so that positions within the media data stay
    path.write_bytes(changed)
    reader = VideoReader(path)
    expected = [i / 25 if i <= 30 else 30 / 25 + (i - 30) * 4 / 25 for i in range(60)]
    for index in (45, 10, 59, 30, 31, 2):
        assert tools.number_of(reader.frame(index)) == index
        assert reader.seconds == pytest.approx(expected[index], abs=1e-3)
    assert reader.find(expected[40] + 0.05) == 40
    reader.close()


def test_pause_step_and_seek(video, play, tools):
    source = play(video, paused=True)
    first = source.next()
    tools.until(lambda: source.state == "paused")
    assert first.origin.index == 0

    def goes_to(index):
        picture = source.next()
        assert (picture.origin.index, tools.number_of(picture.pixels)) == (index, index)
        assert (source.index, source.state) == (index, "paused")

    for order, expected in [
        (source.step, 1), (lambda: source.step(3), 4), (lambda: source.step(-1), 3),
        (lambda: source.step(-1), 2), (lambda: source.seek(40), 40), (lambda: source.step(-2), 38),
        (lambda: source.seek_time(1.0), 25), (lambda: source.step(-100), 0), (lambda: source.seek(1000), 59),
        (source.step, 59), (lambda: source.seek(7), 7),
    ]:  # fmt: skip
        order()
        tools.until(lambda expected=expected: source.index == expected)
        goes_to(expected)
    source.play()
    assert source.next().origin.index == 8  # on from there
    source.pause()
    tools.until(lambda: source.state == "paused")
    held = source.latest()
    source.step()
    assert source.next().origin.index == held.origin.index + 1  # none is lost, none comes twice


def test_the_end_and_what_comes_after(video, play, tools):
    source = play(video, speed=4.0)
    source.start()
    tools.until(lambda: source.state == "ended")
    assert source.latest().origin.index == 59
    source.step(-1)
    tools.until(lambda: source.state == "paused")
    assert source.latest().origin.index == 58
    source.play()
    tools.until(lambda: source.state == "ended")
    source.play()  # from the start
    tools.until(lambda: source.state == "playing" and source.index < 59)


def test_a_loop_goes_on_from_the_start(video, play, tools):
    source = play(video, every=True, loop=True)
    seen = [source.next() for _ in range(150)]
    assert [tools.number_of(p.pixels) for p in seen] == [i % 60 for i in range(150)]
    assert [p.origin.index for p in seen] == [i % 60 for i in range(150)]
    source.loop = False
    while (picture := source.next()) is not None:
        last = picture
    assert last.origin.index == 59


class Clock:
    """Time that passes only where the source waits for it."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("guiapp.sources.video.time.monotonic", lambda: self.now)

    def passing(self, source):
        """Let the clock jump where the source would wait."""
        plain = source._condition.wait_for

        def wait_for(condition, timeout=None):
            if threading.current_thread() is source._thread and timeout is not None:
                self.now += timeout
                timeout = 0
            return plain(condition, timeout)

        source._condition.wait_for = wait_for


@pytest.mark.parametrize("speed", [0.25, 1.0, 2.0, 4.0])
def test_frames_are_due_by_their_time_stamps_and_the_speed(video, play, tools, monkeypatch, speed):
    clock = Clock(monkeypatch)
    shown = []
    source = play(video, speed=speed, on_frame=lambda: shown.append((clock.now, source.index)))
    clock.passing(source)
    source.start()
    tools.until(lambda: source.state == "ended")
    assert [index for _, index in shown] == list(range(60))
    assert [moment - 100 for moment, _ in shown] == pytest.approx([i / 25 / speed for i in range(60)])


def test_speed_changes_act_from_the_frame_that_is_shown(video, play, tools, monkeypatch):
    clock = Clock(monkeypatch)
    shown = []

    def on_frame():
        shown.append(clock.now)
        if len(shown) == 11:
            source.speed = 0.5

    source = play(video, on_frame=on_frame)
    clock.passing(source)
    source.start()
    tools.until(lambda: source.state == "ended")
    gaps = np.diff(shown)
    assert gaps[:10] == pytest.approx(1 / 25)
    assert gaps[10:] == pytest.approx(2 / 25)
    with pytest.raises(ValueError, match="within"):
        source.speed = 5
    with pytest.raises(ValueError, match="within"):
        VideoSource(video, speed=0.1)


def test_a_slow_machine_passes_over_frames_and_counts_them(video, play, tools, monkeypatch):
    clock = Clock(monkeypatch)
    shown = []

    def on_frame():  # each picture costs 100 ms: two frames and a half
        shown.append(source.index)
        clock.now += 0.1

    source = play(video, on_frame=on_frame)
    clock.passing(source)
    source.start()
    tools.until(lambda: source.state == "ended")
    assert 20 <= len(shown) <= 35  # the time of 60 frames at 25 a second holds 24 pictures
    assert source.dropped >= 60 - len(shown)
    assert shown == sorted(set(shown))


def test_nobody_takes_the_frames(video, play, tools):
    source = play(video, speed=4.0)
    source.start()
    tools.until(lambda: source.state == "ended")
    assert source.frames == 60
    assert source.dropped == 59  # the newest is still there


def test_mirror(video, play, tools):
    source = play(video, paused=True)
    plain = source.next()
    source.mirror = True
    turned = source.next()
    assert (turned.pixels == plain.pixels[:, ::-1]).all()
    assert turned.origin == plain.origin
    source.step()
    following = source.next()
    assert following.origin.index == 1
    assert following.pixels[32, 2, 2] > 150  # blue is on the left now
    assert tools.number_of(np.ascontiguousarray(following.pixels[:, ::-1])) == 1


def test_freezing_holds_the_picture_while_the_video_goes_on(video, play, tools):
    source = play(video, speed=4.0)
    held = source.next()
    source.frozen = True
    tools.until(lambda: source.state == "ended")
    assert source.latest() is held or source.latest().origin.index < 59
    source.play()
    assert not source.frozen


def turned(path, degrees):
    """Write a rotation into the header of a track, as phones do."""
    matrix = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version 0: 40 bytes before the matrix
    a, b, c, d = (value * 65536 for value in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("degrees, turns", [(90, -1), (180, 2), (270, 1)])
def test_turned_videos_are_shown_upright(tmp_path, play, tools, degrees, turns):
    plain = play(tools.write_video(tmp_path / "plain.mp4", 3)).next().pixels
    picture = play(turned(tools.write_video(tmp_path / "turned.mp4", 3), degrees)).next()
    assert (picture.pixels == np.rot90(plain, turns)).all()
    assert picture.size == ((64, 96) if degrees != 180 else (96, 64))


def test_files_that_are_no_videos(tmp_path, play, tools):
    with pytest.raises(UserError, match="is not there"):
        VideoSource(tmp_path / "missing.mp4")
    with pytest.raises(UserError, match="is a folder"):
        VideoSource(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UserError, match="is empty"):
        VideoSource(tmp_path / "empty.mp4")
    (tmp_path / "garbage.mp4").write_bytes(np.random.default_rng(0).bytes(50_000))
    source = play(tmp_path / "garbage.mp4")
    source.start()
    tools.until(lambda: source.state == "failed")
    with pytest.raises(UserError, match=r"garbage\.mp4 is damaged or no video") as told:
        source.latest()
    assert source.trouble == str(told.value)
    with pytest.raises(UserError, match="garbage"):
        source.next()
    whole = tools.write_video(tmp_path / "whole.mp4", 50).read_bytes()
    (tmp_path / "headless.mp4").write_bytes(whole[: len(whole) // 2])  # its index was at the end
    with pytest.raises(UserError, match="cut off"):
        play(tmp_path / "headless.mp4").next()


def test_a_file_that_breaks_off_gives_what_is_there_and_says_so(tmp_path, play, tools):
    path = tools.write_video(tmp_path / "cut.avi", 100, codec="MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    source = play(path, every=True)
    seen = numbers(source, tools, damaged=55)  # the one where the file was cut
    assert seen == list(range(len(seen)))
    assert 50 < len(seen) < 70
    assert source.state == "ended"
    assert source.trouble == f"cut.avi is cut off or damaged: it ends after {len(seen)} of 100 frames"
    source.seek(90)  # the nearest that there is
    tools.until(lambda: source.state == "paused")
    assert source.latest().origin.index == len(seen) - 1


def test_names_that_look_like_addresses(tmp_path, play, tools):
    for name in ("a:b.mp4", "100%03d.mp4", "rtsp:x.mp4", "-i.mp4"):
        source = play(tools.write_video(tmp_path / "x.mp4", 5).rename(tmp_path / name), every=True)
        assert len(numbers(source, tools)) == 5


def test_closing_while_it_plays_ends_the_thread(video, tools):
    for wait in (0, 1, 5):
        source = VideoSource(video, loop=True)
        for _ in range(wait):
            source.next()
        began = time.monotonic()
        source.start()
        source.close()
        source.close()
        assert not source._thread.is_alive()
        assert time.monotonic() - began < tools.LIMIT


def test_many_orders_at_once_end_at_the_last(video, play, tools):
    source = play(video, loop=True)
    source.next()
    source.pause()
    for n in range(500):
        source.seek(n % 60)
    source.seek(33)
    tools.until(lambda: source.index == 33 and source.state == "paused")
    assert tools.number_of(source.latest().pixels) == 33
    assert source.frames < 400  # overtaken orders are not carried out


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_videos_are_sought_exactly(real_data, name):
    path = real_data / "video" / name
    if not path.is_file():
        pytest.skip(f"no {name} in {path.parent}")
    reader = VideoReader(path)
    count = 60
    plain = []
    for _, seconds, pixels in reader.frames():
        plain.append((seconds, pixels[::4, ::4].copy()))
        if len(plain) == count:
            break
    for index in (31, 5, 59, 58, 57, 0, 44):
        assert (reader.frame(index)[::4, ::4] == plain[index][1]).all()
        assert reader.seconds == plain[index][0]
    assert reader.scan(float("inf"))
    assert reader.count == reader.declared
    reader.close()
