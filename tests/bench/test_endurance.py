"""The growth that the endurance benchmark reports."""

import pytest

from guiapp.bench.endurance import _result

OFFSETS = (0.0, 30.0, 5.0, 80.0)


def samples(growth, count=40):
    return [(500.0 * (n + 1), 900 + OFFSETS[n % 4] + growth * 0.05 * (n + 1)) for n in range(count)]


@pytest.mark.parametrize("growth", [0.0, 2.0, -1.0])
def test_growth_is_that_of_each_network_whatever_they_differ_by(growth):
    nothing = {"threads": 4}
    assert _result(samples(growth), nothing, nothing)["ours"] == pytest.approx(growth)
    disturbed = samples(growth)
    disturbed[20] = (disturbed[20][0], disturbed[20][1] + 50)  # one sample at a bad moment
    assert _result(disturbed, nothing, {"threads": 5})["ours"] == pytest.approx(growth)
    assert _result(disturbed, nothing, {"threads": 5})["more"] == {"threads": 1}
