"""The published sets: counts, parts, layouts found, and what is said when they are not there."""

import gzip
import io
import pickle
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from guiapp.core import downloads
from guiapp.core.notices import SettingError, UserError
from guiapp.datasets import DATASETS, cifar, idx, mnist, open_dataset
from guiapp.datasets.base import PARTS, channel_statistics


def test_importing_the_room_loads_nothing_heavy():
    import subprocess
    import sys

    code = "import sys, guiapp.datasets; print([m for m in ('torch', 'sklearn', 'PIL', 'scipy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_digits_are_those_that_scikit_learn_reads(monkeypatch):
    from sklearn.datasets import load_digits

    from guiapp.datasets import digits

    bunch, table = load_digits(), digits._table()
    assert np.array_equal(table, np.column_stack([bunch.data, bunch.target]))
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    assert np.array_equal(digits._table(), table), "where the file does not lie beside the package, as in an archive"


def test_digits():
    digits = open_dataset("digits")
    assert DATASETS["digits"].available()
    assert [len(digits.part(part)) for part in PARTS] == [1079, 359, 359]
    assert digits.sample_shape == (1, 8, 8)
    assert digits.classes == tuple("0123456789")
    for part in PARTS:
        samples = digits.part(part)
        assert samples.images.dtype == np.uint8
        assert samples.labels.dtype == np.int64
        counts = np.bincount(samples.labels)
        assert counts.max() - counts.min() <= 0.06 * len(samples) / 10 + 2
    assert set(np.unique(digits.train.images)) == {round(v * 255 / 16) for v in range(17)}
    values = digits.train.images / 255
    assert digits.mean == pytest.approx((values.mean(),))
    assert digits.std == pytest.approx((values.std(),))


def test_digits_hold_every_published_one_once():
    from sklearn.datasets import load_digits

    published = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)
    digits = open_dataset("digits")
    ours = np.concatenate([digits.part(part).images for part in PARTS])[..., 0]
    assert sorted(i.tobytes() for i in ours) == sorted(i.tobytes() for i in published)
    again = open_dataset("digits")
    assert (again.validation.images == digits.validation.images).all()


@pytest.mark.data
def test_mnist(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    assert DATASETS["mnist"].available()
    heard = []
    found = open_dataset("mnist", lambda share, text: heard.append(share))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert [len(found.part(part)) for part in PARTS] == [55_000, 5_000, 10_000]
    assert found.sample_shape == (1, 28, 28)
    # The published counts of the 60,000 and of the 10,000.
    both = np.bincount(found.train.labels) + np.bincount(found.validation.labels)
    assert both.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(found.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.abs(np.bincount(found.validation.labels) - both / 12).max() < 1
    assert found.mean[0] == pytest.approx(0.1307, abs=2e-4)
    assert found.std[0] == pytest.approx(0.3081, abs=2e-4)
    assert found.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.data
def test_subsets_say_so(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    fashion = open_dataset("fashion-mnist")
    assert fashion.title == "Fashion-MNIST (900 pictures)"
    assert [len(fashion.part(part)) for part in PARTS] == [595, 105, 200]
    pictures = open_dataset("cifar10")
    assert pictures.title == "CIFAR-10 (7,000 JPEGs)"
    assert [len(pictures.part(part)) for part in PARTS] == [4250, 750, 2000]
    assert pictures.classes[3] == "cat"
    assert pictures.sample_shape == (3, 32, 32)


def write_idx(path, array, packed=False):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if packed else content)


def write_set(folder, train=40, test=20, packed=False):
    random = np.random.default_rng(0)
    suffix = ".gz" if packed else ""
    for prefix, count in (("train", train), ("t10k", test)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", random.integers(0, 256, (count, 28, 28)), packed)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", np.arange(count) % 10, packed)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", ["MNIST/raw", "MNIST"])
def test_mnist_layouts(tmp_path, monkeypatch, layout, packed):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    assert not DATASETS["mnist"].available()
    write_set(tmp_path / layout, packed=packed)
    assert DATASETS["mnist"].available()
    found = open_dataset("mnist")
    assert found.title == "MNIST (60 pictures)"
    assert [len(found.part(part)) for part in PARTS] == [34, 6, 20]


def test_the_full_set_goes_before_a_subset(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    write_set(tmp_path / "fashion_mnist" / "subset900" / "FashionMNIST" / "raw", 20, 10)
    assert open_dataset("fashion-mnist").title == "Fashion-MNIST (30 pictures)"
    write_set(tmp_path / "FashionMNIST" / "raw", 50, 10)
    assert open_dataset("fashion-mnist").title == "Fashion-MNIST (60 pictures)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x03\0\0\0\x05",
        b"\0\0\x0d\x01\0\0\0\x01\0",
        b"\0\0\x08\x01\0\0\0\x05abc",
        b"\0\0\x08\x01\0\0\0\x02abc",
        b"<html>",
        b"\0\0\x08\x04" + b"\xff" * 16,
    ],
)
@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_damaged_idx_files_are_named(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=str(tmp_path / name)):
        idx.read_idx(tmp_path / name)
    (tmp_path / "y.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02ab" * 50)[:-9])
    with pytest.raises(UserError):
        idx.read_idx(tmp_path / "y.gz")


