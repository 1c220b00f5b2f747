"""Scores of made-up networks: several classes, two, an empty one, answers that are no numbers."""

import numpy as np
import pytest

from guiapp.training.metrics.scores import Scores


def made(count=400, classes=5, seed=0, skill=1.5, ties=False):
    """Noisy logits that know the truth a little; with ``ties`` probabilities of two digits."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, count, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), truth] += skill
    shares = np.exp(logits)
    shares /= shares.sum(1, keepdims=True)
    if ties:
        shares = np.round(shares, 1) + 0.01
        shares /= shares.sum(1, keepdims=True)
    return Scores(shares.astype(np.float32), truth.astype(np.int64), tuple(f"c{i}" for i in range(classes)))


@pytest.fixture
def make():
    return made
