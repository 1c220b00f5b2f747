"""All windows of a picture: those that survive, and how many there are, are OpenCV's before it groups them."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from guiapp.imaging.haar import examine, shipped_cascade
from guiapp.imaging.haar_scan import layers, scan
from guiapp.imaging.street import street

ALT = Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt.xml"


def smaller(pixels, longest):
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    factor = longest / max(grey.shape)
    return cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def opencv_windows(classifier, grey):
    found, _, sums = classifier.detectMultiScale3(grey, 1.1, 0, 0, (24, 24), outputRejectLevels=True)
    boxes = [tuple(box) for box in np.asarray(found).reshape(-1, 4).tolist()]
    return sorted(zip(boxes, np.ravel(sums).tolist(), strict=True))


@pytest.fixture(scope="module")
def grey():
    return smaller(street().pixels, 420)


@pytest.fixture(scope="module")
def found(grey):
    return scan(shipped_cascade(), layers(grey), grey.shape)


def test_windows_that_survive_are_opencvs(grey, found):
    theirs = opencv_windows(cv2.CascadeClassifier(str(ALT)), grey)
    mine = sorted(zip(map(tuple, found.areas.tolist()), found.margins.tolist(), strict=True))
    assert [box for box, _ in mine] == [box for box, _ in theirs]
    last = shipped_cascade().wanted[-1]
    np.testing.assert_allclose([margin + last for _, margin in mine], [total for _, total in theirs], atol=1e-3)
    assert len(mine) >= 10
    assert found.survivors[-1] == len(mine)


@pytest.mark.parametrize("stages", [1, 2, 4, 7, 12])
def test_each_stage_lets_past_what_opencvs_does(grey, found, tmp_path, stages):
    """OpenCV's cascade cut short finds the windows that are left after so many stages."""
    tree = ElementTree.parse(ALT)
    inside = tree.getroot().find("cascade/stages")
    for stage in inside.findall("_")[stages:]:
        inside.remove(stage)
    tree.getroot().find("cascade/stageNum").text = str(stages)
    tree.write(tmp_path / "cut.xml", encoding="us-ascii", xml_declaration=True)
    theirs = cv2.CascadeClassifier(str(tmp_path / "cut.xml")).detectMultiScale(grey, 1.1, 0, 0, (24, 24))
    assert found.survivors[stages] == len(theirs)


@pytest.mark.parametrize("size", [(97, 131), (160, 214), (301, 223), (64, 400)])
def test_every_size_is_walked_as_opencv_does(size, tmp_path):
    """Noise under a cascade of two stages leaves thousands of windows, up to the last row and column."""
    tree = ElementTree.parse(ALT)
    inside = tree.getroot().find("cascade/stages")
    for stage in inside.findall("_")[2:]:
        inside.remove(stage)
    tree.getroot().find("cascade/stageNum").text = "2"
    tree.write(tmp_path / "cut.xml", encoding="us-ascii", xml_declaration=True)
    noise = np.random.default_rng(size[0]).integers(0, 256, size, dtype=np.uint8)
    noise = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    theirs = cv2.CascadeClassifier(str(tmp_path / "cut.xml")).detectMultiScale(noise, 1.1, 0, 0, (24, 24))
    whole = shipped_cascade()
    mine = scan(whole, layers(noise), size)
    assert len(theirs) > 100
    assert mine.survivors[2] == len(theirs)
    end = whole.begins[2]
    two = replace(
        whole, begins=whole.begins[:3], wanted=whole.wanted[:2], feature=whole.feature[:end],
        threshold=whole.threshold[:end], votes=whole.votes[:end],
    )  # fmt: skip
    assert sorted(map(tuple, scan(two, layers(noise), size).areas.tolist())) == sorted(map(tuple, theirs.tolist()))


def test_faces_of_photographs_too(real_data):
    """A wall of real faces and a picture without contrast in parts of it."""
    paths = sorted((real_data / "att_faces").glob("s*/3.*"))[:12]
    if not paths:
        pytest.skip(f"no faces at {real_data / 'att_faces'}")
    faces = [np.array(Image.open(path).convert("L")) for path in paths]
    wall = np.concatenate([np.concatenate(faces[i : i + 4], 1) for i in range(0, 12, 4)], 0)
    wall[:60] = 128
    mine = scan(shipped_cascade(), layers(wall), wall.shape)
    theirs = opencv_windows(cv2.CascadeClassifier(str(ALT)), wall)
    assert sorted(map(tuple, mine.areas.tolist())) == [box for box, _ in theirs]
    assert len(theirs) > 50
    assert mine.flat > 0


def test_counting(grey, found):
    pictures = layers(grey)
    assert pictures[0].side == 24
    assert pictures[0].step == 2
    assert pictures[-1].step == 1
    sides = [(p.grey.shape, p.step) for p in pictures]
    every = [-(-(w - 19) // step) for (_, w), step in sides], [-(-(h - 19) // step) for (h, _), step in sides]
    assert 0 <= sum(x * y for x, y in zip(*every, strict=True)) - found.windows <= sum(every[0])  # at most a row each
    assert found.windows / 2 <= found.looked <= found.windows
    assert found.survivors[0] == found.looked
    assert np.all(np.diff(found.survivors) <= 0)
    sizes = np.diff(shipped_cascade().begins)
    entering = found.survivors[:-1] - np.eye(1, len(sizes), dtype=int)[0] * found.flat
    assert found.stumps == (entering * sizes).sum()
    assert found.features == found.stumps / found.looked
    assert 10 < found.features < 100  # of 2135: the point of the cascade


def test_one_window_and_all_agree(grey, found):
    """A window that survived passes when it is looked at alone, and the map shows it."""
    pictures, cascade = layers(grey), shipped_cascade()
    for layer, left, top, margin in zip(found.layer, found.left, found.top, found.margins, strict=True):
        passage = examine(cascade, pictures[layer].grey[top : top + 20, left : left + 20])
        assert passage.face
        assert passage.sums[-1] - cascade.wanted[-1] == pytest.approx(margin, abs=1e-3)
        x, y = ((place + 10) * pictures[layer].factor / 4 for place in (left, top))
        assert found.reached[int(y), int(x)] == cascade.stages
    assert found.nearest in set(zip(found.layer, found.left, found.top, strict=True))
    assert found.reached.max() == cascade.stages


def test_nothing_to_look_at():
    tiny = np.zeros((12, 300), np.uint8)
    assert layers(tiny) == []
    found = scan(shipped_cascade(), layers(tiny), tiny.shape)
    assert (found.windows, found.looked, found.nearest, len(found.areas)) == (0, 0, None, 0)
    flat = np.full((80, 120), 77, np.uint8)
    found = scan(shipped_cascade(), layers(flat), flat.shape)
    assert found.flat == found.looked == found.windows > 0
    assert found.survivors[1:].sum() == found.stumps == 0
