"""Panels look into the network of the live lane: its layers, maps of the newest frame, channels that are off."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live import LiveLane
from guiapp.engine.live_inside import covered
from guiapp.engine.state import Request
from guiapp.interpret.options import ActivationOptions, FilterOptions
from guiapp.models.zoo import ZOO, Preset
from guiapp.tasks.live_options import LiveOptions


class Tiny(nn.Module):
    """Two maps and a decision; counts its runs, and refuses pictures where it is told to."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(2, 3)
        self.runs, self.refuses = 0, False
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, :, 1, 1] = 1.0
            self.conv.weight[1, :, 1, 1] = -1.0
            self.head.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, 0]]))
            self.head.bias.zero_()

    def forward(self, x):
        self.runs += 1
        if self.refuses:
            raise RuntimeError("no")
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


def prepare(pixels, device):
    return torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None]


def picture(value, size=(6, 4), name="frame"):
    return Picture(np.full((size[1], size[0], 3), value, np.uint8), Origin("file", f"{name} {value}"))


class Fed:
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


@pytest.fixture
def tiny():
    return Tiny().eval().requires_grad_(False)


@pytest.fixture
def lane(tiny):
    def opener(name, weights, device, progress):
        entry = ZOO[name]
        return SimpleNamespace(
            entry=entry, weights=entry.best, module=tiny, labels=("a", "b", "c"), device="cpu", origin="published",
            note="by hand", flaws="", prepare=prepare,
        )  # fmt: skip

    board = NoticeBoard()
    made = LiveLane(board, opener)
    made.told = []
    board.subscribe(made.told.append)
    yield made
    made.close(30)
    assert not [t for t in threading.enumerate() if t.name == "live"]


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.003)
    raise AssertionError("it never came true")


def opened(lane, requests=None):
    """Open the network, wait for its layers, ask."""
    lane.set_requests({}, watching=True)
    lane.open_model("resnet18")
    inside = until(lambda: lane.told or lane.newest.inside)
    assert not lane.told
    lane.set_requests(requests or {}, True, inside)
    return inside


def look(lane, condition=lambda found: True):
    def check():
        found = lane.looked.take()
        return found if found is not None and condition(found) else None

    return until(check)


MAPS = {"activations": Request("activations", ActivationOptions("relu"))}


def test_layers_are_there_before_any_picture(lane, tiny):
    inside = opened(lane)
    assert [(layer.name, layer.output_shape) for layer in inside.layers] == [
        ("conv", (2, 240, 320)), ("relu", (2, 240, 320)), ("head", (3,)),
    ]  # fmt: skip
    assert inside.model.title == "ResNet-18" and inside.labels == ("a", "b", "c") and inside.parameters == 54 + 9
    assert inside.layers[0].receptive_field.size == (3, 3)
    assert tiny.runs == 1 and not tiny.conv._forward_hooks


def test_nothing_is_looked_into_while_nobody_watches(lane, tiny):
    lane.open_model("resnet18")
    lane.set_picture(picture(51))
    until(lane.results.take)
    assert lane.newest.inside is None and lane.looked.take() is None and tiny.runs == 1


def test_maps_of_the_picture_and_filters_without_a_second_run(lane, tiny):
    inside = opened(lane, {**MAPS, "filters": Request("filters", FilterOptions("conv"))})
    runs = tiny.runs
    lane.set_picture(picture(51))
    until(lambda: lane.newest.inside is not inside)  # another size: shapes are listed anew
    again = lane.newest.inside
    assert [layer.output_shape for layer in again.layers][:2] == [(2, 4, 6), (2, 4, 6)]
    lane.set_requests({**MAPS, "filters": Request("filters", FilterOptions("conv"))}, True, again)
    found = look(lane)
    assert found.opened is again, "what was asked of the network before is not answered by this one"
    values = found.results["activations"].atlases["relu"].values
    np.testing.assert_allclose(values[0], np.full((4, 6), 3 * 0.2), rtol=1e-6)
    assert not values[1].any(), "the copy was taken after the layer that works in place, and is its own"
    assert found.results["filters"].filters == 2
    assert found.prediction.probabilities.argmax() == 0 and found.picture.pixels[0, 0, 0] == 51
    assert tiny.runs <= runs + 3, "a picture, a list, and one look at the standing picture for what was asked anew"


