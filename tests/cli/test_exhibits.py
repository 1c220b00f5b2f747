"""Catalogue entries that are published networks, on the command line."""

import numpy as np
import pytest
from PIL import Image

from guiapp.catalogue import EXPERIMENTS
from guiapp.imaging.street import street


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "street.png"
    Image.fromarray(street().pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "resnet"], "resnet (resnet50) is a published network that is not trained here"),
        (["train", "alexnet", "--resume"], "alexnet is a published network"),
        (["evaluate", "vgg"], "guiapp predict vgg PICTURE"),
        (["screenshot", "resnet", "--out", "x.png", "--set", "batch=3"], "batch is no setting of resnet"),
        (["screenshot", "resnet", "--out", "x.png", "--train-steps", "3"], "leave --train-steps out"),
        (["screenshot", "resnet", "--out", "x.png", "--set", "source=nowhere.jpg"], "no such picture or video"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(guiapp, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = guiapp(*words)
    assert ended.code == 2 and said in ended.err and ended.err.count("\n") == 1 and ended.out == ""


def test_an_exhibit_predicts_by_its_own_name(guiapp, picture):
    by_exhibit = guiapp("predict", "hog", picture, "--json").json
    assert by_exhibit["model"] == "hog-person"
    assert by_exhibit["prediction"] == guiapp("predict", "hog-person", picture, "--json").json["prediction"]
    assert by_exhibit["prediction"]["boxes"]


def test_the_list_says_what_weights_were_trained_on(guiapp):
    rows = {row["id"]: row for row in guiapp("list", "experiments", "--json").json["experiments"]}
    assert list(rows) == list(EXPERIMENTS)
    assert (rows["resnet"]["dataset"], rows["resnet"]["published"]) == ("ImageNet-1K", True)
    assert rows["deeplab"]["dataset"] == "COCO 2017"
    assert (rows["lenet5"]["dataset"], rows["lenet5"]["published"]) == ("digits", False)


@pytest.mark.window
def test_a_screenshot_of_an_exhibit(guiapp, picture, tmp_path):
    shots = []
    for name, options in (("sample", []), ("file", ["--set", f"source={picture}"])):
        out = tmp_path / f"{name}.png"
        ended = guiapp("screenshot", "viola-jones", "--out", out, "--size", "1280x800", "--theme", "dark", *options)
        assert ended.code == 0, ended.err
        shots.append(np.asarray(Image.open(out).convert("RGB")).astype(int))
    for shot in shots:  # the street, once drawn by the program, once read from a file
        assert shot.shape == (800, 1280, 3) and shot[150:600, 300:650].reshape(-1, 3).std() > 30
