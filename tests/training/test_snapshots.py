"""The time machine's store: schedule, budget, what readers get."""

import threading

import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.training.snapshots import SnapshotStore


def weights(value, count=250):
    return {"w": torch.full((count,), float(value)), "n": torch.tensor(7)}


def test_the_schedule_is_dense_early_and_sparse_late(tmp_path):
    store = SnapshotStore(tmp_path)
    taken = [step for step in range(100_001) if store.wants(step)]
    assert taken[:33] == list(range(33))
    assert all(16 <= len([s for s in taken if low <= s < 2 * low]) <= 17 for low in (32, 1024, 32_768))
    assert len(taken) < 250


def test_what_is_added_is_loaded_also_by_another_store(tmp_path):
    store = SnapshotStore(tmp_path / "snapshots")
    store.add(0, weights(1.5))
    store.add(12, weights(2.5))
    for reader in (store, SnapshotStore(tmp_path / "snapshots")):
        assert reader.steps() == [0, 12]
        assert reader.load(12)["w"].unique().item() == 2.5 and reader.load(12)["n"].item() == 7
        assert [reader.nearest(s) for s in (0, 6, 7, 99)] == [0, 0, 12, 12]


def test_weights_are_copied_not_shared(tmp_path):
    store, tensor = SnapshotStore(tmp_path), torch.zeros(10)
    tied = {"a": tensor, "b": tensor, "part": tensor[2:5]}
    store.add(1, tied)
    tensor.fill_(9)
    assert store.load(1)["b"].sum() == 0 and store.load(1)["part"].shape == (3,)


@pytest.mark.parametrize("budget", [3_000, 20_000, 60_000])
def test_thinning_stays_within_the_budget_and_keeps_the_ends(tmp_path, budget):
    store = SnapshotStore(tmp_path, budget)
    for step in range(3000):
        if store.wants(step):
            store.add(step, weights(step))
            assert store.bytes() <= budget
            assert sum(p.stat().st_size for p in tmp_path.iterdir()) == store.bytes()
            newest = step
    steps = store.steps()
    assert steps[0] == 0 and steps[-1] == newest
    assert len(steps) == 2 if budget == 3_000 else len(steps) > 10


def test_weights_larger_than_the_budget_are_not_kept(tmp_path):
    store = SnapshotStore(tmp_path, 500)
    store.add(0, weights(0))
    assert store.steps() == []


def test_later_ones_are_discarded(tmp_path):
    store = SnapshotStore(tmp_path)
    for step in range(6):
        store.add(step, weights(step))
    store.discard_after(3)
    assert store.steps() == [0, 1, 2, 3] and len(list(tmp_path.iterdir())) == 4


def test_no_snapshot_is_said_plainly(tmp_path):
    store = SnapshotStore(tmp_path)
    with pytest.raises(UserError, match="no snapshots"):
        store.nearest(3)
    with pytest.raises(UserError, match="choose another step"):
        store.load(3)


def test_a_torn_file_is_an_error_in_words(tmp_path):
    store = SnapshotStore(tmp_path)
    store.add(4, weights(4))
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match="step 4"):
        SnapshotStore(tmp_path).load(4)


def test_a_full_disk_costs_only_the_new_one(tmp_path, monkeypatch):
    store = SnapshotStore(tmp_path)
    store.add(1, weights(1))

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        store.add(2, weights(2))
    assert store.steps() == [1] and len(list(tmp_path.iterdir())) == 1


def test_a_reader_sees_whole_weights_while_a_writer_thins(tmp_path):
    store = SnapshotStore(tmp_path, 30_000, cached=2)
    failures = []
    done = threading.Event()

    def read():
        while not done.is_set():
            for step in store.steps():
                try:
                    found = store.load(step)
                except UserError:
                    continue  # thinned in between, and said so
                if found["w"].unique().tolist() != [float(step)]:
                    failures.append(step)

    reader = threading.Thread(target=read)
    reader.start()
    for step in range(400):
        if store.wants(step):
            store.add(step, weights(step))
    done.set()
    reader.join()
    assert not failures
