"""Values, ranges, grids, draws, finer ranges, budgets: against what they mean by hand."""

import math

import pytest

from guiapp.core.notices import SettingError
from guiapp.training.budget import Budget, parse_budget
from guiapp.training.search_record import rungs_of
from guiapp.training.search_space import Axis, around, configurations, draw, grid, parse_axis


def test_values_keep_their_kind_and_order():
    assert parse_axis("a", "0.1, 1e-3,3,adam,true,3").values == (0.1, 1e-3, 3, "adam", True)


def test_points_of_a_range_are_even_on_its_scale():
    assert parse_axis("lr", "1e-4..1/5").values == pytest.approx((1e-4, 1e-3, 1e-2, 1e-1, 1.0))
    assert parse_axis("m", "0.0..1/3").values == (0.0, 0.5, 1.0)
    assert parse_axis("h", "10..100/4:linear").values == (10, 40, 70, 100)


@pytest.mark.parametrize("text", ["1e-1..1e-4", "a..b", "", "0..1:log", "1..2/1", "1..2,3"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(SettingError):
        parse_axis("lr", text)


def test_wide_ranges_are_logarithmic_unless_they_say_otherwise():
    assert [parse_axis("x", t).log for t in ("1e-4..1e-1", "0.5..0.9", "1e-4..1e-1:linear", "0.5..0.9:log")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_log_uniform_draws_fall_alike_into_every_decade():
    found = [c["lr"] for c in draw([parse_axis("lr", "1e-4..1e-1")], 3000, 0)]
    decades = [sum(10.0**e <= v < 10.0 ** (e + 1) for v in found) / 3000 for e in (-4, -3, -2)]
    assert decades == pytest.approx([1 / 3] * 3, abs=0.03)
    assert draw([parse_axis("lr", "1e-4..1e-1")], 5, 0) == [{"lr": v} for v in found[:5]]


def test_whole_numbers_stay_whole_and_no_configuration_is_drawn_twice():
    found = draw([parse_axis("k", "1..4"), parse_axis("m", "L1,L2")], 50, 1)
    assert len(found) == 8 and all(type(c["k"]) is int for c in found)


def test_a_grid_is_every_combination_and_draws_are_shared_by_its_points():
    fixed, varied = [Axis("a", (1, 2)), Axis("b", ("x", "y"))], [parse_axis("lr", "1e-3..1")]
    assert grid(fixed) == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]
    both = configurations(fixed, varied, 3)
    assert len(both) == 12 and len({c["lr"] for c in both}) == 3
    with pytest.raises(SettingError, match="how many of the range"):
        grid(varied)


def test_a_finer_range_is_a_third_of_the_coarse_one_about_the_best():
    finer = around(parse_axis("lr", "1e-4..1e-1"), 1e-2)
    assert (finer.low * finer.high) ** 0.5 == pytest.approx(1e-2) and finer.high / finer.low == pytest.approx(10)
    assert around(parse_axis("lr", "1e-4..1e-1"), 1e-1).high > 1e-1  # the best at an end: beyond it, too
    values = around(Axis("lr", (0.001, 0.01, 0.1)), 0.01).values
    assert 0.01 in values and min(values) > 0.001 and max(values) < 0.1 and len(values) >= 5
    assert math.isclose(values[1] / values[0], values[2] / values[1], rel_tol=1e-3)
    assert max(around(Axis("k", (1, 3, 5)), 5).values) > 5
    assert around(Axis("optimiser", ("adam", "sgd")), "adam").values == ("adam",)


def test_rungs_divide_the_length_of_a_run():
    assert rungs_of(81, 3, 1) == [1, 3, 9, 27, 81]
    assert rungs_of(20, 3, 2) == [2, 6, 20]
    assert rungs_of(2, 3, 1) == [2]


def test_budgets():
    assert parse_budget("90s") == Budget(seconds=90.0) and parse_budget("1.5h").seconds == 5400
    assert parse_budget("200 epochs") == Budget(epochs=200) and parse_budget("1run") == Budget(runs=1)
    assert parse_budget("") == Budget() and not Budget().spent(1e9, 10**9)
    assert Budget(epochs=5).spent(0, 5) and not Budget(epochs=5).spent(1e9, 4) and not Budget(runs=2).allows(2)
    for wrong in ("10", "ten minutes", "0s", "5 parsecs"):
        with pytest.raises(SettingError):
            parse_budget(wrong)
