"""Two networks on the live lane: the same picture for both, each with its own answer, time and troubles."""

import threading
import weakref
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from guiapp.core.live_run import LiveRun
from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.annotate import PairAsker
from guiapp.engine.live import LiveLane
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.candidates import Candidates
from guiapp.tasks.compare import in_words
from guiapp.tasks.live_options import LiveOptions
from tests.engine.test_live import Fed, picture, result, until

FIRST, SECOND = "ssdlite320_mobilenet_v3_large", "ssd300_vgg16"
LABELS = {FIRST: ("background", "person", "dog"), SECOND: ("dog", "person")}


class Detector(nn.Module):
    """Gives the boxes that it was made with; notes what it was fed."""

    def __init__(self, boxes, scores, classes):
        super().__init__()
        self.answer = torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores), torch.tensor(classes)
        self.fed = []

    def candidates(self, inputs, keep):
        self.fed.append(int(inputs[0][0, 0, 0]))
        return Candidates(*self.answer, (40, 60))


@pytest.fixture
def networks():
    """A person and a weak dog; the same person a little weaker, and another one."""
    return {
        FIRST: Detector([[0, 0, 20, 20], [30, 5, 50, 30]], [0.9, 0.3], [1, 2]),
        SECOND: Detector([[0, 0, 20, 18], [30, 20, 50, 40], [30, 5, 50, 30]], [0.7, 0.6, 0.4], [1, 1, 0]),
    }


@pytest.fixture
def lane(networks):
    def opener(name, weights, device, progress):
        if callable(weights):  # what happens while it is fetched
            weights(progress)
        if weights == "broken":
            raise UserError("the weights are damaged")
        return SimpleNamespace(
            entry=ZOO[name], weights=ZOO[name].best, module=networks[name], labels=LABELS[name], device="cpu",
            origin="published", note="", flaws="",
            prepare=lambda pixels, device: [torch.full((3, 40, 60), float(pixels[0, 0, 0]))],
        )  # fmt: skip

    made = LiveLane(NoticeBoard(), opener)
    made.open_model(FIRST)
    yield made
    made.close(30)
    assert not [t for t in threading.enumerate() if t.name == "live"]


@pytest.fixture
def both(lane):
    lane.open_model(SECOND, place=1)
    until(lambda: lane.newest.other is not None and lane.newest.other.phase == "ready")
    return lane


def test_both_answer_the_same_picture_each_with_its_own_times(both, networks):
    source = Fed()
    both.set_source(source)
    for value in (3, 4):
        frame = source.give(value)
        found = result(both, lambda found, frame=frame: found.picture is frame and found.other is not None)
    assert networks[FIRST].fed == networks[SECOND].fed == [3, 4]
    assert (found.model, found.other.model) == (ZOO[FIRST], ZOO[SECOND])
    assert found.drawn.scores.tolist() == pytest.approx([0.9])
    assert found.other.drawn.scores.tolist() == pytest.approx([0.7, 0.6])
    assert set(found.milliseconds) == {"preprocess", "forward", "postprocess"}
    assert set(found.other.milliseconds) == {"preprocess", "forward", "postprocess", "difference"}
    words = in_words(found.other.difference)
    assert words == "1 box in both, 0 only A, 1 only B, mean change of score −0.20"


def test_thresholds_act_on_both_without_the_networks(both, networks):
    both.set_picture(picture(3))
    result(both, lambda found: found.other is not None)
    both.set_options(LiveOptions(score=0.2))
    found = result(both, lambda found: found.options.score == 0.2)
    assert found.again and len(found.drawn) == 2 and len(found.other.drawn) == 3
    assert found.other.difference.pairs.tolist() == [[0, 0], [1, 2]], "the dogs are matched by name"
    assert len(networks[FIRST].fed) == len(networks[SECOND].fed) == 1
    both.set_options(LiveOptions(score=0.2, classes=frozenset({2})))
    found = result(both, lambda found: found.options.classes is not None)
    assert found.drawn.scores.tolist() == pytest.approx([0.3])
    assert found.other.drawn.scores.tolist() == pytest.approx([0.4]), "the second counts its dogs as 0"


