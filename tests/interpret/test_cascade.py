"""The cascade probe: the chosen window, the faces and the sums are OpenCV's and those of a hand."""

import cv2
import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.imaging.haar import rectangle_sums, shipped_cascade
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.classic_options import CascadeOptions


def ask(picture, **options):
    return PROBES["cascade"].run(Look(None, (), None, picture=picture), CascadeOptions(**options))


def picture_of(pixels):
    return Picture(np.ascontiguousarray(pixels), Origin("file", "test"))


@pytest.fixture(scope="module")
def view():
    return ask(street())


def test_the_face_that_most_windows_found_is_looked_at(view):
    left, top, width, height, votes = view.faces[0]
    assert votes == view.faces[:, 4].max() >= 10
    assert abs(left + width / 2 - 775) < 15  # the portrait
    assert view.face
    assert view.passed == 22
    x, y = view.area[0] + view.area[2] / 2, view.area[1] + view.area[3] / 2
    assert left < x < left + width
    assert top < y < top + height
    assert np.all(view.sums >= view.wanted - 1e-5)
    other = ask(street(), face=1, longest=640)
    assert other.face
    assert abs(other.area[0] + other.area[2] / 2 - 775) > 100


def test_faces_are_those_of_opencv():
    grey = cv2.cvtColor(street().pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (640, 427), interpolation=cv2.INTER_AREA)
    classifier = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_alt.xml")
    theirs = classifier.detectMultiScale(small, 1.1, 3, 0, (24, 24))
    mine = ask(street(), longest=640)
    found = [face[:4] / [960 / 640, 640 / 427, 960 / 640, 640 / 427] for face in mine.faces if face[4] > 3]
    assert sorted(np.rint(found).astype(int).tolist()) == sorted(np.asarray(theirs).tolist())
    assert mine.searched == (640, 427)


def test_a_window_chosen_by_hand_is_cut_from_the_size_that_is_searched(view):
    chosen = ask(street(), left=20.0, top=100.0, side=75.0)
    left, top, width, height = chosen.area
    assert (width, height) == pytest.approx((75, 75), rel=0.06)  # sizes go up by a tenth
    assert left + width / 2 == pytest.approx(57.5, abs=5)
    assert top + height / 2 == pytest.approx(137.5, abs=5)
    assert not chosen.face
    assert 0 <= chosen.passed < 22
    assert chosen.sums[chosen.passed] < chosen.wanted[chosen.passed]
    beyond = ask(street(), left=-500.0, top=5000.0, side=1.0)
    assert beyond.area[0] == 0
    assert beyond.area[2] == pytest.approx(24 * 3)
    assert beyond.area[1] + beyond.area[3] <= 640
    np.testing.assert_array_equal(chosen.survivors, view.survivors)


def test_the_integral_image_and_the_votes_add_up(view):
    assert view.searched == (320, 213)
    left, top, width, height = 30, 40, 55, 21
    assert rectangle_sums(view.table, left, top, width, height) == view.grey[40:61, 30:85].sum()
    assert view.integral.values.shape == (1, 214, 321)
    assert view.window.values[0].astype(np.uint8).tolist() == view.crop.tolist()
    begins = shipped_cascade().begins
    for stage in (0, 1, 21):
        own = view.passage.votes[begins[stage] : begins[stage + 1]]
        assert own.sum() == pytest.approx(view.sums[stage])
    assert view.features_of_all == 2135
    assert view.survivors[0] == view.looked


def test_pictures_without_a_face():
    noise = picture_of(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))
    view = ask(noise)
    assert len(view.faces) == 0
    assert not view.face
    assert view.passed == view.reached.values.max()  # what came farthest
    with pytest.raises(UserError, match="too small for windows of 24 pixels"):
        ask(picture_of(np.zeros((20, 300, 3), np.uint8)))
    with pytest.raises(UserError, match="show one"):
        ask(None)
