"""A run and its folder: what is written, what survives a kill, what a full disk and a NaN do."""

import errno
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.base import ModelEntry
from guiapp.training import checkpoints
from guiapp.training.evaluation import evaluate
from guiapp.training.events import EpochEnd, StepEnd
from guiapp.training.load import load_run
from guiapp.training.recipe import change
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Diverged, Runner

FIELDS = {"epochs": 4, "optimiser__name": "adam", "optimiser__lr": 0.01, "augmentation": "handwriting"}


def run(setup, path, resume=False):
    folder = RunFolder.open(path) if resume else RunFolder.create(path, setup, exact=True)
    return Runner(setup, folder, resume=resume)


def train(runner):
    for _ in runner.events():
        pass
    return runner


def steps(path):
    return {name: np.fromfile(path / "steps" / f"{name}.f32", "<f4") for name in ("loss", "accuracy", "lr")}


def epochs(path):
    return [
        {key: line[key] for key in ("epoch", "step", "train", "validation", "lr")}
        for line in RunFolder.open(path).epochs()
    ]


def ends_alike(one, two):
    """Whether two run folders hold the same figures and the same last weights and optimiser, bit for bit."""
    last = [checkpoints.listed(path / "checkpoints")[-1] for path in (one, two)]
    assert last[0] == last[1]
    states = [checkpoints.read_state(path / "checkpoints" / str(last[0]))["tensors"] for path in (one, two)]
    weights = [checkpoints.read_weights(path / "checkpoints" / str(last[0])) for path in (one, two)]
    for first, second in (states, weights, [steps(path) for path in (one, two)]):
        assert first.keys() == second.keys()
        for name in first:
            assert np.array_equal(np.asarray(first[name]), np.asarray(second[name]), equal_nan=True), name
    assert epochs(one) == epochs(two)


@pytest.fixture
def done(make_setup, tmp_path):
    runner = train(run(make_setup(**FIELDS), tmp_path / "whole"))
    summary = runner.finish(test=True)
    return runner, summary, tmp_path / "whole"


def test_the_folder_is_laid_out_as_described(done):
    runner, _, path = done
    names = {p.name.split(".tfevents")[0] for p in path.iterdir()}
    expected = {"run.json", "steps", "epochs.jsonl", "events.out", "checkpoints", "snapshots", ".lock"}
    assert names - {".looks.lock"} == expected  # the lock is removed or stays, as the system has it
    info = json.loads((path / "run.json").read_text())
    assert info["format"] == 1 and info["state"] == "done" and info["seed"] == 0
    assert info["recipe"]["optimiser"]["name"] == "adam" and info["classes"] == ["bar", "dash", "dot"]
    assert info["versions"]["torch"] == str(torch.__version__)
    assert info["preprocessing"]["size"] == [1, 6, 6] and info["dataset"] == "tiny"
    assert info["parameters"] == sum(p.numel() for p in runner.model.parameters())
    assert runner.snapshots.steps() == list(range(29))[:33]
    assert [line["epoch"] for line in RunFolder.open(path).epochs()] == [1, 2, 3, 4]


def test_columns_hold_every_step(done, make_setup, tmp_path):
    _, _, path = done
    other = run(make_setup(**FIELDS), tmp_path / "other")
    events = [e for e in other.events() if isinstance(e, StepEnd)]
    other.close()
    found = steps(path)
    assert found["loss"].tolist() == [np.float32(e.loss.item()) for e in events]
    assert found["accuracy"].tolist() == [np.float32(e.correct.item() / e.count) for e in events]
    assert found["lr"].tolist() == [np.float32(e.lr) for e in events]


def test_the_summary_is_what_the_command_line_prints(done, tiny_data):
    runner, summary, path = done
    assert summary["run"] == str(path) and summary["experiment"] == "tiny"
    assert (summary["epochs"], summary["steps"], summary["device"]) == (4, 28, "cpu")
    assert summary["parameters"] == runner.parameters
    assert summary["train"] == runner.epochs[-1]["train"]
    best = max(runner.epochs, key=lambda e: (e["validation"]["accuracy"], -e["validation"]["loss"]))
    assert summary["validation"]["accuracy"] == best["validation"]["accuracy"]
    inputs = runner.setup.preprocessing(tiny_data.test.images)
    found = evaluate(runner.model, runner.setup.task, [(inputs, torch.from_numpy(tiny_data.test.labels))])
    assert summary["test"]["accuracy"] == found.accuracy
    json.dumps(summary)


