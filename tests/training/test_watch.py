"""A training loop of one's own: what ``guiapp.watch`` writes, what it leaves alone, and what a reader sees of it."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import guiapp
from guiapp.core.notices import SettingError, UserError
from guiapp.training import watched as module
from guiapp.training.load import load_run
from guiapp.training.run_folder import RunFolder
from guiapp.training.setup import from_run
from guiapp.training.watched import WatchedRun, always_watched, written_elsewhere
from guiapp.training.watched_setup import WEIGHTS_ALONE, from_weights


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.head = nn.Linear(16, 3)

    def forward(self, pictures):
        return self.head(self.features(pictures).flatten(1))


class Odd(Net):
    """A program that nobody can write down: it leaves torch in the middle."""

    def forward(self, pictures):
        return super().forward(pictures) * float(np.sign(pictures.detach().numpy().sum()) ** 2)


def train(net, folder, steps=40, **about):
    torch.manual_seed(0)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    with guiapp.watch(net, folder, optimizer=optimiser, **about) as watch:
        for step in range(steps):
            inputs = torch.randn(8, 3, 6, 6)
            loss = nn.functional.cross_entropy(net(inputs), torch.arange(8) % 3)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watch.step(loss=loss, accuracy=0.5, gradient=float(step))
        watch.epoch(validation={"loss": 1.5, "accuracy": 0.25})
    return net


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("watch") / "run"
    return train(Net(), folder), folder


def test_a_loop_that_is_watched_ends_as_one_that_is_not(run):
    torch.manual_seed(1)
    net = Net()
    torch.manual_seed(0)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(net(torch.randn(8, 3, 6, 6)), torch.arange(8) % 3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    for mine, theirs in zip(net.parameters(), run[0].parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert np.fromfile(run[1] / "steps" / "loss.f32", "<f4").tolist() == pytest.approx(losses)
    assert not run[0]._forward_pre_hooks


def test_the_folder_is_that_of_a_run(run):
    folder = RunFolder.open(run[1])
    assert (folder.state, folder.info["steps"], always_watched(folder.info)) == ("done", 40, True)
    assert np.fromfile(run[1] / "steps" / "lr.f32", "<f4").tolist() == pytest.approx([0.1] * 40)
    (line,) = folder.epochs()
    assert line["validation"] == {"loss": 1.5, "accuracy": 0.25} and line["step"] == 40
    assert line["train"]["accuracy"] == 0.5 and json.loads((run[1] / "run.json").read_text())["format"] == 1
    from guiapp.training.event_files import EventFolder

    events = EventFolder(run[1])
    list(events.refresh())
    assert {"gradient", "train/loss", "validation/accuracy"} <= {tag for _, tag in events.curves}


def test_its_network_is_run_with_the_newest_weights_and_the_inputs_it_was_fed(run):
    net, folder = run
    setup = from_run(folder)
    seen = WatchedRun(RunFolder.open(folder), setup.build_model(fitted=False))
    assert seen.newest_weights() and seen.shown == 40 and not seen.growing
    assert len(seen.columns) == 40 and seen.epochs[0]["epoch"] == 1
    samples = setup.dataset.train.images
    inputs = setup.preprocessing(samples)
    assert setup.dataset.picture("train", 0).label is None
    torch.manual_seed(0)
    first = torch.randn(8, 3, 6, 6)
    torch.testing.assert_close(inputs, first, atol=0.02, rtol=0)  # 256 levels of about seven units
    torch.testing.assert_close(seen.model.eval()(first), net.eval()(first))
    assert setup.classes == ("output 0", "output 1", "output 2")
    assert {"features.0", "head"} <= {name for name, _ in seen.model.named_modules()}


def test_of_a_network_without_a_program_the_weights_are_shown(tmp_path):
    net = train(Odd(), tmp_path / "run", steps=3)
    setup = from_run(tmp_path / "run")
    assert setup.entry.name == WEIGHTS_ALONE and setup.notices
    made = setup.build_model(fitted=False)
    assert isinstance(made.features.get_submodule("0"), nn.Conv2d)
    assert torch.equal(made.head.weight, net.head.weight)
    with pytest.raises(Exception, match="only the weights"):
        made(torch.zeros(1, 3, 6, 6))


def test_a_watched_network_is_used_like_any_other_or_the_way_is_told(run, tmp_path):
    network, folder = run
    _, model = load_run(folder)
    pictures = torch.randn(5, 3, 6, 6)
    assert torch.allclose(model(pictures), network.eval()(pictures), atol=1e-6) and not model.training
    train(Net(), tmp_path / "alone", steps=2, program=False)
    with pytest.raises(UserError, match=r"only the weights are known.*open .*snapshots/000000002\.safetensors"):
        load_run(tmp_path / "alone")


def test_weights_alone_keep_every_tensor():
    weights = {**Net().state_dict(), "scale": torch.ones(3), "deep.er.table": torch.ones(2, 2, 2)}
    made = from_weights(weights).state_dict()
    assert made.keys() == weights.keys() and all(torch.equal(made[name], weights[name]) for name in weights)


def test_a_reader_follows_a_growing_folder_without_a_lock(tmp_path, monkeypatch):
    net = Net()
    with guiapp.watch(net, tmp_path / "run", program=False) as watch:
        monkeypatch.setattr(module, "writer", lambda: {"host": "another", "pid": 1})
        seen = WatchedRun(RunFolder.open(tmp_path / "run"), Net())
        assert seen.growing and "writes it" in seen.words and len(seen.columns) == 0
        before = sorted(path.name for path in (tmp_path / "run").iterdir())
        assert seen.newest_weights() and seen.shown == 0
        for _ in range(5):
            watch.step(loss=1.0)
        watch._drain()
        with torch.no_grad():
            net.head.bias += 1
        watch._snapshot()
        assert seen.refresh() and seen.trainer.step == 5 and seen.newest_weights() and seen.shown == 5
        assert torch.equal(seen.model.head.bias, net.head.bias)
        assert not seen.refresh()
        assert set(before) <= {path.name for path in (tmp_path / "run").iterdir()}
    assert seen.refresh() and not seen.growing and "has ended" in seen.words


def test_who_writes_is_known_without_asking_for_the_lock():
    here = module.writer()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert written_elsewhere({"state": "running", **here, "pid": process.pid})
    finally:
        process.communicate(b"\n")
    assert not written_elsewhere({"state": "running", **here, "pid": process.pid})
    assert not written_elsewhere({"state": "running", **here})  # this very process
    assert written_elsewhere({"state": "running", "host": "elsewhere", "pid": 1})
    assert not written_elsewhere({"state": "done", "host": "elsewhere", "pid": 1})


def test_what_is_no_new_folder_is_refused_and_a_loop_that_fails_says_so(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(SettingError, match="not empty"):
        guiapp.watch(Net(), tmp_path / "full")
    with pytest.raises(ZeroDivisionError), guiapp.watch(Net(), tmp_path / "run", program=False) as watch:
        watch.step(loss=torch.tensor(2.0), lr=0.5)
        raise ZeroDivisionError
    assert RunFolder.open(tmp_path / "run").state == "failed"
    assert math.isnan(np.fromfile(tmp_path / "run" / "steps" / "accuracy.f32", "<f4")[0])


def test_a_folder_of_pictures_is_the_data_of_a_script_as_the_script_counts_and_scales_it(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name, value in (("bar", 200), ("circle", 90), ("disc", 30)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(8):
            pixels = np.clip(value + rng.integers(-20, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
            pixels[0, 0], pixels[0, 1] = 0, 255
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    net = Net().eval()
    with guiapp.watch(net, "run", classes=("disc", "circle", "bar"), dataset="data", program=False) as watch:
        net(torch.rand(8, 3, 32, 32).round())  # from 0 to 1, as ToTensor gives it
        watch.step(loss=1.0)
        watch._drain()
    monkeypatch.chdir("/")  # the window is begun elsewhere
    setup = from_run(tmp_path / "run")
    part = setup.dataset.train
    assert setup.classes == setup.dataset.classes == ("disc", "circle", "bar")
    assert {
        (Path(path).parent.name, setup.classes[label]) for path, label in zip(part.paths, part.labels, strict=True)
    } == {(name, name) for name in setup.classes}
    assert (setup.preprocessing.mean, setup.preprocessing.std) == ((0.0,) * 3, (1.0,) * 3)
