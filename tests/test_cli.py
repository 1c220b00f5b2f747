"""The command line as a person and a script use it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from guiapp.catalogue import EXPERIMENTS
from guiapp.cli import main
from guiapp.engine.engine import Engine
from guiapp.models import MODELS
from guiapp.models.zoo import ZOO
from guiapp.sources.image_file import read_picture

ROOT = Path(__file__).parents[1]
GUIAPP = [sys.executable, "-m", "guiapp"]


def guiapp(*arguments, **options):
    """Run the program in a process of its own."""
    words = [*GUIAPP, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=240, check=False, **options)


def in_process(capsys, *arguments):
    """Run a command in this process: exit code, standard output, standard error."""
    try:
        code = main([str(word) for word in arguments])
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def one_json(out):
    """The JSON object that is all of standard output."""
    lines = out.splitlines()
    assert len(lines) == 1, out
    return json.loads(lines[0])


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A LeNet-5 trained for two epochs on the embedded digits, and what training printed."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = guiapp("train", "lenet5", "--epochs", 2, "--run-dir", folder, "--json")
    assert done.returncode == 0, done.stderr
    return folder, done


def draw_one(folder):
    """A picture of a one: a white stroke on black."""
    canvas = np.zeros((120, 120), np.uint8)
    canvas[20:100, 55:66] = 255
    path = folder / "one.png"
    Image.fromarray(canvas).save(path)
    return path


def test_train_prints_one_object_and_keeps_the_run(run_folder):
    folder, done = run_folder
    summary = one_json(done.stdout)
    assert Path(summary["run"]) == folder
    assert summary["experiment"] == "lenet5"
    assert summary["parameters"] == 61_706
    assert summary["epochs"] == 2
    assert summary["steps"] == 2 * 17  # 1,079 training digits in batches of 64
    assert summary["initial_loss"] == pytest.approx(np.log(10), rel=0.1)
    for part in ("train", "validation", "test"):
        assert set(summary[part]) >= {"loss", "accuracy"}
        assert 0.0 <= summary[part]["accuracy"] <= 1.0
    assert summary["seconds"] > 0
    assert summary["device"]
    assert summary["dataset"] == "digits"
    assert json.loads((folder / "run.json").read_text())["state"] == "done"
    assert len(re.findall(r"^epoch \d/2 ", done.stderr, re.MULTILINE)) == 2


def test_resume_goes_on_with_more_epochs(run_folder, capsys, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(run_folder[0], folder)
    code, out, _ = in_process(capsys, "train", "lenet5", "--resume", "--run-dir", folder, "--epochs", 3, "--json")
    assert code == 0
    assert one_json(out)["epochs"] == 3
    assert one_json(out)["steps"] == 51


def test_interrupted_run_says_how_to_go_on_and_does(tmp_path):
    folder = tmp_path / "run"
    words = [*GUIAPP, "train", "linear-classifier", "--epochs", "100000", "--run-dir", str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    last = err.splitlines()[-1]
    assert re.search(r"stopped at step \d+; go on with: guiapp train linear-classifier --resume --run-dir ", last)
    steps = int(re.search(r"step (\d+)", last).group(1))
    epochs = steps // 17 + 1
    done = guiapp("train", "linear-classifier", "--resume", "--run-dir", folder, "--epochs", epochs, "--json")
    assert done.returncode == 0, done.stderr
    assert one_json(done.stdout)["steps"] == epochs * 17


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_run_can_be_resumed(tmp_path):
    folder = tmp_path / "run"
    words = [*GUIAPP, "train", "linear-classifier", "--epochs", "100000", "--run-dir", str(folder)]
    words += ["--set", "checkpoint_seconds=0.2"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    until = time.monotonic() + 60
    while len(list((folder / "checkpoints").glob("[1-9]*"))) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    taken = max(int(path.name) for path in (folder / "checkpoints").glob("[0-9]*"))
    assert taken > 0
    epochs = taken // 17 + 2
    done = guiapp("train", "linear-classifier", "--resume", "--run-dir", folder, "--epochs", epochs, "--json")
    assert done.returncode == 0, done.stderr
    assert one_json(done.stdout)["steps"] == epochs * 17


def test_predict_gives_every_class_best_first(run_folder, capsys, tmp_path):
    picture, overlay = draw_one(tmp_path), tmp_path / "overlay.png"
    code, out, _ = in_process(capsys, "predict", run_folder[0], picture, "--out", overlay, "--json")
    assert code == 0
    found = one_json(out)
    classes = found["prediction"]["classes"]
    assert found["size"] == [120, 120]
    assert found["task"] == "classification"
    assert [entry["score"] for entry in classes] == sorted((entry["score"] for entry in classes), reverse=True)
    assert sorted(entry["label"] for entry in classes) == list("0123456789")
    assert sum(entry["score"] for entry in classes) == pytest.approx(1.0, abs=1e-5)
    with Image.open(overlay) as image:
        assert image.width >= 120


def test_window_and_command_line_read_a_picture_alike(capsys, tmp_path):
    page = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(page).line([(60, 40), (140, 40), (90, 170)], fill=0, width=18)
    page.save(tmp_path / "seven.png")
    code, out, _ = in_process(capsys, "predict", "lenet5-mnist", tmp_path / "seven.png", "--json")
    best = one_json(out)["prediction"]["classes"][0]
    assert (code, best["label"], best["score"] > 0.9) == (0, "7", True)
    engine = Engine()
    try:
        engine.set_requests({}, watching=True)
        engine.set_picture(read_picture(tmp_path / "seven.png"))
        engine.open_experiment("lenet5-mnist")
        look, until = None, time.monotonic() + 120
        while look is None and time.monotonic() < until:
            time.sleep(0.01)
            look = engine.looked.take()
    finally:
        engine.shutdown()
    assert look is not None, [notice.text for notice in engine.notices.notices]
    assert look.prediction.labels[look.prediction.best] == "7"
    assert float(look.prediction.probabilities.max()) == pytest.approx(best["score"], abs=1e-5)


def test_evaluate_agrees_with_the_run(run_folder, capsys):
    folder, trained = run_folder
    code, out, _ = in_process(capsys, "evaluate", folder, "--json")
    assert code == 0
    found = one_json(out)
    accuracy = one_json(trained.stdout)["test"]["accuracy"]
    assert found["accuracy"] == pytest.approx(accuracy)
    assert found["interval"][0] < accuracy < found["interval"][1]
    confusion = np.array(found["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.trace() / confusion.sum() == pytest.approx(accuracy)
    assert found["majority"] == pytest.approx(0.1, abs=0.02)
    assert found["metrics"]["accuracy"] == {
        k: found[n] for k, n in (("value", "accuracy"), ("interval", "interval"), ("majority", "majority"))
    }
    assert found["metrics"]["recall"]["value"] == pytest.approx((confusion.diagonal() / confusion.sum(1)).mean())
    assert [row["label"] for row in found["by_class"]] == list("0123456789")
    before = found["test_looks"]["count"]
    code, out, _ = in_process(capsys, "evaluate", folder, "--split", "validation", "--json")
    assert "test_looks" not in one_json(out)
    code, out, _ = in_process(
        capsys, "evaluate", folder, "--class", "3", "--threshold", "0.4", "--worst", "2", "--json"
    )
    found = one_json(out)
    assert found["decision"] == {"class": "3", "threshold": 0.4, "unanswered": 0} and len(found["worst"]) <= 2
    row = found["metrics"]["precision"]
    assert row["interval"][0] <= row["value"] <= row["interval"][1]
    assert found["test_looks"]["count"] == before + 1 and found["test_looks"]["train"] == 1
    assert len(json.loads((Path(folder) / "run.json").read_text())["test_looks"]) == before + 1
    code, out, _ = in_process(capsys, "evaluate", folder, "--split", "validation")
    assert "Matthews' correlation" in out and "worst mistakes" in out and "look" not in out
    assert in_process(capsys, "evaluate", folder, "--class", "eleven")[0] == 2
    assert in_process(capsys, "evaluate", folder, "--threshold", "2")[0] == 2


def test_probe_writes_what_it_found(run_folder, capsys, tmp_path):
    for name, words in {"filters": (), "activations": (draw_one(tmp_path),)}.items():
        for suffix in (".png", ".csv", ".json"):
            file = tmp_path / f"{name}{suffix}"
            code, out, err = in_process(
                capsys, "probe", name, run_folder[0], *words, "--layer", "conv1", "--out", file, "--json"
            )
            assert code == 0, err
            assert one_json(out)["probe"] == name
            assert file.stat().st_size > 0


@pytest.mark.parametrize("what", ["experiments", "models", "datasets", "probes", "systems"])
def test_list_as_json_and_as_text(what, capsys):
    code, out, _ = in_process(capsys, "list", what, "--json")
    assert code == 0
    rows = one_json(out)[what]
    assert rows
    code, out, _ = in_process(capsys, "list", what)
    assert len(out.splitlines()) == len(rows) + 1


def test_listed_experiments_are_the_catalogue(capsys):
    _, out, _ = in_process(capsys, "list", "experiments", "--json")
    rows = one_json(out)["experiments"]
    assert [row["id"] for row in rows] == list(EXPERIMENTS)
    # published networks can be trained too: a new head on what they have learnt
    assert all(row["model"] in ZOO or (row["model"] in MODELS and not row["published"]) for row in rows)


BAD_ARGUMENTS = {
    "no such command": ["paint"],
    "no such experiment": ["train", "lenet6"],
    "no such setting": ["train", "lenet5", "--set", "optimiser.speed=3"],
    "a setting that does not fit": ["train", "lenet5", "--set", "batch=many"],
    "a setting out of range": ["train", "lenet5", "--set", "optimiser.lr=-1"],
    "a setting without a value": ["train", "lenet5", "--set", "batch"],
    "no such data set": ["train", "lenet5", "--set", "dataset=nowhere"],
    "no such model": ["train", "lenet5", "--set", "model=nothing"],
    "epochs below one": ["train", "lenet5", "--epochs", "0"],
    "an unknown device": ["train", "lenet5", "--device", "abacus"],
    "nothing to resume": ["train", "lenet5", "--resume", "--run-dir", "nowhere"],
    "no run at all": ["train", "lenet5", "--resume"],
    "no such weights": ["predict", "nothing", __file__],
    "no such weight file": ["predict", "nowhere.safetensors", "picture.png"],
    "no such picture": ["predict", "lenet5-mnist", "nowhere.png"],
    "no such picture to probe": ["probe", "activations", "lenet5-mnist", "nowhere.png"],
    "nothing to open": ["open", "nowhere.png"],
    "no such probe": ["probe", "dowsing", "lenet5"],
    "no such list": ["list", "wishes"],
    "no such benchmark": ["bench", "patience"],
    "a size without a height": ["screenshot", "lenet5", "--out", "x.png", "--size", "100"],
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_end_with_two_and_a_reason(words, capsys, home):
    code, out, err = in_process(capsys, *words)
    assert code == 2
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err
    assert not (home / "runs").exists() or not any((home / "runs").iterdir())


def test_run_dir_that_holds_something_is_refused(run_folder, capsys, tmp_path):
    (tmp_path / "letter.txt").write_text("kept")
    code, _, err = in_process(capsys, "train", "lenet5", "--run-dir", tmp_path)
    assert code == 2
    assert "not empty" in err
    code, _, err = in_process(capsys, "train", "lenet5", "--run-dir", run_folder[0])
    assert code == 2
    assert "--resume" in err
    code, _, err = in_process(capsys, "train", "mlp", "--resume", "--run-dir", run_folder[0])
    assert code == 2
    assert "lenet5" in err
    code, _, err = in_process(capsys, "train", "lenet5", "--resume", "--run-dir", run_folder[0], "--set", "batch=8")
    assert code == 2
    assert "batch" in err


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nbroken", b"some text"])
def test_a_broken_picture_is_one_line_and_code_one(content, run_folder, capsys, tmp_path):
    picture = tmp_path / "broken.png"
    picture.write_bytes(content)
    code, out, err = in_process(capsys, "predict", run_folder[0], picture, "--json")
    assert code == 1
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "broken.png" in err


def test_a_broken_run_is_one_line_and_code_one(capsys, tmp_path):
    broken = tmp_path / "run"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    code, _, err = in_process(capsys, "evaluate", broken)
    assert code == 1
    assert len(err.strip().splitlines()) == 1


def test_training_loads_no_qt_no_compiler_and_no_scikit_learn():
    code = (
        "import sys\nfrom guiapp.cli import main\n"
        "assert main(['train', 'linear-classifier', '--epochs', '1']) == 0\n"
        "assert not {'PySide6', 'pyqtgraph', 'torch._dynamo', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_one_line_says_what_to_do():
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    done = guiapp(env={name: value for name, value in os.environ.items() if name not in names})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "display" in done.stderr
    assert "guiapp train" in done.stderr


@pytest.mark.window
def test_screenshot_shows_the_window_after_real_steps(tmp_path):
    file = tmp_path / "window.png"
    words = ("screenshot", "lenet5", "--train-steps", 20, "--out", file, "--size", "1280x800", "--theme", "dark")
    done = guiapp(*words, "--json", env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stderr
    assert one_json(done.stdout)["steps"] == 20
    with Image.open(file) as opened:
        image = np.asarray(opened.convert("RGB"))
    assert image.shape == (800, 1280, 3)
    assert image[:, :, :].std() > 10  # something is drawn
    assert image.mean() < 110  # and it is dark
