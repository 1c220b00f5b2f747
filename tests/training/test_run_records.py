"""Runs as rows: columns, filters, sorting, differences, groups, bias and variance, against counting by hand."""

import csv
import io
import json
import math
import statistics

import numpy as np
import pytest

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError, UserError
from guiapp.training import run_records
from guiapp.training.bias_variance import decompose, measure
from guiapp.training.evaluation import finish
from guiapp.training.run_groups import by_settings, groups_of, spread
from guiapp.training.run_records import (
    check_columns,
    check_filter,
    columns_of,
    csv_text,
    differing,
    in_order,
    matches,
    read,
    read_all,
    run_folders,
    shown_columns,
)
from guiapp.training.search import carry_out
from guiapp.training.search_plan import make_plan
from guiapp.training.search_record import SearchFolder
from guiapp.training.search_space import parse_axis


def write(parent, name, rates=0.1, accuracies=(0.5, 0.9, 0.8), train=0.95, **changes):
    """A run folder by hand; ``changes`` go into its recipe, or with ``_`` before them into run.json."""
    folder = parent / name
    folder.mkdir(parents=True)
    inner = {k: v for k, v in changes.items() if not k.startswith("_")}
    recipe = {"optimiser": {"name": "sgd", "lr": rates}, "epochs": 3, "seed": 0, "keep": "best", "threads": 0, **inner}
    info = {"format": 1, "name": name, "state": "done", "created": f"2024-03-0{len(name)}T10:00:00+00:00", "dataset":
            "digits", "model": "mlp", "model_options": {}, "experiment": {"id": "mlp"}, "recipe": recipe,
            "initial_loss": 2.3, **{k[1:]: v for k, v in changes.items() if k.startswith("_")}}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(info))
    rows = [
        {"epoch": i, "step": 5 * i, "train": {"accuracy": train, "loss": 0.1}, "seconds": 2.0,
         "validation": {"accuracy": a, "loss": 1 - a}}
        for i, a in enumerate(accuracies, 1)
    ]  # fmt: skip
    (folder / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def three(tmp_path):
    write(tmp_path, "a", 0.1)
    write(tmp_path, "bb", 0.01, (0.2, 0.4), seed=1, _model_options={"hidden": 8})
    write(tmp_path, "ccc", 1.0, (), keep="last", threads=2, _state="failed")
    return sorted(finish(read_all(run_folders([tmp_path]))), key=lambda r: r.name)


def test_figures_are_those_of_the_weights_that_are_kept(tmp_path):
    best, last = read(write(tmp_path, "a")), read(write(tmp_path, "b", keep="last"))
    assert best.figures["validation.accuracy"] == 0.9 and last.figures["validation.accuracy"] == 0.8
    assert best.figures["gap"] == pytest.approx(0.95 - 0.8) and best.figures["best.epoch"] == 2
    assert best.figures["seconds"] == 6.0 and best.figures["first.loss"] == 2.3 and best.figures["steps"] == 15


def test_any_setting_is_a_column_options_with_their_defaults(three):
    assert [r.value("model.hidden") for r in three] == [64, 8, 64]
    assert [r.value("optimiser.lr") for r in three] == [0.1, 0.01, 1.0]
    assert {"optimiser.name", "epochs", "dataset", "validation.loss", "created"} <= set(columns_of(three))
    assert check_columns(three, ["lr", "validation.accuracy"]) == ["optimiser.lr", "validation.accuracy"]
    with pytest.raises(SettingError, match="no run has a column depth"):
        check_columns(three, ["depth"])


def test_settings_that_differ_without_those_that_decide_nothing(three):
    assert differing(three) == ["model.hidden", "optimiser.lr", "keep", "seed"]
    assert shown_columns(three)[2:6] == ["model.hidden", "optimiser.lr", "keep", "seed"]
    assert differing(three[:1]) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["a", "bb", "ccc"]), ("lr<0.5", ["a", "bb"]), ("optimiser.lr>=0.1", ["a", "ccc"]), ("failed", ["ccc"]),
        ("validation.accuracy>0.3 seed=0", ["a"]), ("hidden!=64", ["bb"]), ("optimiser.name=SGD lr=1", ["ccc"]),
        ("nonsense<3", []), ("lr<none", []), ("mlp", ["a", "bb", "ccc"]),
    ],
)  # fmt: skip
def test_filters(three, text, names):
    assert [r.name for r in three if matches(r, text)] == names


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense<3", "no run has a column nonsense"), ("mlp lr<<3", "'<3' is no number"), ("lr<none", "no number"),
        ("accuracy>0.5", "several columns: .*validation.accuracy"),
    ],
)  # fmt: skip
def test_filters_that_mean_nothing_are_said(three, text, reason):
    with pytest.raises(SettingError, match=reason):
        check_filter(three, text)
    check_filter(three, "mlp lr<0.5 optimiser.name=sgd validation.accuracy>=1e-3")
    check_filter([], "nonsense<3")


