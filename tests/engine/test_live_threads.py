"""The live lane leaves cores to other programs where they would hold it up, unless the person fixed its threads."""

import psutil
import pytest
import torch

from guiapp.core.notices import NoticeBoard
from guiapp.engine import live_threads
from guiapp.engine.live_threads import LiveThreads
from guiapp.training import contention, threads


@pytest.fixture
def machine(monkeypatch):
    """Two cores under a pretended clock; ``machine(others)`` lets three seconds pass in short steps, with runs."""
    time = {"now": 100.0, "own": 0.0, "all": 0.0}
    monkeypatch.setattr(contention.time, "monotonic", lambda: time["now"])
    monkeypatch.setattr(contention.time, "process_time", lambda: time["own"])
    monkeypatch.setattr(contention, "_busy_seconds", lambda: time["all"])
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 2)
    monkeypatch.setattr(threads, "physical_cores", lambda: 2)
    assert live_threads.time is contention.time
    before = torch.get_num_threads()

    def pass_time(lane, others, seconds=3.0, step=0.1):
        for _ in range(round(seconds / step)):
            time["now"] += step
            time["own"] += step * (2 - others)
            time["all"] += step * 2
            lane.follow()
        return torch.get_num_threads()

    yield pass_time
    torch.set_num_threads(before)


def test_it_goes_on_with_one_thread_beside_a_busy_program_and_takes_both_again(machine):
    notices = NoticeBoard()
    lane = LiveThreads(notices)
    lane.begin()
    assert machine(lane, 0.4, 9.0) == 2  # a desktop that shows the pictures takes as much
    assert machine(lane, 1.0, 9.0) == 1
    lane.begin()
    assert torch.get_num_threads() == 1, "another network is held up just as much"
    assert "Other programs use 1.0 of 2 cores: the live network goes on with 1 instead of 2" in notices.notices[-1].text
    assert machine(lane, 0.0, 20.0) == 2
    assert [notice.level for notice in notices.notices] == ["info", "info"]
    assert "goes on with 2 instead of 1 threads" in notices.notices[-1].text


def test_threads_that_the_person_chose_stay_and_what_others_did_at_rest_does_not_count(machine):
    notices = NoticeBoard()
    lane = LiveThreads(notices)
    lane.begin(2)
    assert machine(lane, 1.5, 20.0) == 2
    lane.begin()
    assert machine(lane, 1.5, 30.0, step=5.0) == 2  # a picture every five seconds
    assert notices.notices == []
