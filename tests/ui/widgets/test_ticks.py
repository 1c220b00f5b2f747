import pytest

from guiapp.ui.widgets.ticks import grown_end, grown_range, linear_ticks, log_ticks, nearest, tick_step, tick_text


def test_steps_are_one_two_five():
    assert tick_step(1.0, 5) == pytest.approx(0.2)
    assert tick_step(230, 5) == pytest.approx(50)
    assert tick_step(0.0012, 4) == pytest.approx(0.0005)


def test_linear_ticks_are_round_and_inside():
    assert linear_ticks(0, 2.5, 5) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert linear_ticks(90.2, 99.9, 5) == pytest.approx([92, 94, 96, 98])


def test_log_ticks_never_crowd():
    assert log_ticks(0.1, 10, 6) == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 10])
    assert log_ticks(0.1, 10, 4) == pytest.approx([0.1, 0.3, 1, 3, 10])
    assert log_ticks(1e-6, 1e2, 4) == pytest.approx([1e-6, 1e-4, 1e-2, 1, 100])
    assert len(log_ticks(1e-12, 1e12, 5)) <= 6


def test_texts_have_the_decimals_of_the_step():
    assert [tick_text(v, 0.5) for v in (0.0, 0.5, 1.0)] == ["0", "0.5", "1.0"]
    assert tick_text(2000, 500) == "2000"
    assert tick_text(1e-5) == "1e-5"
    assert tick_text(0.02) == "0.02"
    assert tick_text(3e6) == "3e6"


def test_a_growing_curve_changes_its_axis_seldom():
    ends = {grown_end(step) for step in range(1, 10_001)}
    assert len(ends) <= 4 * 9
    assert all(grown_end(v) >= v for v in (0.3, 7, 8.01, 99, 1001))


def test_ranges_begin_at_zero_unless_far_from_it():
    assert grown_range(0.2, 2.31, log=False) == (0, 3)
    low, high = grown_range(98.1, 99.2, log=False)
    assert 95 < low <= 98.1 and 99.2 <= high < 101
    low, high = grown_range(0.013, 2.4, log=True)
    assert (low, high) == pytest.approx((0.01, 5))
    low, high = grown_range(0.5, 0.5, log=False)
    assert low < 0.5 <= high or low <= 0.5 < high


@pytest.mark.parametrize(("target", "index"), [(-5, 0), (4, 1), (6, 1), (8.1, 2), (99, 2)])
def test_nearest(target, index):
    assert nearest([1, 5, 11], target) == index
