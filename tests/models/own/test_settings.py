"""Settings of a file: kept by its content, checked, forgotten."""

import json

import pytest

from guiapp.core.notices import SettingError
from guiapp.models.own import settings as own
from guiapp.models.own.settings import Kept, OwnSettings, digest, forget, recall, remember, remembered


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


def test_settings_follow_the_content_wherever_it_lies(tmp_path):
    file = tmp_path / "net.pth"
    file.write_bytes(b"weights")
    assert recall(file) == Kept()
    settings = OwnSettings(activation="relu", height=64, mean="0.5, 0.4, 0.3", labels="cat,dog")
    remember(file, settings)
    moved = tmp_path / "other.pth"
    moved.write_bytes(b"weights")
    assert recall(moved).settings == settings and remembered() == [file]
    moved.write_bytes(b"other weights")
    assert recall(moved) == Kept()
    forget(file)
    assert recall(file) == Kept() and remembered() == []


def test_leave_to_run_belongs_to_one_content_and_survives_other_settings(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("a = 1")
    remember(file, OwnSettings(), trusted=True)
    remember(file, OwnSettings(task="classification"))
    assert recall(file).trusted
    file.write_text("a = 2")
    assert not recall(file).trusted


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", '{"settings": 3}', '{"settings": {"height": -5}}', '{"settings": {"std": "0"}}']
)
def test_a_damaged_record_counts_as_none(tmp_path, broken):
    file = tmp_path / "net.pth"
    file.write_bytes(b"x")
    own.folder().mkdir(parents=True)
    (own.folder() / f"{digest(file)}.json").write_text(broken)
    assert recall(file) == Kept() and remembered() == []


def test_values_of_another_type_are_left_out(tmp_path):
    read = own.from_dict({"height": "64", "pooling": "max", "task": "nonsense", "partial": 1, "later": 3})
    assert read == OwnSettings(pooling="max") and json.loads(json.dumps(read.as_dict())) == {"pooling": "max"}


@pytest.mark.parametrize(
    "wrong",
    [{"height": -1}, {"width": 9999}, {"mean": "grey"}, {"std": "0"}, {"mean": "1 2 3 4 5"}, {"options": "hidden"}],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(SettingError):
        OwnSettings(**wrong)
