"""ONNX files by their descriptions: right pixels, against onnxruntime and NumPy written out here."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from guiapp.cli import main
from guiapp.core.notices import SettingError, UserError
from guiapp.models.zoo import ZOO, find_model, listed
from guiapp.models.zoo.labels import labels
from guiapp.models.zoo.onnx import read_description
from guiapp.models.zoo.onnx.description import Feed
from guiapp.models.zoo.onnx.fit import fitted
from guiapp.models.zoo.onnx.inspect import NoDescription
from guiapp.models.zoo.open import open_model
from guiapp.sources.image_file import read_picture
from guiapp.tasks.live_options import LiveOptions, make_live_task
from guiapp.tasks.predictions import Depth

from . import graphs

DETECTOR = """
task = "detection"
labels = ["cat", "dog"]
[input]
size = [40, 60]
scale = 1.0
{fit}
[output]
{output}
"""


def ask(opened, pixels, **options):
    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    raw = task.run(opened.module, opened.prepare(pixels), (pixels.shape[1], pixels.shape[0]))
    return task.drawn(raw, LiveOptions(**options)), raw


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def suppressed(boxes, scores, classes, limit):
    """Greedy suppression within each class, one box after another."""
    left = []
    for i in np.argsort(-scores, kind="stable"):
        for j in left:
            wide = np.minimum(boxes[i, 2:], boxes[j, 2:]) - np.maximum(boxes[i, :2], boxes[j, :2])
            both = max(0.0, wide[0]) * max(0.0, wide[1])
            areas = [np.prod(box[2:] - box[:2]) for box in (boxes[i], boxes[j])]
            if classes[i] == classes[j] and both / (sum(areas) - both) > limit:
                break
        else:
            left.append(i)
    return left


def yolox_reference(path, rgb, score, limit):
    """YOLOX as its authors describe it: every grid cell by cell, boxes divided by the ratio."""
    height, width = rgb.shape[:2]
    ratio = min(416 / height, 416 / width)
    small = cv2.resize(rgb[:, :, ::-1], (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    canvas = np.full((416, 416, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    rows = session(path).run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
    boxes, scores, classes, at = [], [], [], 0
    for stride in (8, 16, 32):
        for y in range(416 // stride):
            for x in range(416 // stride):
                row = rows[at]
                at += 1
                best = int(row[5:].argmax())
                if row[4] * row[5 + best] > score:
                    middle = np.array([row[0] + x, row[1] + y]) * stride
                    half = np.exp(row[2:4]) * stride / 2
                    boxes.append(np.concatenate([middle - half, middle + half]) / ratio)
                    scores.append(row[4] * row[5 + best])
                    classes.append(best)
    boxes = np.clip(np.array(boxes), 0, [width, height] * 2)
    scores, classes = np.array(scores), np.array(classes)
    left = suppressed(boxes, scores, classes, limit)
    return boxes[left], scores[left], classes[left]


@pytest.mark.parametrize(
    ("file", "cut"),
    [
        ("coco_subset/images/train2017/000000000110.jpg", (slice(None), slice(None))),
        ("coco_subset/images/train2017/000000000110.jpg", (slice(0, 401), slice(7, 638))),  # odd sizes
        ("coco_subset/images/train2017/000000000110.jpg", (slice(None), slice(201, 462))),  # upright
    ],
)
def test_yolox_boxes_lie_on_the_right_pixels(real_data, monkeypatch, file, cut):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    pixels = np.ascontiguousarray(read_picture(real_data / file).pixels[cut])
    opened = open_model("yolox-nano")
    drawn, raw = ask(opened, pixels, score=0.3, iou=0.45)
    boxes, scores, classes = yolox_reference(opened.path, pixels, 0.3, 0.45)
    assert len(boxes) >= 3
    assert drawn.classes.tolist() == classes.tolist()
    np.testing.assert_allclose(drawn.scores, scores, atol=1e-5)
    # The authors divide by the ratio; the resized picture is cut to whole pixels, so a side differs by up to one.
    np.testing.assert_allclose(drawn.boxes, boxes, atol=2.0)
    assert {opened.labels[i] for i in drawn.classes} >= {"person"}
    assert 100 < len(raw.candidates) <= 1000
    assert raw.candidates.anchors.shape == (len(raw.candidates), 4)


def test_ultraface_finds_the_faces_where_they_are(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    pixels = read_picture(real_data / "photos" / "multiface.jpg").pixels
    opened = open_model("ultraface")
    drawn, _ = ask(opened, pixels, score=0.7, iou=0.3)
    small = cv2.resize(pixels, (320, 240))
    found = session(opened.path).run(["scores", "boxes"], {"input": ((small.astype(np.float32) - 127) / 128)
                                                           .transpose(2, 0, 1)[None]})  # fmt: skip
    scores, boxes = found[0][0][:, 1], found[1][0] * np.array([pixels.shape[1], pixels.shape[0]] * 2)
    above = scores > 0.7
    left = suppressed(boxes[above], scores[above], np.zeros(above.sum()), 0.3)
    assert len(left) == 6
    np.testing.assert_allclose(drawn.boxes, boxes[above][left], atol=0.01)
    np.testing.assert_allclose(drawn.scores, scores[above][left], atol=1e-6)


def test_thresholds_act_without_the_network(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    pixels = read_picture(real_data / "photos" / "multiface.jpg").pixels
    opened = open_model("yolox-nano")
    task = make_live_task("detection", opened.labels, opened.entry)
    raw = task.run(opened.module, opened.prepare(pixels), (pixels.shape[1], pixels.shape[0]))
    opened.module._session = None
    counts = [len(task.drawn(raw, LiveOptions(score=score))) for score in (0.05, 0.3, 0.9)]
    assert counts[0] > counts[1] >= counts[2]


LETTERBOXES = [
    # picture (h, w), position, and where the picture lies in an input of 40x60: left, top, width, height
    ((20, 60), "centre", (0, 10, 60, 20)),
    ((20, 60), "corner", (0, 0, 60, 20)),
    ((80, 40), "centre", (20, 0, 20, 40)),
    ((41, 37), "corner", (0, 0, 36, 40)),
]


@pytest.mark.parametrize(("size", "position", "place"), LETTERBOXES)
def test_boxes_of_letterboxed_pictures(nothing_here, size, position, place):
    left, top, width, height = place
    inside = np.array([left + width * 0.25, top + height * 0.5, left + width, top + height + 9])  # beyond: cut
    file = nothing_here / "weights" / "mine.onnx"
    graphs.constant(file, [1, 3, 40, 60], {"b": inside[None, None], "s": np.array([[[0.1, 0.8]]])})
    text = DETECTOR.format(
        fit=f'fit = "letterbox"\nfill = 7\nposition = "{position}"',
        output='decode = "boxes+scores"\nboxes="b"\nscores="s"',
    )
    file.with_suffix(".toml").write_text(text)
    opened = open_model("mine")
    pixels = np.full((*size, 3), 200, np.uint8)
    values = opened.prepare(pixels)[0].numpy()
    assert (values[:, top : top + height, left : left + width] == 200).all()
    assert (values == 7).sum() == values.size - 3 * width * height
    drawn, _ = ask(opened, pixels)
    h, w = size
    np.testing.assert_allclose(drawn.boxes, [[w * 0.25, h * 0.5, w, h]], atol=1e-4)
    assert (drawn.classes.tolist(), drawn.scores.tolist()) == ([1], [pytest.approx(0.8)])


@pytest.mark.parametrize("turned", [False, True], ids=["rows", "columns"])
def test_rows_as_yolo_exports_them(nothing_here, turned):
    rows = np.array([[30, 20, 20, 10, 0.9, 0.2], [10, 10, 4, 4, 0.001, 0.002], [50, 30, 10, 10, 0.1, 0.7]])
    file = nothing_here / "weights" / "v8.onnx"
    graphs.constant(file, [1, 3, 40, 60], {"o": (rows.T if turned else rows)[None]})
    file.with_suffix(".toml").write_text(DETECTOR.format(fit="", output='decode = "rows"\nformat = "cxcywh"'))
    drawn, raw = ask(open_model(str(file)), np.zeros((80, 120, 3), np.uint8))
    np.testing.assert_allclose(drawn.boxes, [[40, 30, 80, 50], [90, 50, 110, 70]])
    assert drawn.classes.tolist() == [0, 1]
    assert len(raw.candidates) == 2


def test_boxes_with_indices_and_shares(nothing_here):
    file = nothing_here / "weights" / "after.onnx"
    outputs = {"b": np.array([[0.5, 0.25, 0.5, 0.5]]), "s": np.array([0.6]), "c": np.array([1.0])}
    graphs.constant(file, [1, 3, 40, 60], outputs)
    output = 'decode = "boxes+scores"\nboxes = "b"\nscores = "s"\nclasses = "c"\nformat = "xywh"\nunits = "share"'
    file.with_suffix(".toml").write_text(DETECTOR.format(fit="", output=output))
    drawn, _ = ask(open_model("after"), np.zeros((40, 120, 3), np.uint8))
    np.testing.assert_allclose(drawn.boxes, [[60, 10, 120, 30]])
    assert drawn.classes.tolist() == [1]


@pytest.mark.parametrize("activation", ["softmax", "none"])
def test_classification_of_logits_and_of_probabilities(nothing_here, activation):
    logits = np.array([[1.0, 3.0, 0.5]])
    shares = np.exp(logits) / np.exp(logits).sum()
    file = nothing_here / "weights" / "three.onnx"
    graphs.constant(file, [1, 3, 8, 8], {"o": logits if activation == "softmax" else shares})
    (nothing_here / "weights" / "names.txt").write_text("one\ntwo\nthree\n")
    file.with_suffix(".json").write_text(
        json.dumps({"task": "classification", "labels": "names.txt",
                    "output": {"decode": "scores", "activation": activation}})
    )  # fmt: skip
    drawn, _ = ask(open_model("three"), np.zeros((9, 9, 3), np.uint8))
    np.testing.assert_allclose(drawn.probabilities, shares[0], atol=1e-6)
    assert drawn.ranked()[0][1] == "two"


def test_a_network_of_torchvision_sees_the_same_as_an_onnx_file():
    from torchvision.transforms import v2

    picture = np.random.default_rng(0).integers(0, 256, (301, 223, 3), np.uint8)
    feed = Feed(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), fit="crop", resize=64, interpolation="antialias")
    values, _ = fitted(picture, feed, (56, 56))
    from PIL import Image

    steps = v2.Compose([v2.Resize(64), v2.CenterCrop(56), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize(feed.mean, feed.std)])  # fmt: skip
    np.testing.assert_allclose(values, steps(Image.fromarray(picture)).numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_depth_of_each_pixel(nothing_here, kind, layout):
    file = nothing_here / "weights" / "deep.onnx"
    graphs.mean_of_channels(file, 4, 6, layout, kind)
    file.with_suffix(".toml").write_text(
        f'task = "depth"\n[input]\nlayout = "{layout}"\nscale = 1.0\ncolour = "BGR"\nfit = "letterbox"\n'
        'interpolation = "nearest"\n[output]\ndecode = "depth"\nmeans = "far"\nunit = "m"\n'
    )
    pixels = np.zeros((4, 3, 3), np.uint8)
    pixels[1, 2] = (30, 60, 90)
    drawn, _ = ask(open_model("deep"), pixels)
    assert isinstance(drawn, Depth)
    assert (drawn.unit, drawn.near, drawn.size) == ("m", False, (3, 4))
    expected = np.zeros((4, 3), np.float32)
    expected[1, 2] = 60
    np.testing.assert_allclose(drawn.values, expected)
    assert drawn.range() == (0, 60)


# ---------------------------------------------------------------------- what is refused


def test_a_file_without_description_says_what_to_write(nothing_here, capsys, tmp_path):
    file = tmp_path / "mystery.onnx"
    graphs.constant(file, [1, 3, 32, 48], {"boxes": np.zeros((1, 9, 4)), "scores": np.zeros((1, 9, 5))})
    with pytest.raises(NoDescription) as caught:
        find_model(str(file))
    for part in ("mystery.toml", "picture (float 1x3x32x48)", "boxes (float 1x9x4)", "scores (float 1x9x5)"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    file.with_suffix(".toml").write_text(caught.value.draft.replace("coco-80", "face"))
    assert read_description(file.with_suffix(".toml")).input.size == (32, 48)  # the draft is a description
    file.with_suffix(".toml").unlink()
    (tmp_path / "picture.png").write_bytes(cv2.imencode(".png", np.zeros((5, 5, 3), np.uint8))[1])
    assert main(["predict", str(file), str(tmp_path / "picture.png")]) == 1
    said = capsys.readouterr().err
    assert 'decode = "boxes+scores"' in said
    assert said.splitlines()[-1].startswith("guiapp: mystery.onnx has no description")


GOOD = 'task = "detection"\nlabels = "face"\n[input]\nsize = [8, 8]\n[output]\ndecode = "rows"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("rows", "ssd"), "output.decode is one of"),
        (GOOD.replace("rows", "scores"), "for detection output.decode is yolox or rows"),
        (GOOD.replace("size", "sise"), "input.sise is not known; there are input.name, input.size"),
        (GOOD.replace("[8, 8]", "8"), "input.size is height and width"),
        (GOOD.replace('"face"', '"fase"'), "one.onnx is neither a known set"),
        (GOOD.replace("detection", "detect"), "task is one of classification, detection, depth"),
        (GOOD.replace("[8, 8]", "[16, 8]"), "takes a height of 8, and its description says 16"),
        (GOOD.replace("size = [8, 8]", 'colour = "GREY"'), "says 1 channels"),
        (GOOD.replace('"face"', '["a", "b"]'), "rows of a box with 2 classes have 6"),
        (GOOD.replace("[output]", '[output]\noutput = "b"'), "has no output b; there are o"),
        (GOOD + "oh no", "is not a valid description"),
        ("labels = []", "labels is a list of names"),
        ("", "does not say its task"),
    ],
)
def test_a_wrong_description_is_told_in_one_line(nothing_here, text, said):
    file = nothing_here / "weights" / "one.onnx"
    graphs.constant(file, [1, 3, 8, 8], {"o": np.zeros((1, 7, 5))})
    file.with_suffix(".toml").write_text(text)
    with pytest.raises(UserError) as caught:
        open_model(str(file))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "one" not in listed() or "detection" in text  # a bad description breaks no list


def test_the_example_of_contributing_is_a_description(tmp_path):
    lines = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    begin = lines.index("## An ONNX file")
    block = [line[4:] for line in lines[begin : begin + 45] if line.startswith("    ") or not line]
    (tmp_path / "mine.toml").write_text("\n".join(block), encoding="utf-8")
    found = read_description(tmp_path / "mine.toml")
    assert (found.input.size, found.input.position, found.output.strides) == ((416, 416), "corner", (8, 16, 32))


def test_operators_from_elsewhere_and_damaged_files_are_refused(nothing_here):
    file = nothing_here / "weights" / "one.onnx"
    file.with_suffix(".toml").write_text(GOOD)
    node = helper.make_node("Secret", ["picture"], ["o"], domain="acme")
    graphs.save(file, [node], [("picture", [1, 3, 8, 8], TensorProto.FLOAT)], [("o", [1, 7, 5])], domain="acme")
    with pytest.raises(UserError, match=r"acme:Secret.*code for operators is not loaded"):
        open_model("one")
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(UserError, match=r"one.onnx is damaged or not an ONNX file"):
        open_model("one")
    file.unlink()
    with pytest.raises(UserError, match="there is no ONNX file"):
        open_model(str(file))


def test_without_onnxruntime_the_extra_is_named(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"guiapp\[onnx\]"):
        open_model("yolox-nano")


def test_an_onnx_file_has_its_weights_inside(nothing_here, tmp_path):
    with pytest.raises(SettingError, match="no random ones"):
        open_model("yolox-nano", "random")
    with pytest.raises(SettingError, match="cannot take its place"):
        open_model("yolox-nano", tmp_path / "x.pth")
    with pytest.raises(UserError, match=r"yolox_nano.onnx is not on this machine: get it from https://raw"):
        open_model("yolox-nano", may_fetch=False)


def test_the_zoo_lists_described_files_beside_its_own(nothing_here, capsys):
    graphs.constant(nothing_here / "weights" / "one.onnx", [1, 3, 8, 8], {"o": np.zeros((1, 7, 5))})
    (nothing_here / "weights" / "one.toml").write_text(GOOD)
    found = listed()
    assert set(ZOO) < set(found)
    assert found["one"].task == "detection"
    assert not found["one"].draws
    assert main(["fetch", "one"]) == 0
    assert capsys.readouterr().out.endswith("one.onnx\n")
    assert labels("coco-80")[0] == "person"
    assert len(labels("coco-80")) == 80


def test_the_list_of_the_zoo_needs_neither_torch_nor_onnxruntime():
    code = (
        "import sys, guiapp.models.zoo as z; z.listed(); assert not {'torch', 'onnxruntime', 'timm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
