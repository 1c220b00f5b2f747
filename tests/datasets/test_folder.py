"""Class folders and .zip files: layouts, parts, broken files, the cache."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.datasets import open_dataset
from guiapp.datasets.base import PARTS
from guiapp.datasets.listing import list_folder


def write(path, value=0, size=(40, 30), colour=True):
    """A picture whose red channel (or grey) is ``value``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, (value, 10, 20)) if colour else Image.new("L", size, value)
    image.save(path)


@pytest.fixture
def flowers(tmp_path):
    """Three classes of 20 pictures; the red channel is 80 * class + number."""
    for c, name in enumerate(("rose", "Tulip", "daisy 10")):
        for n in range(20):
            write(tmp_path / "flowers" / name / f"img{n}.png", 80 * c + n)
    return tmp_path / "flowers"


def test_classes_parts_and_pixels(flowers):
    found = open_dataset(flowers)
    assert found.name == f"folder:{flowers}"
    assert found.title == "flowers"
    assert found.classes == ("daisy 10", "rose", "Tulip")
    assert [len(found.part(part)) for part in PARTS] == [42, 9, 9]
    assert np.bincount(found.train.labels).tolist() == [14, 14, 14]
    assert found.sample_shape == (3, 32, 32)
    assert isinstance(found.train.images, np.memmap)
    first = {"rose": 0, "Tulip": 80, "daisy 10": 160}
    seen = set()
    for part in PARTS:
        samples = found.part(part)
        for image, label, path in zip(samples.images, samples.labels, samples.paths, strict=True):
            folder, name = os.path.split(path)
            assert os.path.basename(folder) == found.classes[label]
            assert (image == (first[found.classes[label]] + int(name[3:-4]), 10, 20)).all()
            seen.add(path)
    assert len(seen) == 60
    assert found.original_sizes == ((40, 30), (40, 30))
    assert found.unreadable == ()
    assert found.from_drawing is None
    assert found.mean[1] == pytest.approx(10 / 255)


def test_the_parts_are_the_same_every_time_and_the_cache_is_used(flowers, home):
    first = open_dataset(flowers)
    decoded = list((home / "cache" / "folders").iterdir())
    assert len(decoded) == 1
    stamp = (decoded[0] / "images.npy").stat().st_mtime_ns
    texts = []
    again = open_dataset(first.name, lambda share, text: texts.append(text))
    assert (decoded[0] / "images.npy").stat().st_mtime_ns == stamp
    assert not any("decoding" in text for text in texts)
    assert again.test.paths == first.test.paths
    assert (again.train.images == first.train.images).all()


def test_a_changed_file_or_size_decodes_anew(flowers, home):
    open_dataset(flowers)
    assert open_dataset(f"{flowers}@16").sample_shape == (3, 16, 16)
    assert open_dataset(f"folder:{flowers}@16").name == f"folder:{flowers}@16"
    write(flowers / "rose" / "img0.png", 255, (50, 50))
    changed = open_dataset(flowers)
    assert changed.original_sizes == ((40, 30), (50, 50))
    assert len(list((home / "cache" / "folders").iterdir())) == 3
    with pytest.raises(UserError, match="between 1 and 1024"):
        open_dataset(f"{flowers}@5000")


