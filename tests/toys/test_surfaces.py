"""Loss surfaces: lowest where they say so, flat there and at saddles, the same for numpy and torch."""

import numpy as np
import pytest
import torch

from guiapp.toys.surfaces import RULES, SURFACES


@pytest.fixture(params=SURFACES.values(), ids=list(SURFACES))
def surface(request):
    return request.param


def gradient(surface, place):
    weight = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(surface.function(weight[0], weight[1], torch), weight)
    return found


def test_nothing_that_is_shown_lies_below_the_minima(surface):
    left, right, bottom, top = surface.area
    x, y = np.meshgrid(np.linspace(left, right, 301), np.linspace(bottom, top, 301))
    assert surface.values(x, y).min() >= surface.lowest - 1e-12
    assert all(surface.values(*place) == pytest.approx(surface.lowest, abs=1e-12) for place in surface.minima)


def test_minima_and_saddles_are_flat_and_only_saddles_bend_down(surface):
    for place in (*surface.minima, *surface.saddles):
        assert gradient(surface, place).abs().max() < 1e-6
        weight = torch.tensor(place, dtype=torch.float64)
        hessian = torch.autograd.functional.hessian(lambda w: surface.function(w[0], w[1], torch), weight)
        assert (torch.linalg.eigvalsh(hessian)[0] < 0) == (place in surface.saddles) or place not in surface.minima
        if place in surface.minima:
            assert torch.linalg.eigvalsh(hessian)[0] > 0


def test_start_and_rates(surface):
    left, right, bottom, top = surface.area
    assert left < surface.start[0] < right and bottom < surface.start[1] < top
    assert set(RULES) <= set(surface.rates)


def test_values_by_hand():
    assert SURFACES["beale"].values(1.0, 1.0) == 1.5**2 + 2.25**2 + 2.625**2
    assert SURFACES["rosenbrock"].values(-1.2, 1.0) == pytest.approx(24.2)
    assert SURFACES["ravine"].values(-5.0, 2.0) == 10.5
    assert SURFACES["many-minima"].values(0.5, 0.0) == pytest.approx(2.125)
