"""Batches: the same from memory and from the pictures, the same whatever came before."""

import numpy as np
import pytest
import torch

from guiapp.training import data as module
from guiapp.training.data import Preparing, TrainingData

CPU = torch.device("cpu")


@pytest.fixture
def make_data(make_setup):
    def make(**fields):
        made = TrainingData(make_setup(**fields), CPU)
        made.events = list(made.prepare())
        return made

    return make


def test_inputs_are_the_prepared_pictures_with_their_labels(make_data, tiny_data, make_setup):
    data = make_data()
    prepared = make_setup().preprocessing(tiny_data.train.images)
    rows = {
        tuple(row): int(label) for row, label in zip(prepared.flatten(1).tolist(), tiny_data.train.labels, strict=True)
    }
    for step in range(7):
        inputs, targets = data.batch(step)
        assert [rows[tuple(row)] for row in inputs.flatten(1).tolist()] == targets.tolist()
    assert data.events == [Preparing(50, 50), Preparing(21, 21)]


@pytest.mark.parametrize("augmentation", ["none", "handwriting", "flip-crop"])
def test_what_does_not_fit_in_memory_is_prepared_batch_by_batch_with_the_same_result(
    make_data, monkeypatch, augmentation
):
    kept = make_data(augmentation=augmentation)
    monkeypatch.setattr(module, "KEEP_BYTES", 100)
    streamed = make_data(augmentation=augmentation)
    assert streamed.events == []
    for step in (0, 3, 6, 7, 20):
        for one, two in zip(kept.batch(step), streamed.batch(step), strict=True):
            assert torch.equal(one, two)
    for part in ("train", "validation", "test"):
        for (one, labels), (two, others) in zip(kept.batches(part, 10), streamed.batches(part, 10), strict=True):
            assert torch.equal(one, two) and torch.equal(labels, others)


def test_a_step_is_the_same_in_any_order(make_data):
    one, two = make_data(augmentation="handwriting"), make_data(augmentation="handwriting")
    forwards = [one.batch(step)[0] for step in range(14)]
    backwards = [two.batch(step)[0] for step in reversed(range(14))]
    assert all(torch.equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


def test_mixed_samples_have_shares_of_classes_and_a_step_is_the_same_in_any_order(make_data):
    fields = {"augmentation__mixup": 0.4, "augmentation__cutmix": 1.0, "augmentation__cutout": 0.5}
    fields |= {"augmentation__rotation": 10.0, "augmentation__crop": 0.3, "augmentation__brightness": 0.2}
    one, two = make_data(**fields), make_data(**fields)
    forwards = [one.batch(step) for step in range(14)]
    backwards = [two.batch(step) for step in reversed(range(14))]
    for (inputs, shares), (others, same) in zip(forwards, reversed(backwards), strict=True):
        assert torch.equal(inputs, others) and torch.equal(shares, same)
        assert shares.shape == (len(inputs), 3) and shares.sum(1) == pytest.approx(torch.ones(len(inputs)))


def test_evaluation_is_in_order_and_not_augmented(make_data, tiny_data, make_setup):
    data = make_data(augmentation="handwriting")
    inputs = torch.cat([part for part, _ in data.batches("validation", 8)])
    assert torch.equal(inputs, make_setup().preprocessing(tiny_data.validation.images))
    assert np.array_equal(torch.cat([t for _, t in data.batches("validation", 8)]), tiny_data.validation.labels)
    assert data.size("validation") == 21


@pytest.mark.parametrize(("batch", "steps"), [(8, 7), (7, 7), (50, 1), (49, 1), (1, 50), (1000, 1)])
def test_steps_of_an_epoch(make_data, batch, steps):
    assert make_data(batch=batch).steps_per_epoch == steps
