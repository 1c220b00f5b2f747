"""Advice about a busy machine comes once, and only where it is true."""

import psutil

from guiapp.training import contention
from guiapp.training.contention import Contention, threads_used


class Clock:
    """Time and processor use of a pretended machine."""

    def __init__(self, monkeypatch, cores=2):
        self.now = self.own = self.all = 0.0
        monkeypatch.setattr(contention.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(contention.time, "process_time", lambda: self.own)
        monkeypatch.setattr(contention, "_busy_seconds", lambda: self.all)
        monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: cores)

    def period(self, own, others, seconds=3.0):
        self.now += seconds
        self.own += own * seconds
        self.all += (own + others) * seconds


def test_two_threads_become_one_on_a_busy_machine(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    clock.period(0.9, 1.1)
    assert watch.change() is None  # perhaps a short burst
    clock.period(0.9, 1.1)
    assert watch.change() == 1
    assert round(watch.others, 6) == 1.1
    for _ in range(5):
        clock.period(0.9, 1.1)
        assert watch.change() is None


def test_a_burst_does_nothing(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    for _ in range(3):
        clock.period(0.9, 1.1)
        assert watch.change() is None
        clock.period(1.9, 0.1)
        assert watch.change() is None


def test_spare_cores_may_be_used_by_others(monkeypatch):
    clock = Clock(monkeypatch, cores=8)
    watch = Contention(4)
    for _ in range(5):
        clock.period(4.0, 3.9)
        assert watch.change() is None
    clock.period(3.0, 5.0)
    assert watch.change() is None
    clock.period(3.0, 5.0)
    assert watch.change() == 3


def test_a_pause_is_no_period(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    for _ in range(3):
        clock.period(0.0, 2.0, seconds=60.0)
        watch.restart()
        assert watch.change() is None


def test_one_thread_has_nobody_to_wait_for(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(1)
    for _ in range(5):
        clock.period(0.5, 1.5)
        assert watch.change() is None


def test_threads_come_back_after_ten_quiet_seconds(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    changes = []
    for others in [1.1] * 2 + [0.1] * 4 + [1.0] + [0.2] * 5:  # seconds by twos; one is not quiet enough
        clock.period(0.9, others, seconds=2.0)
        changes.append(watch.change())
    assert changes == [None, 1] + [None] * 9 + [2]


def test_only_as_many_come_back_as_others_leave(monkeypatch):
    clock = Clock(monkeypatch, cores=8)
    watch = Contention(2, most=8)  # a run that was crowded when it was left
    found = []
    for _ in range(5):
        clock.period(2.0, 3.1)
        found.append(watch.change())
    assert found == [None] * 4 + [5]


def test_who_comes_and_goes_is_waited_for_longer_each_time(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    waited = []
    for _ in range(3):
        for _ in range(2):
            clock.period(0.9, 1.1, seconds=2.0)
            watch.change()
        quiet = 1
        while True:
            clock.period(1.0, 0.0, seconds=2.0)
            if watch.change() == 2:
                break
            quiet += 1
        waited.append(quiet)
    assert waited == [5, 10, 20]


def test_a_run_says_from_which_step_on_it_used_how_many_threads():
    first = threads_used({}, 0, 2)
    second = threads_used(first, 40, 1)
    assert second == {"threads": 1, "threads_by_step": [[0, 2], [40, 1]]}
    assert threads_used(second, 70, 2)["threads_by_step"] == [[0, 2], [40, 1], [70, 2]]
    assert threads_used(second, 50, 1) == second, "a run that goes on as it was says nothing new"
    assert threads_used(second, 30, 1)["threads_by_step"] == [[0, 2], [30, 1]], "steps 30 to 40 are done anew"


def test_work_of_the_machine_grows():
    before = contention._busy_seconds()
    sum(range(3_000_000))
    assert contention._busy_seconds() >= before