def test_sorting_leaves_runs_without_a_value_last(three):
    assert [r.name for r in in_order(three, "validation.accuracy")] == ["bb", "a", "ccc"]
    assert [r.name for r in in_order(three, "validation.accuracy", True)] == ["a", "bb", "ccc"]
    assert [r.name for r in in_order(three, "name", True)] == ["ccc", "bb", "a"]


def test_csv_has_full_precision(tmp_path):
    record = read(write(tmp_path, "a", 1 / 3))
    rows = list(csv.reader(io.StringIO(csv_text([record], ["name", "optimiser.lr", "test.accuracy"]))))
    assert rows == [["name", "optimiser.lr", "test.accuracy"], ["a", repr(1 / 3), ""]]


def test_what_has_not_changed_is_not_read_again(three, tmp_path, monkeypatch):
    known, seen = {r.folder: r for r in three}, []
    write(tmp_path, "dddd")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text("{")
    real = run_records.read
    monkeypatch.setattr(run_records, "read", lambda folder: seen.append(folder.name) or real(folder))
    assert len(finish(read_all(run_folders([tmp_path]), known))) == 4
    assert sorted(seen) == ["dddd", "torn"]
    with pytest.raises(UserError, match="no run in"):
        run_folders([tmp_path / "nothing"])


def test_groups_are_runs_that_differ_in_seed_fold_or_draw_alone(tmp_path):
    values = (0.8, 0.9, 0.94)
    for seed, value in enumerate(values):
        write(tmp_path, f"a{seed}", 0.1, (value,) * 3, seed=seed, data={"fold": seed + 1, "folds": 3})
    write(tmp_path, "b", 0.01, (0.5,) * 3, data={"fold": 1, "folds": 3})
    write(tmp_path, "short", 0.1, (0.1,), seed=9, data={"fold": 1, "folds": 3}, _state="stopped")
    groups = groups_of(finish(read_all(run_folders([tmp_path]))))
    (many,) = [g for g in groups if len(g.runs) > 1]
    found = many.figures["validation.accuracy"]
    assert len(many.runs) == 3 and set(many.repeats) == {"seed", "data.fold"} and many.label == "lr 0.1"
    assert found.mean == pytest.approx(np.mean(values)) and found.deviation == pytest.approx(np.std(values, ddof=1))
    assert found.error == pytest.approx(statistics.stdev(values) / math.sqrt(3)) and (found.low, found.high) == (
        0.8,
        0.94,
    )
    assert [g.settings["optimiser.lr"] for g in by_settings(groups)] == [0.01, 0.1]
    assert math.isnan(spread([]).mean) and math.isnan(spread([1.0]).deviation)


def test_error_is_bias_and_variance():
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(3), (5, 40))
    truth = random.integers(0, 3, 40)
    found = decompose(p, truth)
    assert found.error == pytest.approx(found.bias + found.variance) and found.variance > 0
    brier = np.mean([[((p[r, n] - np.eye(3)[truth[n]]) ** 2).sum() for n in range(40)] for r in range(5)])
    assert found.error == pytest.approx(brier) and found.wrong == pytest.approx((p.argmax(2) != truth).mean())
    equal = decompose(np.stack([p[0]] * 4), truth)
    assert equal.variance == pytest.approx(0) and equal.disagreement == 0 and equal.wrong == equal.wrong_together


def test_few_neighbours_vary_and_many_are_biased(tmp_path):
    """The text-book case, measured: repeated fits of nearest neighbours on small draws."""
    knn = EXPERIMENTS["knn"]
    plan = make_plan(knn, {"dataset": "digits", "data.share": 0.1}, [parse_axis("model.k", "1,40")], draws=2)
    folder = SearchFolder.create(tmp_path / "s", plan)
    carry_out(knn, folder)
    records = finish(read_all(run_folders([tmp_path / "s"])))
    groups = by_settings(groups_of(records))
    assert [g.label for g in groups] == ["k 1", "k 40"] and {r.about["search"] for r in records} == {"s"}
    few, many = finish(measure([[r.folder for r in g.runs] for g in groups]))
    assert few.variance > many.variance and few.bias < many.bias and few.fits == 2
    mean = statistics.fmean(1 - r.figures["validation.accuracy"] for r in groups[0].runs)
    assert few.wrong == pytest.approx(mean)
    with pytest.raises(UserError, match="two fits"):
        finish(measure([[records[0].folder]]))
