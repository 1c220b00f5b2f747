"""guiapp inspect and export; files of a person's own in predict, evaluate and probe."""

import json

import cv2
import numpy as np
import pytest
import torch

from guiapp.models.own.architectures import Spec, find


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "squeezenet1_1-two.pth"
    torch.save(find("squeezenet1_1").build(Spec(2), seed=0).state_dict(), file)
    return file


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "picture.png"
    cv2.imwrite(str(file), np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8))
    return file


def test_inspect_says_what_a_file_is_and_predict_and_probe_go_by_that(guiapp, weights, picture):
    found = guiapp("inspect", weights, "--set", "labels=ant,bee", "--json").json
    assert found["architecture"] == "squeezenet1_1" and found["labels"] == ["ant", "bee"] and found["opens"]
    assert len(found["tensors"]) == 52 and {row["status"] for row in found["tensors"]} == {"fits"}
    said = guiapp("predict", weights, picture, "--json").json
    assert {entry["label"] for entry in said["prediction"]["classes"]} == {"ant", "bee"}
    probed = guiapp("probe", "activations", weights, picture, "--layer", "features.0", "--json")
    assert probed.code == 0, probed.err
    assert guiapp("inspect", weights, "--forget", "--json").json["labels"] == ["class 0", "class 1"]


def test_what_does_not_fit_is_listed_with_exit_code_1(guiapp, weights):
    said = guiapp("inspect", weights, "--set", "architecture=squeezenet1_0")
    assert said.code == 1 and "other shape" in said.out and "does not fit" in said.err
    assert len(said.err.strip().splitlines()) == 1
    failed = guiapp("inspect", weights, "--set", "architecture=squeezenet1_0", "--json")
    assert failed.code == 1 and not json.loads(failed.out)["opens"]
    for words in (("--set", "nonsense=1"), ("--set", "height=-2")):
        assert guiapp("inspect", weights, *words).code == 2
    assert guiapp("inspect", weights.with_name("none.pth")).code == 2
    assert guiapp("inspect", __file__.replace(".py", ".txt")).code == 2


def test_python_needs_leave(guiapp, tmp_path, picture):
    file = tmp_path / "net.py"
    file.write_text("from torch import nn\ndef build(): return nn.Sequential(nn.Flatten(), nn.LazyLinear(3))\n")
    file.write_text(
        "from torch import nn\n"
        "def build(): return nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    refused = guiapp("predict", file, picture)
    assert refused.code == 1 and "--trust" in refused.err
    assert guiapp("inspect", file, "--trust").code == 0
    assert len(guiapp("predict", file, picture, "--json").json["prediction"]["classes"]) == 5


def test_export_writes_reads_back_and_tells(guiapp, weights, picture, tmp_path):
    for target, name in ((weights, "a.safetensors"), ("lenet5", "b.pt2")):
        told = guiapp("export", target, "--out", tmp_path / name, "--json").json
        assert told["largest_difference"] <= 1e-5 and (tmp_path / name).stat().st_size == told["bytes"]
    before = guiapp("predict", weights, picture, "--json").json["prediction"]["classes"]
    after = guiapp("predict", tmp_path / "a.safetensors", picture, "--json").json["prediction"]["classes"]
    assert [entry["label"] for entry in after] == [entry["label"] for entry in before]
    np.testing.assert_allclose([e["score"] for e in after], [e["score"] for e in before], atol=1e-5)
    assert guiapp("export", weights, "--out", tmp_path / "x.pth").code == 2
    assert guiapp("export", weights, "--out", tmp_path / "none" / "x.pt2").code == 2
    assert guiapp("export", "no-such-network", "--out", tmp_path / "x.pt2").code == 2
