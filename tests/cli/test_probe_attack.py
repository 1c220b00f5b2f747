"""``guiapp probe attack`` and ``robustness``: numbers, files, and what is refused in one line."""

import csv

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def four(tmp_path):
    """A 4 of straight strokes, as MNIST's are: light on black, 28x28."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:15, 8:10] = pixels[13:15, 8:20] = pixels[5:23, 17:20] = 255
    path = tmp_path / "four.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_four_is_made_a_nine(guiapp, four, tmp_path):
    out = tmp_path / "attack.png"
    found = guiapp(
        "probe", "attack", "lenet5-mnist", four, "--class", "9", "--set", "method=pgd", "--set", "epsilon=60",
        "--set", "steps=15", "--out", out, "--json",
    ).json["result"]  # fmt: skip
    assert (found["away"], found["wanted"], found["says"], found["reached"]) == ("4", "9", "9", True)
    assert 0 < found["largest"] <= 60.001 and found["steps"] == 15 and len(found["loss"]) == 16
    assert found["loss"][-1] < found["loss"][0] and next(iter(found["noise"])) == "4"
    with Image.open(out) as saved:
        assert saved.size[1] > 1000, "original, change and result"
    again = guiapp("probe", "attack", "lenet5-mnist", four, "--set", "method=noise", "--set", "norm=L2", "--json")
    assert again.json["result"]["says"] == "4" and again.json["result"]["length"] <= 2.0001


def test_slips_are_told_in_one_line(guiapp, four):
    assert guiapp("probe", "attack", "lenet5-mnist").code == 2
    assert "no class" in guiapp("probe", "attack", "lenet5-mnist", four, "--class", "gibbon").err
    wrong = guiapp("probe", "attack", "lenet5-mnist", four, "--set", "epsilon=300")
    assert wrong.code == 2 and "between 0 and 255" in wrong.err


def test_robustness_is_saved_with_its_intervals(guiapp, given_data, tmp_path):
    out = tmp_path / "robust.csv"
    found = guiapp(
        "probe", "robustness", "lenet5-mnist", "--set", "count=40", "--set", "points=1", "--set", "steps=3",
        "--set", "most=40", "--out", out, "--json",
    ).json["result"]  # fmt: skip
    assert found["total"] == 40 and found["sizes"] == [0.0, 40.0]
    assert found["right"]["pgd"][1] <= found["right"]["fgsm"][1] < found["right"]["noise"][1] <= 40
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 6 and float(rows[0]["lowest"]) < float(rows[0]["accuracy"]) <= float(rows[0]["highest"])
