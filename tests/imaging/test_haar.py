"""The cascade step by step: sums by hand, and OpenCV's own decision for real faces, stage by stage."""

from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.imaging.haar import examine, integral_image, read_cascade, rectangle_sums, shipped_cascade

ALT = Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt.xml"


def opencv_says(classifier, window):
    """Whether OpenCV's cascade takes the window: it needs a pixel more to place one."""
    larger = cv2.copyMakeBorder(window, 0, 1, 0, 1, cv2.BORDER_REPLICATE)
    size = window.shape[::-1]
    found, _, sums = classifier.detectMultiScale3(larger, 1.1, 0, 0, size, size, outputRejectLevels=True)
    return len(found) > 0, (float(np.ravel(sums)[0]) if len(found) else None)


def cut_short(folder, stages):
    """OpenCV's cascade with its first stages alone."""
    tree = ElementTree.parse(ALT)
    inside = tree.getroot().find("cascade/stages")
    for stage in inside.findall("_")[stages:]:
        inside.remove(stage)
    tree.getroot().find("cascade/stageNum").text = str(stages)
    path = folder / f"{stages}.xml"
    tree.write(path, encoding="us-ascii", xml_declaration=True)
    return cv2.CascadeClassifier(str(path))


@pytest.fixture
def windows(real_data):
    """Parts of real faces and of what is around them, 20 x 20."""
    pictures = sorted((real_data / "att_faces").glob("s*/1.*"))
    if not pictures:
        pytest.skip(f"no faces at {real_data / 'att_faces'}")
    found = []
    for path in pictures:
        grey = np.array(Image.open(path).convert("L"))
        for side, left, top in ((72, 10, 28), (80, 6, 26), (64, 14, 32), (40, 0, 0), (92, 0, 10)):
            found.append(cv2.resize(grey[top : top + side, left : left + side], (20, 20), interpolation=cv2.INTER_AREA))
    return found


def test_the_integral_image_is_made_of_cumulative_sums():
    grey = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert integral_image(grey).tolist() == [[0, 0, 0, 0], [0, 1, 3, 6], [0, 5, 12, 21]]
    noise = np.random.default_rng(0).integers(0, 256, (37, 53), dtype=np.uint8)
    sums = integral_image(noise)
    np.testing.assert_array_equal(sums[1:, 1:], np.cumsum(np.cumsum(noise, 0, dtype=np.int64), 1))
    np.testing.assert_array_equal(sums, cv2.integral(noise))
    assert rectangle_sums(sums, 5, 7, 11, 13) == noise[7:20, 5:16].sum()
    assert integral_image(np.full((3000, 6000), 255, np.uint8))[-1, -1] == 255 * 18_000_000  # beyond 32 bits


def test_the_shipped_cascade_is_read():
    cascade = shipped_cascade()
    assert cascade.size == (20, 20)
    assert cascade.stages == 22
    assert len(cascade.feature) == len(cascade.rectangles) == 2135
    assert np.diff(cascade.begins)[:2].tolist() == [3, 16]
    assert cascade.rectangles[0].tolist() == [[3, 7, 14, 4, -1], [3, 9, 14, 2, 2], [0, 0, 0, 0, 0]]
    assert cascade.threshold[0] == 4.0141958743333817e-03
    assert cascade.votes[0].tolist() == [3.3794190734624863e-02, 8.3781069517135620e-01]
    assert cascade.wanted[0] == 8.2268941402435303e-01
    areas = cascade.rectangles[..., 2] * cascade.rectangles[..., 3] * cascade.rectangles[..., 4]
    np.testing.assert_array_equal(areas.sum(1), 0)  # an even window gives nothing


def test_a_feature_by_hand():
    """Eyes darker than what is below: the first feature, twice the lower half less the whole."""
    window = np.full((20, 20), 200, np.uint8)
    window[7:9, 3:17] = 20
    passage = examine(shipped_cascade(), window)
    whole = 14 * 2 * 20 + 14 * 2 * 200
    inner = window[1:-1, 1:-1]
    assert passage.deviation == pytest.approx(inner.std())
    assert passage.values[0] == pytest.approx((2 * 14 * 2 * 200 - whole) / (324 * inner.std()))
    assert passage.fired[0]
    assert passage.votes[0] == 8.3781069517135620e-01
    assert passage.sums[0] == pytest.approx(passage.votes[:3].sum())


def test_each_window_is_decided_as_opencv_decides(windows):
    cascade, classifier = shipped_cascade(), cv2.CascadeClassifier(str(ALT))
    faces = 0
    for window in windows:
        face, total = opencv_says(classifier, window)
        passage = examine(cascade, window)
        assert passage.face == face
        if face:
            assert passage.sums[-1] == pytest.approx(total, abs=1e-3)
            faces += 1
    assert faces >= 20
    assert len(windows) - faces >= 60


@pytest.mark.parametrize("stages", [1, 2, 3, 5, 9, 14])
def test_each_stage_refuses_what_opencvs_refuses(windows, tmp_path, stages):
    """OpenCV's cascade cut short says which windows come past a stage."""
    cascade, classifier = shipped_cascade(), cut_short(tmp_path, stages)
    decisions = [opencv_says(classifier, window)[0] for window in windows]
    assert [examine(cascade, window).passed >= stages for window in windows] == decisions
    assert any(decisions)
    assert not all(decisions)


def test_contrast_does_not_matter_until_there_is_none(windows):
    cascade, classifier = shipped_cascade(), cv2.CascadeClassifier(str(ALT))
    face = next(window for window in windows if examine(cascade, window).face)
    lighter = np.clip(face.astype(int) // 2 + 100, 0, 255).astype(np.uint8)
    for factor in (1.0, 0.6, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.0):
        faint = np.round(128 + factor * (face.astype(float) - face.mean())).clip(0, 255).astype(np.uint8)
        assert examine(cascade, faint).face == opencv_says(classifier, faint)[0]
    assert examine(cascade, lighter).face == opencv_says(classifier, lighter)[0]
    assert examine(cascade, np.full((20, 20), 90, np.uint8)).passed == 0


def test_what_cannot_be_explained_is_told(tmp_path):
    with pytest.raises(UserError, match="deeper than stumps"):
        read_cascade(ALT.with_name("haarcascade_frontalface_alt2.xml"))
    with pytest.raises(UserError, match="tilted"):
        read_cascade(ALT.with_name("haarcascade_eye_tree_eyeglasses.xml"))
    broken = tmp_path / "broken.xml"
    broken.write_text("<opencv_storage><cascade>")
    with pytest.raises(UserError, match="cannot be read as a cascade"):
        read_cascade(broken)
    broken.write_text("<opencv_storage></opencv_storage>")
    with pytest.raises(UserError, match="is not a cascade of Haar features"):
        read_cascade(broken)
    with pytest.raises(UserError, match="is missing"):
        shipped_cascade("haarcascade_fish.xml")
    with pytest.raises(ValueError, match="the window is"):
        examine(shipped_cascade(), np.zeros((24, 24), np.uint8))
