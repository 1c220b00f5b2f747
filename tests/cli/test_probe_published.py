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


def test_maps_of_a_published_network_are_those_of_its_own_forward_pass(capsys, file, tmp_path):
    import torch
    from torchvision.models import ResNet18_Weights

    from guiapp.models.zoo.open import open_model

    table = tmp_path / "out.json"
    words = ("--weights", "random", "--layer", "layer2.0.conv1", "--out", table)
    code, found = ask(capsys, "activations", "resnet18", file, *words)
    assert (code, found["model"]) == (0, "resnet18")
    network = open_model("resnet18", "random").module
    part = torch.nn.Sequential(
        network.conv1, network.bn1, network.relu, network.maxpool, network.layer1, network.layer2[0].conv1
    )
    with torch.no_grad():
        expected = part(
            ResNet18_Weights.IMAGENET1K_V1.transforms()(torch.from_numpy(street().pixels.transpose(2, 0, 1).copy()))[
                None
            ]
        )[0].numpy()
    values = json.loads(table.read_text())["atlases"]["layer2.0.conv1"]["values"]
    np.testing.assert_allclose(np.asarray(values), expected, rtol=1e-3, atol=1e-5)


def test_insides_of_a_published_detector_and_its_filters(capsys, file):
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    code, found = ask(capsys, "detector", name, file, "--weights", "random")
    assert code == 0 and found["result"]["levels"]
    code, found = ask(capsys, "filters", name, "--weights", "random")
    assert code == 0 and found["result"]["filters"] == 16


def test_what_does_not_fit_a_published_network_is_said_in_one_line(capsys, file):
    assert main(["probe", "activations", "resnet18", str(file), "--weights", "random", "--layer", "conv9"]) == 2
    assert "there is no layer 'conv9'" in capsys.readouterr().err
    assert main(["probe", "activations", "lenet5-mnist", str(file), "--weights", "random"]) == 2
    assert "--weights is for published networks" in capsys.readouterr().err