def test_the_test_part_is_looked_at_only_when_asked(make_setup, tmp_path, tiny_data, replace):
    class Forbidden:
        def __len__(self):
            return 1

        def __getattr__(self, name):
            raise AssertionError("the test part was read")

    data = replace(tiny_data, test=Forbidden())
    summary = train(run(make_setup(data=data, epochs=1), tmp_path / "run")).finish(test=False)
    assert "test" not in summary


def test_initial_loss_is_that_of_the_fresh_network_over_the_training_part(done, make_setup, tiny_data):
    _, summary, _ = done
    setup = make_setup(**FIELDS)
    inputs = setup.preprocessing(tiny_data.train.images)
    found = evaluate(setup.build_model(), setup.task, [(inputs, torch.from_numpy(tiny_data.train.labels))])
    assert summary["initial_loss"] == pytest.approx(found.loss, rel=1e-5)


def test_best_weights_are_put_in_and_loaded(make_setup, tmp_path, same_weights):
    setup = make_setup(epochs=6, optimiser__lr=0.05, schedule__name="constant")
    runner = run(setup, tmp_path / "run")
    weights = {}
    for event in runner.events():
        if isinstance(event, EpochEnd):
            weights[event.step] = {n: t.clone() for n, t in runner.model.state_dict().items()}
    figures = {e["step"]: (e["validation"]["accuracy"], -e["validation"]["loss"]) for e in runner.epochs}
    best = max(figures, key=figures.__getitem__)
    assert runner.best.step == best
    assert same_weights(runner.model.state_dict(), weights[best])
    runner.close()
    # The module's registry does not hold the tiny network: what load_run reads is read here.
    parent = tmp_path / "run" / "checkpoints"
    assert same_weights(checkpoints.read_weights(parent / str(best)), weights[best])
    assert same_weights(checkpoints.read_weights(parent / "42"), weights[42])


@pytest.mark.parametrize("after", [0, 1, 5, 13, 14, 15, 16, 30, 33])
def test_a_run_stopped_at_any_event_and_resumed_ends_like_one_that_was_not(make_setup, tmp_path, done, after):
    setup = make_setup(**FIELDS)
    first = run(setup, tmp_path / "parts")
    events = first.events()
    for _ in itertools.islice(events, after):
        pass
    events.close()
    first.close()
    assert RunFolder.open(tmp_path / "parts").state == ("new" if after == 0 else "stopped")
    train(run(setup, tmp_path / "parts", resume=True)).close()
    ends_alike(done[2], tmp_path / "parts")


def test_a_run_is_resumed_from_the_last_checkpoint_with_changes_by_hand_replayed(make_setup, tmp_path):
    fields = {**FIELDS, "schedule__name": "constant"}

    def go(runner, last):
        for event in runner.events():
            if isinstance(event, StepEnd):
                if event.step == 5:
                    runner.set_learning_rate(0.003)
                if event.step == 18:
                    runner.set_learning_rate(0.03)
                if event.step == 9:
                    runner._checkpoint()
                if event.step == last:
                    # As if the process had died here: nothing more is written.
                    runner.folder.release()
                    runner.columns.close()
                    runner._board.close()
                    runner._closed = True
                    return
        runner.close()

    whole = run(make_setup(**fields), tmp_path / "whole")
    go(whole, None)
    killed = run(make_setup(**fields), tmp_path / "killed")
    go(killed, 21)
    again = run(make_setup(**fields), tmp_path / "killed", resume=True)
    assert again.trainer.step == 9 and len(again.columns) == 9
    train(again).close()
    ends_alike(tmp_path / "whole", tmp_path / "killed")
    assert [(c["step"], c["value"]) for c in again.hand_changes] == [(5, 0.003), (18, 0.03)]
    assert [(c["step"], c["value"]) for c in RunFolder.open(tmp_path / "killed").changes()] == [(5, 0.003), (18, 0.03)]


def test_more_epochs_go_on_from_the_last_weights_not_the_best(make_setup, tmp_path, same_weights):
    fields = {"optimiser__lr": 0.05, "schedule__name": "constant"}
    train(run(make_setup(epochs=6, **fields), tmp_path / "parts")).close()
    train(run(make_setup(epochs=9, **fields), tmp_path / "parts", resume=True)).close()
    train(run(make_setup(epochs=9, **fields), tmp_path / "whole")).close()
    ends_alike(tmp_path / "whole", tmp_path / "parts")


