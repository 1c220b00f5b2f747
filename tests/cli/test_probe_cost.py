"""``guiapp probe cost``: one table for networks to train and published ones, without their weights."""

import csv
import json

import pytest

from guiapp.cli import main


def asked(capsys, *words):
    assert main(["probe", "cost", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_text_1_from_the_command_line(capsys):
    found = asked(capsys, "alexnet-paper", "--set", "batch=128", "--set", "convention=text")
    assert (found["batch"], found["convention"], found["model"]) == (128, "text", "alexnet-paper")
    conv = found["layers"][0]
    assert (conv["name"], conv["type"], conv["output"]) == ("conv1", "Conv2d", [96, 55, 55])
    assert conv["flops"] == 290400 * 363 * 2 * 128
    assert (conv["receptive_field"], conv["stride"], conv["kernel"], conv["padding"]) == (11, 4, 11, 2)
    assert found["total"]["parameters"] == 62_386_560
    assert round(found["total"]["flops"] / 1e5) == 2907666
    assert round(found["total"]["activation_memory"] / 2**20, 1) == 763.4


@pytest.mark.parametrize(
    ("name", "parameters"), [("lenet5", 61706), ("mlp", 4810), ("vgg16", 138357544), ("resnet", 25557032)]
)
def test_networks_of_all_kinds_without_weights(capsys, name, parameters):
    found = asked(capsys, name)
    assert found["total"]["parameters"] == parameters
    assert sum(layer["flops"] for layer in found["layers"]) == found["total"]["flops"] > 0


def test_the_table_is_saved_and_the_batch_is_checked(capsys, tmp_path):
    path = tmp_path / "cost.csv"
    assert main(["probe", "cost", "lenet5", "--out", str(path)]) == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert rows[0]["name"] == "conv1"
    assert rows[0]["output"] == "6x28x28"
    assert rows[-1]["parameters"] == "61706"
    assert "total" in capsys.readouterr().out
    for words in (["--set", "batch=0"], ["--set", "convention=mine"], ["--out", str(tmp_path / "cost.png")]):
        assert main(["probe", "cost", "lenet5", *words]) == 2
    assert main(["probe", "cost", "haar-face"]) == 1
    assert "no layers" in capsys.readouterr().err
