"""Slots overwrite, jobs stop where they yield, the work lane gives its threads back."""

import threading

import pytest

from guiapp.engine.job import Job, WorkLane
from guiapp.engine.slot import Slot


def test_a_slot_keeps_the_newest_and_signals_once():
    signals = []
    slot = Slot(lambda: signals.append(1))
    for value in (1, 2, 3):
        slot.put(value)
    assert len(signals) == 1
    assert slot.overwritten == 2
    assert slot.take() == 3
    assert slot.take() is None
    slot.put(4)
    assert len(signals) == 2


def test_a_job_returns_the_generators_value_and_reports_progress():
    def work():
        yield 0.5, "half"
        return 42

    job = Job(work())
    assert job.state == "waiting"
    assert job.advance()
    assert (job.share, job.message) == (0.5, "half")
    job.run()
    assert (job.state, job.result, job.share) == ("done", 42, 1.0)


def test_a_stopped_job_runs_its_finally():
    left = []

    def work():
        try:
            while True:
                yield
        finally:
            left.append("cleaned up")

    job = Job(work())
    job.advance()
    job.stop()
    job.run()
    assert job.state == "stopped"
    assert left == ["cleaned up"]


def test_an_error_is_kept_and_told():
    def work():
        yield
        raise ValueError("broken file")

    told = []
    job = Job(work())
    job.on_end(told.append)
    job.run()
    assert job.state == "failed"
    assert str(job.error) == "broken file"
    job.on_end(told.append)
    assert told == [job, job]


def test_the_work_lane_runs_many_jobs_and_its_threads_end():
    lane = WorkLane(threads=2, idle_seconds=0.01)

    def work(value):
        yield
        return value * value

    jobs = [Job(work(value)) for value in range(20)]
    for job in jobs:
        lane.submit(job)
    assert all(job.wait(10) for job in jobs)
    assert [job.result for job in jobs] == [value * value for value in range(20)]
    for thread in [t for t in threading.enumerate() if t.name.startswith("work-")]:
        thread.join(10)
    assert not [t for t in threading.enumerate() if t.name.startswith("work-")]


def test_a_paused_job_waits_and_closing_the_lane_stops_it():
    lane = WorkLane()
    reached = threading.Event()

    def work():
        while True:
            reached.set()
            yield

    job = Job(work())
    lane.submit(job)
    assert reached.wait(10)
    job.pause()
    assert not job.wait(0.05)
    assert lane.jobs == [job]
    lane.close(10)
    assert job.state == "stopped"


@pytest.mark.parametrize("submitted_before_close", [False, True])
def test_a_closed_lane_ends_jobs_instead_of_keeping_them(submitted_before_close):
    lane = WorkLane()
    block = threading.Event()

    def work():
        yield
        block.wait(10)
        yield

    job = Job(work())
    if submitted_before_close:
        lane.submit(job)
        block.set()
    lane.close(10)
    if not submitted_before_close:
        lane.submit(job)
    assert job.wait(10)
    assert job.state in ("stopped", "done")
