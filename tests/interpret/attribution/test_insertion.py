"""Insertion and deletion curves by hand on a network whose score is the mean of some places."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.picture import Origin, Picture
from guiapp.interpret.attribution import CurveOptions, attribute, curves
from guiapp.interpret.attribution.insertion import order_of
from guiapp.interpret.targets import ClassTarget, PixelsTarget
from tests.interpret.attribution.networks import case, of, run


class Corner(nn.Module):
    """The score of class 1 is the sum over the upper left 4 x 4 places of an 8 x 8 picture."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, 3, 8, 8), requires_grad=False)
        self.weight[1, :, :4, :4] = 1 / 48

    def forward(self, x):
        return torch.einsum("nchw,kchw->nk", x, self.weight)


def test_curves_of_a_map_that_knows_and_of_one_that_does_not():
    picture = Picture(np.full((8, 8, 3), 255, np.uint8), Origin("file", "white"))
    asked = of(Corner().eval(), "classification", picture)
    white, black = 255 / 128 - 1, -1.0
    found = run(attribute(asked, ClassTarget(1), "gradient-x-input"))
    options = CurveOptions(steps=4, removed="black", start="black", chance=True)
    target = ClassTarget(1, "log-probability")
    one = run(curves(asked, target, found, options))
    low, high = (float(torch.log_softmax(torch.tensor([0.0, v]), 0)[1]) for v in (black, white))
    np.testing.assert_allclose(one.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(one.deletion, [high, low, low, low, low], atol=1e-5)  # a quarter of the places is all
    np.testing.assert_allclose(one.insertion, [low, high, high, high, high], atol=1e-5)
    assert one.deletion_area == pytest.approx(0.125 * high + 0.875 * low, abs=1e-5)
    assert one.insertion_area == pytest.approx(0.125 * low + 0.875 * high, abs=1e-5)
    assert one.random_deletion[1] > low + 0.1 and one.random_insertion[1] < high - 0.1
    assert (one.random_deletion[0], one.random_deletion[-1]) == (one.deletion[0], one.deletion[-1])


def test_the_probability_of_the_class_that_the_map_explained():
    asked = case("cnn")
    found = run(attribute(asked, ClassTarget(), "grad-cam"))
    told = []
    one = run(curves(asked, ClassTarget(), found, CurveOptions(steps=3, chance=False), told.append))
    with torch.no_grad():
        expected = float(asked.module(asked.batch).softmax(1)[0, found.class_index])
    assert one.deletion[0] == one.insertion[-1] == pytest.approx(expected, rel=1e-5)
    assert one.random_deletion is None
    assert told and told[0].share < 1 == one.share


def test_a_segmentation_network():
    asked = case("segmenter")
    found = run(attribute(asked, PixelsTarget(1, where="all"), "gradient"))
    one = run(curves(asked, PixelsTarget(1, where="all"), found, CurveOptions(steps=2, chance=False)))
    assert one.deletion[0] == pytest.approx(found.score, rel=1e-5)


def test_the_order_of_places():
    """By value where the sign says something, by size for plain gradients; coarse maps are enlarged."""
    asked = case("cnn")
    signed = run(attribute(asked, ClassTarget(1), "gradient-x-input"))
    flat = signed.map.flatten()
    order = order_of(signed, asked.batch).numpy()
    assert flat[order[0]] == flat.max() and flat[order[-1]] == flat.min()
    plain = run(attribute(asked, ClassTarget(1), "gradient"))
    sizes = np.abs(plain.values).sum(0).flatten()
    order = order_of(plain, asked.batch).numpy()
    assert sizes[order[0]] == sizes.max() and (np.diff(sizes[order]) <= 0).all()
    coarse = run(attribute(asked, ClassTarget(1), "grad-cam", None))
    assert coarse.map.shape == (16, 16)
    assert sorted(order_of(coarse, asked.batch).tolist()) == list(range(32 * 32))
