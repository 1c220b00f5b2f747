"""Predictions as plain data; run lengths against what pycocotools 2.0 gives for the same masks."""

import json

import numpy as np
import pytest

from guiapp.tasks.plain import as_dict, has_answer, run_length
from guiapp.tasks.predictions import ClassScores, ClipScores, Detections, Flow, LabelMap, Masks

SCORES = ClassScores(np.array([0.2, 0.7, 0.1], np.float32), ("cat", "dog", "owl"))


def decoded(counts: str, height: int, width: int) -> np.ndarray:
    """COCO's compressed run lengths back into pixels, by the description of the format."""
    numbers, value, bits = [], 0, 0
    for letter in counts.encode():
        part = letter - 48
        value |= (part & 31) << bits
        bits += 5
        if not part & 32:
            value -= (1 << bits) if part & 16 else 0
            numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
            value, bits = 0, 0
    runs = [np.full(number, i % 2, np.bool_) for i, number in enumerate(numbers)]
    flat = np.concatenate(runs) if runs else np.zeros(0, np.bool_)
    assert len(flat) == height * width
    return flat.reshape(width, height).T


@pytest.mark.parametrize(
    ("bits", "corner", "counts"),
    [
        (np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool), (2, 1), ";2310O8"),
        (np.ones((5, 7), bool), (0, 0), "0S1"),
        (np.zeros((0, 0), bool), (3, 3), "S1"),
        (np.zeros((2, 2), bool), (3, 3), "S1"),
    ],
)
def test_run_lengths_are_those_of_pycocotools(bits, corner, counts):
    assert run_length(bits, corner, (7, 5)) == {"size": [5, 7], "counts": counts}


def test_a_large_mask_is_the_text_that_pycocotools_gives():
    rows, columns = np.mgrid[:600, :800]
    disc = (rows - 300) ** 2 + (columns - 400) ** 2 < 50**2
    part = disc[240:360, 345:460]  # cut anywhere around it
    found = run_length(part, (345, 240), (800, 600))
    assert found["counts"].startswith("[n]6c0Qb08H8J4L4L4L4L4M2N2M4M2N2N2N2N2N2") and len(found["counts"]) == 208
    assert (decoded(found["counts"], 600, 800) == disc).all()


def test_run_lengths_give_any_mask_back():
    random = np.random.default_rng(5)
    for _ in range(60):
        width, height = random.integers(1, 70, 2)
        w, h = random.integers(0, width + 1), random.integers(0, height + 1)
        x, y = random.integers(0, width - w + 1), random.integers(0, height - h + 1)
        bits = random.random((h, w)) < random.choice([0.05, 0.5, 0.95])
        full = np.zeros((height, width), bool)
        full[y : y + h, x : x + w] = bits
        found = run_length(bits, (int(x), int(y)), (int(width), int(height)))
        assert (decoded(found["counts"], height, width) == full).all()


def test_classes_come_best_first_and_no_more_than_asked_for():
    assert [entry["label"] for entry in as_dict(SCORES)["classes"]] == ["dog", "cat", "owl"]
    assert as_dict(SCORES, 1) == {"classes": [{"label": "dog", "index": 1, "score": pytest.approx(0.7)}]}


def test_objects_with_masks_and_with_key_points():
    boxes = np.array([[1.25, 2, 3.1, 4]], np.float32)
    about = (np.array([0.9], np.float32), np.array([2]), ("cat", "dog", "owl"), (8, 6))
    plain = as_dict(Detections(boxes, *about))
    assert plain == {"boxes": [{"box": [1.25, 2.0, 3.1, 4.0], "label": "owl", "index": 2, "score": 0.9}]}
    masks = Masks((np.ones((2, 2), bool),), np.array([[1, 2]], np.int32))
    mask = as_dict(Detections(boxes, *about, masks=masks))["boxes"][0]["mask"]
    expected = np.zeros((6, 8), bool)
    expected[2:4, 1:3] = True
    assert mask["size"] == [6, 8] and (decoded(mask["counts"], 6, 8) == expected).all()
    points = np.array([[[1, 2, -np.inf], [3, 4, 7.5]]], np.float32)
    plain = as_dict(Detections(boxes, *about, keypoints=points))
    assert plain["keypoints"] == [{"score": 0.9, "points": [[1.0, 2.0, -np.inf], [3.0, 4.0, 7.5]]}]
    json.dumps(plain)


def test_label_maps_flow_and_clips():
    classes = np.array([[0, 1, 1], [1, 1, 0]], np.uint8)
    assert as_dict(LabelMap(classes, ("ground", "cat"), (3, 2)))["labels"] == pytest.approx(
        {"cat": 4 / 6, "ground": 2 / 6}
    )
    vectors = np.zeros((2, 2, 2), np.float32)
    vectors[0, 0] = 3, 4
    flow = as_dict(Flow(vectors, (2, 2)))["flow"]
    assert flow == {"mean": [0.75, 1.0], "length": {"mean": 1.25, "longest": 5.0}}
    assert has_answer(Flow(vectors, (2, 2))) and not has_answer(Flow(vectors[1:, 1:], (2, 2)))
    waiting = ClipScores(None, 3, 16)
    assert as_dict(waiting) == {"classes": [], "frames": 3, "wanted": 16} and not has_answer(waiting)
    assert as_dict(ClipScores(SCORES, 16, 16))["classes"][0]["label"] == "dog"
