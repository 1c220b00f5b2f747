"""Races: every rule moves as the texts' update says, on the surface's own gradient."""

import numpy as np
import pytest

from guiapp.engine.playground import RaceOptions, make_race
from guiapp.toys.surfaces import SURFACES

RAVINE = SURFACES["ravine"]
FACTORS = np.array([0.2, 4.0])  # the gradient of 0.1 x² + 2 y² is (0.2 x, 4 y)


def raced(rates, surface=RAVINE, start=None, noise=0.0, seed=0, **options):
    race = make_race(surface, rates, RaceOptions(**options), start)
    for _ in race.run(noise, seed):
        pass
    return race


def by_hand(rule, rate, steps):
    w, v, s, m = np.array(RAVINE.start), np.zeros(2), np.zeros(2), np.zeros(2)
    places = [w]
    for t in range(1, steps + 1):
        g = FACTORS * w
        if rule in ("gd", "sgd"):
            w = w - rate * g
        elif rule == "momentum":
            v = 0.9 * v + g
            w = w - rate * v
        elif rule == "nesterov":
            v = 0.9 * v + g
            w = w - rate * (g + 0.9 * v)
        elif rule == "adagrad":
            s = s + g**2
            w = w - rate * g / (np.sqrt(s) + 1e-10)
        elif rule == "rmsprop":
            s = 0.999 * s + 0.001 * g**2
            w = w - rate * g / (np.sqrt(s) + 1e-8)
        elif rule == "adam":
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
            w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        else:
            w = w - rate * g / (FACTORS + 0.1)
        places.append(w)
    return np.array(places)


@pytest.mark.parametrize("rule", ["gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "newton"])
def test_every_rule_takes_the_steps_of_the_texts(rule):
    race = raced({rule: 0.1}, steps=6)
    tolerance = 1e-3 if rule == "newton" else 1e-9  # conjugate gradients stop at a thousandth
    np.testing.assert_allclose(race.places[0], by_hand(rule, 0.1, 6), rtol=0, atol=tolerance)
    assert race.losses[0, 3] == pytest.approx(0.1 * race.places[0, 3, 0] ** 2 + 2 * race.places[0, 3, 1] ** 2)


def test_noise_is_the_same_for_all_but_gd_and_repeats_with_its_seed():
    first = raced({"gd": 0.1, "sgd": 0.1, "momentum": 0.1}, noise=0.2, steps=4)
    clean = raced({"gd": 0.1, "sgd": 0.1}, steps=4)
    np.testing.assert_array_equal(first.places[0], clean.places[0])
    np.testing.assert_array_equal(first.places[1, 1], first.places[2, 1])  # no velocity yet
    assert not np.allclose(first.places[1], clean.places[1])
    np.testing.assert_array_equal(raced({"sgd": 0.1}, noise=0.2, steps=4).places[0], first.places[1])
    assert not np.allclose(raced({"sgd": 0.1}, noise=0.2, seed=1, steps=4).places[0], first.places[1])


def test_above_its_bound_gradient_descent_flies_out_and_the_others_go_on():
    race = raced({"gd": 0.52, "adam": 0.3}, steps=400)
    assert race.lost[0] is not None and race.lost[1] is None and np.isnan(race.places[0, -1, 0])
    assert race.losses[1, -1] < 1e-6 and race.done == 400
    below = raced({"gd": 0.48}, steps=200)
    assert below.lost == [None] and below.losses[0, -1] < 0.01


def test_the_rates_follow_a_schedule():
    race = raced({"gd": 0.1}, steps=10, schedule="linear")
    w = np.array(RAVINE.start)
    for step in range(10):
        w = w - 0.1 * (1 - step / 10) * FACTORS * w
    np.testing.assert_allclose(race.places[0, -1], w)


def test_steps_to_a_share():
    race = raced({"newton": 1.0, "gd": 1e-6}, steps=20)
    assert race.steps_to(1e-3)[0] <= 3 and race.steps_to(1e-3)[1] is None


def test_gradient_descent_waits_at_the_saddle_where_it_starts_on_the_ridge():
    race = raced({"gd": 0.1, "rmsprop": 0.02}, SURFACES["saddle"], start=(-2.0, 0.0), steps=200)
    assert np.abs(race.places[:, -1]).max() < 1e-2, "without noise nothing leaves the ridge"
    noisy = raced({"sgd": 0.1}, SURFACES["saddle"], start=(-2.0, 0.0), noise=0.02, steps=200)
    assert abs(noisy.places[0, -1, 1]) == pytest.approx(1.0, abs=0.1)