def test_the_second_comes_and_goes_while_a_picture_stands_still(lane, networks):
    lane.set_picture(picture(3))
    assert result(lane).other is None
    lane.open_model(SECOND, place=1)
    found = result(lane, lambda found: found.other is not None)
    assert found.again and len(networks[FIRST].fed) == 1, "the first has answered already"
    network = weakref.ref(lane._beside.network)
    lane.close_model(place=1)
    until(lambda: lane.newest.other is None and network() is None)
    assert lane.newest.phase == "ready", "the first stays"
    lane.set_picture(picture(4))
    assert result(lane, lambda found: not found.again).other is None
    assert len(networks[SECOND].fed) == 1


def test_another_first_network_leaves_the_second(both, networks):
    both.set_picture(picture(3))
    result(both, lambda found: found.other is not None)
    both.open_model(SECOND)
    found = result(both, lambda found: found.model is ZOO[SECOND])
    assert found.other.model is ZOO[SECOND] and both.newest.other.phase == "ready"
    assert in_words(found.other.difference) == "2 boxes in both, 0 only A, 0 only B, mean change of score +0.00"


def test_the_first_goes_on_while_the_second_is_fetched(lane):
    source, seen = Fed(), []
    lane.set_source(source)
    until(lambda: lane.newest.phase == "ready")

    def fetching(progress):
        frame = source.give(9)
        progress(0.5, "fetching")
        seen.append(lane.results.take().picture is frame)
        seen.append((lane.newest.phase, lane.newest.other.phase, lane.newest.other.share))

    lane.open_model(SECOND, fetching, place=1)
    until(lambda: lane.newest.other is not None and lane.newest.other.phase == "ready")
    assert seen == [True, ("ready", "opening", 0.5)]


def test_a_second_network_that_cannot_be_opened_leaves_the_first_alone(lane):
    lane.set_picture(picture(3))
    lane.open_model(SECOND, "broken", place=1)
    until(lambda: lane.newest.other is not None and lane.newest.other.phase == "failed")
    assert lane.newest.other.reason == "the weights are damaged" and lane.newest.phase == "ready"
    assert result(lane).other is None
    assert [n.text for n in lane._notices.notices] == ["the weights are damaged"]


def test_a_picture_that_breaks_the_second_is_told_once_and_the_first_answers(both, networks, monkeypatch):
    def fail(inputs, keep):
        raise RuntimeError("too small")

    monkeypatch.setattr(networks[SECOND], "candidates", fail)
    source = Fed()
    both.set_source(source)
    for value in range(3):
        frame = source.give(value)
        assert result(both, lambda found, frame=frame: found.picture is frame).other is None
    assert [n.text for n in both._notices.notices] == ["the second network failed: too small"]


def test_each_side_counts_with_its_own_numbers_and_only_what_changes_is_opened_again(lane, networks, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "guiapp.models.zoo.arrange.arrange",
        lambda model, run, progress: opened.append((model.entry.name, run.precision)) or model,
    )
    lane.set_picture(picture(7))
    lane.open_model(SECOND, place=1)
    until(lambda: lane.newest.other is not None and lane.newest.other.phase == "ready")
    assert opened[-1] == (SECOND, "float32")
    opened.clear()
    lane.set_run(LiveRun(), LiveRun("bfloat16"))
    until(lambda: (SECOND, "bfloat16") in opened)
    assert opened == [(SECOND, "bfloat16")], "the first goes on as it is"
    opened.clear()
    lane.set_run(LiveRun("float16"))
    until(lambda: len(opened) == 2)
    assert sorted(opened) == sorted([(FIRST, "float16"), (SECOND, "float16")])


def test_both_networks_can_be_opened_once_more_and_asked_about_any_picture(lane, networks):
    lane.open_model(SECOND, place=1)
    ask = PairAsker(lane.another()(), lane.another(1)(), LiveOptions(classes=frozenset({1})))
    first, second, found = ask(picture(3))
    assert first.scores.tolist() == pytest.approx([0.9]) and second.scores.tolist() == pytest.approx([0.7, 0.6])
    assert "1 boxes in both" in in_words(found) or "1 box in both" in in_words(found)
    lane.close_model(1)
    with pytest.raises(UserError, match="no network is open"):
        lane.another(1)