def test_stop_ends_after_the_step(make_setup, tmp_path):
    runner = run(make_setup(**FIELDS), tmp_path / "run")
    for event in runner.events():
        if isinstance(event, StepEnd) and event.step == 3:
            runner.stop()
    assert runner.trainer.step == 3 and runner.finish()["steps"] == 3
    assert RunFolder.open(tmp_path / "run").state == "stopped"
    assert len(steps(tmp_path / "run")["loss"]) == 3


def test_a_second_writer_is_refused_while_the_first_writes(make_setup, tmp_path):
    first = run(make_setup(**FIELDS), tmp_path / "run")
    with pytest.raises(UserError, match="another process is writing"):
        run(make_setup(**FIELDS), tmp_path / "run", resume=True)
    first.close()
    run(make_setup(**FIELDS), tmp_path / "run", resume=True).close()


def test_checkpoints_are_the_last_two_and_the_best_without_pickle(make_setup, tmp_path):
    runner = run(make_setup(epochs=6, optimiser__lr=0.05, schedule__name="constant"), tmp_path / "run")
    for event in runner.events():
        if isinstance(event, StepEnd) and event.step % 5 == 0:
            runner._checkpoint()
    parent = tmp_path / "run" / "checkpoints"
    last, previous = 42, 40
    assert checkpoints.listed(parent)[-2:] == [previous, last]
    kept = {int(p.name) for p in parent.iterdir()}
    assert {last, previous, runner.best.step} <= kept and len(kept) <= 4
    runner.close()
    for file in (tmp_path / "run").rglob("*"):
        if file.is_file():
            start = file.read_bytes()[:2]
            assert start != b"PK" and start[:1] != b"\x80", f"{file} looks like a pickle"
            assert file.suffix in (".json", ".jsonl", ".safetensors", ".f32", ".lock", "") or "tfevents" in file.name


def exploding(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 16), nn.Linear(16, classes))


def test_a_loss_that_is_not_finite_stops_at_the_last_good_weights(make_setup, tmp_path):
    setup = make_setup(ModelEntry("x", "X", exploding), optimiser__lr=100.0, epochs=50, schedule__name="constant")
    runner = run(setup, tmp_path / "run")
    with pytest.raises(Diverged, match="smaller learning rate"):
        train(runner)
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    assert RunFolder.open(tmp_path / "run").info["state"] == "failed"
    losses = steps(tmp_path / "run")["loss"]
    bad = int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
    assert max(runner.snapshots.steps()) < bad
    loaded = checkpoints.read_weights(
        tmp_path / "run" / "checkpoints" / str(checkpoints.listed(tmp_path / "run" / "checkpoints")[-1])
    )
    assert all(torch.isfinite(w).all() for w in loaded.values())
    runner.close()


def test_a_full_disk_stops_the_run_with_what_was_written_whole(make_setup, tmp_path, monkeypatch, done):
    setup = make_setup(**FIELDS)
    runner = run(setup, tmp_path / "run")
    writes = {"left": 12}
    real = Path.write_bytes

    def write(self, data):
        if writes["left"] == 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        writes["left"] -= 1
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(UserError, match=r"disk .* is full"):
        train(runner)
    runner.close()
    monkeypatch.undo()
    train(run(setup, tmp_path / "run", resume=True)).close()
    ends_alike(done[2], tmp_path / "run")


def test_a_torn_newest_checkpoint_costs_only_itself(make_setup, tmp_path, done):
    setup = make_setup(**FIELDS)
    runner = run(setup, tmp_path / "run")
    for event in runner.events():
        if isinstance(event, StepEnd) and event.step in (6, 11):
            runner._checkpoint()
        if isinstance(event, StepEnd) and event.step == 12:
            break
    runner.close()
    parent = tmp_path / "run" / "checkpoints"
    newest = parent / str(checkpoints.listed(parent)[-1]) / "weights.safetensors"
    newest.write_bytes(newest.read_bytes()[:-20])
    with (tmp_path / "run" / "epochs.jsonl").open("a") as stream:
        stream.write('{"epoch": 2, "st')
    again = run(setup, tmp_path / "run", resume=True)
    assert again.trainer.step == 11
    train(again).close()
    ends_alike(done[2], tmp_path / "run")


