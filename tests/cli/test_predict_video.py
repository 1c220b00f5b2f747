"""``guiapp predict`` of a video file: annotated copies, sums, stops and damaged files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from guiapp.sources.record import Recorder
from guiapp.sources.video_reader import VideoReader
from tests.cli.test_predict_picture import blobs

ROOT = Path(__file__).parents[2]
RANDOM = ("--weights", "random", "--device", "cpu")


def video(path, frames=12, size=(81, 60), fps=12.5):
    """A picture that moves to the left by a pixel a frame."""
    wide = blobs(size[0] + frames, size[1], 7)
    with Recorder(path, fps) as recorder:
        for i in range(frames):
            recorder.write(np.ascontiguousarray(wide[:, i : i + size[0]]))
    return path


def frames_of(path):
    reader = VideoReader(path)
    try:
        return [pixels for _, _, pixels in reader.frames()], reader.fps, reader.cut_off()
    finally:
        reader.close()


@pytest.mark.window
def test_every_frame_is_predicted_and_written_once(tmp_path, guiapp):
    source = video(tmp_path / "Kurzes Vidéo 映画.mp4", size=(241, 180))
    out = tmp_path / "gemalt ü.mp4"
    done = guiapp("predict", "squeezenet1_1", source, *RANDOM, "--out", out, "--json", "--top", 2)
    assert done.code == 0, done.err
    found = done.json
    assert (found["model"], found["task"], found["weights"]) == ("squeezenet1_1", "classification", "random")
    assert (found["frames"], found["answers"], found["fps"]) == (12, 12, 12.5)
    assert found["seconds"] == pytest.approx(12 / 12.5, abs=0.01)
    assert found["size"] == [242, 180]  # the codec wants even sides: the fixture's recording has one more column
    assert len(found["prediction"]["classes"]) == 2
    assert "12/12 frames" in done.err
    before, after = frames_of(source), frames_of(out)
    assert len(after[0]) == 12 and after[1] == 12.5 and not after[2]
    assert after[0][0].shape == before[0][0].shape
    corner = np.abs(after[0][5].astype(int) - before[0][5]).mean(2)
    assert corner.max() > 60  # the bars
    assert [file.name for file in sorted(tmp_path.glob(".*"))] == []


def test_the_sum_is_the_mean_of_the_frames(tmp_path, guiapp):
    from PIL import Image

    source = video(tmp_path / "video.mp4", frames=3)
    done = guiapp("predict", "squeezenet1_1", source, *RANDOM, "--json", "--top", 1000)
    scores = np.zeros(1000)
    for pixels in frames_of(source)[0]:
        Image.fromarray(pixels).save(tmp_path / "frame.png")
        alone = guiapp("predict", "squeezenet1_1", tmp_path / "frame.png", *RANDOM, "--json")
        for entry in alone.json["prediction"]["classes"]:
            scores[entry["index"]] += entry["score"] / 3
    for entry in done.json["prediction"]["classes"]:
        assert entry["score"] == pytest.approx(scores[entry["index"]], abs=1e-6)
    assert sum(entry["frames"] for entry in done.json["prediction"]["classes"]) == 3


def test_flow_and_clips_need_frames_before(tmp_path, guiapp):
    source = video(tmp_path / "video.mp4", frames=3, size=(128, 128))
    done = guiapp("predict", "raft_small", source, *RANDOM, "--json")
    assert done.code == 0, done.err
    assert (done.json["frames"], done.json["answers"]) == (3, 2)
    assert set(done.json["prediction"]["flow"]) == {"mean", "length"}
    done = guiapp("predict", "mc3_18", source, *RANDOM)
    assert done.code == 0, done.err
    assert "no answer: 3 of the 16 pictures" in done.out


def test_objects_are_counted(tmp_path, guiapp):
    source = video(tmp_path / "video.mp4", frames=3)
    done = guiapp("predict", "ssdlite320", source, *RANDOM, "--json", "--score", 0, "--top", 7)
    objects = done.json["prediction"]["objects"]
    assert sum(entry["boxes"] for entry in objects) == 3 * 7
    assert all(entry["most"] <= entry["boxes"] and entry["frames"] <= 3 for entry in objects)


@pytest.mark.window
def test_a_network_that_was_trained_here_reads_a_video(tmp_path, guiapp):
    one = np.full((120, 160, 3), 250, np.uint8)
    one[20:100, 70:85] = 10
    with Recorder(tmp_path / "video.mp4", 5.0) as recorder:
        for _ in range(3):
            recorder.write(one)
    done = guiapp("predict", "lenet5-mnist", tmp_path / "video.mp4", "--out", tmp_path / "out.mp4", "--json")
    assert done.code == 0, done.err
    assert [(entry["label"], entry["frames"]) for entry in done.json["prediction"]["classes"][:1]] == [("1", 3)]
    frames, _, _ = frames_of(tmp_path / "out.mp4")
    assert len(frames) == 3 and frames[0].shape == one.shape
    assert np.abs(frames[0].astype(int) - one).max() > 100, "the classes are painted over it"


@pytest.mark.window
def test_depth_of_a_video_is_summed_up_and_painted(tmp_path, guiapp):
    from tests.models.zoo import graphs

    graphs.mean_of_channels(tmp_path / "deep.onnx", 30, 40)
    (tmp_path / "deep.toml").write_text('task = "depth"\n[output]\ndecode = "depth"\nunit = "m"\n')
    source = video(tmp_path / "video.mp4", frames=3)
    done = guiapp("predict", tmp_path / "deep.onnx", source, "--out", tmp_path / "out.mp4", "--json")
    assert done.code == 0, done.err
    found = done.json["prediction"]["depth"]
    assert 0 <= found["low"] < found["median"] < found["high"] <= 1
    assert (found["unit"], found["larger"]) == ("m", "far")
    assert guiapp("predict", tmp_path / "deep.onnx", source).out.startswith(f"depth from {found['low']:.4g} to")


def test_a_truncated_video_is_told_and_what_is_there_is_done(tmp_path, guiapp):
    import cv2

    whole = tmp_path / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25, (96, 64))
    wide = blobs(200, 64, 3)
    for i in range(40):
        writer.write(np.ascontiguousarray(wide[:, i : i + 96]))
    writer.release()
    content = whole.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(content[: len(content) // 2])
    done = guiapp("predict", "squeezenet1_1", cut, *RANDOM, "--json")
    assert done.code == 0, done.err
    assert 10 < done.json["frames"] < 30
    assert "cut off or damaged" in done.json["note"] and "cut.avi" in done.err
    # an MP4 without its index at the end holds nothing that can be found
    video(tmp_path / "video.mp4")
    content = (tmp_path / "video.mp4").read_bytes()
    (tmp_path / "video.mp4").write_bytes(content[: len(content) // 2])
    done = guiapp("predict", "squeezenet1_1", tmp_path / "video.mp4", *RANDOM, "--json")
    assert (done.code, done.out) == (1, "")
    assert "video.mp4" in done.err.splitlines()[-1]


def test_results_that_make_no_sense(tmp_path, guiapp):
    source = video(tmp_path / "video.mp4", frames=2)
    content = source.read_bytes()
    for out, said in {"out.png": ".mp4", "video.mp4": "itself", "no/out.mp4": "no folder"}.items():
        done = guiapp("predict", "squeezenet1_1", source, *RANDOM, "--out", tmp_path / out)
        assert (done.code, done.out) == (2, "") and said in done.err
    assert source.read_bytes() == content
    (tmp_path / "empty.mp4").write_bytes(b"")
    done = guiapp("predict", "squeezenet1_1", tmp_path / "empty.mp4", *RANDOM)
    assert done.code == 1 and "empty" in done.err


@pytest.mark.window
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_stopped_by_ctrl_c_the_copy_can_be_played(tmp_path):
    source = video(tmp_path / "long.mp4", frames=3000, size=(64, 64))
    out = tmp_path / "out.mp4"
    words = ["predict", "squeezenet1_1", str(source), *RANDOM, "--out", str(out), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "guiapp", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    for line in process.stderr:
        if "/3000 frames" in line:
            break
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=60)
    assert process.returncode == 1 and printed == ""
    last = err.splitlines()[-1]
    done = int(last.partition("stopped after ")[2].split()[0])
    assert 300 <= done < 3000 and str(out) in last
    frames, _, trouble = frames_of(out)
    assert len(frames) == done and not trouble
    assert list(tmp_path.glob(".*")) == []
