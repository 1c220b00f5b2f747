"""Points by their place: cut to rectangles, pointed at, circled; against a look at every point."""

import numpy as np
import pytest

from guiapp.interpret.embedding.cloud import Cloud


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(0, 3, (30_000, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def cloud(points):
    return Cloud(points)


@pytest.mark.parametrize("area", [(-1, -2, 0.5, 3), (-99, -99, 99, 99), (1.0, -99, 1.001, 99), (50, 50, 60, 60)])
def test_a_rectangle_holds_what_a_look_at_every_point_finds(cloud, points, area):
    left, bottom, right, top = area
    every = (points[:, 0] >= left) & (points[:, 0] <= right) & (points[:, 1] >= bottom) & (points[:, 1] <= top)
    assert np.array_equal(np.sort(cloud.order[cloud.within(*area)]), np.flatnonzero(every))


def test_the_nearest_point_is_the_one_of_all_within_reach(cloud, points):
    for x, y in [(0, 0), (2.3, -1.7), (-8, 9)]:
        away = np.hypot((points[:, 0] - x) / 0.5, (points[:, 1] - y) / 0.2)
        expected = int(away.argmin()) if away.min() <= 1 else None
        assert cloud.nearest(x, y, 0.5, 0.2) == expected
    assert cloud.nearest(500, 0, 1, 1) is None


def _even_odd(points, outline):
    inside = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        for at, (x, y) in enumerate(points):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside[at] = not inside[at]
    return np.flatnonzero(inside)


def test_a_lasso_holds_the_points_inside_by_the_even_odd_rule(points):
    some = points[:800].astype(np.float64)
    star = np.array([(4 * np.cos(a), 4 * np.sin(a)) for a in np.arange(5) * 2 * 2 * np.pi / 5])  # crosses itself
    assert np.array_equal(Cloud(some).inside(star), _even_odd(some.astype(np.float32), star))


def test_a_lasso_around_many_points_is_as_exact_as_around_few(cloud, points):
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = np.stack([6 * np.cos(turn) + 0.7 * np.cos(9 * turn), 5 * np.sin(turn)], 1)
    parts = [Cloud(points[start : start + 1000]).inside(outline) + start for start in range(0, 30_000, 1000)]
    found = cloud.inside(outline)
    assert len(found) > 20_000 and np.array_equal(found, np.concatenate(parts))


def test_no_points_one_point_and_points_in_one_place_are_no_exception():
    assert len(Cloud(np.empty((0, 2)))) == 0 and Cloud(np.empty((0, 2))).nearest(0, 0, 1, 1) is None
    assert Cloud([[3.0, 4.0]]).nearest(3, 4, 1, 1) == 0
    same = Cloud(np.full((50, 2), 2.0))
    assert len(same.within(1, 1, 3, 3)) == 50 and same.low[0] < 2 < same.high[0]
    assert len(same.inside([(0, 0), (4, 0)])) == 0
