"""The loss, count and prediction of classification against figures by hand."""

import math

import numpy as np
import pytest
import torch

from guiapp.core.registry import UnknownName
from guiapp.tasks.base import TASKS, make_task
from guiapp.tasks.classification import ClassificationTask

LABELS = ("a", "b", "c")


@pytest.fixture
def task():
    return ClassificationTask(LABELS)


def test_loss_of_equal_logits_is_log_of_the_number_of_classes(task):
    assert float(task.loss(torch.full((4, 3), 7.0), torch.tensor([0, 1, 2, 0]))) == pytest.approx(math.log(3))


def test_loss_is_mean_negative_log_probability(task):
    logits = torch.tensor([[math.log(2), 0.0, 0.0], [0.0, math.log(6), 0.0]])  # p = 1/2, 1/4, 1/4 and 1/8, 3/4, 1/8
    assert float(task.loss(logits, torch.tensor([0, 2]))) == pytest.approx((math.log(2) + math.log(8)) / 2)


def test_loss_has_a_gradient_and_the_count_has_none(task):
    logits = torch.zeros(1, 3, requires_grad=True)
    task.loss(logits, torch.tensor([1])).backward()
    assert torch.allclose(logits.grad, torch.tensor([[1 / 3, -2 / 3, 1 / 3]]))
    assert not task.correct(logits, torch.tensor([1])).requires_grad


def test_correct_counts_maxima_at_the_true_class(task):
    output = torch.tensor([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 5.0, 2.0]])
    assert int(task.correct(output, torch.tensor([0, 1, 1]))) == 2


def test_prediction_holds_probabilities_logits_and_ranking(task):
    found = task.prediction(torch.tensor([[0.0, math.log(2), math.log(5)]], requires_grad=True))
    assert found.probabilities == pytest.approx(np.array([1, 2, 5]) / 8)
    assert found.logits == pytest.approx([0, math.log(2), math.log(5)])
    assert found.best == 2
    assert [label for _, label, _ in found.ranked()] == ["c", "b", "a"]


def test_tasks_are_made_by_name():
    made = make_task("classification", LABELS)
    assert isinstance(made, ClassificationTask) and made.labels == LABELS
    assert "classification" in TASKS
    with pytest.raises(UnknownName, match="classification"):
        make_task("clasification", LABELS)
