"""The number of threads that goes fastest, found by timing."""

from itertools import pairwise

from guiapp.engine.fastest_threads import FastestThreads


def run(found, turns, cost):
    """Threads and whether it was a trial, by turn; ``cost`` gives seconds a sample by threads."""
    used = []
    for _ in range(turns):
        used.append((found.threads, found.trial))
        found.took(cost[found.threads])
    return used


def test_a_crowded_machine_gets_one_thread_and_a_free_one_all():
    found = FastestThreads(4)
    assert run(found, 4, {4: 1.0, 1: 3.0}) == [(4, False), (1, True), (4, False), (4, False)]
    found, crowded = FastestThreads(4), {4: 9.0, 1: 5.0}
    run(found, 3, {4: 1.0, 1: 3.0})
    assert run(found, 3, crowded) == [(4, False), (1, True), (1, False)], (
        "a turn that takes longer is looked into at once"
    )
    assert set(run(found, 3, crowded)) == {(1, False)}
    assert (4, True) in run(found, 20, {4: 1.0, 1: 3.0}) and found.threads == 4


def test_the_other_number_is_tried_less_often_where_it_loses():
    found = FastestThreads(2)
    trials = [number for number, (_, trial) in enumerate(run(found, 400, {2: 1.0, 1: 1.7})) if trial]
    gaps = [later - earlier for earlier, later in pairwise(trials)]
    assert trials[0] == 1 and gaps[:3] == [3, 5, 9] and max(gaps) == 65


def test_one_core_is_left_alone():
    assert run(FastestThreads(1), 50, {1: 1.0}) == [(1, False)] * 50
