"""Differences are painted where they are and in the colour of the side; a wipe shows each answer in its part alone."""

import numpy as np
import pytest

from guiapp.tasks.compare import difference
from guiapp.tasks.predictions import ClassScores, Depth, Flow, LabelMap
from guiapp.ui.painters import PaintOptions, prepare
from guiapp.ui.painters.frames import FramePainter
from guiapp.ui.painters.pairs import Pair
from guiapp.ui.painters.sides import FIRST, SECOND, TagLayer, WipeLayer
from guiapp.ui.painters.still import painted
from tests.ui.painters.pictures import BOXES, GREY, detections, rgb

SIZE = (120, 90)
BARE = PaintOptions(labels=False, legend=False)


def grey():
    return np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)


def has(pixels, colour, by=6):
    """Whether any pixel has the colour."""
    return bool((np.abs(pixels.astype(int) - rgb(colour)).max(-1) <= by).any())


@pytest.fixture
def objects():
    first = detections([(10, 10, 40, 40), (60, 10, 90, 40)], SIZE, classes=[0, 1])
    second = detections([(10, 10, 40, 44), (60, 50, 90, 80)], SIZE, classes=[0, 1])
    return difference(first, second)


def test_each_side_has_its_colour_and_dashes(theme, objects):
    seen = painted(grey(), [prepare(objects, theme, BARE)])
    only_first, only_second = seen[10, 60:90], seen[50, 60:90]
    assert has(only_first, FIRST) and not has(only_first, SECOND)
    assert has(only_second, SECOND) and not has(only_second, FIRST)
    for line in (only_first, only_second):
        assert len(np.unique(line, axis=0)) == 2, "dashes of two colours"
    both = seen[10, 12:38]
    assert len(np.unique(both, axis=0)) == 1 and not has(both, FIRST) and not has(both, SECOND)
    assert (seen[20:35, 65:85] == GREY).all()


def test_no_label_lies_over_the_legend(theme):
    size = (320, 240)
    nothing, corner = detections([], size), detections([(236, 212, 316, 236)], size)
    layer, grounds = difference(nothing, corner), np.full((240, 320, 3), GREY, np.uint8)

    def seen(**look):
        return painted(grounds, [prepare(layer, theme, PaintOptions(**look))])

    bare, legend = seen(labels=False, legend=False), seen(labels=False)
    rows, columns = np.nonzero((bare != legend).any(-1))
    card = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert card[0].start < 200 < card[0].stop, "where the label of the box would go"
    np.testing.assert_array_equal(seen()[card], legend[card])
    assert has(seen(boxes=False)[: card[0].start], SECOND) or has(seen(boxes=False)[:, : card[1].start], SECOND)


def test_the_pointer_is_told_who_found_an_object(theme, objects):
    layer = prepare(objects, theme)
    assert layer.object_at(75, 20).text == "only A: dog 0.50  ·  30 × 30 px"
    assert layer.object_at(75, 60).text == "only B: dog 0.50  ·  30 × 30 px"
    assert layer.object_at(20, 20).text == "cat: A 0.95, B 0.95  ·  IoU 0.88"
    assert layer.object_at(75, 60).area == (60, 50, 30, 30) and layer.object_at(110, 45) is None


def test_masks_of_what_one_alone_found_are_tinted(theme):
    full = np.ones((30, 30), bool)
    one = detections([(10, 10, 40, 40), (60, 10, 90, 40)], SIZE, [full, full], classes=[0, 1])
    two = detections([(10, 10, 40, 40)], SIZE, [full], classes=[0])
    seen = painted(grey(), [prepare(difference(one, two), theme, BARE)])
    assert (seen[25, 25] == GREY).all()
    assert seen[25, 75, 0] > GREY + 20 > seen[25, 75, 2], "orange"


