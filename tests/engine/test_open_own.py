"""Files of a person's own become networks that answer: with the classes, scale and parts that settings say."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models as tv

from guiapp.core.notices import SettingError, UserError
from guiapp.engine.open_any import find_any, open_any
from guiapp.engine.open_own import examine, open_own
from guiapp.models.own.architectures import Spec, find
from guiapp.models.own.feed import NeedsTrust
from guiapp.models.own.opened import entry_of
from guiapp.models.own.settings import OwnSettings, remember
from guiapp.models.zoo.prepare import prepare

PIXELS = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def squeezed(tmp_path_factory):
    """SqueezeNet for two classes as a training program writes it, and the network itself."""
    network = tv.squeezenet1_1(weights=None, num_classes=2).eval()
    file = tmp_path_factory.mktemp("own") / "squeezenet1_1-ants-bees.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}, "epoch": 4}, file)
    return file, network


def answer(opened, pixels=PIXELS):
    with torch.no_grad():
        return opened.module(opened.prepare(pixels))


def test_a_fine_tuned_network_answers_as_it_did_by_its_path_alone(squeezed):
    file, network = squeezed
    assert find_any(str(file)).family == "Your own"
    opened = open_any(str(file), "best", "cpu", lambda share, text: None)
    assert opened.labels == ("class 0", "class 1") and opened.entry.name == str(file)
    published = find("squeezenet1_1").entry.best.preset
    with torch.no_grad():
        assert torch.equal(answer(opened), network(prepare(published, PIXELS)))
    assert not any(parameter.requires_grad for parameter in opened.module.parameters())
    with pytest.raises(SettingError, match="is the network itself"):
        open_any(str(file), "random", "cpu", lambda share, text: None)


def test_settings_are_remembered_and_change_what_is_fed(squeezed):
    file, network = squeezed
    remember(file, OwnSettings(labels="ant, bee", height=80, width=96, fit="stretch", mean="0.5", std="0.25"))
    opened = open_own(entry_of(file))
    assert opened.labels == ("ant", "bee") and opened.preprocessing.size == (3, 80, 96)
    from torch.nn import functional

    plain = torch.from_numpy(PIXELS).permute(2, 0, 1)[None].float()
    small = functional.interpolate(plain, (80, 96), mode="bilinear", align_corners=False, antialias=True).round()
    with torch.no_grad():
        torch.testing.assert_close(answer(opened), network((small / 255 - 0.5) / 0.25), atol=1e-4, rtol=1e-4)
    with pytest.raises(SettingError, match="3 labels are named, the network tells 2"):
        open_own(entry_of(file), settings=OwnSettings(labels="a,b,c"))


def test_activation_and_pooling_are_exchanged_and_a_grey_network_is_fed_grey(tmp_path):
    network = find("lenet5").build(Spec(10, 1, 32, 32), seed=1)
    file = tmp_path / "digits.pt"
    torch.save({f"x{i}": v for i, v in enumerate(network.state_dict().values())}, file)
    plain = open_own(entry_of(file))
    other = open_own(entry_of(file), settings=OwnSettings(activation="relu", pooling="max"))
    assert plain.architecture == "lenet5" and "in their order" in plain.note
    picture = plain.prepare(PIXELS)
    assert picture.shape == (1, 1, 32, 32)
    chain = [
        nn.ReLU() if isinstance(m, nn.Tanh) else nn.MaxPool2d(2) if isinstance(m, nn.AvgPool2d) else m for m in network
    ]
    with torch.no_grad():
        assert torch.equal(plain.module(picture), network(picture))
        assert torch.equal(other.module(picture), nn.Sequential(*chain)(picture))
    assert not torch.equal(answer(plain), answer(other))


def test_an_open_file_says_which_tensors_do_not_fit_and_may_be_opened_partly(squeezed, tmp_path):
    file, _ = squeezed
    found = examine(file, OwnSettings(architecture="squeezenet1_0"))
    assert found.opened is None and "\n" not in found.reason and "does not fit" in found.reason
    assert {row.status for row in found.match.rows} == {"fits", "missing", "unexpected", "other shape"}
    found = examine(file, OwnSettings(architecture="squeezenet1_0", partial=True))
    assert found.opened is not None and found.opened.note.endswith("tensors are random")
    strange = tmp_path / "strange.pth"
    torch.save({"q.weight": torch.zeros(3, 3)}, strange)
    assert "belong to no architecture that is known here" in examine(strange).reason
    for settings in (
        OwnSettings(architecture="nonsense"), OwnSettings(options="hidden=3", architecture="squeezenet1_1"),
        OwnSettings(task="detection"), OwnSettings(resize=10), OwnSettings(dataset="nonsense"),
        OwnSettings(labels="nonsense"),
    ):  # fmt: skip
        reason = examine(file, settings).reason
        assert reason and "\n" not in reason, settings


def test_files_that_hold_no_network_are_told_in_one_line(tmp_path):
    contents = {
        "empty.pth": b"", "text.pt": b"hello", "text.safetensors": b"hello", "long.safetensors": b"\xff" * 64,
        "half.pt2": b"PK\x03\x04" + b"\0" * 50, "image.th": b"\x89PNG\r\n\x1a\n" + b"\0" * 80, "code.py": b"\xff\xfe\0",
    }  # fmt: skip
    for name, content in contents.items():
        file = tmp_path / name
        file.write_bytes(content)
        found = examine(file)
        assert found.opened is None and found.reason and "\n" not in found.reason, name
    with pytest.raises(UserError, match="there is no file"):
        examine(tmp_path / "none.pth")


PYTHON = """
import torch
from torch import nn
def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3){end})
class Map(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 1)
    def forward(self, x):
        return {{"out": self.conv(x)}}
