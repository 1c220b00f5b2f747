"""Accuracy against epsilon, against the closed form of a linear classifier."""

import numpy as np
import pytest
import torch

from guiapp.interpret.attack.options import AttackOptions, sized
from guiapp.interpret.attack.robust import RobustCurves, robust_accuracy, sizes_up_to
from guiapp.interpret.attack.run import finish
from guiapp.interpret.attack.victims import make_victim
from guiapp.models.base import Preprocessing
from tests.interpret.attack.test_run import Linear

WEIGHTS = [1.0, -2.0, 0.5, 1.5]


@pytest.fixture
def case():
    module = Linear(WEIGHTS, -0.4)
    pixels = torch.rand(60, 1, 2, 2, generator=torch.Generator().manual_seed(0)) * 0.4 + 0.3
    margins = pixels.flatten(1) @ torch.tensor(WEIGHTS) - 0.4
    classes = (margins > 0.05).long()  # a few are wrong from the start
    return make_victim(module, ("a", "b"), (), (), pixels[:1]), pixels, classes, margins


@pytest.mark.parametrize(("norm", "dual"), [("L-infinity", 5.0), ("L2", float(np.linalg.norm(WEIGHTS)))])
@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_a_linear_classifier_falls_where_its_margin_ends(case, norm, dual, method):
    victim, pixels, classes, margins = case
    sizes = sizes_up_to(30.0 if norm == "L-infinity" else 0.12, 4)
    options = sized(AttackOptions(method, norm=norm, steps=12), Preprocessing((1, 2, 2), (0.0,), (1.0,)))
    parts = []
    batches = lambda: [(pixels[:32], classes[:32]), (pixels[32:], classes[32:])]  # noqa: E731
    found = finish(robust_accuracy(victim, batches, options, sizes, [method], True, parts.append))
    correct = (margins > 0) == (classes == 1)
    scale = 255 if norm == "L-infinity" else 1
    for size, right in zip(sizes, found.right[method], strict=True):
        assert right == int((correct & (margins.abs() > dual * size / scale)).sum())
    assert 0 < found.right[method][-1] < found.right[method][0] < 60
    assert np.isnan(parts[0].right[method][1]) and len(parts) == 5, "it is told as it grows"


def test_noise_does_less_than_an_attack_of_its_size(case):
    victim, pixels, classes, _ = case
    options = sized(AttackOptions(), Preprocessing((1, 2, 2), (0.0,), (1.0,)))
    found = finish(robust_accuracy(
        victim, lambda: [(pixels, classes)], options, sizes_up_to(20.0, 2), ["fgsm", "noise"], True, lambda _: None,
    ))  # fmt: skip
    assert found.right["noise"][-1] > found.right["fgsm"][-1]


def test_the_interval_is_wilsons():
    curves = RobustCurves("L2", np.array([0.0]), {"pgd": np.array([81.0])}, 263, True)
    low, high = curves.interval("pgd")
    assert low[0] == pytest.approx(0.2553, abs=2e-4) and high[0] == pytest.approx(0.3662, abs=2e-4)
    assert curves.csv_text().splitlines()[1].startswith("pgd,0,81,263,0.30798")
