"""The shared words behave as every room relies on."""

import os
import subprocess
import sys

import numpy as np
import pytest

from guiapp.core import paths
from guiapp.core.files import folder_atomic, folder_bytes, write_atomic
from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture, rgb
from guiapp.core.registry import Registry, UnknownName, resolve
from guiapp.core.workspace import Workspace


def picture(value=0):
    return Picture(np.full((4, 5, 3), value, np.uint8), Origin("drawing", "Drawing"))


def test_registry_raises_on_duplicates_and_names_what_is_near():
    registry = Registry("model")
    registry.add("lenet5", 1)
    with pytest.raises(ValueError, match="two entries of kind model are named 'lenet5'"):
        registry.add("lenet5", 2)
    assert registry.get("lenet") is None
    with pytest.raises(UnknownName, match="no model is named 'lenet'; did you mean lenet5"):
        registry["lenet"]
    assert "lenet5" in registry
    assert list(registry) == ["lenet5"]


def test_resolve_imports_what_a_reference_names():
    assert resolve("os.path:join") is os.path.join
    with pytest.raises(ValueError, match="not of the form"):
        resolve("os.path")


def test_a_picture_is_rgb_and_contiguous():
    made = Picture(np.zeros((3, 6, 4), np.uint8).transpose(1, 2, 0), Origin("file", "x"))
    assert made.pixels.flags.c_contiguous
    assert made.size == (4, 6)
    with pytest.raises(ValueError, match="uint8"):
        Picture(np.zeros((3, 6, 3), np.float32), Origin("file", "x"))


def test_a_picture_feeds_its_sample_to_the_network():
    sample = np.ones((8, 8, 1), np.uint8)
    drawn = Picture(np.zeros((280, 280, 3), np.uint8), Origin("drawing", "Drawing"), sample=sample)
    assert drawn.network_pixels is sample
    assert picture().network_pixels.shape == (4, 5, 3)


def test_grey_becomes_three_equal_channels():
    made = rgb(np.arange(6, dtype=np.uint8).reshape(2, 3, 1))
    assert made.shape == (2, 3, 3)
    assert (made[..., 0] == made[..., 2]).all()


def test_workspace_calls_listeners_once_per_change():
    seen = []
    workspace = Workspace()
    stop = workspace.subscribe("layer", seen.append)
    workspace.layer = "conv1"
    workspace.layer = "conv1"
    workspace.unit = 3
    workspace.layer = None
    stop()
    workspace.layer = "conv2"
    assert seen == ["conv1", None]
    with pytest.raises(KeyError):
        workspace.subscribe("no such field", seen.append)


def test_workspace_survives_a_listener_that_assigns_back():
    workspace = Workspace()
    workspace.subscribe("class_index", lambda value: setattr(workspace, "class_index", 2))
    workspace.class_index = 1
    assert workspace.class_index == 2


def test_every_new_picture_is_told_even_with_equal_pixels():
    seen = []
    workspace = Workspace()
    workspace.subscribe("picture", seen.append)
    first, second = picture(), picture()
    workspace.picture = first
    workspace.picture = second
    assert seen == [first, second]


def test_notices_reach_listeners_until_they_leave():
    board = NoticeBoard()
    seen = []
    leave = board.subscribe(seen.append)
    board.post("warning", "low on memory", "details")
    leave()
    board.post("info", "unheard")
    assert [n.text for n in seen] == ["low on memory"]
    assert [n.text for n in board.notices] == ["low on memory", "unheard"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "run.json"
    write_atomic(target, "old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, "new and longer")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "checkpoints" / "10"
    with pytest.raises(RuntimeError), folder_atomic(target) as working:
        (working / "weights").write_bytes(b"half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []
    for content in (b"one", b"second"):
        with folder_atomic(target) as working:
            (working / "weights").write_bytes(content)
    assert (target / "weights").read_bytes() == b"second"
    assert [p.name for p in target.parent.iterdir()] == ["10"]
    assert folder_bytes(tmp_path) == 6


def test_a_file_of_a_package_is_found_before_and_after_it_is_imported():
    find = "from guiapp.core.paths import of_package as find; name = 'data/haarcascade_frontalface_alt.xml'; "
    after = "path = find('cv2', name); import cv2; assert find('cv2', name) == path and path.is_file()"
    subprocess.run([sys.executable, "-c", find + after], check=True)
    assert paths.of_package("cv2", "data/no-such-file") is None
    assert paths.of_package("no_such_package", "file") is None


@pytest.mark.skipif(os.name != "posix", reason="other systems have no umask")
@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_files_and_folders_have_the_mode_that_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "run.json", "{}")
        with folder_atomic(tmp_path / "10") as working:
            write_atomic(working / "state.json", "{}")
    finally:
        os.umask(before)
    for name, plain in (("run.json", 0o666), ("10", 0o777), ("10/state.json", 0o666)):
        assert (tmp_path / name).stat().st_mode & 0o777 == plain & ~mask, name
