"""`guiapp probe attribution` and its kin from the command line, on weights of ours and on random published ones."""

import json

import numpy as np
import pytest
from PIL import Image

from guiapp.cli import main
from guiapp.cli.subject import Subject
from guiapp.core.notices import UserError


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(Subject, "open_dataset", lambda *_: (_ for _ in ()).throw(UserError("no data here")))
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    return path


def ask(capsys, *words):
    code = main(["probe", *map(str, words), "--json"])
    out, told = capsys.readouterr()
    lines = out.strip().splitlines()
    return code, json.loads(lines[-1])["result"] if lines else told


def test_a_method_with_its_own_settings(capsys, file, tmp_path):
    out = tmp_path / "map.csv"
    code, found = ask(
        capsys, "attribution", "lenet5", file, "--class", "3", "--set", "method=integrated-gradients",
        "--set", "integrated_gradients.steps=100", "--out", out,
    )  # fmt: skip
    assert code == 0
    assert (found["method"], found["target"], found["class_index"]) == ("integrated-gradients", "3, logit", 3)
    assert found["map"] == {"shape": [32, 32]}
    assert abs(found["gap"]) < 0.3
    assert len(out.read_text().splitlines()) == 1 + 32 * 32


def test_a_layer_and_a_unit(capsys, file):
    code, found = ask(capsys, "attribution", "lenet5", file, "--layer", "conv1", "--set", "method=layer-cam")
    assert (code, found["layer"]) == (0, "conv1")
    code, found = ask(
        capsys, "attribution", "lenet5", file, "--set", "method=gradient", "--set", "of_layer=conv2", "--set", "unit=7"
    )
    assert (code, found["target"]) == (0, "channel 7 of conv2")
    code, told = ask(capsys, "attribution", "lenet5", file, "--set", "of_layer=conv2", "--set", "unit=99")
    assert code == 1 and "units 0 to 15" in told


def test_curves_and_the_randomisation_test(capsys, file):
    code, found = ask(capsys, "attribution-curves", "lenet5", file, "--set", "curve.steps=3")
    assert code == 0 and len(found["deletion"]) == len(found["random_insertion"]) == 4
    assert found["target"].endswith("probability")
    code, found = ask(capsys, "attribution-sanity", "lenet5", file, "--set", "method=gradient", "--set", "how.stages=2")
    assert code == 0 and [stage["layers"] for stage in found["stages"]] == [0, 3, 5]


def test_what_does_not_fit_is_said_in_one_line(capsys, file):
    for words, code, text in (
        (["--set", "method=attention-rollout"], 1, "networks with attention"),
        (["--set", "method=magic"], 2, "no attribution method"),
        (["--set", "box=1,2,3"], 2, "left,top,right,bottom"),
        (["--set", "box=0,0,1,1"], 1, "for detectors"),
        (["--class", "eleven"], 2, "no class"),
    ):
        found = ask(capsys, "attribution", "lenet5", file, *words)
        assert found[0] == code and text in found[1], found
        assert len(found[1].strip().splitlines()) == 1
