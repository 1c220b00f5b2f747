"""Event files against TensorBoard's own reader, as they grow, and torn."""

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from guiapp.training.event_files import EventFolder, has_events


def write(folder, steps, **figures):
    with SummaryWriter(str(folder)) as writer:
        for step in steps:
            for name, at in figures.items():
                writer.add_scalar(name.replace("__", "/"), at(step), step)


def read(folder):
    opened = EventFolder(folder)
    list(opened.refresh())
    return opened


def test_the_curves_are_those_of_tensorboard(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write(tmp_path / "one", range(1, 400), train__loss=lambda s: 1 / s, lr=lambda s: 0.1 * s)
    write(tmp_path / "two", range(5, 50, 5), train__loss=np.sqrt)
    assert has_events(tmp_path) and not has_events(tmp_path / "..")
    opened = read(tmp_path)
    assert sorted(opened.curves) == [("one", "lr"), ("one", "train/loss"), ("two", "train/loss")]
    for (run, tag), curve in opened.curves.items():
        theirs = accumulator.EventAccumulator(str(tmp_path / run), {"scalars": 0})
        theirs.Reload()
        assert curve.steps.tolist() == [e.step for e in theirs.Scalars(tag)]
        assert curve.values.tolist() == [e.value for e in theirs.Scalars(tag)]


def test_what_is_added_is_read_and_a_torn_record_waits(tmp_path):
    write(tmp_path, range(1, 11), loss=float)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    opened = read(tmp_path)
    assert len(opened.curves["", "loss"]) == 9
    file.write_bytes(whole)
    list(opened.refresh())
    assert opened.curves["", "loss"].values.tolist() == list(range(1, 11))
    assert list(opened.refresh()) == []  # nothing new, nothing read


def test_a_run_that_went_back_shows_what_came_last(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for step, value in ((1, 1.0), (2, 2.0), (3, 3.0), (2, 20.0), (3, 30.0)):
            writer.add_scalar("loss", value, step)
    curve = read(tmp_path).curves["", "loss"]
    assert curve.steps.tolist() == [1, 2, 3] and curve.values.tolist() == [1, 20, 30]


def test_other_files_give_no_curves(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(b"no event file at all, but bytes enough to be asked about")
    assert read(tmp_path).curves == {}
