"""Reading ahead: the same batches whatever reads them, in their order; what ends when."""

import dataclasses
import os
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.datasets import folder
from guiapp.datasets.base import Samples
from guiapp.datasets.on_demand import PicturesOnDemand
from guiapp.training.data import TrainingData
from guiapp.training.data_views import Rows
from guiapp.training.loader import Loader, workers_of
from guiapp.training.recipe_loading import Loading

CPU = torch.device("cpu")
THREAD, PROCESS = Loading(workers=0), Loading(workers=1)


def mapped(tmp_path, images, name="images"):
    """The same numbers as a part of a memory map."""
    whole = np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", np.uint8, (len(images) + 3, *images.shape[1:]))
    whole[3:] = images
    whole.flush()
    return np.load(tmp_path / f"{name}.npy", mmap_mode="r")[3:]


@pytest.fixture
def files(tmp_path):
    """A folder of two classes, 12 pictures each."""
    draw = np.random.default_rng(0)
    for kind in ("one", "two"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(12):
            image = Image.fromarray(draw.integers(0, 256, (10, 12, 3), np.uint8))
            image.save(tmp_path / "set" / kind / f"{number}.png")
    (tmp_path / "set" / "one" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return tmp_path / "set"


def opened(path):
    return folder.load(path, lambda share, text: None, 8)


@pytest.fixture
def both(files, monkeypatch):
    """The folder with everything kept, and with the first five pictures kept."""
    whole = opened(files)
    monkeypatch.setattr(folder, "_VERSION", 99)  # another cache
    monkeypatch.setenv("GUIAPP_DECODED_GB", str(5.5 * 8 * 8 * 3 / 1e9))
    return whole, opened(files)


def test_a_folder_that_does_not_fit_is_the_same_data_set(both):
    whole, bounded = both
    assert isinstance(bounded.train.images, PicturesOnDemand) and bounded.train.images.decodes
    assert bounded.unreadable == whole.unreadable and len(whole.unreadable) == 1
    assert (bounded.mean, bounded.std) == (pytest.approx(whole.mean), pytest.approx(whole.std))
    for part in ("train", "validation", "test"):
        one, two = whole.part(part), bounded.part(part)
        assert np.array_equal(one.labels, two.labels) and np.array_equal(one.images, np.asarray(two.images))
    images, rows = bounded.train.images, np.array([9, 0, 4, 5, 9])
    assert images.shape == (len(images), 8, 8, 3) and np.array_equal(images[rows], whole.train.images[rows])
    assert np.array_equal(images[3:7, ..., :1], whole.train.images[3:7, ..., :1])
    assert np.array_equal(images[6], whole.train.images[6]) and images[6, 0, 0, 0] == whole.train.images[6, 0, 0, 0]


def test_a_picture_that_went_away_is_named(both, files):
    for file in files.rglob("*.png"):
        file.unlink()
    with pytest.raises(UserError, match="is not there"):
        both[1].train.images[np.arange(8)]


@pytest.mark.parametrize("options", [Loading(ahead=0), THREAD, PROCESS], ids=["when needed", "thread", "process"])
def test_batches_come_in_the_order_of_the_plan_from_any_kind_of_images(tmp_path, both, options):
    whole, bounded = both
    both_maps = Rows([mapped(tmp_path, np.asarray(whole.train.images)), bounded.validation.images], np.arange(18)[::-1])
    images = {
        "train": bounded.train.images,
        "validation": mapped(tmp_path, np.asarray(whole.train.images), "other"),
        "test": both_maps,
    }
    plan = [np.array([3, 1]), np.array([0, 11, 12]), np.array([7]), np.arange(10)]
    loader = Loader(images, options)
    for part in images:
        found = list(loader.batches(part, iter(plan)))
        assert [f.dtype for f in found] == [torch.uint8] * 4
        assert all(np.array_equal(f, images[part][rows]) for f, rows in zip(found, plan, strict=True))
    processes = [process._process for process in loader._processes]
    assert len(processes) == options.workers if options.workers > 0 else not processes
    for process in processes:  # one that is killed is missed by nobody
        process.kill()
        process.join()
    assert np.array_equal(next(loader.batches("test", iter(plan))), both_maps[plan[0]])
    loader.close()
    assert not any(thread.name.startswith("loading") for thread in threading.enumerate())


def test_no_more_is_read_ahead_than_asked_for_and_an_error_reaches_the_one_who_asks():
    class Noting:
        shape, asked = (50, 2, 2, 1), []

        def __getitem__(self, rows):
            self.asked.append(int(rows[0]))
            if rows[0] == 7:
                raise UserError("7 is broken")
            return np.zeros((len(rows), 2, 2, 1), np.uint8)

    images = Noting()
    loader = Loader({"train": images}, Loading(ahead=2, workers=0))
    batches = loader.batches("train", (np.array([n]) for n in range(50)))
    for _ in range(3):
        next(batches)
    batches.close()
    loader.close()
    assert len(images.asked) <= 5 and images.asked == sorted(images.asked)
    with pytest.raises(UserError, match="7 is broken"):
        list(loader.batches("train", (np.array([n]) for n in range(10))))
    loader.close()


def test_processes_are_for_what_has_to_be_decoded(both):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert workers_of(Loading(), {"train": both[0].train.images}) == 0
    assert workers_of(Loading(), {"train": both[1].train.images}) == (0 if cores < 4 else min(cores - 1, 4))
    assert workers_of(Loading(workers=3), {"train": both[0].train.images}) == 3


@pytest.mark.parametrize(
    "fields", [{}, {"loading__ahead": 0}, {"loading__workers": 1}], ids=["thread", "plain", "process"]
)
def test_a_run_sees_the_same_samples_whatever_reads_them(make_setup, tiny_data, tmp_path, fields):
    def map_of(part):
        return Samples(mapped(tmp_path, part.images, str(len(part))), part.labels)

    files = dataclasses.replace(
        tiny_data, train=map_of(tiny_data.train), validation=map_of(tiny_data.validation), test=map_of(tiny_data.test)
    )
    kept = TrainingData(make_setup(augmentation="handwriting"), CPU)
    read = TrainingData(make_setup(data=files, augmentation="handwriting", loading__memory=0, **fields), CPU)
    assert len(list(kept.prepare())) == 2 and list(read.prepare()) == []
    for step in (0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 3):
        for one, two in zip(kept.batch(step), read.batch(step), strict=True):
            assert torch.equal(one, two)
        if step == 7:
            for (one, labels), (two, others) in zip(
                kept.batches("validation", 8), read.batches("validation", 8), strict=True
            ):
                assert torch.equal(one, two) and torch.equal(labels, others)
    read.close()
