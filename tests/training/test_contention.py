"""Advice about a busy machine comes once, and only where it is true."""

import psutil

from guiapp.training import contention
from guiapp.training.contention import Contention


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
    assert watch.fewer() is None  # perhaps a short burst
    clock.period(0.9, 1.1)
    assert watch.fewer() == 1
    assert round(watch.others, 6) == 1.1
    for _ in range(5):
        clock.period(0.9, 1.1)
        assert watch.fewer() is None


def test_a_burst_does_nothing(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    for _ in range(3):
        clock.period(0.9, 1.1)
        assert watch.fewer() is None
        clock.period(1.9, 0.1)
        assert watch.fewer() is None


def test_spare_cores_may_be_used_by_others(monkeypatch):
    clock = Clock(monkeypatch, cores=8)
    watch = Contention(4)
    for _ in range(5):
        clock.period(4.0, 3.9)
        assert watch.fewer() is None
    clock.period(3.0, 5.0)
    assert watch.fewer() is None
    clock.period(3.0, 5.0)
    assert watch.fewer() == 3


def test_a_pause_is_no_period(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(2)
    for _ in range(3):
        clock.period(0.0, 2.0, seconds=60.0)
        watch.restart()
        assert watch.fewer() is None


def test_one_thread_has_nobody_to_wait_for(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Contention(1)
    for _ in range(5):
        clock.period(0.5, 1.5)
        assert watch.fewer() is None


def test_work_of_the_machine_grows():
    before = contention._busy_seconds()
    sum(range(3_000_000))
    assert contention._busy_seconds() >= before
