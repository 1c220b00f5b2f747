"""Depth over a picture: near bright, far dark, whatever larger values mean; the value under the pointer."""

import numpy as np
import pytest

from guiapp.tasks.predictions import Depth
from guiapp.ui.painters import PaintOptions, prepare
from guiapp.ui.painters.still import painted

OPAQUE = PaintOptions(opacity=1.0, legend=False)


@pytest.fixture
def theme(qapp):
    from guiapp.ui.theme import Theme

    return Theme("dark")


def ramp(near, unit=""):
    """Values 0 to 9 from left to right, a hole at the upper right."""
    values = np.tile(np.arange(10, dtype=np.float32), (6, 1))
    values[0, 9] = np.nan
    return Depth(values, (100, 60), unit, near)


def brightness(depth, theme):
    picture = painted(np.full((60, 100, 3), 128, np.uint8), [prepare(depth, theme, OPAQUE)])
    return picture.astype(int).sum(2)


@pytest.mark.parametrize("near", [True, False])
def test_near_is_bright_and_far_is_dark(theme, near):
    row = brightness(ramp(near), theme)[40, 5::10]
    steps = np.diff(row)
    assert (steps > 0).all() if near else (steps < 0).all()
    assert max(row[0], row[-1]) > 600  # the bright end of magma is nearly white
    assert min(row[0], row[-1]) < 60


def test_what_is_unknown_stays_clear(theme):
    picture = painted(np.full((60, 100, 3), 128, np.uint8), [prepare(ramp(True), theme, OPAQUE)])
    assert np.abs(picture[3, 97].astype(int) - 128).max() <= 2


def test_the_pointer_tells_the_value_with_its_unit(theme):
    layer = prepare(ramp(False, "m"), theme, OPAQUE)
    assert layer.object_at(75, 30).text == "7 m away"
    assert layer.object_at(99, 1).text == "depth unknown"
    assert layer.object_at(100, 30) is None
    relative = prepare(ramp(True), theme, OPAQUE)
    assert relative.object_at(95, 30).text.startswith("relative depth 9  ·  100 %".replace(" %", "%"))


def test_the_scale_says_what_the_ends_are(theme):
    plain = painted(
        np.full((200, 400, 3), 128, np.uint8), [prepare(Depth(ramp(True).values, (400, 200)), theme, OPAQUE)]
    )
    told = painted(
        np.full((200, 400, 3), 128, np.uint8),
        [prepare(Depth(ramp(True).values, (400, 200)), theme, PaintOptions(opacity=1.0))],
    )
    changed = np.argwhere((plain != told).any(2))
    assert len(changed) > 1000
    assert changed.min(0)[0] > 120
    assert changed.min(0)[1] > 200  # bottom right


def test_colours_of_a_video_do_not_flicker(theme):
    first = prepare(ramp(True), theme, OPAQUE)
    brighter = Depth(ramp(True).values * 3, (100, 60), "", True)
    second = prepare(brighter, theme, OPAQUE, previous=first)
    assert first.ends[1] < second.ends[1] < prepare(brighter, theme, OPAQUE).ends[1]
    assert prepare(Depth(np.full((2, 2), np.nan, np.float32), (9, 9)), theme).ends == (0.0, 0.0)
