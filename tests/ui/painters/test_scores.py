"""Bars of class scores and the strip of a video's clips."""

import numpy as np
import pytest

from guiapp.tasks.predictions import ClassScores, ClipScores
from guiapp.ui.painters import PaintOptions, prepare
from guiapp.ui.painters.scores import REMEMBERED, score_rows
from tests.ui.painters.pictures import rgb

LABELS = ("walk", "run", "jump", "sit")


def scores(*values, labels=LABELS):
    return ClassScores(np.array(values, np.float32), labels)


def test_the_best_classes_are_listed_with_their_colours(make_view, shot, theme):
    layer = prepare(scores(0.1, 0.6, 0.05, 0.25), theme, PaintOptions(top=3))
    assert [(row.text, row.value) for row in layer._rows] == [("run", "60.0%"), ("sit", "25.0%"), ("walk", "10.0%")]
    assert layer._rows[0].colour == theme.class_colour(1, 4)
    view = make_view((300, 200), (308, 208))
    seen, plain = shot(view, layer), shot(view)
    changed = np.argwhere((seen != plain).any(2))
    assert changed.min(0)[0] > 90 and changed.min(0)[1] > 100
    bars = (np.abs(seen.astype(int) - rgb(theme.class_colour(1, 4))).max(2) <= 3).any(0).sum()
    other = (np.abs(seen.astype(int) - rgb(theme.class_colour(3, 4))).max(2) <= 3).any(0).sum()
    assert bars / other == pytest.approx(0.6 / 0.25, rel=0.1)


def test_scores_that_are_no_numbers_are_told_as_no_answer(theme):
    (row,) = score_rows(scores(np.nan, 1, 0, 0), theme, 5)
    assert row.text == "no answer: NaN" and row.share is None


@pytest.mark.parametrize("size", [(20, 15), (60, 300), (300, 24), (9, 9)])
def test_a_small_picture_shows_what_fits(make_view, shot, theme, size):
    view = make_view(size, (100, 80))
    shot(view, prepare(scores(0.1, 0.6, 0.05, 0.25), theme))
    shot(view, prepare(ClipScores(None, 3, 16), theme))
    shot(view, prepare(ClipScores(scores(0.1, 0.6, 0.05, 0.25), 16, 16), theme))


def clips(theme, rows, previous=None):
    for row in rows:
        previous = prepare(ClipScores(scores(*row), 16, 16), theme, previous=previous)
    return previous


def test_clips_are_remembered_newest_last(theme):
    layer = clips(theme, [(0.7, 0.1, 0.1, 0.1), (0.2, 0.8, 0, 0)])
    assert [index for index, _ in layer.history] == [0, 1]
    assert [value for _, value in layer.history] == pytest.approx([0.7, 0.8])
    waiting = prepare(ClipScores(None, 4, 16), theme, previous=layer)
    assert waiting.history == layer.history
    other = prepare(ClipScores(scores(1, 0, labels=("a", "b")), 16, 16), theme, previous=layer)
    assert len(other.history) == 1
    many = clips(theme, [(1, 0, 0, 0)] * (REMEMBERED + 5))
    assert len(many.history) == REMEMBERED


def test_the_strip_shows_the_newest_at_the_right(make_view, shot, theme):
    view = make_view((480, 300), (488, 308))
    layer = clips(theme, [(1, 0, 0, 0)] * 120 + [(0, 1, 0, 0)] * 120)
    seen = shot(view, layer)
    row = seen[302].astype(int)  # inside of the strip, below the text
    first, second = rgb(theme.class_colour(0, 4)), rgb(theme.class_colour(1, 4))
    assert (np.abs(row[6:242] - first).max(1) <= 3).all()
    assert (np.abs(row[246:482] - second).max(1) <= 3).all()


def test_until_the_clip_is_full_its_pictures_are_counted(make_view, shot, theme):
    view = make_view((480, 300), (488, 308))
    seen = shot(view, prepare(ClipScores(None, 4, 16), theme))
    bar = (np.abs(seen[303].astype(int) - rgb(theme.accent)).max(1) <= 3).sum()
    assert bar == pytest.approx(480 * 4 / 16, abs=2)
