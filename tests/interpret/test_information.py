"""Entropy, divergence and cross-entropy against values by hand and scikit-learn's log loss."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.interpret.base import Look
from guiapp.interpret.information import cross_entropy, divergence, entropy, run
from guiapp.interpret.options import InformationOptions
from guiapp.models import Preprocessing


def look(logits, label=None):
    picture = Picture(np.zeros((2, 2, 3), np.uint8), Origin("file", "x"), label)
    return Look(torch.nn.Identity(), (), Preprocessing((1, 2, 2), (0.0,), (1.0,)), picture=picture, output=logits[None])


def test_by_hand():
    half, quarter = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    assert entropy(half) == pytest.approx(math.log(2))
    assert entropy(np.array([1, 0])) == 0
    assert cross_entropy(half, quarter) == pytest.approx(math.log(4))
    assert divergence(half, quarter) == pytest.approx(math.log(2))
    assert divergence(quarter, quarter) == 0
    assert divergence(quarter, half) == math.inf


def test_a_prediction():
    logits = torch.tensor([2.0, -1.0, 0.5])
    result = run(look(logits, 2))
    assert result.cross_entropy == pytest.approx(
        log_loss([2], torch.softmax(logits, 0)[None].numpy(), labels=[0, 1, 2])
    )
    assert result.divergence == result.cross_entropy and result.target_entropy == 0
    assert result.maximum == math.log(3)
    assert 0 < result.entropy < result.maximum
    assert run(look(torch.zeros(10))).entropy == pytest.approx(math.log(10))


def test_the_label_of_the_options_wins_and_no_label_gives_only_the_entropy():
    logits = torch.tensor([200.0, 0.0])
    assert run(look(logits, 0), InformationOptions(label=1)).cross_entropy == pytest.approx(200)
    assert run(look(logits)).cross_entropy is None
    with pytest.raises(UserError, match="0 to 1"):
        run(look(logits), InformationOptions(label=2))