def test_a_new_question_about_a_standing_picture_runs_once_more(lane, tiny):
    lane.set_picture(picture(51, (320, 240)))
    inside = opened(lane, MAPS)
    look(lane, lambda x: x.opened is inside)
    runs = tiny.runs
    lane.set_requests({"activations": Request("activations", ActivationOptions("conv"))}, True, inside)
    found = look(lane, lambda x: "conv" in x.results["activations"].atlases)
    assert found.results["activations"].atlases["conv"].values.min() == pytest.approx(-0.6)
    assert tiny.runs == runs + 1


def test_frames_that_follow_each_other_fast_are_looked_into_ten_times_a_second(lane, tiny):
    source = Fed()
    source.give(0)
    lane.set_source(source)
    inside = opened(lane, MAPS)
    look(lane)
    lane.results.take()
    looks, began = [], time.monotonic()
    runs = tiny.runs
    for value in range(1, 41):
        frame = source.give(value)
        until(lambda frame=frame: (got := lane.results.take()) is not None and got.picture is frame)
        found = lane.looked.take()
        if found is not None:
            looks.append(found.picture)
    seconds = time.monotonic() - began
    assert tiny.runs - runs <= 43, "a look is taken from the run of the frame; two are watched to fuse the network"
    assert len(looks) <= 2 + 10 * seconds
    last = look(lane, lambda x: x.picture is frame) if looks[-1:] != [frame] else None
    assert last is None or last.opened is inside, "the last frame is looked into after all"


def test_a_channel_that_is_off_changes_the_answer_until_another_network_opens(lane):
    lane.set_picture(picture(51, (320, 240)))
    inside = opened(lane, MAPS)
    look(lane, lambda x: x.opened is inside)
    lane.set_switched_off({"relu": frozenset({0})})
    found = look(lane, lambda x: x.modified)
    assert not found.results["activations"].atlases["relu"].values.any()
    np.testing.assert_allclose(found.prediction.probabilities, 1 / 3, rtol=1e-5)
    result = until(lane.results.take)
    assert result.modified and not result.again
    lane.open_model("resnet18")
    until(lambda: lane.newest.phase == "ready" and lane.results.take())
    lane.set_options(LiveOptions(score=0.1))
    assert not until(lane.results.take).modified


def test_a_network_that_fails_on_a_picture_says_so_once_and_is_not_tried_again(lane, tiny):
    lane.set_picture(picture(51, (320, 240)))
    inside = opened(lane, MAPS)
    look(lane, lambda x: x.opened is inside)
    tiny.refuses, runs = True, tiny.runs
    lane.set_picture(picture(99, (320, 240)))
    until(lambda: lane.told)
    lane.set_requests({"activations": Request("activations", ActivationOptions("conv"))}, True, inside)
    time.sleep(0.4)  # longer than a picture takes to count as standing: a lane that tried again would have done so
    assert tiny.runs == runs + 1 and len(lane.told) == 1


PRESETS = {
    "crop": (Preset("classification", (256,), (224, 224)), (500, 500), (224, 224), (31.25, 31.25, 437.5, 437.5)),
    "wide": (Preset("classification", (256,), (224, 224)), (1024, 512), (224, 224), (288, 32, 448, 448)),
    "both sides": (Preset("flow", (520, 960), (520, 960)), (1920, 1040), (520, 960), (0, 0, 1920, 1040)),
    "whole": (Preset("segmentation", (520,)), (640, 480), (520, 693), (0, 0, 640, 480)),
}


@pytest.mark.parametrize("case", PRESETS.values(), ids=PRESETS)
def test_what_the_input_shows_of_the_picture(case):
    preset, size, extent, area = case
    assert covered(preset, size, extent) == pytest.approx(area)


def test_what_a_detector_with_padding_shows_of_the_picture():
    raw = SimpleNamespace(candidates=SimpleNamespace(extent=(750, 1000)))
    assert covered(Preset("detection"), (640, 480), (768, 1024), raw) == pytest.approx((0, 0, 655.36, 491.52))
