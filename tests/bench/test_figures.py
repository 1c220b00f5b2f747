"""Ratios with their spread, by hand."""

import pytest

from guiapp.bench import BENCHMARKS
from guiapp.bench.figures import paired, percentile, slope, worst
from guiapp.core.registry import resolve


def test_ratio_is_the_median_of_the_pairs_with_the_extremes_beside_it():
    found = paired([(1.0, 2.0), (3.0, 3.0), (9.0, 3.0)], "s", "lower", "ours against theirs", extra=7)
    assert found["ratio"] == 1.0  # of 0.5, 1, 3
    assert (found["low"], found["high"]) == (0.5, 3.0)
    assert (found["ours"], found["peer"]) == (3.0, 3.0)
    assert (found["unit"], found["better"], found["what"], found["extra"]) == ("s", "lower", "ours against theirs", 7)


@pytest.mark.parametrize(("better", "name"), [("lower", "slow"), ("higher", "fast")])
def test_worst_case_gives_the_ratio(better, name):
    cases = {"fast": paired([(1.0, 2.0)], "s", better, "a"), "slow": paired([(3.0, 2.0)], "s", better, "b")}
    found = worst(cases, "both")
    assert found["worst"] == name
    assert found["ratio"] == cases[name]["ratio"]
    assert found["cases"] == cases


def test_percentile_lies_between_neighbours():
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([4.0, 1.0, 3.0, 2.0], 1.0) == 4.0


def test_slope_of_a_line():
    assert slope([0.0, 1.0, 2.0], [5.0, 7.0, 9.0]) == pytest.approx(2.0)


def test_every_benchmark_is_there():
    for reference in BENCHMARKS.values():
        assert callable(resolve(reference))