@pytest.mark.parametrize("shape", [(9, 12), (90, 120), (180, 240)])
def test_pixels_that_differ_are_striped_and_the_others_clear(theme, shape):
    one = np.zeros(shape, np.uint8)
    two = one.copy()
    two[:, shape[1] // 2 :] = 1
    labels = ("background", "cat")
    layer = prepare(difference(LabelMap(one, labels, SIZE), LabelMap(two, labels, SIZE)), theme, BARE)
    seen = painted(grey(), [layer])
    assert (seen[:, :59] == GREY).all()
    assert (seen[5:85, 62:] != GREY).any(-1).all()
    assert len(np.unique(seen[5:85, 62:118].reshape(-1, 3), axis=0)) >= 2, "stripes"
    assert layer.object_at(20, 20).text == "both background"
    assert layer.object_at(100, 20).text == "A background  ·  B cat" and layer.object_at(130, 20) is None


def test_scores_have_a_bar_for_each_side(theme):
    def scores(*values):
        return ClassScores(np.array(values, np.float32), ("cat", "dog"))

    seen = painted(
        np.full((200, 300, 3), GREY, np.uint8), [prepare(difference(scores(0.9, 0.1), scores(0.2, 0.8)), theme)]
    )
    assert has(seen, FIRST) and has(seen, SECOND)
    first, second = ((np.abs(seen.astype(int) - rgb(side)).max(-1) <= 6).sum(1).max() for side in (FIRST, SECOND))
    assert first / second == pytest.approx(0.9 / 0.8, rel=0.05), "the longest bars"


def test_motion_glows_where_it_differs(theme):
    still = np.zeros((9, 12, 2), np.float32)
    moved = still.copy()
    moved[:, 6:] = 3, 4
    layer = prepare(difference(Flow(still, SIZE), Flow(moved, SIZE)), theme, BARE)
    seen = painted(grey(), [layer])
    assert np.abs(seen[:, :58].astype(int) - GREY).max() <= 1 and (seen[:, 62:] != GREY).any(-1).all()
    assert layer.longest == 5 and layer.object_at(100, 40).text == "differs by 5.0 px  ·  A moves 0.0 px, B 5.0 px"


def test_depth_glows_where_it_differs(theme):
    one = np.full((9, 12), 2.0, np.float32)
    two = one.copy()
    two[:, 6:] = 3
    two[0, 0] = np.nan
    layer = prepare(difference(Depth(one, SIZE, "m"), Depth(two, SIZE, "m")), theme, BARE)
    seen = painted(grey(), [layer])
    assert np.abs(seen[:, :58].astype(int) - GREY).max() <= 1 and (seen[:, 62:] != GREY).any(-1).all()
    assert layer.longest == 1 and layer.object_at(100, 40).text == "differs by 1.00 m  ·  A 2.00 m, B 3.00 m"
    assert layer.object_at(1, 1).text == "unknown to one of the two" and layer.object_at(-1, 1) is None


@pytest.mark.parametrize("at", [0.25, 0.5, 1.0])
def test_a_wipe_shows_each_answer_left_and_right_of_its_handle(theme, at):
    first, second = (prepare(detections([box], SIZE), theme, BOXES) for box in ((4, 10, 116, 40), (4, 50, 116, 80)))
    seen = painted(grey(), [WipeLayer(first, second, at)])
    x = round(at * SIZE[0])
    handle = slice(max(0, x - 3), x + 3)
    for row, mine, other in ((10, slice(6, x - 12), slice(x + 12, 115)), (50, slice(x + 12, 115), slice(6, x - 12))):
        assert (seen[row, mine] != GREY).any(-1).all() and (seen[row, other] == GREY).all()
    assert has(seen[2, handle], theme.panel.fromRgb(255, 255, 255))


def test_in_a_wipe_the_pointer_meets_the_answer_of_its_side(theme):
    first, second = (prepare(detections([box], SIZE), theme) for box in ((4, 10, 116, 40), (4, 10, 116, 40)))
    wipe = WipeLayer(first, second, 0.5)
    assert wipe.object_at(20, 20).text.startswith("A · cat") and wipe.object_at(100, 20).text.startswith("B · cat")
    assert wipe.object_at(20, 20).index == 0 and wipe.object_at(100, 20).index == -1
    marked = wipe.with_look(PaintOptions(marked=-1))
    assert (marked.first.look.marked, marked.second.look.marked) == (None, 0)
    assert wipe.with_look(PaintOptions()) is wipe


def test_legends_stay_in_their_part_of_a_wipe(theme):
    labels = ("background", "cat")
    answers = [LabelMap(np.full((6, 8), 1, np.uint8), labels, (400, 300)) for _ in range(2)]
    picture = np.full((300, 400, 3), GREY, np.uint8)
    clear = PaintOptions(opacity=0.0)
    seen = painted(picture, [WipeLayer(*(prepare(answer, theme, clear) for answer in answers), 0.5)])
    swatch = theme.class_colour(1, 2)
    assert has(seen[:, :195], swatch) and has(seen[:, 205:], swatch)


@pytest.mark.parametrize(("mode", "width"), [("beside", 404), ("wipe", 200), ("difference", 200)])
def test_frames_of_a_recording_hold_both_answers(theme, mode, width):
    picture = np.full((150, 200, 3), GREY, np.uint8)
    first, second = (detections([(20, y, 180, y + 40)], (200, 150)) for y in (30, 90))
    paint = FramePainter(theme, BARE)
    pair = Pair(first, second, difference(first, second), mode, 0.5, ("one", "two"))
    seen = paint(picture, pair)
    assert seen.shape == (150, width, 3) and (picture == GREY).all()
    assert has(seen[:20, :10], FIRST) and has(seen[:20, -10:] if mode != "beside" else seen[:20, 204:214], SECOND)
    rows = [(seen[y, part] != GREY).any(-1).all() for y in (30, 90) for part in (slice(25, 80), slice(-80, -25))]
    assert rows == ([True] * 4 if mode == "difference" else [True, False, False, True])


def test_tags_stand_in_their_corners(theme):
    picture = np.full((100, 400, 3), GREY, np.uint8)
    seen = painted(picture, [TagLayer("A · one", FIRST, most=0.5), TagLayer("B · " + "two " * 60, SECOND, True, 0.5)])
    assert has(seen[0, :3], FIRST) and has(seen[0, -3:], SECOND)
    assert not has(seen[:, :199], SECOND), "cut to its half"
    assert (seen[40:] == GREY).all()
