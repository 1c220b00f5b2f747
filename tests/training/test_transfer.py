"""Frozen layers stay as they are, groups join when they should, kept features give what whole passes give."""

import numpy as np
import pytest
import torch

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError
from guiapp.datasets.base import Dataset, Samples
from guiapp.training import setup as setups
from guiapp.training.data import TrainingData
from guiapp.training.features import FeatureData, training_data
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.transfer import Transferring

BASE = {"model": "cifar-cnn", "dataset": "digits", "epochs": 2, "batch": 32, "augmentation": "none", "keep": "last"}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Ninety digits, so that a run takes a moment."""
    import guiapp.datasets

    whole = guiapp.datasets.open_dataset("digits")

    def cut(samples: Samples, count: int) -> Samples:
        return Samples(samples.images[:count], samples.labels[:count])

    few = Dataset("digits", "Digits", whole.classes, cut(whole.train, 90), cut(whole.validation, 20),
                  cut(whole.test, 20), whole.mean, whole.std, whole.from_drawing)  # fmt: skip
    monkeypatch.setattr(guiapp.datasets, "open_dataset", lambda *_: few)


def prepared(**settings):
    return setups.prepare(EXPERIMENTS["lenet5"], {**BASE, **{k.replace("__", "."): v for k, v in settings.items()}})


def run(folder, setup, steps=None):
    runner = Runner(setup, RunFolder.create(folder, setup))
    for event in runner.events():
        if steps is not None and runner.trainer.step >= steps and type(event).__name__ == "StepEnd":
            break
    return runner


def weights(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_with_the_head_alone_nothing_else_changes(tmp_path):
    setup = prepared(transfer="head")
    before = {name: value.clone() for name, value in setup.build_model().state_dict().items()}
    runner = run(tmp_path, setup)
    after = runner.model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"f8.weight", "f8.bias"}
    assert runner.parameters == sum(before[name].numel() for name in changed)
    runner.close()


def test_kept_features_train_the_same_head_as_whole_passes(tmp_path, monkeypatch):
    setup = prepared(transfer="head", model__dropout=0.0)
    kept = run(tmp_path / "a", setup)
    assert isinstance(kept.data, FeatureData)
    monkeypatch.setattr(
        "guiapp.training.runner.training_data", lambda setup, device, model: TrainingData(setup, device)
    )
    whole = run(tmp_path / "b", setup)
    assert type(whole.data) is TrainingData
    for name, value in whole.model.state_dict().items():
        assert torch.allclose(value, kept.model.state_dict()[name], atol=1e-5), name
    assert kept.epochs[-1]["validation"]["loss"] == pytest.approx(whole.epochs[-1]["validation"]["loss"], abs=1e-4)
    assert kept.initial_loss == pytest.approx(whole.initial_loss, abs=1e-4)
    kept.close(), whole.close()


def test_features_are_read_from_the_cache_and_made_anew_for_other_pictures(tmp_path, monkeypatch):
    setup = prepared(transfer="head")
    made = []
    original = FeatureData._made
    monkeypatch.setattr(FeatureData, "_made", lambda self, *rest: made.append(1) or original(self, *rest))

    def features(setup):
        model = setup.build_model()
        data = training_data(setup, CPU, model)
        list(data.prepare())
        return data._features["train"]

    first, count = features(setup), len(made)
    assert count and torch.equal(features(setup), first) and len(made) == count
    setup.dataset.train.images[3] += 1
    try:
        other = features(setup)
    finally:
        setup.dataset.train.images[3] -= 1
    assert len(made) > count
    assert torch.equal(other[:3], first[:3]) and not torch.equal(other[3], first[3])


def test_augmented_samples_are_not_kept_unless_views_are_asked_for():
    drawn = training_data(prepared(transfer="head", augmentation__shift=0.2), CPU, torch.nn.Linear(1, 1))
    assert type(drawn) is TrainingData
    setup = prepared(transfer="head", augmentation__shift=0.2, transfer__views=2)
    data = training_data(setup, CPU, setup.build_model())
    assert isinstance(data, FeatureData)
    list(data.prepare())
    steps = data.steps_per_epoch
    seen = []
    for epoch in range(3):
        batches = [data.batch(epoch * steps + step) for step in range(steps)]
        rows = torch.cat([inputs for inputs, _ in batches])
        order = torch.cat([data._order[: len(rows)]])
        seen.append(rows[torch.argsort(order)])
        labels = torch.cat([targets for _, targets in batches])
        assert torch.equal(labels, torch.from_numpy(np.asarray(setup.dataset.train.labels))[order])
    assert torch.equal(seen[0], seen[2]) and not torch.equal(seen[0], seen[1])
    plain = torch.cat([inputs for inputs, _ in data.batches("train")])
    assert not torch.equal(plain, seen[0]) and torch.equal(plain, data._features["train"])


def test_the_default_of_a_frozen_network_is_no_augmentation():
    assert prepared(transfer="head", augmentation="default").recipe.augmentation.name == "none"


def test_groups_join_after_their_epochs_and_learn_slower_the_deeper_they_lie(tmp_path):
    setup = prepared(transfer="gradual", transfer__groups=2, transfer__decay=0.5, epochs=3)
    runner = Runner(setup, RunFolder.create(tmp_path, setup))
    callback = next(c for c in runner.trainer.callbacks.all if isinstance(c, Transferring))
    joined = {}
    for event in runner.events():
        if type(event).__name__ == "StepEnd":
            joined.setdefault(callback.joined, runner.trainer.step)
    steps = runner.trainer.steps_per_epoch
    assert joined == {1: 1, 2: steps + 1, 3: 2 * steps + 1}
    named = {id(p): name for name, p in runner.model.named_parameters()}
    scales = {named[id(p)]: group["scale"] for group in runner.trainer.optimiser.param_groups for p in group["params"]}
    assert [{scales[name] for name in group} for group in callback.groups] == [{1.0}, {0.5}, {0.25}]
    rates = {group["scale"]: group["lr"] for group in runner.trainer.optimiser.param_groups}
    assert rates[0.25] == pytest.approx(0.25 * rates[1.0])
    runner.close()


@pytest.mark.parametrize("steps", [2, 4, 7])
def test_a_killed_gradual_run_goes_on_bit_for_bit(tmp_path, steps):
    setup = prepared(transfer="gradual", transfer__groups=2, transfer__decay=0.5, epochs=3, threads=1)
    whole = run(tmp_path / "a", setup)
    killed = run(tmp_path / "b", setup, steps)
    killed.keep()
    killed.close()
    folder = RunFolder.open(killed.folder.path)
    resumed = Runner(setups.from_run(folder.path), folder, resume=True)
    for _ in resumed.events():
        pass
    assert same(weights(whole), weights(resumed))
    assert [row["validation"] for row in whole.epochs] == [row["validation"] for row in resumed.epochs]
    whole.close(), resumed.close()


def test_frozen_normalisation_keeps_its_statistics(tmp_path):
    setup = prepared(model="resnet20", transfer="head", epochs=1)
    before = setup.build_model().state_dict()
    runner = run(tmp_path, setup)
    after = runner.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)
    runner.close()


def test_statistics_can_be_kept_where_layers_learn(tmp_path):
    setup = prepared(model="resnet20", transfer__statistics="kept", epochs=1)
    before = {name: value.clone() for name, value in setup.build_model().state_dict().items()}
    runner = run(tmp_path, setup, steps=1)
    after = runner.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)
    assert not torch.equal(before["conv1.weight"], after["conv1.weight"])
    runner.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"transfer__views": 2}, "needs transfer=head"),
        ({"transfer": "head", "transfer__views": 2, "augmentation__mixup": 0.2}, "single samples"),
        ({"model": "knn", "transfer": "head"}, "no layers"),
        ({"model": "mobilenet_v2", "initialisation": "kaiming"}, "draws over published weights"),
    ],
)
def test_what_cannot_be_is_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        prepared(**settings)


def test_by_default_nothing_takes_part():
    setup = prepared()
    from guiapp.training.callbacks import callbacks_of

    assert not [c for c in callbacks_of(setup) if isinstance(c, Transferring)]
    assert type(training_data(setup, CPU, setup.build_model())) is TrainingData
