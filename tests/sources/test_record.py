"""Recordings: what is in the file, and that there is no half one."""

import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.engine.job import Job
from guiapp.sources import record as recording
from guiapp.sources.record import Recorder, record
from guiapp.sources.video_reader import VideoReader

resource = pytest.importorskip("resource")  # the last test needs a limit that only Unix has


def numbers(path, tools):
    reader = VideoReader(path)
    seen = [tools.number_of(pixels) for _, _, pixels in reader.frames()]
    reader.close()
    return seen


def test_frames_come_back_as_they_were_given(tmp_path, tools):
    path = tmp_path / "neu ü" / "a.mp4"
    frames = [tools.coded(n) for n in range(40)]
    with Recorder(path, fps=20) as recorder:
        for frame in frames:
            recorder.write(frame)
        assert (recorder.frames, recorder.seconds) == (40, 2.0)
        assert not path.exists()  # only when it is whole
    assert numbers(path, tools) == list(range(40))
    reader = VideoReader(path)
    assert (reader.fps, reader.size) == (20, (96, 64))
    back = reader.frame(7)
    reader.close()
    assert np.abs(back.astype(int) - frames[7]).mean() < 8  # the colours are in their order
    assert [p.name for p in path.parent.iterdir()] == ["a.mp4"]
    assert path.stat().st_mode & 0o777 == (path.parent.stat().st_mode & 0o666)


def test_time_stamps_decide_how_often_a_frame_is_repeated(tmp_path, tools):
    with Recorder(tmp_path / "a.mp4", fps=10) as recorder:
        for n, seconds in enumerate([50.0, 50.5, 50.52, 50.54, 51.0, 5000.0, 4000.0, 4000.1]):
            recorder.write(tools.coded(n), seconds)
    seen = numbers(tmp_path / "a.mp4", tools)
    assert seen[:10] == [0] * 5 + [1] + [3] * 4  # 1 was shown for 20 ms, 2 for another 20 ms: left out
    assert seen[10:].count(4) == 100  # ten seconds, not an hour and a half
    assert seen[110:] == [6, 7]


def test_a_job_with_progress_that_can_be_stopped(tmp_path, tools):
    path = tmp_path / "a.mp4"
    job = Job(record(path, (tools.coded(n) for n in range(10)), total=10))
    for n in range(1, 11):
        assert job.advance()
        assert job.share == n / 10
        assert job.message.startswith(f"a.mp4: {n} of 10 frames")
    assert not path.exists()
    assert not job.advance()
    assert (job.state, job.result) == ("done", path)
    assert numbers(path, tools) == list(range(10))
    before = path.read_bytes()
    stopped = Job(record(path, (tools.coded(0) for _ in range(10))))
    stopped.advance()
    stopped.stop()
    stopped.advance()
    assert stopped.state == "stopped"
    assert path.read_bytes() == before  # the one that was there
    assert list(tmp_path.iterdir()) == [path] or {p.name for p in tmp_path.iterdir()} <= {"a.mp4", "home"}


def test_odd_and_changing_sizes(tmp_path, tools):
    with Recorder(tmp_path / "a.mp4") as recorder:
        recorder.write(np.full((65, 97, 3), 200, np.uint8))
        recorder.write(np.full((65, 200, 3), 200, np.uint8))
        recorder.write(np.full((10, 8, 3), 200, np.uint8))
    reader = VideoReader(tmp_path / "a.mp4")
    frames = [pixels for _, _, pixels in reader.frames()]
    reader.close()
    assert [f.shape for f in frames] == [(66, 98, 3)] * 3
    assert frames[0].min() > 180  # the added row and column go on with the picture
    assert frames[1][33, 49, 0] > 180 > 40 > frames[1][3, 49, 0]  # borders above and below
    assert frames[2][33, 49, 0] > 180 > 40 > frames[2][33, 3, 0]  # borders left and right


def test_an_exception_leaves_nothing(tmp_path, tools):
    folder = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), Recorder(folder / "a.mp4") as recorder:
        recorder.write(tools.coded(0))
        raise ZeroDivisionError
    assert not list(folder.iterdir())


def test_what_cannot_be_recorded(tmp_path, tools):
    with pytest.raises(UserError, match=r"must end in \.mp4"):
        Recorder(tmp_path / "a.avi")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written to"):
        Recorder(tmp_path / "file" / "a.mp4")
    with pytest.raises(ValueError, match="fps"):
        Recorder(tmp_path / "a.mp4", fps=0)
    folder = tmp_path / "out"
    with pytest.raises(UserError, match="nothing to record"), Recorder(folder / "a.mp4"):
        pass
    with (
        pytest.raises(UserError, match="no avc1 codec for 96 x 64"),
        Recorder(folder / "a.mp4", codec="avc1") as missing,
    ):
        missing.write(tools.coded(0))
    assert not list(folder.iterdir())


def test_a_disk_that_fills_up_leaves_what_was_recorded(tmp_path, tools, monkeypatch):
    folder = tmp_path / "out"
    usage = recording.shutil.disk_usage
    free = iter([10**9] * 50 + [1000] * 9)
    monkeypatch.setattr(recording.shutil, "disk_usage", lambda path: usage(path)._replace(free=next(free)))
    recorder = Recorder(folder / "a.mp4")
    with pytest.raises(UserError, match=r"holds the first 2\.0 s and no more: .* has 0 MB free, make room"):
        for n in range(100):
            recorder.write(tools.coded(n))
    assert numbers(folder / "a.mp4", tools) == list(range(50))
    assert recorder.keep() == folder / "a.mp4" and [p.name for p in folder.iterdir()] == ["a.mp4"]
    with pytest.raises(UserError, match="is finished"):
        recorder.write(tools.coded(0))
    with pytest.raises(UserError, match=r"cannot be recorded: .* 0 MB free"):
        Recorder(folder / "b.mp4").write(tools.coded(0))
    assert [p.name for p in folder.iterdir()] == ["a.mp4"]


def test_what_is_there_can_be_kept_at_any_time(tmp_path, tools):
    nothing = Recorder(tmp_path / "a.mp4")
    assert nothing.keep() is None
    recorder = Recorder(tmp_path / "a.mp4")
    recorder.write(tools.coded(7), 1.0)
    recorder.write(tools.coded(8), 1.2)
    assert recorder.keep() == tmp_path / "a.mp4" and numbers(tmp_path / "a.mp4", tools) == [7] * 5 + [8]


def test_bytes_that_could_not_be_written_are_noticed(tmp_path, tools):
    """The system refuses to let the file grow, as a full disk does; OpenCV does not say so."""
    folder = tmp_path / "out"
    noise = np.random.default_rng(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    recorder = Recorder(folder / "a.mp4")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        with pytest.raises(UserError, match="could not be written whole"):
            for _ in range(60):
                recorder.write(noise.integers(0, 256, (240, 320, 3), np.uint8))
            recorder.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(folder.iterdir())
