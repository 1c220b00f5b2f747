"""Differences of two predictions against numbers worked out by hand."""

import numpy as np
import pytest

from guiapp.tasks.compare import difference, in_common, in_words, translated
from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Flow, LabelMap, Masks

SIZE = (100, 80)
COCO = ("__background__", "person", "dog", "N/A", "motorcycle")


def objects(rows, labels=COCO, **more):
    """Rows of (class name, score, x1, y1, x2, y2)."""
    return Detections(
        np.array([row[2:] for row in rows], np.float32).reshape(-1, 4), np.array([row[1] for row in rows], np.float32),
        np.array([labels.index(row[0]) for row in rows], np.int64), labels, SIZE, **more,
    )  # fmt: skip


def test_boxes_are_matched_by_class_and_overlap_in_the_order_of_scores():
    first = objects([
        ("person", 0.9, 0, 0, 10, 10), ("person", 0.8, 2, 0, 12, 10), ("dog", 0.7, 50, 0, 60, 10),
        ("person", 0.6, 80, 0, 90, 10),
    ])  # fmt: skip
    second = objects([
        ("person", 0.85, 50, 0, 60, 10), ("person", 0.5, 0, 0, 10, 8), ("person", 0.4, 84, 0, 94, 10),
    ])  # fmt: skip
    found = difference(first, second)
    # the best person takes the box of IoU 80/100; the next one finds it taken; the dog lies on a person; the last pair
    # shares 60 of 140 pixels, which is less than a half
    assert found.pairs.tolist() == [[0, 1]]
    assert found.overlaps.tolist() == pytest.approx([0.8])
    assert found.changes.tolist() == pytest.approx([-0.4])
    assert (found.only_first.tolist(), found.only_second.tolist()) == ([1, 2, 3], [0, 2])
    assert in_words(found) == "1 box in both, 3 only A, 2 only B, mean change of score −0.40"


def test_a_better_object_takes_the_box_that_overlaps_it_most():
    first = objects([("dog", 0.5, 0, 0, 10, 10), ("dog", 0.9, 0, 0, 10, 9)])
    second = objects([("dog", 0.6, 0, 0, 10, 10), ("dog", 0.3, 0, 0, 10, 6)])
    found = difference(first, second)
    assert found.pairs.tolist() == [[1, 0], [0, 1]]
    assert found.overlaps.tolist() == pytest.approx([0.9, 0.6])
    assert found.changes.mean() == pytest.approx((-0.3 - 0.2) / 2)


def test_classes_of_other_label_sets_are_matched_by_name():
    voc = ("background", "motorbike", "Person")
    first = objects([("person", 0.9, 0, 0, 10, 10), ("motorcycle", 0.8, 20, 0, 30, 10), ("dog", 0.7, 50, 0, 60, 10)])
    second = objects([("motorbike", 0.5, 20, 0, 30, 10), ("Person", 0.6, 0, 0, 10, 10)], voc)
    found = difference(first, second)
    assert found.pairs.tolist() == [[0, 1], [1, 0]]
    assert found.only_first.tolist() == [2] and not len(found.only_second)
    assert (found.unknown_first, found.unknown_second) == (1, 0)
    assert in_words(found, "SSD", "HOG").startswith("2 boxes in both, 1 only SSD (1 of classes that HOG does not know)")
    back = difference(second, first)
    assert (back.only_second.tolist(), back.unknown_first, back.unknown_second) == ([2], 0, 1)


def test_nothing_found_by_one_or_by_both():
    some, none = objects([("dog", 0.4, 0, 0, 5, 5), ("dog", 0.9, 20, 0, 25, 5)]), objects([])
    assert difference(some, none).only_first.tolist() == [1, 0], "best first"
    assert difference(none, some).only_second.tolist() == [1, 0]
    assert in_words(difference(none, none)) == "neither finds anything"


def test_masks_of_matched_objects():
    square = np.ones((4, 4), bool)
    rows = [("dog", 0.9, 10, 10, 14, 14), ("dog", 0.8, 50, 10, 54, 14)]
    first = objects(rows, masks=Masks((square, square), np.array([[10, 10], [50, 10]], np.int32)))
    half = square.copy()
    half[:, 2:] = False
    second = objects(rows, masks=Masks((half, np.zeros((0, 0), bool)), np.array([[10, 10], [50, 10]], np.int32)))
    found = difference(first, second)
    assert found.mask_overlaps[0] == pytest.approx(0.5)
    assert np.isnan(found.mask_overlaps[1]), "its mask is not computed yet"
    assert in_words(found).endswith("mask IoU 0.50")
    assert difference(first, objects(rows)).mask_overlaps is None


