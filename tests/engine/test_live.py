"""The live lane with a network of one layer and a source that the test feeds: the newest wins, thresholds act alone."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live import LiveLane
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.candidates import Candidates
from guiapp.tasks.live_options import LiveOptions


def picture(value: int) -> Picture:
    return Picture(np.full((40, 60, 3), value, np.uint8), Origin("video", f"frame {value}"))


class Fed:
    """A source that holds what the test gave it last."""

    def __init__(self):
        self.on_frame, self.dropped, self._newest = None, 0, None

    def latest(self):
        return self._newest

    def close(self):
        self._newest = None

    def give(self, value):
        self._newest = picture(value)
        if self.on_frame is not None:
            self.on_frame()
        return self._newest


class Detector(nn.Module):
    """Three boxes, two of which overlap; counts its runs and can be held up."""

    def __init__(self):
        super().__init__()
        self.runs, self.go = 0, threading.Event()
        self.go.set()

    def candidates(self, inputs, keep):
        assert self.go.wait(60)
        self.runs += 1
        boxes = torch.tensor([[0.0, 0, 20, 20], [1, 0, 21, 20], [30, 5, 50, 30]])
        scores = torch.tensor([0.9, 0.8, 0.3])
        return Candidates(boxes, scores, torch.ones(3, dtype=torch.int64), (40, 60))


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


@pytest.fixture
def detector():
    return Detector()


@pytest.fixture
def lane(detector):
    def opener(name, weights, device, progress):
        progress(0.5, "reading")
        if weights == "broken":
            raise UserError("weights.pth is not a file of this network")
        return SimpleNamespace(
            entry=ZOO[name], weights=ZOO[name].best, module=detector, labels=("background", "person"), device="cpu",
            origin="random" if weights == "random" else "published", note="three boxes", flaws="",
            prepare=lambda pixels, device: [torch.zeros(3, 40, 60)],
        )  # fmt: skip

    made = LiveLane(NoticeBoard(), opener)
    yield made
    detector.go.set()
    made.close(30)
    assert not [t for t in threading.enumerate() if t.name == "live"]


def result(lane, condition=lambda found: True):
    found = []

    def check():
        newest = lane.results.take()
        if newest is not None and condition(newest):
            found.append(newest)
        return bool(found)

    until(check)
    return found[-1]


MODEL = "ssdlite320_mobilenet_v3_large"


def test_nothing_runs_before_a_network_is_asked_for(lane):
    lane.set_source(Fed())
    lane.set_picture(picture(1))
    lane.set_options(LiveOptions(score=0.1))
    assert not [t for t in threading.enumerate() if t.name == "live"]


def test_boxes_of_the_newest_picture(lane):
    source = Fed()
    lane.set_source(source)
    lane.open_model(MODEL)
    until(lambda: lane.newest.phase == "ready")
    assert (lane.newest.weights, lane.newest.note) == (ZOO[MODEL].best.name, "three boxes")
    assert lane.newest.model is ZOO[MODEL] and lane.newest.labels == ("background", "person")
    frame = source.give(7)
    found = result(lane)
    assert found.picture is frame and not found.again
    assert found.drawn.scores.tolist() == pytest.approx([0.9]), "of two that overlap the better one; 0.3 is below 0.5"
    assert found.drawn.boxes.tolist() == [[0, 0, 20, 20]]
    assert set(found.milliseconds) == {"preprocess", "forward", "postprocess"}


def test_a_picture_that_stands_still_is_looked_at_once_and_again_by_another_network(lane, detector):
    lane.open_model(MODEL)
    lane.set_picture(picture(3))
    result(lane)
    lane.open_model("ssd300_vgg16")
    assert result(lane).model is ZOO["ssd300_vgg16"]
    assert detector.runs == 2


def test_thresholds_act_on_the_last_answer_without_the_network(lane, detector):
    lane.open_model(MODEL)
    lane.set_picture(picture(3))
    assert len(result(lane).drawn) == 1
    lane.set_options(LiveOptions(score=0.2))
    found = result(lane, lambda found: found.again)
    assert found.drawn.scores.tolist() == pytest.approx([0.9, 0.3])
    lane.set_options(LiveOptions(score=0.2, iou=1.0))
    assert len(result(lane, lambda found: found.options.iou == 1.0).drawn) == 3
    assert detector.runs == 1


def test_an_object_that_is_new_gets_its_mask_after_the_quick_answer(lane, detector, monkeypatch):
    asked = []

    def masks(boxes, classes):
        asked.append(len(boxes))
        return torch.ones(len(boxes), 28, 28)

    whole = detector.candidates
    monkeypatch.setattr(detector, "candidates", lambda inputs, keep: replace(whole(inputs, keep), masks=masks))
    lane.open_model(MODEL)
    lane.set_picture(picture(3))
    result(lane)
    lane.set_options(LiveOptions(score=0.2))
    found = result(lane, lambda found: found.again and all(bits.size for bits in found.drawn.masks.bits))
    assert len(found.drawn) == 2 and detector.runs == 1
    assert asked == [1, 1], "the first object's mask is kept"


def test_tasks_over_time_begin_anew_with_another_source_and_when_a_video_is_wound_back(lane, monkeypatch):
    from guiapp.tasks.detection import DetectionTask

    resets = []
    monkeypatch.setattr(DetectionTask, "reset", lambda task: resets.append(1))
    lane.open_model(MODEL)
    until(lambda: lane.newest.phase == "ready")

    def shown(source, index):
        frame = Picture(np.zeros((40, 60, 3), np.uint8), Origin("video", "film", index=index))
        source._newest = frame
        source.on_frame()
        result(lane, lambda found: found.picture is frame)
        return len(resets)

    first, second = Fed(), Fed()
    lane.set_source(first)
    begun = shown(first, 5)
    assert shown(first, 9) == begun
    assert shown(first, 2) == begun + 1
    lane.set_source(second)
    assert shown(second, 3) == begun + 2


def test_frames_that_come_while_the_network_runs_are_overtaken(lane, detector):
    source = Fed()
    lane.set_source(source)
    lane.open_model(MODEL)
    until(lambda: lane.newest.phase == "ready")
    detector.go.clear()
    source.give(0)
    for value in range(1, 100):
        last = source.give(value)
    detector.go.set()
    assert result(lane, lambda found: found.picture is last).picture is last
    assert detector.runs <= 2, "the first and the last"


def test_another_source_is_followed_and_the_one_before_no_longer(lane):
    first, second = Fed(), Fed()
    lane.open_model(MODEL)
    lane.set_source(first)
    first.give(1)
    result(lane)
    lane.set_source(second)
    assert first.on_frame is None
    frame = second.give(2)
    assert result(lane, lambda found: found.picture is frame).picture is frame


def test_a_network_that_cannot_be_opened_is_told_in_one_line_and_another_one_opens(lane):
    lane.open_model(MODEL, "broken")
    until(lambda: lane.newest.phase == "failed")
    assert lane.newest.reason == "weights.pth is not a file of this network"
    assert [n.text for n in lane._notices.notices] == [lane.newest.reason]
    lane.open_model(MODEL)
    until(lambda: lane.newest.phase == "ready")
    assert lane.newest.reason == ""


def test_a_picture_that_breaks_the_network_is_told_once_and_the_next_ones_go_on(lane, detector, monkeypatch):
    source, whole = Fed(), detector.candidates
    lane.set_source(source)
    lane.open_model(MODEL)

    def fail(inputs, keep):
        raise RuntimeError("too small")

    monkeypatch.setattr(detector, "candidates", fail)
    for value in range(3):
        frame = source.give(value)
        until(lambda f=frame: lane._open is not None and lane._open.picture is f)
    until(lambda: lane._notices.notices)
    monkeypatch.setattr(detector, "candidates", whole)
    frame = source.give(9)
    assert result(lane).picture is frame
    assert len(lane._notices.notices) == 1


def test_random_weights_are_called_so(lane):
    lane.open_model(MODEL, "random")
    until(lambda: lane.newest.phase == "ready")
    assert lane.newest.weights == "random"


def test_closing_the_network_lets_go_of_it(lane):
    lane.open_model(MODEL)
    lane.set_picture(picture(3))
    result(lane)
    lane.close_model()
    until(lambda: lane.newest.phase == "empty" and lane._open is None)


def test_the_pause_limits_the_rate(lane, detector):
    source = Fed()
    lane.pause = 3600.0
    lane.set_source(source)
    lane.open_model(MODEL)
    until(lambda: lane.newest.phase == "ready")
    source.give(1)
    until(lambda: detector.runs == 1)
    source.give(2)
    lane.open_model("ssd300_vgg16")  # another network need not wait
    until(lambda: detector.runs == 2)
