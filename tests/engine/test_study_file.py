"""A study comes back as it was; what is damaged, foreign or hostile is refused in one line and leaves nothing."""

import json
import os
import zipfile

import numpy as np
import pytest

from guiapp.core import paths
from guiapp.core.history import FIELDS
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.engine import study_file
from guiapp.engine.study_file import Pinned, StudyFile, read, write


def run(generator):
    """What a job's generator returns."""
    shares = []
    try:
        while True:
            step = next(generator)
            shares += [step[0]] if step is not None else []
    except StopIteration as end:
        assert shares == sorted(shares)
        return end.value


@pytest.fixture
def draw():
    return np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    """A run folder with a lock, a temporary file and two checkpoints."""
    made = tmp_path / "run-1"
    (made / "checkpoints" / "10").mkdir(parents=True)
    (made / "steps").mkdir()
    (made / "run.json").write_text(json.dumps({"format": 1, "state": "running", "name": "run-1"}))
    (made / "steps" / "loss.bin").write_bytes(os.urandom(5000))
    (made / "checkpoints" / "10" / "state.json").write_text("{}")
    (made / ".lock").write_text("")
    return made


@pytest.fixture
def study(draw, folder, tmp_path):
    sample = draw.integers(0, 255, (8, 8, 1), np.uint8)
    picture = Picture(
        draw.integers(0, 255, (20, 30, 3), np.uint8), Origin("sample", "digits · test 3 <b>", index=3, part="test"), 7,
        sample=sample,
    )  # fmt: skip
    selection = {
        **dict.fromkeys(FIELDS), "picture": picture, "layer": "conv2", "unit": 3, "sample": ("test", 3),
        "samples": (("test", 3), ("train", 9)), "switched_off": {"conv1": frozenset({2, 5})},
        "boosted": {"conv1": {1: 2.5}}, "overlay": ("conv2", 3), "region": (0.1, 0.2, 0.5, 0.75),
    }  # fmt: skip
    weights = tmp_path / "net.safetensors"
    weights.write_bytes(os.urandom(1000))
    pins = (Pinned("Filters", ("a", "b"), "2026-01-02T03:04:05", b"PNG", "experiment", "lenet5", selection),)
    return StudyFile(
        "LeNet", "live", "lenet5", {"batch": "8"}, folder,
        {"name": "resnet18", "weights": "file", "file": weights}, selection, "train", "AAAA", pins,
        {"torch": "2"}, "digits", [Picture(draw.integers(0, 255, (9, 7, 3), np.uint8), Origin("sample", "a")), picture],
        ["für <b>", "7"],
    )  # fmt: skip


def test_everything_comes_back(study, folder, home, tmp_path, monkeypatch):
    monkeypatch.setattr("guiapp.training.checkpoints.read_plain", lambda path: {})
    path = run(write(tmp_path / "für alle.vexstudy", study))
    found = run(read(path))
    for name in (
        "title",
        "subject",
        "experiment",
        "settings",
        "layout",
        "docks",
        "versions",
        "dataset",
        "sample_names",
    ):
        assert getattr(found, name) == getattr(study, name), name
    mine, picture = study.selection["picture"], found.selection["picture"]
    assert np.array_equal(picture.pixels, mine.pixels) and np.array_equal(picture.sample, mine.sample)
    assert (picture.origin, picture.label) == (mine.origin, mine.label)
    for name in FIELDS[1:]:
        assert found.selection[name] == study.selection[name], name
    assert len(found.samples) == 2 and found.samples[1] is picture, "pictures of the chosen group, each kept once"
    assert np.array_equal(found.samples[0].pixels, study.samples[0].pixels)
    (pin,) = found.pins
    assert (pin.title, pin.lines, pin.png, pin.network) == ("Filters", ("a", "b"), b"PNG", "lenet5")
    assert pin.values["picture"] is picture, "one picture is kept once"
    assert found.network["file"].read_bytes() == study.network["file"].read_bytes()
    assert found.run.parent == paths.runs() and found.run.name.startswith("run-1-")
    kept = {str(p.relative_to(found.run)) for p in found.run.rglob("*") if p.is_file()}
    assert kept == {"run.json", "steps/loss.bin", "checkpoints/10/state.json"}
    assert (found.run / "steps/loss.bin").read_bytes() == (folder / "steps/loss.bin").read_bytes()
    assert json.loads((found.run / "run.json").read_text())["state"] == "stopped"
    again = run(read(path))
    assert again.run == found.run, "what was unpacked before is used again"
    assert not list(tmp_path.glob(".*")), "nothing half written is left"


