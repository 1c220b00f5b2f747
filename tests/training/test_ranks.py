"""Two real processes train one network: the curve of one process, the same stop, resuming, and a process that dies."""

import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from guiapp.core.notices import SettingError
from guiapp.training.data import TrainingData
from guiapp.training.ranks import place_of, refuse
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner

SCRIPT = Path(__file__).with_name("together.py")
ROOT = Path(__file__).parents[2]


def script():
    spec = importlib.util.spec_from_file_location("together", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_ports(count):
    """The first of so many ports in a row that nobody listens on."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for number in range(count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port + number))
        except (OSError, OverflowError):
            continue
        return port


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes have trained in all ways of ``together.py``."""
    folder = tmp_path_factory.mktemp("together")
    known = {
        **os.environ, "PYTHONPATH": str(ROOT), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(6)),
        "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    children = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder)], env={**known, "RANK": str(rank)},
            stderr=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    said = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0], said
    return folder


def alone(folder, **fields):
    setup = script().setup_of(**fields)
    runner = Runner(setup, RunFolder.create(folder, setup, exact=True))
    for _ in runner.events():
        pass
    runner.close()
    return runner


def columns(folder):
    return {name: np.fromfile(folder / "steps" / f"{name}.f32", "<f4") for name in ("loss", "accuracy", "lr")}


def result(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


@pytest.mark.parametrize(("name", "fields"), [("plain", {}), ("parts", {"accumulate": 3, "epochs": 1})])
def test_two_processes_give_the_curve_of_one(together, tmp_path, name, fields):
    # 51 samples at batch 7: shares of 3 and 4, and a last batch of 2, one sample each.
    one = alone(tmp_path / "one", **fields)
    two = RunFolder.open(together / name)
    assert two.info["processes"] == 2 and one.folder.info["processes"] == 1
    for column, values in columns(one.folder.path).items():
        np.testing.assert_allclose(columns(two.path)[column], values, atol=1e-5, err_msg=column)
    for mine, theirs in zip(one.epochs, two.epochs(), strict=True):
        for part in ("train", "validation"):
            assert theirs[part]["loss"] == pytest.approx(mine[part]["loss"], abs=1e-5)
            assert theirs[part]["accuracy"] == pytest.approx(mine[part]["accuracy"], abs=1e-9)
    assert two.info["initial_loss"] == pytest.approx(one.initial_loss, abs=1e-6)


@pytest.mark.parametrize("name", ["plain", "parts", "noisy", "stopped", "stopped-resumed"])
def test_all_processes_end_with_the_same_weights(together, name):
    first, second = (result(together, name.replace("-resumed", "") + f"-{rank}" + "-resumed" * ("-" in name))
                     for rank in (0, 1))  # fmt: skip
    assert first["step"] == second["step"]
    if (
        name != "noisy"
    ):  # running statistics are each process's own until they are validated, or kept: those of the first
        assert first["weights"] == second["weights"]
    else:
        assert first["weights"][0] == second["weights"][0]


def test_one_that_is_asked_to_stop_stops_all_after_the_same_step_and_the_run_goes_on(together, tmp_path):
    assert result(together, "stopped-0")["step"] in (5, 6)
    one = alone(tmp_path / "one", optimiser__name="adam", optimiser__lr=0.01)
    assert result(together, "stopped-0-resumed")["step"] == one.trainer.step
    for column, values in columns(one.folder.path).items():
        np.testing.assert_allclose(columns(together / "stopped")[column], values, atol=1e-5, err_msg=column)


def test_a_process_that_dies_leaves_a_run_that_can_go_on(together):
    kind, text = json.loads((together / "lost.json").read_text())
    assert kind == "RankLost" and "--resume" in text
    folder = RunFolder.open(together / "dies")
    assert folder.state == "interrupted"
    assert (folder.path / "checkpoints" / "0" / "state.json").is_file()


def test_shares_of_a_batch_are_all_of_it(make_setup):
    setup = make_setup(batch=8)
    shares = []
    for rank in range(3):
        data = TrainingData(setup, "cpu")
        list(data.prepare())
        data.share = (rank, 3)
        shares.append(data)
    whole = TrainingData(setup, "cpu")
    list(whole.prepare())
    for step in range(whole.steps_per_epoch):
        counts = [data.counts(step) for data in shares]
        targets = [data.batch(step)[1][:own].tolist() for data, (own, _) in zip(shares, counts, strict=True)]
        assert [*itertools.chain(*targets)] == whole.batch(step)[1].tolist()
        assert {every for _, every in counts} == {sum(own for own, _ in counts)}
    validation = [y.tolist() for data in shares for _, y in data.batches("validation", 4, data.share)]
    assert [*itertools.chain(*validation)] == [
        *itertools.chain(*(y.tolist() for _, y in whole.batches("validation", 4)))
    ]


def test_a_place_is_what_torchrun_says():
    assert place_of({}) is None and place_of({"WORLD_SIZE": "1", "RANK": "0"}) is None
    said = {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    assert place_of(said) == (3, 4, 1, 2)
    for wrong in ({"WORLD_SIZE": "4", "RANK": "4"}, {"WORLD_SIZE": "four"}):
        with pytest.raises(SettingError):
            place_of(wrong)


def test_what_cannot_be_shared_is_refused(make_setup):
    with pytest.raises(SettingError, match="batch"):
        refuse(make_setup(batch=2), 3)
    with pytest.raises(SettingError, match="newton"):
        refuse(make_setup(optimiser__name="newton"), 2)
