"""`guiapp probe` of published networks whose working a probe shows."""

import json

import numpy as np
import pytest
from PIL import Image

from guiapp.cli import main
from guiapp.imaging.street import street


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "street.png"
    Image.fromarray(street().pixels).save(path)
    return path


def ask(capsys, *words):
    code = main(["probe", *map(str, words), "--json"])
    out = capsys.readouterr().out.strip().splitlines()
    return code, json.loads(out[-1]) if out else None


@pytest.mark.window  # the colours of its pictures come with the plots
def test_the_cascade_from_the_command_line(capsys, file, tmp_path):
    picture = tmp_path / "out.png"
    code, found = ask(capsys, "cascade", "haar-face", file, "--set", "longest=200", "--out", picture)
    assert code == 0
    assert (found["probe"], found["model"]) == ("cascade", "haar-face")
    result = found["result"]
    assert result["face"]
    assert result["searched"] == [200, 133]
    assert len(result["survivors"]) == len(result["wanted"]) + 1 == 23
    assert not any(name.startswith("_") for name in result)
    pixels = np.asarray(Image.open(picture).convert("L"))
    assert pixels.std() > 20  # maps, not a plain ground


def test_gradients_from_the_command_line(capsys, file, tmp_path):
    table = tmp_path / "out.csv"
    words = ("--set", "left=414", "--set", "top=232", "--set", "height=408", "--out", table)
    code, found = ask(capsys, "gradients", "hog-person", file, *words)
    assert code == 0
    assert found["result"]["score"] > 0
    assert table.read_text().startswith("maps,map,row,column,value")


def test_another_network_is_refused(capsys, file):
    assert main(["probe", "cascade", "hog-person", str(file)]) == 2
    assert "cascade shows how haar-face works" in capsys.readouterr().err
