"""Moments of the selection: noted once, gone back to, replaced by what comes after, thinned."""

import numpy as np
import pytest

from guiapp.core import history
from guiapp.core.history import History, moment_of, restore
from guiapp.core.picture import Origin, Picture
from guiapp.core.workspace import Workspace


def picture(kind="file", side=4):
    return Picture(np.zeros((side, side, 3), np.uint8), Origin(kind, kind))


@pytest.fixture
def workspace():
    return Workspace(picture=picture(), layer="conv1")


def noted(past, workspace, **changes):
    for name, value in changes.items():
        setattr(workspace, name, value)
    return past.note(moment_of(workspace, "experiment", "lenet5"))


def test_back_and_forward_bring_back_every_field(workspace):
    past = History()
    assert past.now is None and not past.can_go_back
    first = workspace.picture
    assert noted(past, workspace)
    assert not noted(past, workspace), "nothing has changed"
    noted(past, workspace, layer="conv2", unit=3)
    noted(past, workspace, picture=picture(), class_index=5)
    assert past.can_go_back and not past.can_go_forward
    restore(past.go(-2), workspace)
    assert (workspace.picture, workspace.layer, workspace.unit, workspace.class_index) == (first, "conv1", None, None)
    assert past.can_go_forward and not past.can_go_back
    assert past.go(-1) is None
    restore(past.go(1), workspace)
    assert (workspace.picture, workspace.layer, workspace.unit) == (first, "conv2", 3)
    noted(past, workspace, unit=4)
    assert not past.can_go_forward, "what lay ahead is replaced"
    assert past.go(-1).values["unit"] == 3


def test_strokes_of_one_drawing_are_one_moment(workspace):
    past = History()
    noted(past, workspace)
    for _ in range(5):
        noted(past, workspace, picture=picture("drawing"))
    last = workspace.picture
    noted(past, workspace, unit=1)
    assert past.go(-1).values["picture"] is last
    assert past.go(-1).values["picture"].origin.kind == "file"
    assert past.go(-1) is None


def test_the_oldest_go_where_pictures_take_too_much(workspace, monkeypatch):
    past = History()
    monkeypatch.setattr(history, "_BYTES", 3 * 4 * 4 * 3)
    for _ in range(10):
        noted(past, workspace, picture=picture())
        noted(past, workspace, unit=(workspace.unit or 0) + 1)  # the same picture again costs nothing more
    steps = 0
    while past.go(-1) is not None:
        steps += 1
    assert steps == 5
    monkeypatch.setattr(history, "_MOST", 3)
    noted(past, workspace, unit=100)
    noted(past, workspace, unit=101)
    noted(past, workspace, unit=102)
    noted(past, workspace, unit=103)
    assert past.go(-2) is not None and past.go(-1) is None
