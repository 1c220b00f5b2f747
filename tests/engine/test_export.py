"""Networks out of the program as files that answer the same, and open again by themselves."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from torch import nn

from guiapp.core.notices import SettingError, UserError
from guiapp.engine.export import leaving_opened, leaving_trained
from guiapp.engine.open_own import open_own
from guiapp.models.base import MODELS, Preprocessing
from guiapp.models.own import save
from guiapp.models.own.architectures import Spec, find
from guiapp.models.own.files import written_here
from guiapp.models.own.opened import entry_of
from guiapp.models.own.settings import OwnSettings
from guiapp.models.zoo.open import open_model

PIXELS = np.random.default_rng(1).integers(0, 256, (80, 60, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


@pytest.fixture
def small(tmp_path):
    """A network to train for colour pictures as a file of other programs, opened with another activation."""
    network = find("simple-cnn").build(Spec(3, 3, 28, 28, dict(MODELS["simple-cnn"].options)), seed=3)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    settings = OwnSettings(activation="relu", labels="a,b,c", mean="0.4", std="0.2", fit="stretch")
    return open_own(entry_of(tmp_path / "mine.pth"), settings=settings)


def answer(opened):
    with torch.no_grad():
        return opened.module(opened.prepare(PIXELS))


@pytest.mark.parametrize("ending", ["safetensors", "pt2"])
def test_what_is_written_opens_by_itself_and_answers_the_same(small, tmp_path, ending):
    file = tmp_path / f"out.{ending}"
    written = save.save_network(leaving_opened(small), file)
    assert written.bytes == file.stat().st_size and written.difference <= 1e-6 and written.scale > 0
    again = open_own(entry_of(file))
    assert again.labels == ("a", "b", "c") and again.preprocessing.mean == small.preprocessing.mean
    torch.testing.assert_close(answer(again), answer(small), atol=1e-5, rtol=1e-5)


def test_onnx_answers_the_same_for_any_number_of_pictures_and_brings_its_description(small, tmp_path):
    file = tmp_path / "out.onnx"
    written = save.save_network(leaving_opened(small), file)
    assert written.beside == tmp_path / "out.toml"
    pictures = torch.randn(3, 3, 28, 28)
    (got,) = onnxruntime.InferenceSession(file.read_bytes()).run(None, {"input": pictures.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(got), small.module(pictures), atol=1e-4, rtol=1e-4)
    again = open_model(str(file))
    assert again.labels == ("a", "b", "c")
    from guiapp.tasks.live_options import LiveOptions, make_live_task

    task = make_live_task(again.entry.task, again.labels, again.entry)
    scores = task.drawn(task.run(again.module, again.prepare(PIXELS), (60, 80)), LiveOptions()).probabilities
    np.testing.assert_allclose(scores, torch.softmax(answer(small), 1)[0], atol=0.02)  # other resampling


def test_a_network_that_was_trained_here_is_written_as_the_program_ships_its_own(tmp_path):
    network = find("mlp").build(Spec(4, 1, 8, 8, {"hidden": 5, "activation": "relu"}), seed=1)
    feed = Preprocessing((1, 8, 8), (0.2,), (0.3,))
    leaving = leaving_trained(
        "mlp", {"hidden": 5, "activation": "relu"}, "MLP", feed, tuple("abcd"), "classification", network
    )
    file = tmp_path / "mlp.safetensors"
    save.save_network(leaving, file)
    assert written_here(file)
    from guiapp.cli.subject import open_subject

    subject = open_subject(str(file))
    image = PIXELS[:8, :8]
    with torch.no_grad():
        expected = torch.softmax(network(feed(image)), 1)[0].numpy()
    np.testing.assert_allclose(subject.predict(image).probabilities, expected, atol=1e-6)
    with safe_open(file, "pt") as read:
        about = json.loads(read.metadata()["guiapp"])
    assert about["model"] == "mlp" and about["classes"] == list("abcd")


class Unsteady(nn.Module):
    """Answers otherwise each time: what is read back cannot be the same."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, pictures):
        self.calls += 1
        return self.weight * pictures.mean((2, 3)) + self.calls


def test_what_does_not_answer_the_same_is_not_left_behind(tmp_path):
    feed = Preprocessing((3, 4, 4), (0.0,) * 3, (1.0,) * 3)
    leaving = save.Leaving(Unsteady(), "classification", "Unsteady", ("a", "b", "c"), torch.ones(1, 3, 4, 4), feed, {})
    file = tmp_path / "bad.safetensors"
    file.write_bytes(b"what was there")
    with pytest.raises(UserError, match="was not written: read back it answers otherwise"):
        save.save_network(leaving, file)
    assert file.read_bytes() == b"what was there" and list(tmp_path.iterdir()) == [file]


def test_detectors_and_wrong_places_are_refused_in_one_line(small, tmp_path):
    detector = open_model("ssdlite320_mobilenet_v3_large", "random")
    with pytest.raises(UserError, match=r"is for detection, .* write it as safetensors"):
        save.save_network(leaving_opened(detector), tmp_path / "d.onnx")
    leaving = leaving_opened(small)
    for path in (tmp_path / "x.pth", tmp_path / "none" / "x.pt2"):
        with pytest.raises(SettingError):
            save.save_network(leaving, path)
    with pytest.raises(UserError, match="no weights that could be written"):
        leaving_opened(open_model("haar-face"))


def test_numbers_that_are_none_count_as_other_answers():
    one = [[torch.tensor([1.0, float("inf")])]]
    assert save._compared(one, [[torch.tensor([1.0, float("inf")])]])[0] == 0
    for other in ([[torch.tensor([float("nan"), float("inf")])]], [[torch.zeros(3)]]):
        assert save._compared(one, other)[0] > 1e30
