"""Tasks over time on the live lane: a slow network sees the frames that it was trained on, none left out."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live import LiveLane
from guiapp.engine.passed import PassedPictures
from guiapp.models.zoo import ZOO


class Video:
    """Thirty frames a second, given by the test; the value of a frame is its index."""

    on_frame, dropped = None, 0

    def __init__(self):
        self._newest = None

    def latest(self):
        return self._newest

    def close(self):
        pass

    def give(self, index):
        origin = Origin("video", "film", index=index, seconds=index / 30)
        self._newest = Picture(np.full((8, 8, 3), index % 256, np.uint8), origin)
        if self.on_frame is not None:
            self.on_frame()
        return self._newest


class Held(torch.nn.Module):
    """Writes down what it sees, and is as slow as the test wants."""

    any_size = True

    def __init__(self):
        super().__init__()
        self.seen, self.inside, self.go = [], threading.Event(), threading.Event()
        self.go.set()

    def forward(self, *pictures):
        self.inside.set()
        assert self.go.wait(60)
        if len(pictures) == 2:
            self.seen.append([picture[0, 0, 0, 0].item() for picture in pictures])
            return [torch.zeros(1, 2, 8, 8)]
        self.seen.append(pictures[0][0, 0, :, 0, 0].tolist())
        return torch.zeros(1, 3)


@pytest.fixture
def lane(request):
    module = Held()

    def opener(name, weights, device, progress):
        return SimpleNamespace(
            entry=ZOO[name], weights=ZOO[name].best, module=module, labels=("a", "b", "c"), device="cpu",
            origin="published", note="", flaws="",
            prepare=lambda pixels, device: torch.full((1, 3, 8, 8), float(pixels[0, 0, 0])),
        )  # fmt: skip

    made = LiveLane(NoticeBoard(), opener)
    made.module = module
    made.open_model(request.param)
    until(lambda: made.newest.phase == "ready")
    yield made
    module.go.set()
    made.close(30)


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.002)


def slowly(lane, source, first, last):
    """Give frames while the network is busy with the one before them; return what it saw of the newest."""
    module = lane.module
    module.go.clear()
    module.inside.clear()
    source.give(first)
    assert module.inside.wait(60)
    for index in range(first + 1, last + 1):
        source.give(index)
    before = len(module.seen)
    module.go.set()
    until(lambda: len(module.seen) == before + 2)
    return module.seen[-1]


@pytest.mark.parametrize("lane", ["r3d_18"], indirect=True)
def test_a_clip_spans_a_second_though_the_network_takes_longer(lane):
    source = Video()
    lane.set_source(source)
    for index in range(31):  # sixteen slots: the frames 0, 2, ... 30
        shown = source.give(index)
        until(lambda shown=shown: lane._open.picture is shown and lane._open.raw is not None)
    assert lane.module.seen[-1] == list(range(0, 31, 2))
    assert slowly(lane, source, 32, 92) == list(range(62, 93, 2)), "two seconds passed meanwhile"


@pytest.mark.parametrize("lane", ["raft_small"], indirect=True)
def test_flow_is_from_the_frame_before_not_from_the_one_looked_at_before(lane):
    source = Video()
    lane.set_source(source)
    shown = source.give(0)
    until(lambda: lane._open.picture is shown and lane._open.raw is not None)
    assert slowly(lane, source, 1, 9) == [8, 9]


@pytest.mark.parametrize("lane", ["raft_small"], indirect=True)
def test_after_a_jump_in_the_video_there_is_no_flow(lane):
    source = Video()
    lane.set_source(source)
    for index in (0, 1, 200, 201, 5, 6):
        shown = source.give(index)
        until(lambda shown=shown: lane._open.picture is shown and lane._open.raw is not None)
    assert lane.module.seen == [[0, 1], [200, 201], [5, 6]]


def test_pictures_that_no_network_would_take_are_not_kept():
    kept, source = PassedPictures(16, 15.0), Video()
    first = source.give(0)
    for index in range(1, 300):
        kept.offer(source.give(index))
    last = source.give(300)
    got = [picture.origin.index for picture in kept.between(first, last)]
    assert got == list(range(264, 299, 2)) and kept.between(first, last) == []