def test_distance_of_key_points():
    points = np.array([[[1, 1, 5], [20, 1, 5], [9, 9, 5]]], np.float32)
    moved = points + np.array([[3, 4, 0], [0, 1, 0], [50, 50, -np.inf]], np.float32)
    row = [("person", 0.9, 0, 0, 30, 30)]
    found = difference(objects(row, keypoints=points), objects(row, keypoints=moved))
    assert found.distances.tolist() == pytest.approx([(5 + 1) / 2]), "the third is not there yet"
    assert in_words(found).endswith("key points 3.0 px apart")


def test_pixels_that_differ_and_overlap_of_each_class():
    one = np.array([[0, 0, 1, 1], [0, 2, 2, 1]], np.uint8)
    two = np.array([[0, 0, 0, 1], [2, 2, 2, 1]], np.uint8)
    labels = ("background", "cat", "dog")
    found = difference(LabelMap(one, labels, (8, 4)), LabelMap(two, labels, (8, 4)))
    assert found.differs.tolist() == [[False, False, True, False], [True, False, False, False]]
    assert found.share == 2 / 8
    assert found.overlaps == {
        "background": pytest.approx(2 / 4), "cat": pytest.approx(2 / 3), "dog": pytest.approx(2 / 3),
    }  # fmt: skip
    assert in_words(found) == "25.0% of the pixels differ, mean IoU 0.61 of 3 classes"


def test_label_maps_of_other_sizes_and_names():
    fine = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 1, 1], [2, 2, 1, 1]], np.int16)
    coarse = np.array([[2, 1], [3, 1]], np.uint8)
    first = LabelMap(fine, ("background", "aeroplane", "dog"), (4, 4))
    second = LabelMap(coarse, ("sky", "airplane", "__background__", "dog"), (4, 4))
    found = difference(first, second)
    assert found.share == 0 and found.differs.shape == (4, 4)
    other = difference(first, LabelMap(coarse, ("dog", "sky", "background", "aeroplane"), (4, 4)))
    assert other.share == 0.75 and other.overlaps["sky"] == 0 and other.overlaps["background"] == 1


def scores(**by_name):
    return ClassScores(np.array(list(by_name.values()), np.float32), tuple(by_name))


def test_scores_of_the_best_classes_of_both():
    first = scores(cat=0.5, dog=0.3, owl=0.1, cow=0.05, hen=0.03, ant=0.02)
    second = scores(ant=0.6, dog=0.2, cat=0.1, owl=0.05, cow=0.04, yak=0.01)
    found = difference(first, second)
    assert [row[0] for row in found.rows] == ["ant", "cat", "dog", "owl", "cow", "hen"], "yak is sixth of the second"
    assert found.rows[0][1:] == pytest.approx((0.02, 0.6)) and found.rows[1][1:] == pytest.approx((0.5, 0.1))
    assert found.rows[5][1] == pytest.approx(0.03) and np.isnan(found.rows[5][2]), "the second knows no hen"
    assert in_words(found) == "A says cat (50.0%), B says ant (60.0%)"
    assert in_words(difference(first, scores(cat=0.75, dog=0.25))) == "both say cat: A 50.0%, B 75.0%"


def test_two_classes_of_one_name_are_told_apart():
    labels = ("crane", "owl", "crane")  # ImageNet's bird and machine
    bird, machine = (ClassScores(np.array(p, np.float32), labels) for p in ((0.8, 0.2, 0.0), (0.0, 0.2, 0.8)))
    found = difference(bird, machine)
    assert sorted((p, q) for name, p, q in found.rows if name == "crane") == [
        pytest.approx((0.0, 0.8)), pytest.approx((0.8, 0.0))
    ]  # fmt: skip
    assert in_words(found) == "A says crane (80.0%), B says crane (80.0%)"