def test_broken_files_are_left_out_counted_and_named(flowers):
    (flowers / "rose" / "broken.jpg").write_bytes(b"no picture at all")
    (flowers / "rose" / "empty.png").write_bytes(b"")
    content = (flowers / "Tulip" / "img3.png").read_bytes()
    (flowers / "Tulip" / "half.png").write_bytes(content[: len(content) // 2])
    (flowers / "Tulip" / "notes.txt").write_text("not a picture, and not meant to be one")
    (flowers / "rose" / "gone.jpg").symlink_to(flowers / "nowhere.jpg")
    texts = []
    found = open_dataset(flowers, lambda share, text: texts.append(text))
    assert sum(len(found.part(part)) for part in PARTS) == 60
    assert len(found.unreadable) == 4
    for name in ("rose/broken.jpg", "rose/empty.png", "rose/gone.jpg", "Tulip/half.png"):
        assert sum(name in text for text in found.unreadable) == 1
    assert "4 unreadable" in texts[-1]
    assert open_dataset(flowers).unreadable == found.unreadable  # also from the cache
    for part in PARTS:
        assert not any(os.path.basename(path) == "broken.jpg" for path in found.part(part).paths)
        assert found.part(part).images[:, 0, 0, 1].tolist() == [10] * len(found.part(part))


def test_all_grey_stays_grey_and_takes_drawings(tmp_path):
    for c, name in enumerate("ab"):
        for n in range(10):
            write(tmp_path / name / f"{n}.png", 250 - c, (32, 32), colour=False)
    found = open_dataset(tmp_path)
    assert found.sample_shape == (1, 32, 32)
    assert set(np.unique(found.train.images)) == {249, 250}
    canvas = np.zeros((280, 280), np.uint8)
    canvas[100:200, 100:200] = 255
    sample = found.from_drawing(canvas)
    assert sample.shape == (32, 32, 1)
    assert sample[0, 0, 0] == 255  # dark ink on light paper, as this set has it
    assert sample[16, 16, 0] == 0


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (("train", "validation", "test"), [20, 6, 8]),
        (("Train", "val", "Test"), [20, 6, 8]),
        (("training", "valid", "testing"), [20, 6, 8]),
        (("train", "test"), [17, 3, 8]),
        (("train", "val"), [17, 6, 3]),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_own_parts_are_kept_and_missing_ones_taken_from_train(tmp_path, names, sizes, wrapped):
    numbers = {"tr": 10, "va": 3, "te": 4}
    root = tmp_path / "set"
    for name in names:
        for label in ("cat", "dog"):
            for n in range(numbers[name.lower()[:2]]):
                write((root / "inner" if wrapped else root) / name / label / f"{n}.png", n)
    found = open_dataset(root)
    assert found.classes == ("cat", "dog")
    assert [len(found.part(part)) for part in PARTS] == sizes
    for part in PARTS:
        others = [other for other in PARTS if other != part]
        assert all(set(found.part(part).paths).isdisjoint(found.part(other).paths) for other in others)
    if len(names) == 3:
        assert all(names[2] in path for path in found.test.paths)


def test_a_class_may_be_called_test(tmp_path):
    for name in ("test", "real"):
        for n in range(4):
            write(tmp_path / name / f"{n}.png", n)
    assert open_dataset(tmp_path).classes == ("real", "test")


def test_zip(flowers, tmp_path):
    archive = tmp_path / "flowers.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(flowers.rglob("*.png")):
            packed.write(file, f"deep/{file.relative_to(flowers).as_posix()}")
        packed.writestr("deep/rose/broken.png", b"nothing")
        packed.writestr("__MACOSX/deep/rose/._img0.png", b"rubbish")
        packed.writestr("deep/readme.txt", "hello")
    found = open_dataset(archive)
    folder = open_dataset(flowers)
    assert found.title == "flowers"
    assert found.classes == folder.classes
    assert sum(len(found.part(part)) for part in PARTS) == 60
    assert len(found.unreadable) == 1
    assert sorted(i.tobytes() for p in PARTS for i in found.part(p).images) == sorted(
        i.tobytes() for p in PARTS for i in folder.part(p).images
    )


def test_damaged_members_of_a_zip_are_left_out(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(stream, "PNG")
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for n in range(10):
            packed.writestr(f"{'ab'[n % 2]}/{n}.png", stream.getvalue())
    content = bytearray(archive.read_bytes())
    content[200:400] = bytes(200)
    archive.write_bytes(content)
    found = open_dataset(archive)
    assert sum(len(found.part(part)) for part in PARTS) == 9
    assert len(found.unreadable) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "there is none"),
        (["a.png", "b.png"], "there is none"),
        (["only/a.png", "only/b.png"], "only only is there"),
        (["a/notes.txt", "b/notes.txt"], "there is none"),
    ],
)
def test_folders_without_classes(tmp_path, files, words):
    for name in files:
        write(tmp_path / name) if name.endswith("png") else (tmp_path / name).parent.mkdir()
        if name.endswith("txt"):
            (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match=words):
        open_dataset(tmp_path)


def test_nothing_readable(tmp_path, home):
    for name in "ab":
        (tmp_path / name).mkdir()
        for n in range(3):
            (tmp_path / name / f"{n}.png").write_bytes(b"x")
    with pytest.raises(UserError, match="can be read; the first"):
        open_dataset(tmp_path)
    assert list((home / "cache" / "folders").iterdir()) == []


def test_files_that_are_no_archive(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"neither a folder nor a \.zip"):
        open_dataset(tmp_path / "x.zip")


def test_stopping_leaves_nothing_half_done(flowers, home):
    class Stopped(Exception):
        pass

    def stop(share, text):
        if "decoding" in text:
            raise Stopped

    with pytest.raises(Stopped):
        open_dataset(flowers, stop)
    assert list((home / "cache" / "folders").iterdir()) == []
    assert len(open_dataset(flowers).train) == 42


def test_very_small_folders(tmp_path):
    for name in "ab":
        write(tmp_path / name / "1.png")
    found = open_dataset(tmp_path)
    assert [len(found.part(part)) for part in PARTS] == [2, 0, 0]
    assert found.validation.images.shape == (0, 32, 32, 3)


def test_natural_order_unicode_and_hidden_files(tmp_path):
    for name in ("klasse 10", "klasse 2", "Größe", ".hidden"):
        write(tmp_path / name / "bild 🌻.png")
        write(tmp_path / name / ".thumb.png")
    listing = list_folder(tmp_path)
    assert listing.classes == ("Größe", "klasse 2", "klasse 10")
    assert listing.files == ("Größe/bild 🌻.png", "klasse 2/bild 🌻.png", "klasse 10/bild 🌻.png")


@pytest.mark.data
def test_real_photographs(real_data):
    found = open_dataset(real_data / "att_faces")
    assert len(found.classes) == 40
    assert found.classes[1] == "s2"
    assert found.sample_shape == (1, 32, 32)
    assert [len(found.part(part)) for part in PARTS] == [280, 60, 60]
    assert found.original_sizes == ((92, 112), (92, 112))
    assert (np.bincount(found.train.labels) == 7).all()
