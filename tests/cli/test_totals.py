"""Sums over the frames of a video, against figures worked out by hand."""

import numpy as np
import pytest

from guiapp.cli.totals import Totals
from guiapp.tasks.predictions import ClassScores, ClipScores, Detections, Flow, LabelMap

LABELS = ("cat", "dog", "owl")


def scores(*values):
    return ClassScores(np.array(values, np.float32), LABELS)


def found(*objects):
    boxes = np.zeros((len(objects), 4), np.float32)
    values = np.array([score for _, score in objects], np.float32)
    classes = np.array([LABELS.index(name) for name, _ in objects], np.int64)
    return Detections(boxes, values, classes, LABELS, (9, 9))


def test_classes_by_their_mean_score():
    totals = Totals()
    for frame in (scores(0.6, 0.4, 0), scores(0.1, 0.8, 0.1)):
        totals.add(frame)
    cat, dog = totals.as_dict()["classes"][1], totals.as_dict()["classes"][0]
    assert (dog["label"], dog["index"], dog["frames"], dog["score"]) == ("dog", 1, 1, pytest.approx(0.6))
    assert (cat["frames"], cat["score"]) == (1, pytest.approx(0.35))
    assert len(totals.as_dict(2)["classes"]) == 2


def test_clips_count_only_frames_with_an_answer():
    totals = Totals()
    totals.add(ClipScores(None, 1, 2))
    assert totals.as_dict() == {"classes": []}
    totals.add(ClipScores(scores(0.5, 0.25, 0.25), 2, 2))
    assert totals.answers == 1
    assert totals.as_dict(1)["classes"] == [{"label": "cat", "index": 0, "score": 0.5, "frames": 1}]


def test_objects_by_the_frames_they_are_in():
    totals = Totals()
    for frame in (found(("cat", 0.5), ("owl", 0.9), ("cat", 0.75)), found(("owl", 0.25)), found()):
        totals.add(frame)
    assert totals.answers == 3
    assert totals.as_dict()["objects"] == [
        {"label": "owl", "index": 2, "frames": 2, "boxes": 2, "most": 1, "score": pytest.approx(0.9)},
        {"label": "cat", "index": 0, "frames": 1, "boxes": 2, "most": 2, "score": 0.75},
    ]
    nothing = Totals()
    nothing.add(found())
    assert nothing.as_dict() == {"objects": []}


def test_shares_and_flow_are_means():
    maps = Totals()
    maps.add(LabelMap(np.array([[0, 0], [0, 1]], np.uint8), LABELS, (2, 2)))
    maps.add(LabelMap(np.array([[1, 1], [1, 1]], np.uint8), LABELS, (2, 2)))
    assert maps.as_dict()["labels"] == {"dog": 0.625, "cat": 0.375}
    flows = Totals()
    flows.add(Flow(np.zeros((1, 1, 2), np.float32), (4, 4)))  # the first frame: no answer yet
    for vector in ((3.0, 4.0), (0.0, 1.0)):
        flows.add(Flow(np.broadcast_to(np.float32(vector), (2, 2, 2)), (4, 4)))
    assert flows.answers == 2
    assert flows.as_dict()["flow"] == {"mean": [1.5, 2.5], "length": {"mean": 3.0, "longest": 5.0}}
