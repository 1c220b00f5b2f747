"""Looks at the test part are counted in run.json, whoever writes it meanwhile."""

import json
import threading

import pytest

from guiapp.core.notices import UserError
from guiapp.training.looks import add_look, counted, looks_of, read_looks
from guiapp.training.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "state": "done", "dataset": "digits"}))
    return tmp_path


def test_each_look_is_written_down(folder):
    assert counted(read_looks(folder))["count"] == 0
    add_look(folder, "train", 0.9, 120, "digits")
    looks = add_look(folder, "window", 0.91)
    assert [look["by"] for look in read_looks(folder)] == ["train", "window"]
    assert looks[0]["step"] == 120 and looks[0]["accuracy"] == 0.9 and looks[0]["time"]
    assert counted(looks) == {"count": 2, "train": 1, "evaluate": 0, "window": 1}


def test_a_run_that_is_open_for_writing_keeps_the_looks_of_others(folder):
    opened = RunFolder.open(folder)
    add_look(folder, "evaluate", 0.8)
    opened.update(state="running", summary={"test": {"accuracy": 0.8}, "steps": 5})
    add_look(folder, "window", 0.8)
    opened.update(state="done")
    assert [look["by"] for look in RunFolder.open(folder).info["test_looks"]] == ["evaluate", "window"]
    assert RunFolder.open(folder).info["state"] == "done"


def test_looks_at_the_same_time_are_all_counted(folder):
    threads = [threading.Thread(target=add_look, args=(folder, "evaluate", 0.5)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_looks(folder)) == 8


def test_a_run_of_before_the_counting_was_looked_at_by_its_training():
    looks = looks_of({"summary": {"test": {"accuracy": 0.97}, "steps": 60}, "dataset": "digits"})
    assert counted(looks)["train"] == 1 and looks[0]["step"] == 60
    assert looks_of({}) == [] and read_looks(None) == []


def test_what_cannot_be_counted_is_not_shown(tmp_path):
    with pytest.raises(UserError, match="cannot be counted"):
        add_look(tmp_path, "window", 0.5)