def test_sets_that_do_not_fit_together(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    folder = tmp_path / "MNIST"
    write_set(folder)
    write_idx(folder / "t10k-labels-idx1-ubyte", np.arange(7))
    with pytest.raises(UserError, match="do not belong together"):
        open_dataset("mnist")
    write_idx(folder / "t10k-labels-idx1-ubyte", np.arange(20))
    with pytest.raises(UserError, match="above 9"):
        open_dataset("mnist")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mnist", ["train-images-idx3-ubyte.gz", "https://ossci-datasets", "MNIST/raw"]),
        ("fashion-mnist", ["train-images-idx3-ubyte.gz", "http://fashion-mnist", "FashionMNIST/raw"]),
        ("cifar10", ["cifar-10-python.tar.gz", "https://www.cs.toronto.edu"]),
    ],
)
def test_offline_the_message_says_what_where_from_and_where_to(tmp_path, monkeypatch, home, name, words):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path / "empty"))
    # A machine without network, also where the tests run on one that has it.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    assert not DATASETS[name].available()
    with pytest.raises(UserError) as error:
        open_dataset(name)
    for word in [*words, str(home / "data")]:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_missing_is_fetched_and_then_there(tmp_path, monkeypatch, home):
    write_set(tmp_path / "server", packed=True)
    asked = []

    def fetch(urls, path, digest, progress):
        asked.append((urls[0], digest))
        path.parent.mkdir(parents=True, exist_ok=True)
        progress(0.5, "half")
        shutil.copy(tmp_path / "server" / path.name, path)
        return path

    monkeypatch.setattr(mnist, "fetch", fetch)
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path / "empty"))
    shares = []
    assert len(open_dataset("mnist", lambda share, text: shares.append(share)).test) == 20
    assert asked[0] == (
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    )
    assert shares[:4] == [0.125, 0.375, 0.625, 0.875]
    assert (home / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").is_file()
    assert DATASETS["mnist"].available()
    open_dataset("mnist")
    assert len(asked) == 4


@pytest.mark.data
def test_the_digests_are_those_of_the_published_files(real_data):
    for file, digest in zip(idx.FILES, mnist._MNIST_DIGESTS, strict=True):
        assert downloads.matches(real_data / "MNIST" / "raw" / f"{file}.gz", digest)


def batch(count, seed, python2=True):
    images = np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)
    labels = [i % 10 for i in range(count)]
    content = pickle.dumps({"batch_label": b"one", "labels": labels, "data": images, "filenames": [b"a.png"]}, 2)
    if python2:
        content = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    return content, images, labels


def test_cifar_batches_are_planes_of_colour():
    content, images, labels = batch(20, 0)
    pixels, found = cifar.read_batch(content, "data_batch_1")
    assert found.tolist() == labels
    assert pixels.shape == (20, 32, 32, 3)
    assert pixels[3, 2, 5].tolist() == [images[3, 2 * 32 + 5], images[3, 1024 + 69], images[3, 2048 + 69]]


@pytest.mark.parametrize("archive", [False, True])
def test_cifar_folder_and_archive(tmp_path, monkeypatch, archive):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    folder = tmp_path / "made" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for n, name in enumerate((*cifar._TRAIN, "test_batch")):
        (folder / name).write_bytes(batch(20, n, python2=n % 2 == 0)[0])
    (folder / "batches.meta").write_bytes(b"not needed")
    if archive:
        with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
            tar.add(folder, "cifar-10-batches-py")
    else:
        folder.rename(tmp_path / "cifar-10-batches-py")
    assert DATASETS["cifar10"].available()
    found = open_dataset("cifar10")
    assert found.title == "CIFAR-10"
    assert [len(found.part(part)) for part in PARTS] == [90, 10, 20]
    assert (found.test.images == cifar.read_batch(batch(20, 5)[0], "")[0]).all()
    assert np.bincount(found.validation.labels).tolist() == [1] * 10


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/guiapp-was-here",)


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"data": Evil(), "labels": [1]}, 2),
        pickle.dumps(Evil()),
        pickle.dumps({"data": np.array([Evil()], object), "labels": [1]}, 2),
        pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, 2),
        pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}, 2),
        pickle.dumps([1, 2]),
        b"",
        b"\x80\x02garbage",
        batch(20, 0)[0][:500],
    ],
)
def test_cifar_pickles_run_no_code_and_damage_is_told(content):
    from pathlib import Path

    Path("/tmp/guiapp-was-here").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"data_batch_1 of CIFAR-10 is damaged"):
        cifar.read_batch(content, "data_batch_1")
    assert not Path("/tmp/guiapp-was-here").exists()


def test_damaged_cifar_archives(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(b"not a tar")
    with pytest.raises(UserError, match="damaged"):
        open_dataset("cifar10")
    with tarfile.open(archive, "w:gz") as tar:
        content = batch(10, 0)[0]
        info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(UserError, match="lacks data_batch_2"):
        open_dataset("cifar10")


def test_a_picture_subset_with_other_classes_is_not_cifar(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(tmp_path))
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    with zipfile.ZipFile(tmp_path / "cifar10_jpg_subset.zip", "w") as archive:
        for name in ("a/1.png", "a/2.png", "b/1.png"):
            archive.writestr(name, stream.getvalue())
    with pytest.raises(UserError, match="other classes"):
        open_dataset("cifar10")


def test_unknown_names():
    with pytest.raises(SettingError, match="did you mean mnist"):
        open_dataset("minst")
    with pytest.raises(SettingError, match=r"no folder, \.zip or \.csv at /nowhere"):
        open_dataset("/nowhere")


def test_channel_statistics_against_numpy():
    images = np.random.default_rng(1).integers(0, 256, (5000, 4, 3, 3), dtype=np.uint8)
    mean, std = channel_statistics(images)
    assert mean == pytest.approx((images / 255).mean((0, 1, 2)))
    assert std == pytest.approx((images / 255).std((0, 1, 2)))
