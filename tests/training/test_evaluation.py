"""Figures of a network on a part, against hand computation and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix as reference
from torch import nn

from guiapp.tasks.classification import ClassificationTask
from guiapp.training.evaluation import evaluate, evaluating, majority_share, wilson

TASK = ClassificationTask(("a", "b", "c"))


class Echo(nn.Module):
    """Gives its input as logits, and says when it is in training mode."""

    def forward(self, input):
        assert not self.training
        return input


@pytest.fixture
def batches():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(25, 3, generator=draw)
    labels = torch.randint(3, (25,), generator=draw)
    return [(logits[i : i + 8], labels[i : i + 8]) for i in range(0, 25, 8)], logits, labels


def test_figures_are_those_of_the_whole_part(batches):
    parts, logits, labels = batches
    model = Echo().train()
    found = evaluate(model, TASK, parts, 25, majority=0.4)
    assert model.training
    assert found.count == 25
    assert found.loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=1e-6)
    assert found.accuracy == (logits.argmax(1) == labels).double().mean().item()
    assert found.predicted.tolist() == logits.argmax(1).tolist() and found.truth.tolist() == labels.tolist()
    assert found.confidence == pytest.approx(torch.softmax(logits, 1).max(1).values.numpy())
    assert found.confusion.tolist() == reference(labels, logits.argmax(1), labels=[0, 1, 2]).tolist()
    plain = found.as_dict()
    assert plain["chance"] == pytest.approx(1 / 3) and plain["majority"] == 0.4
    assert plain["interval"][0] < found.accuracy < plain["interval"][1]


def test_it_yields_after_each_batch_and_puts_the_mode_back_when_closed(batches):
    model = Echo().train()
    generator = evaluating(model, TASK, batches[0], 25, step=9)
    assert [(e.step, e.done, e.total) for e in (next(generator), next(generator))] == [(9, 8, 25), (9, 16, 25)]
    generator.close()
    assert model.training


def test_nothing_to_evaluate_is_not_a_number():
    found = evaluate(Echo(), TASK, [])
    assert found.count == 0 and math.isnan(found.accuracy) and found.confusion.sum() == 0


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    # 9 of 10 by hand: centre (0.9 + 1.9207/10) / 1.38415 = 0.78899, reach 0.19314
    [(9, 10, 0.59585, 0.98213), (0, 10, 0.0, 0.27754), (10, 10, 0.72246, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson(correct, count, low, high):
    assert wilson(correct, count) == pytest.approx((low, high), abs=1e-4)


def test_majority_is_learnt_on_the_training_part():
    assert majority_share(np.array([0, 2, 2]), np.array([2, 0, 0, 0])) == 0.25