CHILD = """
import sys
from pathlib import Path
from guiapp.catalogue.entry import Experiment
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.setup import from_run, prepare
path, resume, marks = Path(sys.argv[1]), sys.argv[2] == "resume", len(sys.argv) > 3
experiment = Experiment("e", "c", "t", (), "mlp", "digits", "s", model_options={"hidden": 300})
settings = {"epochs": 3, "batch": 4, "checkpoint_seconds": 0.1, "optimiser": "adam", "optimiser.lr": 0.002,
            "model.hidden": 200, "device": "cpu", "augmentation": "handwriting"}
setup = from_run(path) if resume else prepare(experiment, settings)
folder = RunFolder.open(path) if resume else RunFolder.create(path, setup, exact=True)
runner = Runner(setup, folder, resume=resume)
for event in runner.events():
    if marks and runner._checkpoints.step >= 5 and runner.trainer.step > runner._checkpoints.step + 2:
        print("now", flush=True)
        sys.stdin.read()
runner.finish()
"""


def test_a_process_killed_in_mid_training_is_resumed_bit_for_bit(tmp_path):
    def child(name, mode, *marks, **options):
        return subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / name), mode, *marks], **options)

    assert child("whole", "new").wait() == 0
    process = child("killed", "new", "marks", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "now\n"
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    folder = RunFolder.open(tmp_path / "killed")
    assert folder.state == "interrupted"
    assert 5 <= checkpoints.listed(tmp_path / "killed" / "checkpoints")[-1] < 3 * 270
    assert child("killed", "resume").wait() == 0
    ends_alike(tmp_path / "whole", tmp_path / "killed")
    setup, model = load_run(tmp_path / "killed")
    assert setup.model_options == {"hidden": 200} and not model.training
    best = json.loads((tmp_path / "killed" / "run.json").read_text())["summary"]["validation"]["accuracy"]
    samples = setup.dataset.validation
    found = evaluate(model, setup.task, [(setup.preprocessing(samples.images), torch.from_numpy(samples.labels))])
    assert found.accuracy == pytest.approx(best)


def test_tensorboard_reads_the_figures(done):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(done[2]))
    board.Reload()
    found = [(e.step, e.value) for e in board.Scalars("validation/accuracy")]
    assert found == [(e["step"], pytest.approx(e["validation"]["accuracy"])) for e in done[0].epochs]


def test_nearest_neighbours_are_trained_by_showing_them_the_data(make_setup, tmp_path):
    from guiapp.models import MODELS

    setup = make_setup(MODELS["knn"])
    runner = train(run(setup, tmp_path / "run"))
    summary = runner.finish(test=True)
    assert summary["steps"] == summary["epochs"] == 1
    assert summary["initial_loss"] == pytest.approx(np.log(3))
    assert summary["validation"]["accuracy"] > 0.6
    assert steps(tmp_path / "run")["accuracy"].tolist() == [np.float32(summary["train"]["accuracy"])]
    again = run(setup, tmp_path / "run", resume=True)
    assert again.at_end and len(again.model.labels) == 50
    again.close()


def test_pauses_are_not_counted_as_training_time(make_setup, tmp_path):
    runner = run(make_setup(epochs=1), tmp_path / "run")
    for event in runner.events():
        if isinstance(event, StepEnd) and event.step == 2:
            time.sleep(0.5)
    runner.close()
    assert runner.seconds < 0.5


def test_a_crowded_machine_gets_fewer_threads_unless_the_recipe_fixes_them(make_setup, tmp_path, monkeypatch):
    from guiapp.training.contention import Contention, Crowded

    monkeypatch.setattr("guiapp.training.runner.DRAIN_SECONDS", 0.0)
    answers = iter([1, None, 2])
    monkeypatch.setattr(Contention, "change", lambda self: next(answers, None))
    runner = Runner(make_setup(), RunFolder.create(tmp_path, make_setup()))
    runner.threads = 2
    said, used = [], []
    for event in runner.events():
        if isinstance(event, Crowded):
            said.append((event.threads, event.more))
            used.append((runner.trainer.step, torch.get_num_threads()))
    runner.finish()
    assert said == [(1, False), (2, True)] and [threads for _, threads in used] == [1, 2]
    info = RunFolder.open(runner.folder.path).info
    assert info["threads"] == 2 and len(info["threads_by_step"]) == (3 if used[0][0] else 2)
    assert info["threads_by_step"][-1] == [used[-1][0], 2]

    answers = iter([1])
    setup = make_setup().with_recipe(change(make_setup().recipe, {"threads": 2}))
    fixed = Runner(setup, RunFolder.create(tmp_path, setup))
    assert not [event for event in fixed.events() if isinstance(event, Crowded)]
    fixed.finish()
    assert fixed.threads == 2
