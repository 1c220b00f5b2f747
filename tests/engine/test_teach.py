"""The teach lane: classes, samples, learning, live test, saving; broken pictures and another network."""

import time

import numpy as np
import pytest
from PIL import Image

from guiapp.core.notices import NoticeBoard
from guiapp.datasets import open_dataset
from guiapp.engine.teach import TeachLane


class Colours:
    """Stands for a network: the mean colour of a picture, twice where ``wide``."""

    def __init__(self, wide=False):
        self.times = 2 if wide else 1

    def __call__(self, pictures):
        return np.stack([np.tile(p.reshape(-1, 3).mean(0) / 255, self.times) for p in pictures]).astype(np.float32)


def picture(red, seed=0):
    noise = np.random.default_rng(seed).integers(0, 40, (30, 50, 3))
    return (noise + np.array([red, 40, 215 - red])).astype(np.uint8)


@pytest.fixture
def board():
    return NoticeBoard()


@pytest.fixture
def lane(tmp_path, board):
    made = TeachLane(tmp_path / "kept", board, lambda name, _progress: Colours(name == "wide"))
    yield made
    made.close()


def wait(lane, true):
    until = time.monotonic() + 20
    while not true(lane.newest):
        assert time.monotonic() < until, lane.newest
        time.sleep(0.005)
    return lane.newest


def taught(lane, each=12):
    lane.use("plain")
    for name in ("red", "blue"):
        lane.add_class(name)
    red, blue = (one.key for one in wait(lane, lambda s: len(s.classes) == 2).classes)
    for number in range(each):
        assert lane.collect(red, picture(200, number)) and lane.collect(blue, picture(10, 100 + number))
    wait(lane, lambda s: s.samples == 2 * each and s.learned and s.accuracy is not None)
    return red, blue


def seen(lane, pixels):
    lane.seen.take()
    lane.look(pixels)
    until = time.monotonic() + 20
    while (found := lane.seen.take()) is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    return dict(zip(found.keys, found.probabilities, strict=True))


def test_it_learns_what_is_collected_and_says_what_it_sees(lane):
    red, blue = taught(lane)
    state = lane.newest
    assert [(one.name, one.count, len(one.strip)) for one in state.classes] == [("red", 12, 8), ("blue", 12, 8)]
    assert state.accuracy == (1.0, 4) and state.waiting == 0 and state.seconds > 0
    assert seen(lane, picture(190, 7))[red] > 0.9
    assert seen(lane, picture(5, 7))[blue] > 0.9


def test_a_class_that_joins_later_is_learned_and_one_that_goes_is_forgotten(lane):
    red, blue = taught(lane)
    lane.add_class("blue")
    middle = wait(lane, lambda s: len(s.classes) == 3).classes[2]
    assert middle.name == "blue 2", "names tell classes apart"
    for number in range(6):
        lane.collect(middle.key, picture(105, number))
    wait(lane, lambda s: s.samples == 30)
    wait(lane, lambda s: s.accuracy is not None and s.accuracy[1] == 5)
    said = seen(lane, picture(105, 99))
    assert max(said, key=said.get) == middle.key
    lane.remove_class(middle.key)
    wait(lane, lambda s: len(s.classes) == 2 and s.accuracy is not None and s.accuracy[1] == 4)
    assert set(seen(lane, picture(105, 99))) == {red, blue}
    lane.remove_last(red)
    assert wait(lane, lambda s: s.samples == 23).classes[0].count == 11


def test_samples_are_saved_as_a_folder_that_opens_as_a_data_set(lane, tmp_path):
    red, _ = taught(lane)
    lane.rename(red, "a/b: red?")
    saved = []
    lane.save(tmp_path / "mine", saved.append)
    lane.save(tmp_path / "mine", saved.append)
    wait(lane, lambda _: len(saved) == 2)
    assert sorted(one.name for one in (tmp_path / "mine").iterdir()) == ["a-b- red-", "blue"]
    assert len(list((tmp_path / "mine" / "blue").iterdir())) == 24, "what is there stays"
    with Image.open(next((tmp_path / "mine" / "blue").iterdir())) as kept:
        assert kept.size == (50, 30)
    found = open_dataset(tmp_path / "mine")
    assert found.classes == ("a-b- red-", "blue") and len(found.train) == 34


def test_a_folder_is_taught_with_its_broken_files_named(lane, tmp_path):
    for name, red in (("one", 10), ("two", 220)):
        (tmp_path / "folder" / name).mkdir(parents=True)
        for number in range(6):
            Image.fromarray(picture(red, number)).save(tmp_path / "folder" / name / f"{number}.png")
    (tmp_path / "folder" / "two" / "broken.png").write_bytes(b"no picture")
    lane.use("plain")
    lane.open_folder(tmp_path / "folder")
    state = wait(lane, lambda s: s.samples == 12 and s.learned)
    assert [one.name for one in state.classes] == ["one", "two"]
    assert len(state.unreadable) == 1 and "broken.png" in state.unreadable[0]


def test_another_network_looks_at_every_sample_again(lane):
    red, _ = taught(lane)
    lane.use("wide")
    wait(lane, lambda s: s.network == "wide" and s.samples == 24 and s.learned)
    assert seen(lane, picture(190, 3))[red] > 0.9


def test_what_was_not_saved_is_removed_and_the_thread_ends(tmp_path, board):
    lane = TeachLane(tmp_path / "kept", board, lambda *_: Colours())
    taught(lane, 6)
    assert len(list((tmp_path / "kept").iterdir())) == 12
    lane.close()
    assert not (tmp_path / "kept").exists() and not lane._thread.is_alive()


def test_a_selection_becomes_a_class(lane):
    lane.use("plain")
    lane.collect_many("chosen", [(lambda n=n: picture(100, n), None) for n in range(40)])
    state = wait(lane, lambda s: s.samples == 40)
    assert [(one.name, one.count) for one in state.classes] == [("chosen", 40)] and not state.learned


def test_a_failure_is_told_and_the_lane_lives_on(lane, board, tmp_path):
    told = []
    board.subscribe(told.append)
    lane.use("plain")
    lane.save(tmp_path / "nothing")
    wait(lane, lambda _: told)
    assert "no samples" in told[0].text
    taught(lane, 6)
