"""Detectors that OpenCV ships: against OpenCV's own answers, on real faces and people, opened with no download."""

import copy
import json
import re
import socket
import time

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou

from guiapp.cli import main
from guiapp.core.notices import NoticeBoard, SettingError
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live import LiveLane
from guiapp.models.zoo import ZOO, find_model
from guiapp.models.zoo.open import open_model
from guiapp.models.zoo.opencv import CASCADE, HaarFaces, HogPeople, grouped, whole
from guiapp.models.zoo.weights import find, here
from guiapp.tasks.detection import DetectionTask
from guiapp.tasks.live_options import LiveOptions, make_live_task

NAMES = ("haar-face", "hog-person", "farneback-flow", "dis-flow")
# The six faces of photos/multiface.jpg that look ahead, by hand: middle and about the side, in pixels.
FACES = [(762, 522, 96), (657, 248, 96), (597, 101, 98), (898, 499, 105), (263, 301, 98), (470, 188, 100)]


@pytest.fixture
def photos(real_data):
    folder = real_data / "photos"
    if not folder.is_dir():
        pytest.skip(f"no photographs at {folder}")
    return folder


@pytest.fixture
def streets(real_data):
    """Pictures of Penn-Fudan with the boxes of their people."""
    found = []
    for path in sorted((real_data / "PennFudanPed" / "PNGImages").glob("*.png")):
        text = (path.parents[1] / "Annotation" / f"{path.stem}.txt").read_text()
        corners = re.findall(r"\(Xmin, Ymin\) - \(Xmax, Ymax\) : \((\d+), (\d+)\) - \((\d+), (\d+)\)", text)
        boxes = torch.tensor([[int(x0) - 1, int(y0) - 1, int(x1), int(y1)] for x0, y0, x1, y1 in corners])
        found.append((read(path), boxes.float()))
    if not found:
        pytest.skip(f"no pictures of Penn-Fudan at {real_data}")
    return found


def read(path):
    return np.array(Image.open(path).convert("RGB"))


def fed(pixels):
    return [torch.from_numpy(pixels.copy()).permute(2, 0, 1) / 255]


def run(module, pixels):
    task = DetectionTask(("thing",))
    return task, task.run(module, fed(pixels), (pixels.shape[1], pixels.shape[0]))


def ordered(boxes):
    boxes = np.asarray(boxes).reshape(-1, 4)
    return boxes[np.lexsort(boxes.T)]


def corners(boxes):
    boxes = ordered(boxes)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# ---------------------------------------------------------------- the zoo


