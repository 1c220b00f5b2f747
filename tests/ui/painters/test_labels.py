"""Places of labels, checked by geometry."""

import numpy as np
import pytest

from guiapp.ui.painters.labels import place_labels

AREA = (0, 0, 1280, 720)


def overlaps(rects):
    """Pairs of rectangles that cover each other."""
    return [
        (i, j)
        for i, a in enumerate(rects)
        for j, b in enumerate(rects[:i])
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def crowd(count, seed, spread=60):
    rng = np.random.default_rng(seed)
    centres = np.clip(rng.normal((640, 360), spread, (count, 2)), (10, 10), (1270, 710))
    sides = rng.uniform(20, 160, (count, 2))
    boxes = np.rint(np.hstack([centres - sides / 2, centres + sides / 2])).astype(np.int64)
    return boxes, np.stack([rng.integers(50, 140, count), np.full(count, 17)], 1)


def test_a_lone_label_stands_on_its_box():
    placed, apart = place_labels(np.array([[100, 200, 180, 260]]), np.array([[60, 17]]), AREA)
    assert placed.tolist() == [[100, 183, 160, 200]]
    assert not apart[0]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([10, 0, 90, 60], [10, 0, 70, 17]),  # no room above: inside
        ([1250, 300, 1300, 400], [1220, 283, 1280, 300]),  # no room on the right: moved in
        ([-50, -30, 2000, 900], [0, 0, 60, 17]),  # the box is larger than what can be seen
    ],
)
def test_labels_stay_in_sight(box, expected):
    placed, _ = place_labels(np.array([box]), np.array([[60, 17]]), AREA)
    assert placed.tolist() == [expected]


def test_a_box_out_of_sight_has_no_label():
    placed, _ = place_labels(np.array([[1300, 10, 1400, 90], [10, 100, 60, 150]]), np.array([[60, 17]] * 2), AREA)
    assert placed[0].tolist() == [0, 0, 0, 0]
    assert placed[1].any()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spread", [2, 60, 300])
def test_forty_crowded_labels_all_find_room_and_none_covers_another(seed, spread):
    boxes, sizes = crowd(40, seed, spread)
    placed, apart = place_labels(boxes, sizes, AREA)
    assert (placed[:, 2:] - placed[:, :2] == sizes).all()
    assert not overlaps(placed.tolist())
    assert (placed[:, :2] >= 0).all() and (placed[:, 2] <= 1280).all() and (placed[:, 3] <= 720).all()
    for label, box, alone in zip(placed, boxes, apart, strict=True):
        gap = max(label[0] - box[2], box[0] - label[2], label[1] - box[3], box[1] - label[3], 0)
        assert alone == (gap > 1)


@pytest.mark.parametrize("seed", range(4))
def test_without_room_some_are_left_out_and_none_covers_another(seed):
    boxes, sizes = crowd(40, seed)
    area = (600, 320, 800, 420)
    placed, _ = place_labels(boxes, sizes, area)
    there = placed[placed[:, 2] > 0]
    assert 5 < len(there) < 40
    assert not overlaps(there.tolist())
    assert (there[:, :2] >= (600, 320)).all() and (there[:, 2:] <= (800, 420)).all()


def test_what_is_taken_stays_free():
    taken = [(90, 150, 300, 300)]
    placed, apart = place_labels(np.array([[100, 200, 180, 260]]), np.array([[60, 17]]), AREA, taken)
    assert not overlaps([*taken, *placed.tolist()])
    assert apart[0]


def test_no_labels_at_all():
    placed, apart = place_labels(np.zeros((0, 4), np.int64), np.zeros((0, 2), np.int64), AREA)
    assert placed.shape == (0, 4) and apart.shape == (0,)
