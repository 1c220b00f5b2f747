"""``guiapp fetch`` and the zoo in ``guiapp list models``."""

import json

from guiapp.cli import main
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.weights import folder


def command(capsys, *words):
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_fetch_brings_the_weights_once(publisher, capsys):
    code, out, err = command(capsys, "fetch", "squeezenet1_1", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["path"] == str(folder() / publisher.file)
    assert found["weights"] == "IMAGENET1K_V1"
    assert found["bytes"] == len(publisher.content)
    assert found["fetched"] is True
    assert found["licence"] == "BSD-3-Clause"
    assert "58.2 % top-1" in err  # said before the download begins
    count = len(publisher.requests)
    code, out, err = command(capsys, "fetch", "squeezenet1_1")
    assert (code, out, err) == (0, f"{folder() / publisher.file}\n", "")
    assert len(publisher.requests) == count


def test_fetch_says_what_is_wrong(publisher, capsys):
    assert command(capsys, "fetch", "squeeze")[::2] == (
        2,
        "guiapp: no model is named 'squeeze'; did you mean squeezenet1_1, squeezenet1_0?\n",
    )
    code, _, err = command(capsys, "fetch", "squeezenet1_1", "--weights", "V9")
    assert code == 2
    assert "there are IMAGENET1K_V1" in err
    publisher.content = publisher.content[:-1] + b"x"
    code, out, err = command(capsys, "fetch", "squeezenet1_1")
    assert (code, out) == (1, "")
    assert "digest differs" in err.splitlines()[-1]


def test_a_stopped_fetch_says_how_to_go_on(publisher, capsys, monkeypatch):
    from guiapp.cli.output import Progress

    def stop(self, text):
        if " MB" in text:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", stop)
    code, _, err = command(capsys, "fetch", "squeezenet1_1")
    assert code == 1
    assert "go on with: guiapp fetch squeezenet1_1 --weights IMAGENET1K_V1" in err
    assert (folder() / f"{publisher.file}.part").stat().st_size > 0


def test_list_shows_the_zoo_and_what_is_here(publisher, capsys):
    command(capsys, "fetch", "squeezenet1_1")
    code, out, _ = command(capsys, "list", "models", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)["models"]}
    assert set(ZOO) <= set(rows)
    assert "lenet5" in rows
    row = rows["squeezenet1_1"]
    assert row["weights"] == ["IMAGENET1K_V1"]
    assert row["parameters"] == 1_235_496
    assert row["task"] == "classification"
    assert row["published"][0]["path"] == str(folder() / publisher.file)
    assert rows["resnet50"]["weights"] == []
    assert [weights["name"] for weights in rows["resnet50"]["published"]] == ["IMAGENET1K_V2", "IMAGENET1K_V1"]
    assert rows["vit_h_14"]["licence"] == "CC BY-NC 4.0"
    assert row["size"] == f"{len(publisher.content) / 1e6:.1f} MB"
    assert rows["farneback-flow"]["size"] is None  # comes with OpenCV
    table = command(capsys, "list", "models")[1]
    line = next(line for line in table.splitlines() if line.startswith("fasterrcnn_resnet50_fpn "))
    for text in ("Faster R-CNN ResNet-50 FPN", "detection", "41755286", "37.0 % box mAP", "168 MB", "BSD-3-Clause"):
        assert text in line
