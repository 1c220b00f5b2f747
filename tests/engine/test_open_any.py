"""Runs and the open experiment on the live lane: the same answers as elsewhere, weights that go on while it trains."""

import time

import numpy as np
import pytest

from guiapp.cli import main
from guiapp.core import paths
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.engine.engine import Engine
from guiapp.engine.open_any import OPEN, find_any, open_any
from guiapp.models.zoo import ZOO
from guiapp.tasks.live_options import LiveOptions, make_live_task


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def drawing() -> np.ndarray:
    """A one on paper, dark on light, of an odd size."""
    pixels = np.full((131, 97, 3), 250, np.uint8)
    pixels[20:110, 44:56] = 20
    return pixels


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "mine"
    words = ["train", "softmax-classifier", "--epochs", "1", "--device", "cpu", "--run-dir", str(folder)]
    assert main(words) == 0
    return folder


@pytest.fixture
def engine():
    made = Engine()
    yield made
    made.shutdown(30)


def nothing(share, text):
    pass


def ask(opened, pixels):
    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    raw = task.run(opened.module, opened.prepare(pixels), (pixels.shape[1], pixels.shape[0]))
    return task.drawn(raw, LiveOptions())


def test_a_run_answers_as_guiapp_predict_does(run, tmp_path, capsys):
    import json

    from PIL import Image

    opened = open_any(str(run), "best", "auto", nothing)
    assert opened.entry.family == "Trained here"
    assert opened.entry.title == "Soft-max classifier"
    assert opened.labels == tuple("0123456789")
    assert 50 < opened.weights.metrics["acc@1"] <= 100
    assert opened.prepare(drawing()).shape == (1, 1, 8, 8)
    drawn = ask(opened, drawing())
    Image.fromarray(drawing()).save(tmp_path / "one.png")
    capsys.readouterr()
    assert main(["predict", str(run), str(tmp_path / "one.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["read_as"] == "drawing"
    scores = {entry["index"]: entry["score"] for entry in told["prediction"]["classes"]}
    np.testing.assert_allclose(drawn.probabilities, [scores[i] for i in range(10)], atol=1e-6)


def test_names_mean_runs_and_networks_of_the_zoo(run, home):
    assert find_any("yolox-nano") is ZOO["yolox-nano"]
    assert find_any(str(run)).name == str(run)
    paths.runs().mkdir(parents=True)
    (paths.runs() / "linked").symlink_to(run, target_is_directory=True)
    assert find_any("linked").name == str(paths.runs() / "linked")
    with pytest.raises(UserError, match="own weights"):
        open_any(str(run), "random", "cpu", nothing)
    with pytest.raises(UserError, match="no experiment is open"):
        open_any(OPEN, "best", "cpu", nothing)


def test_the_open_experiment_looks_at_pictures_while_it_trains(engine):
    engine.live.open_model(OPEN)
    until(lambda: engine.live.newest.phase == "failed")
    assert "no experiment is open" in engine.live.newest.reason
    engine.open_experiment("softmax-classifier", {"device": "cpu", "epochs": 2, "seed": 3})
    until(lambda: engine.newest_state.phase == "ready")
    engine.live.open_model(OPEN)
    until(lambda: engine.live.newest.phase == "ready")
    assert engine.live.newest.model.title == "Soft-max classifier (open)"

    def look(pixels):
        picture = Picture(pixels, Origin("file", "one"))
        engine.live.set_picture(picture)
        found = []

        def arrived():
            newest = engine.live.results.take()
            found.extend([newest] if newest is not None and newest.picture is picture else [])
            return bool(found)

        until(arrived)
        return found[-1].drawn.probabilities

    before = look(drawing())
    engine.start()
    until(lambda: engine.newest_state.phase == "finished")
    after = look(drawing())
    assert np.abs(after - before).max() > 0.05
    trained = open_any(str(engine.newest_state.run), "best", "cpu", nothing)
    np.testing.assert_allclose(after, ask(trained, drawing()).probabilities, atol=1e-5)