class Boxes(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
    def forward(self, pictures):
        assert isinstance(pictures, list)
        boxes = torch.tensor([[1.0, 2.0, 9.0, 8.0], [0.0, 0.0, 4.0, 4.0]])
        found = {{"boxes": boxes, "scores": torch.tensor([0.3, 0.9]), "labels": torch.tensor([1, 0])}}
        return [found for _ in pictures]
"""


def test_python_asks_first_and_its_output_says_what_it_is_for(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(PYTHON.format(end=""))
    with pytest.raises(NeedsTrust):
        open_own(entry_of(file))
    found = examine(file)
    assert found.needs_trust and found.functions == ("build", "Map", "Boxes")
    remember(file, OwnSettings(), trusted=True)
    logits = answer(open_own(entry_of(file)))
    segmenter = open_own(entry_of(file), settings=OwnSettings(function="Map", labels="a,b,c,d,e"))
    assert segmenter.entry.task == "segmentation" and answer(segmenter)["out"].shape[1] == 5
    detector = open_own(entry_of(file), settings=OwnSettings(function="Boxes", labels="cat,dog"))
    found = detector.module.candidates(detector.prepare(PIXELS), 10)
    assert detector.entry.task == "detection" and found.classes.tolist() == [0, 1] and found.extent == (90, 120)
    file.write_text(PYTHON.format(end=", nn.Softmax(1)"))
    with pytest.raises(NeedsTrust):  # it is another file now
        open_own(entry_of(file))
    soft = open_own(entry_of(file), trusted=True)
    assert "gives probabilities" in soft.note
    torch.testing.assert_close(torch.softmax(answer(soft), 1), torch.softmax(logits, 1))


def test_a_python_file_takes_weights_beside_it(tmp_path):
    (tmp_path / "net.py").write_text(PYTHON.format(end=""))
    state = {
        "0.weight": torch.ones(4, 3, 3, 3),
        "0.bias": torch.zeros(4),
        "4.weight": torch.ones(3, 4),
        "4.bias": torch.zeros(3),
    }
    torch.save(state, tmp_path / "w.pth")
    opened = open_own(entry_of(tmp_path / "net.py"), settings=OwnSettings(weights="w.pth"), trusted=True)
    assert torch.equal(opened.module[0].weight, state["0.weight"]) and "4 tensors fit" in opened.note
