"""A recipe and a script from the command line."""

import json

import numpy as np
import torch
from PIL import Image

from guiapp import watch

FAST = ("--set", "dataset=digits", "--set", "device=cpu", "--set", "threads=1")


def test_a_recipe_is_written_printed_and_trained_in_another_home(guiapp, tmp_path, monkeypatch):
    out = tmp_path / "mine.recipe.json"
    given = (*FAST, "--set", "schedule=one-cycle", "--set", "optimiser=sgd", "--set", "epochs=1")
    found = guiapp("recipe", "softmax-classifier", *given, "--out", out, "--json")
    assert found.code == 0 and found.json["out"] == str(out)
    printed = guiapp("recipe", "softmax-classifier", *given)
    assert json.loads(printed.out) == json.loads(out.read_text())
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "of another person"))
    run = tmp_path / "run"
    trained = guiapp("train", "--recipe", out, "--set", "device=cpu", "--run-dir", run, "--json")
    assert trained.json["experiment"] == "softmax-classifier" and trained.json["epochs"] == 1
    again = guiapp("recipe", run)
    assert json.loads(again.out) == json.loads(out.read_text())
    script = tmp_path / "alone.py"
    written = guiapp("script", run, "--out", script, "--json")
    assert written.json["data"] is None and len(script.read_text().splitlines()) == written.json["lines"]


def test_a_folder_is_trained_on_with_the_side_of_its_samples(guiapp, tmp_path):
    shades = np.random.default_rng(0)
    for name, light in (("Hell ü", 200), ("dunkel", 20)):
        (tmp_path / "my pictures" / name).mkdir(parents=True)
        for number in range(8):
            pixels = shades.integers(light, light + 40, (20, 24, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "my pictures" / name / f"{number}.png")
    data = f"dataset=folder:{tmp_path / 'my pictures'}@12"
    given = ("softmax-classifier", "--set", data, "--set", "threads=1", "--epochs", "1")
    found = guiapp("train", *given, "--run-dir", tmp_path / "run", "--json")
    assert found.code == 0, found.err
    assert found.json["parameters"] == 2 * (3 * 12 * 12 + 1)


def test_what_does_not_fit_is_refused_in_one_line(guiapp, tmp_path):
    for words, says in (
        (("recipe", "lenet5", "--out", tmp_path / "mine.json"), ".recipe.json"),
        (("script", "lenet5", "--out", tmp_path / "mine.txt"), ".py"),
        (("script", "nothing", "--out", tmp_path / "mine.py"), "no experiment and no run nothing"),
        (("script", "lenet5", "--out", tmp_path / "no" / "mine.py"), "there is no folder"),
        (("train",), "--recipe"),
        (("train", "--recipe", tmp_path / "none.recipe.json"), "there is no file"),
        (
            ("recipe", "lenet5", *FAST, "--set", "schedule=one-cycle", "--set", "schedule.warmup=1"),
            "warm-up of its own",
        ),
    ):
        found = guiapp(*words)
        assert found.code in (1, 2) and says in found.err and found.err.count("\n") == 1, words


def test_a_loop_of_ones_own_is_diagnosed_and_has_no_recipe(guiapp, tmp_path):
    network = torch.nn.Linear(4, 2)
    with watch(network, tmp_path / "mine", program=False) as watched:
        for step in range(60):
            watched.step(loss=1.0 / (step + 1), accuracy=0.5)
            if step % 20 == 19:
                watched.epoch(validation={"loss": 1.0, "accuracy": 0.5})
    told = guiapp("diagnose", tmp_path / "mine")
    assert told.code == 0 and "done, 60 steps, 3 epochs" in told.out and "observe=on" not in told.out
    for command in (("recipe",), ("script", "--out", tmp_path / "alone.py")):
        found = guiapp(*command, tmp_path / "mine")
        assert found.code == 2 and "training loop of its own" in found.err and not found.out
