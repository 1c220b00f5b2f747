"""The rate and the momentum of every step against the texts' formulas and torch's own schedulers."""

import math

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from guiapp.training.recipe import SCHEDULES, Recipe, Schedule, change
from guiapp.training.schedules import curve, momentum, rate, rate_with_changes

BASE = 0.3


def torch_rates(make, steps, base=BASE, group="lr"):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base, momentum=0.9)
    scheduler = make(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0][group])
        optimiser.step()
        scheduler.step()
    return rates


def ours(schedule, total, per_epoch):
    return [rate(schedule, BASE, step, total, per_epoch) for step in range(total)]


# ------------------------------------------------------------------ PyTorch


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_is_torchs(final):
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 40, eta_min=BASE * final), 40)
    assert ours(Schedule("cosine", final=final), 40, 10) == pytest.approx(expected)


def test_cosine_with_cycles_is_torchs_with_warm_restarts():
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10, eta_min=BASE * 0.1), 40)
    assert ours(Schedule("cosine", final=0.1, cycles=4), 40, 5) == pytest.approx(expected)


def test_step_is_torchs_by_epoch():
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, 2, 0.5), 7)
    found = ours(Schedule("step", every=2, factor=0.5), 21, 3)
    assert found == pytest.approx([e for e in expected for _ in range(3)])


def test_step_at_given_epochs_is_torchs():
    expected = torch_rates(lambda o: lr_scheduler.MultiStepLR(o, [6, 15], 0.5), 21)
    assert ours(Schedule("step", points="2, 5", factor=0.5), 21, 3) == pytest.approx(expected)


def test_exponential_is_torchs():
    expected = torch_rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 6)), 21)
    found = ours(Schedule("exponential", every=2, factor=0.5), 21, 3)
    assert found == pytest.approx(expected)
    assert found[6] == pytest.approx(BASE * 0.5)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.9])
def test_polynomial_is_torchs(power):
    expected = torch_rates(lambda o: lr_scheduler.PolynomialLR(o, 20, power), 20)
    assert ours(Schedule("polynomial", power=power), 20, 4) == pytest.approx(expected)


def test_a_warm_up_is_torchs_before_another_shape():
    def make(optimiser):
        first = lr_scheduler.LinearLR(optimiser, 0.25, 1.0, 6)
        return lr_scheduler.SequentialLR(optimiser, [first, lr_scheduler.CosineAnnealingLR(optimiser, 24)], [6])

    expected = torch_rates(make, 30)
    found = ours(Schedule("cosine", warmup=1.5, warmup_from=0.25), 30, 4)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_one_cycle_is_torchs_in_rate_and_momentum(name):
    # The text's lines meet the peak at step p I and the end at I; torch's phases end one step earlier.
    steps = 40
    total, share = (steps, 0.3) if name == "cosine" else (steps + 1, (0.3 * steps + 1) / (steps + 1))

    def make(optimiser):
        kind = "cos" if name == "cosine" else "linear"
        return lr_scheduler.OneCycleLR(
            optimiser, BASE, total, pct_start=share, anneal_strategy=kind, div_factor=25, final_div_factor=100,
            base_momentum=0.85, max_momentum=0.9,
        )  # fmt: skip

    schedule = Schedule("one-cycle", start=0.04, final=0.0004, rise=0.3, curve=name)
    assert ours(schedule, steps, 10) == pytest.approx(torch_rates(make, steps))
    recipe = change(Recipe(schedule=schedule), {"optimiser": "momentum"})
    found = [momentum(recipe, step, steps) for step in range(steps)]
    assert found == pytest.approx(torch_rates(make, steps, group="momentum"))


# ------------------------------------------------------------------ the course texts, at every step

