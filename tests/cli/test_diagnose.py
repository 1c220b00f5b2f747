"""``guiapp diagnose``: findings of a run, checks of an experiment."""

import pytest

SETTINGS = ("--set", "dataset=digits", "--set", "threads=1", "--set", "augmentation=none", "--epochs", "4")


@pytest.fixture
def run(guiapp, tmp_path):
    folder = tmp_path / "run"
    assert (
        guiapp("train", "mlp", *SETTINGS, "--set", "observe=on", "--set", "data.share=0.2", "--run-dir", folder).code
        == 0
    )
    return folder


def test_a_run_is_told_in_words_and_as_json(guiapp, run):
    told = guiapp("diagnose", run)
    assert told.code == 0 and "update/weight" in told.out and "time of a step" in told.out
    found = guiapp("diagnose", run, "--json").json
    assert found["steps"] > 0 and isinstance(found["findings"], list)
    assert [layer["name"] for layer in found["observation"]["layers"]] == ["fc1", "fc2"]
    assert sum(found["observation"]["time"].values()) == pytest.approx(1.0)
    assert guiapp("diagnose", run, "--set", "batch=3").code == 2


def test_an_experiment_is_checked(guiapp):
    found = guiapp("diagnose", "softmax-classifier", "--set", "dataset=digits", "--set", "threads=1", "--json").json
    assert found["first_loss"]["chance"] == pytest.approx(2.302585, rel=1e-5)
    assert found["handful"]["verdict"] == "good" and found["range_test"]["suggested"] > 0
    assert guiapp("diagnose", "no-such-thing").code == 2
