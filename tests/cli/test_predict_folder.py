"""``guiapp predict`` of a folder of pictures."""

import numpy as np
import pytest
from PIL import Image

from guiapp.cli import output
from tests.cli.test_predict_picture import blobs, saved

RANDOM = ("squeezenet1_1", "--weights", "random", "--device", "cpu")


@pytest.fixture
def album(tmp_path):
    """Pictures of odd sizes, some further down, one of them broken and one no picture."""
    folder = tmp_path / "Fotos ž"
    (folder / "inner").mkdir(parents=True)
    saved(folder / "a2.png", blobs(61, 47, 1))
    saved(folder / "a10.jpg", blobs(33, 90, 2))
    saved(folder / "inner" / "日.gif", blobs(40, 41, 3))
    (folder / "b.png").write_bytes((folder / "a2.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_corrupt_picture_is_told_and_the_rest_goes_on(album, guiapp):
    name, *options = RANDOM
    done = guiapp("predict", name, album, *options, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert [entry["input"] for entry in found["pictures"]] == ["a2.png", "a10.jpg", "inner/日.gif"]
    assert [entry["size"] for entry in found["pictures"]] == [[61, 47], [33, 90], [40, 41]]
    assert [entry["input"] for entry in found["failed"]] == ["b.png"]
    assert "b.png" in done.err and "1 of 4 pictures could not be read" in done.err
    assert "4/4 pictures" in done.err
    assert all(len(entry["prediction"]["classes"]) == 5 for entry in found["pictures"])
    alone = guiapp("predict", name, album / "a10.jpg", *options, "--json", "--top", 5)
    assert found["pictures"][1]["prediction"] == alone.json["prediction"]


def test_as_text_each_picture_is_a_line(album, guiapp):
    name, *options = RANDOM
    done = guiapp("predict", name, album, *options)
    assert [line.partition(":")[0] for line in done.out.splitlines()] == ["a2.png", "a10.jpg", "inner/日.gif"]


@pytest.mark.window
def test_copies_lie_as_the_pictures_do_and_are_not_predicted_again(album, guiapp):
    name, *options = RANDOM
    out = album / "results"
    before = {file: file.read_bytes() for file in album.rglob("*") if file.is_file()}
    for _ in range(2):
        done = guiapp("predict", name, album, *options, "--json", "--out", out)
        assert done.code == 0, done.err
        assert [entry["out"] for entry in done.json["pictures"]] == ["a2.png", "a10.jpg", "inner/日.gif.png"]
    for entry in done.json["pictures"]:
        with Image.open(out / entry["out"]) as image:
            assert list(image.size) == entry["size"]
    assert all(file.read_bytes() == content for file, content in before.items())


def test_pictures_in_their_order_are_frames_for_flow(tmp_path, guiapp):
    wide = blobs(150, 130, 4)
    for i in range(3):
        saved(tmp_path / f"{i}.png", np.ascontiguousarray(wide[:, i : i + 140]))
    done = guiapp("predict", "raft_small", tmp_path, "--weights", "random", "--json", "--device", "cpu")
    assert done.code == 0, done.err
    first, *others = [entry["prediction"] for entry in done.json["pictures"]]
    assert first is None
    assert all(len(found["flow"]["mean"]) == 2 for found in others)


def test_folders_that_make_no_sense(album, tmp_path, guiapp):
    name, *options = RANDOM
    done = guiapp("predict", name, album, *options, "--out", album)
    assert done.code == 2 and "itself" in done.err
    done = guiapp("predict", name, album, *options, "--out", album / "a2.png")
    assert done.code == 2 and "is a file" in done.err
    done = guiapp("predict", name, album, *options, "--out", tmp_path / "no" / "where")
    assert done.code == 2 and "no folder" in done.err
    empty = tmp_path / "empty"
    empty.mkdir()
    done = guiapp("predict", name, empty, *options)
    assert done.code == 1 and "no pictures" in done.err
    (empty / "broken.png").write_bytes(b"broken")
    done = guiapp("predict", name, empty, *options, "--json")
    assert (done.code, done.out) == (1, "") and "could be read" in done.err


def test_a_trained_network_reads_a_folder_too(album, guiapp):
    done = guiapp("predict", "lenet5-mnist", album, "--json", "--top", 1)
    assert done.code == 0, done.err
    assert all(entry["read_as"] and len(entry["prediction"]["classes"]) == 1 for entry in done.json["pictures"])


def test_the_bar_on_a_terminal_and_the_lines_elsewhere(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    now = iter(range(1000))
    monkeypatch.setattr(output.time, "monotonic", lambda: float(next(now)))
    with output.Counter(4, "pictures") as counter:
        for i in range(4):
            counter.show(i + 1)
    shown = capsys.readouterr().err
    assert "█" * 12 + "░" * 12 + " 2/4 pictures" in shown and " left" in shown
    assert shown.endswith("\r")
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    with output.Counter(100, "frames") as counter:
        for i in range(100):
            counter.show(i + 1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == [f"{i}0/100" for i in range(1, 11)]