TOTAL, PER_EPOCH = 60, 6
EPOCHS = TOTAL / PER_EPOCH
TEXTS = {
    "constant": (Schedule("constant"), lambda i, e: BASE),
    "step": (Schedule("step", every=3, factor=0.1), lambda i, e: BASE * 0.1 ** math.floor(i / (3 * PER_EPOCH))),  # T2
    "exponential": (Schedule("exponential", every=1, factor=0.8), lambda i, e: BASE * 0.8**e),
    "polynomial": (Schedule("polynomial", power=3.0), lambda i, e: BASE * (1 - e / EPOCHS) ** 3),
    "inverse": (Schedule("inverse", gamma=0.5, rho=0.75), lambda i, e: BASE / (1 + 0.5 / PER_EPOCH * i) ** 0.75),  # T2
    "inverse-sqrt": (Schedule("inverse-sqrt"), lambda i, e: BASE / math.sqrt(1 + e)),  # T4, epochs from 1
    "linear": (Schedule("linear", final=0.2), lambda i, e: 0.2 * BASE + 0.8 * BASE * (1 - e / EPOCHS)),  # T1 (37)
    "cosine": (
        Schedule("cosine", final=0.2),
        lambda i, e: 0.2 * BASE + 0.5 * 0.8 * BASE * (1 + math.cos(e * math.pi / EPOCHS)),  # T1 (36)
    ),
    "one-cycle": (
        Schedule("one-cycle", start=0.1, final=0.02, rise=0.3),
        lambda i, e: (  # T1 (38), the falling part from lr_max
            BASE + (0.1 * BASE - BASE) * (1 - i / 18) if i < 18 else 0.02 * BASE + 0.98 * BASE * (1 - (i - 18) / 42)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_the_texts_at_every_step(name):
    schedule, formula = TEXTS[name]
    expected = [formula(i, i / PER_EPOCH) for i in range(TOTAL)]
    assert ours(schedule, TOTAL, PER_EPOCH) == pytest.approx(expected)


def test_the_momentum_of_one_cycle_is_the_texts():
    recipe = change(Recipe(), {"schedule": "one-cycle", "optimiser": "adam", "optimiser.beta1": 0.95})
    low = recipe.schedule.momentum_low
    for i in range(TOTAL):  # T1 (39)
        part = 1 - i / 18 if i < 18 else 1 - (i - 18) / 42
        expected = low + (0.95 - low) * part if i < 18 else 0.95 + (low - 0.95) * part
        assert momentum(recipe, i, TOTAL) == pytest.approx(expected)


def test_a_warm_up_from_zero_is_text_fours():
    found = ours(Schedule("inverse-sqrt", warmup=2), TOTAL, PER_EPOCH)
    assert found[:12] == pytest.approx([BASE * i / 12 for i in range(12)])
    assert found[12] == BASE and found[18] == pytest.approx(BASE / math.sqrt(2))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("total", "per_epoch"), [(1, 1), (2, 1), (3, 3)])
def test_the_shortest_runs_have_rates(name, total, per_epoch):
    for form in ("linear", "cosine"):
        found = ours(Schedule(name, curve=form), total, per_epoch)
        assert all(math.isfinite(r) and 0 <= r <= BASE for r in found)


# ------------------------------------------------------------------ changes by hand


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


def test_a_change_at_the_first_step_of_a_warm_up_is_a_new_base():
    schedule = Schedule("constant", warmup=1)
    found = [rate_with_changes(schedule, 0.1, [(0, 0.5)], step, 12, 4) for step in range(6)]
    assert found == pytest.approx([0.5, 0.125, 0.25, 0.375, 0.5, 0.5])


# ------------------------------------------------------------------ the whole curve


def test_the_curve_before_a_run_has_the_rate_and_the_momentum_of_every_step():
    recipe = change(Recipe(), {"epochs": 4, "schedule": "one-cycle", "optimiser.lr": BASE})
    found = curve(recipe, 10)
    assert found.steps.tolist() == list(range(40))
    assert found.rates.tolist() == ours(recipe.schedule, 40, 10)
    assert found.momenta.tolist() == [momentum(recipe, step, 40) for step in range(40)]
    assert found.rates.argmax() == found.momenta.argmin() == 12


def test_a_curve_of_many_steps_is_drawn_with_few_and_keeps_its_corners():
    recipe = change(Recipe(), {"epochs": 100, "schedule": "one-cycle", "optimiser": "sgd"})
    found = curve(recipe, 10_000, most=500)
    assert len(found.steps) < 510 and found.steps[0] == 0 and found.steps[-1] == 999_999
    assert found.rates.max() == recipe.optimiser.lr and found.momenta is None


def test_a_curve_with_changes_by_hand_is_the_rates_that_were_used():
    recipe = change(Recipe(), {"epochs": 2, "optimiser": "momentum"})
    found = curve(recipe, 5, [(3, 0.01)])
    assert found.rates[3] == 0.01 and np.all(found.momenta == 0.9)
