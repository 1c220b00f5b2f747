"""Boosting on patches that are always here: faces of the drawn street against windows of photographs."""

import pytest

from guiapp.core.notices import UserError
from guiapp.engine import boosting
from guiapp.engine.samples import FLOWER, read_sample


def drained(work):
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps


def test_votes_together_get_better_than_the_first_feature_alone(monkeypatch):
    monkeypatch.setattr(boosting, "portraits", lambda: None)
    told = []
    found, steps = drained(boosting.boosting(None, told.append, rounds=4))
    assert [len(one.rounds) for one in told] == [1, 2, 3, 4] and steps[-1] == (1.0, "round 4 of 4")
    patches = found.patches
    assert patches.faces.sum() * 2 == len(patches.faces)  # as many others as faces
    errors = found.errors(True)
    assert errors[-1] < errors[0] == pytest.approx(found.rounds[0].error)
    assert found.errors(False)[-1] < 0.2
    weights = found.weights
    assert weights.shape == (5, patches.learned.sum()) and weights.mean(1) == pytest.approx(1)


def test_a_picture_without_faces_is_refused_and_says_what_to_do(monkeypatch):
    with pytest.raises(UserError, match="show a picture in which the cascade finds some"):
        boosting.found_faces(read_sample(FLOWER))


def test_portraits_are_parted_by_people(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    patches = boosting.portraits()
    assert (patches.faces & patches.learned).sum() == 300 and (patches.faces & ~patches.learned).sum() == 100
