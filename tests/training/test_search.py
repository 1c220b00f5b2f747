"""Searches: what they try, what goes on to the next rung, budgets, wishes to stop, kills; the test part untouched."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError, UserError
from guiapp.training.evaluation import finish
from guiapp.training.run_folder import RunFolder
from guiapp.training.search import Search, carry_out
from guiapp.training.search_plan import make_plan, settings_of
from guiapp.training.search_record import SearchFolder, Trial, list_searches
from guiapp.training.search_space import parse_axis

KNN, LINEAR = EXPERIMENTS["knn"], EXPERIMENTS["linear-classifier"]
DIGITS = {"dataset": "digits"}
SMALL = {**DIGITS, "data.share": 0.1, "augmentation": "none", "device": "cpu", "threads": 1}


def rates(text="0.001,0.01,0.1,10"):
    return [parse_axis("optimiser.lr", text)]


def figures(folder: SearchFolder):
    return [(t.configuration, t.repeat, t.state, t.epochs, t.rungs) for t in folder.trials]


def test_a_grid_with_folds_trains_every_point_on_every_fold(tmp_path):
    plan = make_plan(KNN, DIGITS, [parse_axis("model.k", "1,25")], folds=3)
    folder = SearchFolder.create(tmp_path / "s", plan)
    assert carry_out(KNN, folder) == "done"
    found = SearchFolder.open(tmp_path / "s")
    assert figures(found) == figures(folder) and found.state == "done" and found.share == 1.0
    assert len(found.trials) == 6 and [s.count for s in found.ranked()] == [3, 3]
    held = [RunFolder.open(found.path / t.folder) for t in found.trials]
    assert [run.info["recipe"]["data"]["fold"] for run in held] == [1, 2, 3] * 2
    assert len({tuple(run.info["preprocessing"]["mean"]) for run in held}) == 3
    assert all("test" not in run.info["summary"] for run in held)
    assert [s.path for s in list_searches(tmp_path)] == [found.path]


def test_halving_takes_the_best_of_each_rung_further_and_leaves_the_others_resumable(tmp_path):
    plan = make_plan(LINEAR, {**SMALL, "epochs": 4}, rates(), halving=2)
    folder = SearchFolder.create(tmp_path / "s", plan)
    assert plan.rungs == [1, 2, 4] and carry_out(LINEAR, folder) == "done"
    assert [t.epochs for t in folder.trials].count(4) == 1 and sorted(t.epochs for t in folder.trials) == [1, 1, 2, 4]
    first = {t.configuration: t.rungs["1"] for t in folder.trials}
    best = sorted(first, key=lambda c: (-first[c][0], first[c][1]))[:2]
    assert folder.alive(1) == sorted(best) == sorted(t.configuration for t in folder.trials if t.epochs > 1)
    assert folder.ranked()[0].epochs == 4 and folder.epochs == folder.planned_epochs == 8
    states = {t.state for t in folder.trials if t.epochs < 4}
    assert states == {"stopped"} and RunFolder.open(folder.path / folder.trials[0].folder).state in ("stopped", "done")


def test_a_search_that_is_killed_goes_on_to_the_same_figures(tmp_path):
    """kill -9 within a run; the same search in one go gives the same figures, bit for bit."""
    plan = make_plan(LINEAR, {**SMALL, "epochs": 12, "checkpoint_seconds": 0.1}, rates("0.001,0.01,0.1"))
    whole = SearchFolder.create(tmp_path / "whole", plan)
    carry_out(LINEAR, whole)
    killed = SearchFolder.create(tmp_path / "killed", plan)
    killed.release()
    command = [sys.executable, "-m", "guiapp", "search", "--resume", str(killed.path)]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if len(SearchFolder.open(killed.path).trials) >= 2:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    opened = SearchFolder.open(killed.path)
    assert opened.state == "interrupted" and opened.resumable and len(opened.trials) <= 3
    assert carry_out(LINEAR, opened) == "done"
    assert figures(opened) == figures(whole)
    for trial in whole.trials:
        rows = [
            [(r["epoch"], r["train"], r["validation"]) for r in RunFolder.open(s.path / trial.folder).epochs()]
            for s in (whole, opened)
        ]
        assert rows[0] == rows[1]


def test_stopping_and_budgets_end_within_a_run_and_the_rest_follows(tmp_path):
    plan = make_plan(LINEAR, {**SMALL, "epochs": 3}, rates("0.01,0.1"), budget="4epochs")
    folder = SearchFolder.create(tmp_path / "s", plan)
    search = Search(LINEAR, folder)
    events = search.events()
    next(events)
    with pytest.raises(UserError, match="another process"):
        next(Search(LINEAR, SearchFolder.open(folder.path)).events())
    search.stop()
    assert finish(events) == "stopped" and folder.trials[0].state == "stopped" and folder.trials[0].epochs == 0
    assert carry_out(LINEAR, folder) == "spent" and folder.epochs == 4
    assert [(t.epochs, t.state) for t in folder.trials] == [(3, "done"), (1, "stopped")]
    again = SearchFolder.open(folder.path)
    assert again.resumable and "4epochs" in again.reason
    again.set_budget("")
    (again.path / "stop").touch()  # an old wish does not hold for those who go on
    assert carry_out(LINEAR, again) == "done" and not (again.path / "stop").exists()
    again = SearchFolder.create(tmp_path / "t", make_plan(KNN, DIGITS, [parse_axis("model.k", "1,2")], budget="1run"))
    assert carry_out(KNN, again) == "spent" and len(again.trials) == 1


def test_the_folder_carries_the_wish_to_stop_between_processes(tmp_path, monkeypatch):
    monkeypatch.setattr("guiapp.training.search._LOOK_SECONDS", 0.0)
    folder = SearchFolder.create(tmp_path / "s", make_plan(LINEAR, {**SMALL, "epochs": 3}, rates("0.01,0.1")))
    events = Search(LINEAR, folder).events()
    next(events)
    SearchFolder.open(folder.path).ask_to_stop()
    assert finish(events) == "stopped" and not (folder.path / "stop").exists()


def test_a_run_that_cannot_be_fails_alone(tmp_path):
    plan = make_plan(KNN, DIGITS, [parse_axis("model.k", "0,3")])
    folder = SearchFolder.create(tmp_path / "s", plan)
    assert carry_out(KNN, folder) == "done"
    assert [t.state for t in folder.trials] == ["failed", "done"] and "at least 1" in folder.trials[0].error
    assert [s.settings for s in folder.ranked()] == [{"model.k": 3}]


def test_a_finer_search_is_about_the_best_of_a_coarse_one(tmp_path):
    axes = [parse_axis("optimiser.lr", "0.001..1"), parse_axis("optimiser.name", "sgd,adam")]
    plan = make_plan(LINEAR, DIGITS, varied=axes, trials=3)
    coarse = SearchFolder.create(tmp_path / "s", plan)
    with pytest.raises(UserError, match="no run"):
        coarse.finer()
    coarse.trials = [Trial(n + 1, n, 0, "done", 15, {"15": (0.5 + 0.1 * (n == 1), 1.0)}) for n in range(3)]
    best = plan.configurations[1]
    fixed, varied, held = coarse.finer()
    assert not fixed and held == {"optimiser.name": best["optimiser.name"]}
    assert varied[0].name == "optimiser.lr" and varied[0].low < best["optimiser.lr"] < varied[0].high


@pytest.mark.parametrize(
    ("settings", "more", "words"),
    [
        ({}, {}, "nothing to search"),
        ({"optimiser.lr": 1}, {"fixed": rates()}, "both set and varied"),
        ({}, {"fixed": rates(), "varied": rates()}, "varied twice"),
        ({}, {"fixed": [parse_axis("optimiser.rate", "1,2")]}, "no setting 'optimiser.rate'"),
        ({}, {"fixed": [parse_axis("model.width", "1,2")]}, "no option 'width'"),
        ({}, {"fixed": [parse_axis("optimiser.lr", "-1,2")]}, "lies between"),
        ({"seed": 1}, {"fixed": rates(), "seeds": 2}, "both set and repeated"),
        ({"epochs": 2}, {"fixed": rates(), "halving": 3}, "at least 3 epochs"),
        ({}, {"fixed": rates(), "budget": "much"}, "a budget is"),
        ({}, {"fixed": [parse_axis("epochs", "3,9")], "halving": 3}, "do not vary epochs"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_run(settings, more, words):
    with pytest.raises(SettingError, match=words):
        make_plan(LINEAR, settings, **more)


def test_settings_of_a_run_are_those_of_search_configuration_and_repetition():
    plan = make_plan(LINEAR, {"batch": 7}, rates("0.1,1"), folds=4, seeds=2)
    assert len(plan.repeats) == 8
    assert settings_of(plan, 1, 3) == {
        "batch": 7, "data.folds": 4, "optimiser.lr": 1, "data.fold": 2, "seed": 1,
    }  # fmt: skip


def test_a_torn_or_newer_file_is_no_search(tmp_path):
    for text, words in (("{", "cannot be read"), (json.dumps({"format": 99}), "newer version")):
        (tmp_path / "search.json").write_text(text)
        with pytest.raises(UserError, match=words):
            SearchFolder.open(tmp_path)


def test_a_published_network_with_a_new_head_can_be_searched():
    plan = make_plan(EXPERIMENTS["transfer-learning"], DIGITS, rates("0.01,0.1"))
    assert len(plan.configurations) == 2
