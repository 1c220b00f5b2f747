"""Sources: files, folders of any size, drawings, arrays."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.datasets import open_dataset
from guiapp.sources.array import picture_from_array
from guiapp.sources.base import Source, StillSource
from guiapp.sources.drawing import drawing_picture
from guiapp.sources.folder import FolderSource, natural_key
from guiapp.sources.image_file import picture_from_bytes, read_picture


def write(path, value=0, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value % 256, value // 256, 7)).save(path)


def test_read_picture(tmp_path):
    write(tmp_path / "größe 1.png", 5)
    before = time.monotonic()
    picture = read_picture(tmp_path / "größe 1.png")
    assert picture.size == (12, 8)
    assert (picture.pixels == (5, 0, 7)).all()
    assert picture.origin.kind == "file"
    assert picture.origin.name == "größe 1.png"
    assert picture.origin.path == tmp_path / "größe 1.png"
    assert picture.time >= before
    with pytest.raises(UserError, match="is not there"):
        read_picture(str(tmp_path / "missing.png"))


def test_picture_from_bytes():
    stream = io.BytesIO()
    Image.new("L", (4, 3), 9).save(stream, "BMP")
    picture = picture_from_bytes(stream.getvalue(), "Dropped")
    assert (picture.origin.kind, picture.origin.name, picture.size) == ("clipboard", "Dropped", (4, 3))
    with pytest.raises(UserError, match="Dropped is no picture"):
        picture_from_bytes(b"some text", "Dropped")


def test_arrays():
    colours = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    picture = picture_from_array(colours)
    assert (picture.pixels == colours).all()
    colours[:] = 0
    assert picture.pixels.any()  # a copy
    assert picture_from_array(np.full((2, 3), 7, np.uint8)).pixels.tolist() == [[[7] * 3] * 3] * 2
    clear = picture_from_array(np.zeros((2, 3, 4), np.uint8))
    assert (clear.pixels == 255).all()
    for bad in (np.zeros((2, 3)), np.zeros((2, 3, 2), np.uint8), np.zeros(5, np.uint8), np.zeros((0, 3), np.uint8)):
        with pytest.raises(UserError):
            picture_from_array(bad)


def test_a_drawing_carries_the_sample_of_the_open_set():
    canvas = np.zeros((280, 280), np.uint8)
    canvas[50:200, 100:130] = 255
    digits = open_dataset("digits")
    picture = drawing_picture(canvas, digits)
    assert picture.size == (280, 280)
    assert (picture.sample == digits.from_drawing(canvas)).all()
    assert (picture.network_pixels == picture.sample).all()
    assert picture.origin.kind == "drawing"
    canvas[:] = 0
    assert picture.pixels.any()  # a copy
    assert drawing_picture(canvas).sample is None


def test_a_still_source_gives_its_picture_once():
    picture = picture_from_array(np.zeros((2, 2), np.uint8))
    source = StillSource(picture)
    assert isinstance(source, Source)
    assert not source.live
    assert source.latest() is picture
    assert source.next() is picture
    assert source.next() is None
    assert source.latest() is picture
    source.close()
    assert source.latest() is None


@pytest.fixture
def folder(tmp_path):
    for n in (1, 2, 10, 20, 3):
        write(tmp_path / f"img{n}.png", n)
    write(tmp_path / "sub" / "a.jpg", 0)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.png").write_bytes(b"")
    return tmp_path


def test_a_folder_in_natural_order(folder):
    source = FolderSource(folder)
    assert isinstance(source, Source)
    assert source.complete
    assert source.name == folder.name
    names = [source.file(i).relative_to(folder).as_posix() for i in range(len(source))]
    assert names == ["img1.png", "img2.png", "img3.png", "img10.png", "img20.png", "sub/a.jpg"]
    seen = []
    while (picture := source.next()) is not None:
        seen.append(Path(picture.origin.name).as_posix())
        assert source.latest() is picture  # the same object until there is another
        assert picture.origin.index == len(seen) - 1
    assert seen == names
    assert source.next() is None
    assert source.previous().origin.name == "img20.png"
    assert source.go(0).pixels[0, 0, 0] == 1
    assert source.previous() is None
    source.close()
    assert source.latest() is None
    assert source.next() is None


def test_an_unreadable_picture_is_told_and_passed(folder):
    (folder / "img2.png").write_bytes(b"broken")
    source = FolderSource(folder)
    assert source.next().origin.name == "img1.png"
    with pytest.raises(UserError, match=r"img2\.png"):
        source.next()
    assert source.next().origin.name == "img3.png"


def test_thumbnails_are_small_and_keep_the_aspect(tmp_path):
    write(tmp_path / "wide.jpg", 200, (1600, 400))
    write(tmp_path / "tiny.png", 100, (5, 3))
    source = FolderSource(tmp_path)
    assert source.thumbnail(1, 96).shape == (24, 96, 3)
    assert np.abs(source.thumbnail(1, 96)[..., 0].astype(int) - 200).max() < 4
    assert source.thumbnail(0, 96).shape == (3, 5, 3)
    with pytest.raises(IndexError):
        source.thumbnail(2)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(UserError, match="holds no pictures"):
        FolderSource(tmp_path)
    with pytest.raises(UserError, match="is not there"):
        FolderSource(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is not a folder"):
        FolderSource(tmp_path / "file")


def test_ten_thousand_pictures_are_listed_in_slices_and_read_one_at_a_time(tmp_path):
    stream = io.BytesIO()
    Image.new("L", (4, 4), 50).save(stream, "PNG")
    for n in range(10_000):
        (tmp_path / f"{n}.png").write_bytes(stream.getvalue())
    source = FolderSource(tmp_path, seconds=0.0)
    assert 0 < len(source) < 10_000  # the first slice is enough for a first picture
    first = source.latest()
    assert first.size == (4, 4)
    name = first.origin.name
    while not source.more(0.0):
        assert source.latest() is first  # the current one stays, wherever it moves to in the order
        assert source.file(source.index).name == name
    assert len(source) == 10_000
    assert [source.file(i).name for i in (0, 1, 2, 10, 9_999)] == ["0.png", "1.png", "2.png", "10.png", "9999.png"]
    assert source.file(source.index).name == name


def test_natural_key():
    assert sorted(["b", "a10", "a9", "A1", "2", "10"], key=natural_key) == ["2", "10", "A1", "a9", "a10", "b"]


@pytest.mark.data
def test_real_pictures(real_data):
    source = FolderSource(real_data / "imagenet_200")
    source.more(10)
    assert len(source) == 200
    assert source.next().pixels.shape[2] == 3
    assert max(source.thumbnail(7, 64).shape) == 64
