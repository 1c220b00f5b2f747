"""Folds and draws: every sample once, classes in proportion, nothing of what is held out in what is learned from."""

import numpy as np
import pytest

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import SettingError
from guiapp.datasets.base import Dataset, Samples, channel_statistics
from guiapp.training.data_views import Rows, fold_indices, view
from guiapp.training.recipe import Recipe, change
from guiapp.training.setup import prepare

ENTRY = Experiment("e", "c", "Title", (), "mlp", "digits", "summary", recipe={"epochs": 1})


def numbered(counts=(40, 20, 10), classes=3) -> Dataset:
    """Samples whose one pixel is their number; the test part is bright."""
    parts, at = [], 0
    for count in counts:
        numbers = np.arange(at, at + count)
        parts.append(Samples(numbers.astype(np.uint8).reshape(-1, 1, 1, 1), (numbers * 7 % classes).astype(np.int64)))
        at += count
    parts[2] = Samples(np.full((counts[2], 1, 1, 1), 255, np.uint8), parts[2].labels)
    return Dataset("n", "Numbered", ("a", "b", "c"), *parts, *channel_statistics(parts[0].images))


def numbers(samples) -> list[int]:
    return np.asarray(samples.images[:]).ravel().tolist()


def of(**fields) -> Recipe:
    return change(Recipe(), {f"data.{name}": value for name, value in fields.items()})


def test_a_recipe_that_asks_for_nothing_gets_the_very_data_set():
    data = numbered()
    assert view(data, Recipe()) is data


def test_every_sample_is_validated_in_exactly_one_fold_and_never_learned_from_there():
    data, seen = numbered(), []
    for fold in range(1, 8):
        folded = view(data, of(folds=7, fold=fold))
        held, learned = numbers(folded.validation), numbers(folded.train)
        assert not set(held) & set(learned) and sorted(held + learned) == list(range(60))
        assert folded.test is data.test
        seen += held
    assert sorted(seen) == list(range(60))


def test_folds_are_stratified_like_scikit_learn():
    from sklearn.model_selection import StratifiedKFold

    labels = np.repeat(np.arange(4), (50, 31, 12, 7)).astype(np.int64)
    ours = [np.bincount(labels[fold], minlength=4) for fold in fold_indices(labels, 5)]
    theirs = [np.bincount(labels[held], minlength=4) for _, held in StratifiedKFold(5).split(labels, labels)]
    for counts in (ours, theirs):
        assert (np.ptp(np.array(counts), axis=0) <= 2).all()
    assert [c.sum() for c in ours] == [20] * 5


def test_statistics_come_from_the_training_folds_alone():
    """Changing what is held out, or tested, changes nothing of how samples are prepared."""
    data = numbered()
    folded = view(data, of(folds=3, fold=2))
    held = set(numbers(folded.validation))
    bright = [
        Samples(np.where(np.isin(p.images, list(held)), 255, p.images).astype(np.uint8), p.labels)
        for p in (data.train, data.validation)
    ]
    changed = view(Dataset("n", "N", data.classes, *bright, data.test, data.mean, data.std), of(folds=3, fold=2))
    assert (changed.mean, changed.std) == (folded.mean, folded.std) != (data.mean, data.std)
    values = np.array(numbers(folded.train)) / 255
    assert folded.mean[0] == pytest.approx(values.mean()) and folded.std[0] == pytest.approx(values.std())


def test_the_preprocessing_of_a_run_is_that_of_its_folds():
    whole, first, second = (prepare(ENTRY, s) for s in ({}, {"data.folds": 4}, {"data.folds": 4, "data.fold": 2}))
    assert len({s.preprocessing.mean for s in (whole, first, second)}) == 3
    assert first.preprocessing.mean == pytest.approx(first.dataset.mean, abs=1e-12)
    assert len(first.dataset.train) + len(first.dataset.validation) == 1797 - len(whole.dataset.test)


def test_weights_from_a_file_do_not_bring_their_statistics_into_a_fold():
    from guiapp.catalogue import EXPERIMENTS

    settings = {"dataset": "digits", "data.folds": 4, "data.fold": 3}
    setup = prepare(EXPERIMENTS["lenet5"], settings)
    assert setup.initial_weights() is None
    assert setup.preprocessing.mean == pytest.approx(setup.dataset.mean)


def test_draws_are_shares_without_and_bootstrap_samples_with_repetition():
    data = numbered((60, 20, 10))
    half = [numbers(view(data, of(share=0.5, draw=d)).train) for d in (0, 1, 2, 1)]
    assert all(len(set(draw)) == len(draw) == 30 and set(draw) <= set(range(60)) for draw in half)
    assert half[1] == half[3] and len({tuple(draw) for draw in half}) == 3
    again = view(data, of(draw=1))
    assert len(again.train) == 60 and 30 < len(set(numbers(again.train))) < 50
    assert np.bincount(again.train.labels).tolist() == np.bincount(data.train.labels).tolist()
    assert again.validation is data.validation and again.test is data.test


def test_a_draw_within_folds_takes_nothing_of_the_fold_that_is_held_out():
    data = numbered()
    both = view(data, of(folds=4, fold=1, share=0.5, draw=3))
    assert len(both.train) == 22 or len(both.train) == 23
    assert not set(numbers(both.train)) & set(numbers(both.validation))


def test_samples_on_the_disk_stay_there(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 5, 4, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    kept = np.load(tmp_path / "images.npy", mmap_mode="r")
    labels = np.arange(60, dtype=np.int64) % 3
    data = Dataset("d", "D", ("a", "b", "c"), Samples(kept[:40], labels[:40], [f"{i}.png" for i in range(40)]),
                   Samples(kept[40:50], labels[40:50], [f"{i}.png" for i in range(40, 50)]),
                   Samples(kept[50:], labels[50:]), *channel_statistics(kept[:40]))  # fmt: skip
    folded = view(data, of(folds=5, fold=2)).train
    assert isinstance(folded.images, Rows) and folded.images.shape == (40, 5, 4, 3)
    rows = [int(name.split(".")[0]) for name in folded.paths]
    assert (folded.labels == labels[rows]).all()
    for place in (3, -1, slice(5, 9), np.array([7, 2, 2]), slice(None)):
        assert (folded.images[place] == images[rows][place]).all()
    assert (folded.images[2:6, ..., :1] == images[rows][2:6, ..., :1]).all()
    assert (np.asarray(folded.images) == images[rows]).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data.folds": 1}, "one fold leaves nothing"),
        ({"data.folds": 3, "data.fold": 4}, "there are 3 folds"),
        ({"data.fold": 2}, "needs data.folds"),
    ],
)
def test_impossible_folds_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        prepare(ENTRY, settings)


def test_a_run_knows_its_parts_when_it_is_opened_again(tmp_path):
    from guiapp.cli.subject import open_subject
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner

    setup = prepare(ENTRY, {"data.folds": 3, "data.fold": 2})
    runner = Runner(setup, RunFolder.create(tmp_path / "run", setup, exact=True))
    for _ in runner.events():
        pass
    kept = runner.finish()["validation"]["accuracy"]
    subject = open_subject(str(tmp_path / "run"))
    held = subject.open_dataset()
    assert (held.validation.labels == setup.dataset.validation.labels).all()
    measured = subject.evaluate(held, "validation", lambda share, words: None)
    assert measured["accuracy"] == pytest.approx(kept)
