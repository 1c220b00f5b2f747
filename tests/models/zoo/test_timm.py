"""timm's networks by name: preprocessing and classes are timm's own, weights are read safely from files."""

import json
import sys

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from guiapp.cli import main
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName
from guiapp.models.zoo import find_model
from guiapp.models.zoo.open import open_model
from guiapp.models.zoo.weights import folder, here

NAME = "timm:resnet10t.c3_in1k"


def picture(height=213, width=301):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(5)
    return timm.create_model("resnet10t", pretrained=False).eval()


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_a_file_placed_by_hand_gives_what_timm_gives(trained, ending):
    path = folder() / f"resnet10t.c3_in1k{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".pth":
        torch.save({"state_dict": trained.state_dict()}, path)
    else:
        save_file(trained.state_dict(), path)
    opened = open_model(NAME)
    assert opened.path == path
    assert opened.entry.name == NAME
    assert opened.weights.parameters == sum(p.numel() for p in trained.parameters())
    assert here(find_model(NAME)).best
    config = timm.data.resolve_data_config({}, pretrained_cfg=timm.get_pretrained_cfg("resnet10t.c3_in1k").to_dict())
    own = timm.data.create_transform(**config)(Image.fromarray(picture()))[None]
    prepared = opened.prepare(picture())
    assert prepared.shape == own.shape
    assert (prepared - own).abs().mean() < 0.02  # Pillow resizes in whole numbers
    with torch.inference_mode():
        torch.testing.assert_close(opened.module(own), trained(own))
    assert opened.labels[207] == "golden retriever"


def test_without_weights_the_message_says_where_they_go(tmp_path, capsys):
    with pytest.raises(UserError, match=r"huggingface.co/timm/resnet10t.c3_in1k/.* and save it as .*resnet10t") as said:
        open_model(NAME)
    assert str(folder()) in str(said.value)
    assert main(["fetch", NAME]) == 1
    assert f"save it as {folder()}" in capsys.readouterr().err
    Image.fromarray(picture()).save(tmp_path / "one.png")
    assert main(["predict", NAME, str(tmp_path / "one.png"), "--weights", "random", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["weights"], len(told["prediction"]["classes"])) == (NAME, "random", 1000)


def test_random_weights_leave_torchs_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    open_model(NAME, "random")
    assert torch.equal(torch.rand(3), expected)


def test_what_does_not_fit_is_told_in_one_line(tmp_path, trained):
    state = dict(trained.state_dict())
    state["head.weight"] = state.pop("fc.weight")
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=r"missing: fc.weight; not in the network: head.weight"):
        open_model(NAME, tmp_path / "other.safetensors")
    with pytest.raises(UnknownName, match=r"timm knows no network 'resnet10t.c9_in1k'; there are resnet10t.c3_in1k"):
        find_model("timm:resnet10t.c9_in1k")
    with pytest.raises(UserError, match="no classes that it names"):
        find_model("timm:vit_base_patch14_dinov2.lvd142m")
    with pytest.raises(SettingError, match="has no weights V2"):
        open_model(NAME, "V2")


def test_without_timm_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"guiapp\[timm\]"):
        find_model(NAME)
    assert main(["list", "models", "--timm", "resnet10t"]) == 1
    assert "guiapp[timm]" in capsys.readouterr().err


def test_the_list_finds_names_by_words(capsys):
    assert main(["list", "models", "--timm", "resnet10t", "c3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert [(row["name"], row["task"], row["licence"]) for row in rows] == [(NAME, "classification", "apache-2.0")]
