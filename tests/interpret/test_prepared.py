"""Stages of the input: what is told of samples before and after."""

import numpy as np
import pytest
import torch

from guiapp.interpret.prepared import liveliest_pair, looked_at, stages


def test_figures_are_those_of_numpy():
    torch.manual_seed(0)
    plain = torch.rand(60, 1, 5, 4)
    plain[:, 0, 2, 2] = plain[:, 0, 2, 1] * 0.9
    before, after = stages(plain, {"doubled": lambda x: 2 * x - 1}, 3)
    flat = plain.flatten(1).double().numpy()
    assert before.correlation == pytest.approx(1.0)
    assert after.mean == pytest.approx(2 * flat.mean() - 1)
    assert after.deviation == pytest.approx(2 * before.deviation)
    expected = np.linalg.eigvalsh(np.cov(flat.T, bias=True))[::-1]
    assert before.variances == pytest.approx(expected, abs=1e-6)
    assert after.variances == pytest.approx(4 * expected, abs=1e-5)
    assert before.pictures.shape == (3, 5, 4, 1)


def test_the_pair_varies_most_together_and_lies_in_one_row():
    values = torch.zeros(10, 2, 3, 4)
    values[::2, 1, 1, 2:] = 1.0
    assert liveliest_pair(values) == 1 * 12 + 1 * 4 + 2


def test_zero_is_grey_where_values_have_a_sign():
    signed = looked_at(torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3))
    assert signed.flatten().tolist() == [0, 128, 255]
    assert looked_at(torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)).flatten().tolist() == [0, 255]
