"""A picture that is grown excites its unit more than what it began with, the same way each time."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.units.grow import COLOURS, Canvas, growing, moved, variation
from guiapp.interpret.units.options import GrowOptions
from guiapp.interpret.units.passes import LayerPass


@pytest.fixture(scope="module")
def edge():
    """Unit 0 answers to bright above dark in the green channel."""
    model = nn.Sequential(nn.Conv2d(3, 2, 2, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].weight[0, 1] = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
        model[0].weight[1] = 0
    return model.eval().requires_grad_(False)


def grown(model, layer, unit, tell=None, **changes):
    options = GrowOptions(**{"steps": 40, "rate": 0.1, **changes})
    with LayerPass(model, layer) as passed:
        steps = growing(passed, unit, (3, 24, 24), ((0.5,), (0.5,)), options, tell)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(
    "changes", [{}, {"fourier": False}, {"decorrelated": False}, {"jitter": 0, "turn": 0, "size": 0}]
)
def test_the_response_grows(edge, changes):
    told = []
    found = grown(edge, "1", 0, told.append, **changes)
    assert found.pixels.shape == (24, 24, 3) and found.pixels.dtype == np.uint8
    assert found.value > 3 * found.trace[0] and len(found.trace) == 40
    assert len(told) == 39 and np.isnan(told[0].value)


def test_one_unit_grows_what_it_looks_for(edge):
    found = grown(edge, "1", 0, wants="unit", fourier=False, decorrelated=False, jitter=0, turn=0, size=0, steps=80)
    at = found.pixels[11:13, 11:13, 1].astype(int)
    assert at[0].min() > 250 and at[1].max() < 5, "bright above dark, just where the unit looks"
    assert found.value == pytest.approx(4.0, abs=0.2), "the most that a picture between black and white gives"
    least = grown(edge, "0", 0, wants="unit", sign="least", fourier=False, decorrelated=False, steps=80)
    assert least.value < -2


def test_the_same_options_give_the_same_picture(edge):
    torch.manual_seed(1)
    first = grown(edge, "1", 0, steps=5)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again = grown(edge, "1", 0, steps=5)
    assert torch.equal(state, torch.get_rng_state()), "the global generator is left alone"
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, grown(edge, "1", 0, steps=5, seed=1).pixels)


def test_smoothness_makes_it_smoother(edge):
    rough, smooth = (grown(edge, "1", 0, smoothness=w, fourier=False).pixels.astype(float) for w in (0.0, 5.0))
    assert np.abs(np.diff(smooth, axis=1)).mean() < 0.5 * np.abs(np.diff(rough, axis=1)).mean()
    assert float(variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]))) == 1.0


def test_a_unit_that_no_pixel_reaches_is_refused(edge):
    class Blind(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = nn.Identity()

        def forward(self, x):
            return self.part(torch.ones(1, 2))

    with pytest.raises(UserError, match="does not follow the picture"):
        grown(Blind(), "part", 0)


def test_in_frequencies_every_one_is_as_easy_to_change_as_in_photographs():
    canvas = Canvas((3, 32, 32), GrowOptions(decorrelated=False), torch.Generator().manual_seed(0), "cpu")
    values = torch.logit(canvas.picture()[0].detach())
    power = torch.fft.rfft2(values).abs().pow(2).mean(0)
    low, high = power[1:4, 1:4].mean(), power[12:16, 12:15].mean()
    assert low > 10 * high, "amplitudes fall as one over the frequency"
    axes = np.array(COLOURS)
    covered = axes @ axes.T
    assert np.all(covered > 0) and axes[:, 0].min() > 0.2, "channels of photographs vary together, most by brightness"


def test_movement_keeps_the_size_and_none_changes_nothing():
    picture, generator = torch.rand(1, 3, 20, 30), torch.Generator().manual_seed(0)
    still = GrowOptions(jitter=0, turn=0, size=0)
    assert moved(picture, still, generator) is picture
    shifted = moved(picture, GrowOptions(jitter=0.1, turn=0, size=0), generator)
    assert shifted.shape == picture.shape and not torch.equal(shifted, picture)
    grey = torch.full((1, 3, 20, 30), 0.25)
    torch.testing.assert_close(moved(grey, GrowOptions(), generator), grey)
