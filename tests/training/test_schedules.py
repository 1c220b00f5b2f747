"""The rate of every step against torch's own schedulers."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR

from guiapp.training.recipe import Schedule
from guiapp.training.schedules import rate, rate_with_changes


def torch_rates(make, steps, base=0.3):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = make(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_is_torchs(final):
    expected = torch_rates(lambda o: CosineAnnealingLR(o, 40, eta_min=0.3 * final), 40)
    schedule = Schedule("cosine", final=final)
    assert [rate(schedule, 0.3, step, 40, 10) for step in range(40)] == pytest.approx(expected)


def test_step_is_torchs_by_epoch():
    expected = torch_rates(lambda o: StepLR(o, 2, 0.5), 7)
    schedule = Schedule("step", every=2, factor=0.5)
    found = [rate(schedule, 0.3, step, 21, 3) for step in range(21)]
    assert found == pytest.approx([e for e in expected for _ in range(3)])


def test_constant_stays():
    assert {rate(Schedule("constant"), 0.3, step, 10, 2) for step in range(10)} == {0.3}


def test_a_change_by_hand_gives_exactly_that_rate_then_follows_the_shape():
    schedule = Schedule("cosine")
    plain = [rate(schedule, 0.4, step, 20, 5) for step in range(20)]
    found = [rate_with_changes(schedule, 0.4, [(8, 0.1), (12, 0.7)], step, 20, 5) for step in range(20)]
    assert found[:8] == plain[:8]
    assert found[8] == 0.1 and found[12] == 0.7
    assert found[10] == pytest.approx(0.1 * plain[10] / plain[8])
    assert found[19] == pytest.approx(0.7 * plain[19] / plain[12])


def test_a_change_under_a_constant_rate_stays():
    changes = [(3, 0.5)]
    assert [rate_with_changes(Schedule("constant"), 0.1, changes, s, 9, 3) for s in (2, 3, 8)] == [0.1, 0.5, 0.5]
