"""The preview shows what a run trains on, and what its network says of views."""

import numpy as np
import pytest
import torch

from guiapp.training.augmentation_preview import as_pictures, ballot, draws, measuring, shares_in_words, step_batch
from guiapp.training.data import TrainingData
from guiapp.training.evaluation import evaluate, finish
from guiapp.training.voting import Voting, views_of

CPU = torch.device("cpu")
MIXED = {"augmentation__rotation": 20.0, "augmentation__mixup": 1.0}


def test_the_batch_of_a_step_is_that_of_the_run(make_setup):
    setup = make_setup(**MIXED)
    data = TrainingData(setup, CPU)
    list(data.prepare())
    inputs, shares = data.batch(9)
    shown = step_batch(setup, 9, 5)
    assert all(
        np.array_equal(a, b) for a, b in zip(shown.pictures, as_pictures(inputs[:5], setup.preprocessing), strict=True)
    )
    assert shown.labels == shares[:5].argmax(1).tolist() and shown.text == "epoch 2, batch 3 of 7: 5 of 8 samples"


def test_pictures_are_the_samples_again(make_setup, tiny_data):
    setup = make_setup()
    shown = draws(setup, "validation", 4, 6)
    assert len(shown.pictures) == 1 and np.array_equal(shown.pictures[0], tiny_data.validation.images[4])
    assert shown.text.endswith("nothing is changed")


def test_draws_follow_from_seed_and_number(make_setup):
    setup = make_setup(**MIXED)
    shown, later = draws(setup, "train", 3, 6), draws(setup, "train", 3, 3, first=3)
    assert len(shown.pictures) == 7 and len({p.tobytes() for p in shown.pictures}) == 7
    assert all(np.array_equal(a, b) for a, b in zip(shown.pictures[4:], later.pictures[1:], strict=True))
    assert all("% " in caption for caption in shown.captions[1:])
    other = draws(make_setup(seed=1, **MIXED), "train", 3, 6)
    assert not any(np.array_equal(a, b) for a, b in zip(shown.pictures[1:], other.pictures[1:], strict=True))
    assert shares_in_words(torch.tensor([0.2, 0.0, 0.8]), ("a", "b", "c"), 0) == "20 % a, 80 % c"


def test_a_ballot_and_its_measure_are_those_of_voting(make_setup, tiny_data):
    setup = make_setup(augmentation="flip-crop")
    network = setup.build_model().eval()
    shown = ballot(network, setup, tiny_data.validation.images[2], "ten", 8)
    assert len(shown.pictures) == 10 and shown.text.startswith("alone: ")
    told = []
    rows = finish(measuring(network, setup, "validation", 3, told.append))
    assert [(row.kind, row.count) for row in rows] == [
        ("alone", 1),
        ("flip", 2),
        ("crops", 5),
        ("ten", 10),
        ("draws", 3),
    ]
    assert len(told) == 5 and told[-1] == rows
    inputs = setup.preprocessing(tiny_data.validation.images)
    truth = torch.from_numpy(tiny_data.validation.labels)
    voting = Voting(network, views_of("ten", setup.preprocessing), "mean").eval()
    expected = evaluate(voting, setup.task, [(inputs, truth)])
    found = rows[3].found["mean"]
    assert (found.correct, found.count) == (expected.correct, 21) and found.loss == pytest.approx(
        expected.loss, rel=1e-4
    )
    assert rows[0].found["majority"].correct == rows[0].found["mean"].correct