@pytest.mark.parametrize("name", NAMES)
def test_they_open_without_a_network(name, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("an address was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    entry = ZOO[name]
    assert here(entry).best
    assert find(entry.best).exists()
    assert find_model(name.replace("-", "_").upper()) is entry
    opened = open_model(name, device="cpu")
    assert not opened.module.training
    assert opened.device.type == "cpu"
    assert opened.note == "comes with OpenCV, runs on the CPU"
    assert opened.labels == {"haar-face": ("face",), "hog-person": ("person",)}.get(name, ())
    pixels = noise(40, 60)
    task = make_live_task(entry.task, opened.labels, entry)
    for _ in range(task.frames):
        raw = task.run(opened.module, opened.prepare(pixels), (60, 40))
    assert task.drawn(raw, LiveOptions()).size == (60, 40)


def test_they_take_no_other_weights(tmp_path):
    for weights in ("random", tmp_path / "mine.pth"):
        with pytest.raises(SettingError, match="haar-face comes with OpenCV as it is"):
            open_model("haar-face", weights)
    with pytest.raises(SettingError, match="there are INRIA_PEOPLE"):
        open_model("hog-person", "V2")


def test_the_table_counts_what_opencv_ships():
    path = find(ZOO["haar-face"].best)
    assert path.name == CASCADE
    assert path.stat().st_size == ZOO["haar-face"].best.bytes
    text = path.read_text()
    values = re.findall(r"<leafValues>\s*(\S+) (\S+)</leafValues>", text)
    numbers = text.count("<internalNodes>") + 2 * len(values) + text.count("<stageThreshold>")
    assert ZOO["haar-face"].parameters == numbers
    assert ZOO["hog-person"].parameters == len(cv2.HOGDescriptor.getDefaultPeopleDetector())


def test_guiapp_lists_them_and_predicts(capsys, photos):
    assert main(["list", "models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert [rows[name]["weights"] for name in NAMES] == [["FRONTALFACE_ALT"], ["INRIA_PEOPLE"], ["OPENCV"], ["OPENCV"]]
    assert main(["predict", "haar-face", str(photos / "astronaut.jpg"), "--json"]) == 0
    boxes = json.loads(capsys.readouterr().out)["prediction"]["boxes"]
    assert [box["label"] for box in boxes] == ["face"]


def test_the_live_lane_runs_them(photos):
    lane = LiveLane(NoticeBoard())
    try:
        lane.open_model("haar-face")
        lane.set_picture(Picture(read(photos / "astronaut.jpg"), Origin("file", "astronaut.jpg")))
        counts = []
        for score in (0.5, 0.99):
            lane.set_options(LiveOptions(score))
            until = time.monotonic() + 60
            result = None
            while (result is None or result.options.score != score) and time.monotonic() < until:
                result = lane.results.take() or result
                time.sleep(0.005)
            counts.append((len(result.drawn), result.again))
        assert counts[0][0] == 1
        assert counts[1] == (0, True)  # the threshold acted without another search
    finally:
        lane.close(10)


# ---------------------------------------------------------------- faces


@pytest.mark.parametrize("seed", range(5))
def test_windows_are_grouped_as_opencv_groups_them(seed):
    """Clusters of windows, one inside another, against ``groupRectangles`` with its filter of small ones in large."""
    random = np.random.default_rng(seed)
    middles = random.integers(50, 400, (6, 2))
    windows = []
    for middle in [*middles, middles[0]]:  # the last cluster lies in the first
        side = random.integers(30, 60) if len(windows) < 60 else 24
        count = random.integers(4, 12)
        spread = random.integers(-side // 12, side // 12 + 1, (count, 3))
        windows += [(*(middle + shift[:2] - side // 2), side + shift[2], side + shift[2]) for shift in spread]
    windows = ordered(windows).astype(np.float64)
    means, votes = grouped(windows)
    for least in (3, 5, 8):
        theirs, _ = cv2.groupRectangles([tuple(int(v) for v in window) for window in windows], least, 0.2)
        np.testing.assert_array_equal(ordered(np.rint(means[votes > least])), ordered(theirs))


def test_no_windows_are_no_groups():
    means, votes = grouped(np.zeros((0, 4)))
    assert means.shape == (0, 4)
    assert votes.shape == (0,)


@pytest.mark.parametrize("name", ["astronaut.jpg", "dog1.jpg", "grace_hopper_517x606.jpg"])
def test_each_face_is_opencvs_at_every_threshold(photos, name):
    """Pictures that are searched as they are: the score threshold is ``minNeighbors``, box by box."""
    pixels = read(photos / name)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)
    task, raw = run(HaarFaces(), pixels)
    for neighbours in (2, 3, 5, 8, 20):
        theirs = cascade.detectMultiScale(grey, 1.1, neighbours, 0, (24, 24))
        shown = task.drawn(raw, LiveOptions(neighbours / (neighbours + 5), 1.0))
        sizes = shown.boxes[:, 2:] - shown.boxes[:, :2]  # OpenCV rounds corner and size
        ours = np.rint(np.concatenate([shown.boxes[:, :2], sizes], 1))
        np.testing.assert_array_equal(ordered(ours), ordered(theirs))
    fired, _, sums = cascade.detectMultiScale3(grey, 1.1, 0, 0, (24, 24), outputRejectLevels=True)
    shown = task.drawn(raw, LiveOptions(0.99, proposals=True)).proposals
    np.testing.assert_array_equal(ordered(shown[:, :4]), ordered(corners(fired)))
    assert (np.diff(shown[:, 4]) <= 0).all()
    last = float(re.findall(r"<stageThreshold>(\S+)</", find(ZOO["haar-face"].best).read_text())[-1])
    np.testing.assert_allclose(np.sort(shown[:, 4]), np.sort(1 / (1 + np.exp(-2 * (np.ravel(sums) - last)))), rtol=1e-5)


def test_the_faces_of_a_group_are_found_and_nothing_else(photos):
    pixels = read(photos / "multiface.jpg")
    task, raw = run(HaarFaces(), pixels)
    shown = task.drawn(raw, LiveOptions())
    assert shown.size == (1200, 630)  # searched at 640 x 336, given in its own pixels
    expected = torch.tensor([[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y, side in FACES])
    overlap = box_iou(expected, torch.from_numpy(shown.boxes))
    assert overlap.shape == (6, 6)
    assert (overlap.max(1).values > 0.8).all()
    assert len(task.drawn(raw, LiveOptions(0.2))) > 6  # what few windows say is kept for a lower threshold


@pytest.mark.parametrize(
    ("name", "box"), [("astronaut.jpg", (177, 66, 274, 163)), ("grace_hopper_517x606.jpg", (148, 100, 388, 340))]
)
def test_one_face_is_found(photos, name, box):
    task, raw = run(HaarFaces(), read(photos / name))
    shown = task.drawn(raw, LiveOptions())
    np.testing.assert_allclose(shown.boxes, [box], atol=2)
    assert shown.scores[0] > 0.75


# ---------------------------------------------------------------- people


def test_each_window_of_a_person_is_opencvs(streets):
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
    for pixels, _ in streets[:3]:
        height, width = pixels.shape[:2]
        theirs, sums = hog.detectMultiScale(pixels[:, :, ::-1].copy(), 0, (8, 8), (16, 16), 1.08, 0)
        assert len(theirs) > 3
        found = run(HogPeople(), pixels)[1].candidates
        clipped = np.clip(corners(theirs), 0, [width, height, width, height])
        order = np.lexsort(theirs.T)
        scores = (1 / (1 + np.exp(-3 * (np.ravel(sums)[order] - 0.8)))).astype(np.float32)
        by_score = np.argsort(-scores, kind="stable")
        np.testing.assert_allclose(found.scores, scores[by_score], rtol=1e-5)
        np.testing.assert_array_equal(found.anchors, clipped[by_score])
        x, y, w, h = whole(theirs[order][by_score].astype(float)).T  # OpenCV cuts them off at the border
        inner = np.stack([x + 0.15 * w, y + h / 8, x + 0.85 * w, y + 7 * h / 8], 1)
        np.testing.assert_allclose(found.boxes, np.clip(inner, 0, [width, height, width, height]), atol=1e-3)


def test_people_in_streets_are_found(streets):
    """28 pictures with 84 people, many half hidden: 31 found with 9 false boxes, 55 at a score of 0.1 (IoU 0.5)."""
    people, found, shown, right = 0, {0.5: 0, 0.1: 0}, 0, 0
    module = HogPeople()
    for pixels, boxes in streets:
        task, raw = run(module, pixels)
        people += len(boxes)
        for score in found:
            overlap = box_iou(boxes, torch.from_numpy(task.drawn(raw, LiveOptions(score)).boxes)) >= 0.5
            found[score] += int(overlap.any(1).sum())
            if score == 0.5:
                shown, right = shown + overlap.shape[1], right + int(overlap.any(0).sum())
    assert people == 84
    assert found[0.5] / people > 0.33
    assert found[0.1] / people > 0.6
    assert right / shown > 0.7


# ---------------------------------------------------------------- any picture


@pytest.mark.parametrize("module", [HaarFaces, HogPeople])
@pytest.mark.parametrize(
    "shape", [(1, 1), (5, 7), (19, 300), (63, 127), (127, 63), (129, 65), (4000, 10), (1, 3000), (2161, 3841)]
)
def test_pictures_of_any_size(module, shape):
    task, raw = run(module(), noise(*shape))
    shown = task.drawn(raw, LiveOptions(0.0, 1.0, 1000, proposals=True))
    height, width = shape
    assert (shown.boxes >= 0).all()
    assert (shown.boxes <= [width, height, width, height]).all()
    assert raw.candidates.extent == shape


@pytest.mark.parametrize("module", [HaarFaces, HogPeople])
def test_the_answer_is_the_same_each_time(module, photos):
    pixels = read(photos / "multiface.jpg")
    first = module()
    expected = run(first, pixels)[1].candidates
    assert len(expected) > 1
    assert (expected.scores.diff() <= 0).all()
    for again in (first, copy.deepcopy(first), module()):
        found = run(again, pixels)[1].candidates
        assert torch.equal(found.boxes, expected.boxes)
        assert torch.equal(found.scores, expected.scores)
        if expected.proposals is not None:
            assert torch.equal(found.proposals, expected.proposals)


@pytest.mark.parametrize("module", [HaarFaces, HogPeople])
def test_only_the_best_are_kept(module, photos):
    pixels = read(photos / "multiface.jpg")
    task = DetectionTask(("thing",), keep=2)
    found = task.run(module(), fed(pixels), (1200, 630)).candidates
    every = run(module(), pixels)[1].candidates
    assert torch.equal(found.scores, every.scores[:2])
    assert found.proposals is None or len(found.proposals) == 2


def test_people_cut_off_by_the_border_have_whole_windows():
    """OpenCV cuts windows off at the border; a window is twice as high as wide, so what is left tells where it was."""
    windows = [[0, 20, 50, 160], [310, 20, 50, 160], [40, 0, 80, 110], [40, 130, 80, 110], [10, 10, 75, 149]]
    expected = [[-30, 20, 80, 160], [310, 20, 80, 160], [40, -50, 80, 160], [40, 130, 80, 160], [10, 10, 75, 149]]
    assert whole(np.array(windows, float)).tolist() == expected
    assert whole(np.zeros((0, 4))).shape == (0, 4)