def test_motion_differs_by_the_mean_end_point_difference():
    still = np.zeros((2, 2, 2), np.float32)
    moved = still.copy()
    moved[0, 0], moved[1, 1] = (3, 4), (0, np.nan)
    found = difference(Flow(still, SIZE), Flow(moved, SIZE))
    assert found.lengths[0].tolist() == [5, 0] and found.mean == pytest.approx(5 / 3), "where both know the motion"
    finer = difference(Flow(still, SIZE), Flow(np.repeat(moved, 3, 1), SIZE))
    assert finer.lengths.shape == (2, 6) and finer.lengths[0].tolist() == [5, 5, 5, 0, 0, 0]
    assert in_words(found) == "motion differs by 1.67 px on average"
    many = np.zeros((1000, 1000, 2), np.float32)
    many[500:, :, 0] = 2
    found = difference(Flow(np.zeros_like(many), SIZE), Flow(many, SIZE))
    assert found.lengths.shape == (500, 500) and found.mean == 1 and found.lengths[250:].min() == 2


def test_depth_in_metres_and_relative_depth():
    one = np.array([[1, 2], [3, np.nan]], np.float32)
    metres = difference(Depth(one, SIZE, "m"), Depth(np.array([[1.5, 2], [2, 9]], np.float32), SIZE, "m"))
    assert (
        metres.lengths[0].tolist() == [0.5, 0] and np.isnan(metres.lengths[1, 1]) and metres.mean == pytest.approx(0.5)
    )
    assert in_words(metres) == "depth differs by 0.50 m on average"
    relative = Depth(np.array([[0, 10], [20, 40]], np.float32), SIZE, near=True)
    scaled = Depth(relative.values * 3 - 7, SIZE, near=True)
    assert difference(relative, scaled).mean == pytest.approx(0, abs=1e-5), "scale and shift say nothing"
    # least squares of (0, 0), (0, 10), (1, 0), (1, 10): slope 0, mean 5; each is half of the range of 10 away
    flat = Depth(np.array([[0, 10], [0, 10]], np.float32), SIZE), Depth(np.array([[0, 0], [1, 1]], np.float32), SIZE)
    found = difference(*flat)
    assert found.lengths.tolist() == [[50, 50], [50, 50]]
    assert in_words(found) == "depth differs by 50.00 % of its range on average"
    assert difference(relative, flat[0]) is None, "one grows towards the camera, the other away from it"


def test_what_cannot_be_compared():
    flow, none = Flow(np.zeros((4, 4, 2), np.float32), SIZE), Flow(np.zeros((1, 1, 2), np.float32), SIZE)
    assert difference(flow, objects([])) is None and difference(scores(cat=1), objects([])) is None
    assert difference(flow, none) is None, "a first picture has no motion"
    waiting, answered = ClipScores(None, 3, 16), ClipScores(scores(run=0.6, sit=0.4), 16, 16)
    assert difference(answered, waiting) is None
    assert in_words(difference(answered, answered)) == "both say run: A 60.0%, B 60.0%"


def test_answers_are_brought_to_common_names_and_numbers():
    first = objects([("dog", 0.7, 0, 0, 9, 9)])
    second = objects([("bird", 0.6, 0, 0, 9, 9), ("Person", 0.5, 0, 0, 9, 9)], ("Person", "bird"))
    one, two = in_common(first, second)
    assert one.labels == two.labels == (*COCO, "bird") and one.classes.tolist() == [2]
    assert two.classes.tolist() == [5, 1] and two.scores is second.scores
    assert in_common(first, objects([]))[0] is first, "equal names stay as they are"
    still = Flow(np.zeros((4, 4, 2), np.float32), SIZE)
    assert in_common(first, still) == (first, still)
    maps = (
        LabelMap(np.array([[0, 1]], np.uint8), ("sky", "sea"), SIZE),
        LabelMap(np.array([[0, 1]], np.uint8), ("sea", "sky"), SIZE),
    )
    assert in_common(*maps)[1].classes.tolist() == [[1, 0]] and in_common(*maps)[1].classes.dtype == np.uint8


def test_a_choice_of_classes_holds_for_another_label_set():
    assert translated({1, 2}, COCO, ("dog", "person")) == {0, 1}
    assert translated({3, 4}, COCO, ("background", "motorbike")) == {1}
    assert translated({1, 3}, COCO, COCO) == {1, 3}