def test_a_stop_in_the_middle_leaves_the_old_file(study, tmp_path, monkeypatch):
    monkeypatch.setattr("guiapp.training.checkpoints.read_plain", lambda path: {})
    path = tmp_path / "s.vexstudy"
    path.write_bytes(b"old")
    work = write(path, study)
    next(work)
    next(work)
    work.close()
    assert path.read_bytes() == b"old" and not list(tmp_path.glob(".s*"))


def hostile(tmp_path, manifest, **files):
    path = tmp_path / "x.vexstudy"
    with zipfile.ZipFile(path, "w") as archive:
        if manifest is not None:
            archive.writestr("study.json", manifest if isinstance(manifest, str) else json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
    return path


GOOD = {"format": 1, "title": "t", "subject": "experiment", "selection": {}}


@pytest.mark.parametrize(
    ("manifest", "files", "words"),
    [
        (None, {}, "is no study"),
        ("{", {}, "is damaged"),
        ([1], {}, "is no study"),
        ({**GOOD, "format": 99}, {}, "newer version"),
        ({"format": 1}, {}, "is damaged"),
        (GOOD, {"../evil.txt": "x"}, "which no study has"),
        (GOOD, {"run/../../evil.txt": "x"}, "which no study has"),
        (GOOD, {"/etc/evil": "x"}, "which no study has"),
        (GOOD, {"run/C:evil": "x"}, "which no study has"),
        (GOOD, {"evil.py": "x"}, "which no study has"),
        ({**GOOD, "selection": {"picture": {"picture": 4}}}, {}, "is damaged"),
        ({**GOOD, "selection": {"samples": 5}}, {}, "is damaged"),
        ({**GOOD, "pictures": [{"kind": "file", "name": "a"}]}, {"pictures/0.png": "no picture"}, "0.png"),
    ],
)
def test_what_is_no_study_is_refused_in_one_line(tmp_path, home, manifest, files, words):
    path = hostile(tmp_path, manifest, **files)
    with pytest.raises(UserError) as refused:
        run(read(path))
    assert words in str(refused.value) and "\n" not in str(refused.value)
    assert not list(tmp_path.rglob("evil*"))


def test_damage_and_lack_of_room_leave_nothing(tmp_path, home, monkeypatch, study):
    path = tmp_path / "s.vexstudy"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match="is no study, or it is damaged"):
        run(read(path))
    with pytest.raises(UserError, match="cannot be opened"):
        run(read(tmp_path / "missing.vexstudy"))
    path = hostile(tmp_path, {**GOOD, "run": "r"}, **{"run/run.json": "{}", "run/big": "x" * 5000})
    monkeypatch.setattr(study_file.shutil, "disk_usage", lambda place: type("U", (), {"free": 10}))
    with pytest.raises(UserError, match="make room"):
        run(read(path))
    assert not list((paths.user_data() / "studies").glob("*"))


def test_a_folder_that_cannot_be_written_to_is_named(study, tmp_path, monkeypatch):
    monkeypatch.setattr("guiapp.training.checkpoints.read_plain", lambda path: {})
    with pytest.raises(UserError, match="cannot be written"):
        run(write(tmp_path / "nowhere" / "s.vexstudy", study))
