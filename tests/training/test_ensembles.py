"""Ensembles: figures against hand computation, members of one run and of several, and the command."""

import json
import math

import numpy as np
import pytest
import torch

from guiapp.cli import main
from guiapp.core.notices import SettingError
from guiapp.training.averages import MEMBERS
from guiapp.training.ensembles import Member, Together, measuring, members_of, votes
from guiapp.training.evaluation import evaluate, finish
from guiapp.training.looks import read_looks

P = np.array(
    [
        [[0.6, 0.4, 0.0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2]],
        [[0.1, 0.9, 0.0], [0.3, 0.4, 0.3], [0.4, 0.3, 0.3], [0.1, 0.8, 0.1]],
        [[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]],
    ],
    np.float32,
)
TRUTH = np.array([0, 1, 2, 1])


@pytest.fixture
def together():
    return Together(("a", "b", "c"), P, TRUTH, ("x", "y", "z"), "validation", "none")


def test_members_and_their_mean_are_measured_as_by_hand(together):
    assert [member.accuracy for member in together.members] == [0.75, 0.5, 0.75]
    mean, most = together.answers
    by_hand = P.astype(np.float64).mean(0)
    assert np.allclose(together.mean, by_hand)
    assert mean.accuracy == (by_hand.argmax(1) == TRUTH).mean() == 1.0
    assert mean.loss == pytest.approx(-np.log(by_hand[np.arange(4), TRUTH]).mean())
    assert most.accuracy == 1.0  # two of three are right about every sample
    assert math.isnan(most.loss)
    assert together.members[0].loss == pytest.approx(-np.log([0.6, 0.7, 0.8, 0.3]).mean())


def test_a_tie_of_votes_goes_to_the_larger_mean():
    said = votes(np.array([[[0.6, 0.4]], [[0.1, 0.9]]], np.float32))
    assert np.allclose(said, [[(1 + 0.35) / 3, (1 + 0.65) / 3]])


def test_disagreement_and_the_samples_behind_a_cell(together):
    expected = [[0, 0.75, 0.5], [0.75, 0, 0.75], [0.5, 0.75, 0]]
    assert np.allclose(together.disagreement, expected)
    assert together.different(0, 2).tolist() == [1, 3]
    assert together.different(1, 1).tolist() == [0, 2]


def test_growth_is_the_mean_over_all_subsets(together):
    pairs = [P[[i, j]].mean(0).argmax(1) for i, j in ((0, 1), (0, 2), (1, 2))]
    right = [float((said == TRUTH).mean()) for said in pairs]
    one, two, three = together.growth
    assert one == (pytest.approx(2 / 3), 0.5, 0.75)
    assert two == (pytest.approx(np.mean(right)), min(right), max(right))
    assert three == (1.0, 1.0, 1.0)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Trains on the digits through the command line; gives the folder."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def train(name, *settings):
        fields = ["dataset=digits", "model.hidden=6", "augmentation=none", "optimiser.lr=0.1", "threads=1", *settings]
        arguments = [part for field in fields for part in ("--set", field)]
        assert main(["train", "mlp", "--run-dir", str(tmp_path / name), *arguments]) == 0
        return tmp_path / name

    return train


def test_several_runs_together(runs, capsys):
    folders = [runs(name, "epochs=2", f"seed={seed}") for seed, name in enumerate("ab")]
    capsys.readouterr()
    assert main(["ensemble", *map(str, folders), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [line["name"] for line in told["members"]] == ["a", "b"]
    summary = [json.loads((folder / "run.json").read_text())["summary"] for folder in folders]
    for line, known in zip(told["members"], summary, strict=True):
        assert line["accuracy"] == pytest.approx(known["validation"]["accuracy"])
        assert line["loss"] == pytest.approx(known["validation"]["loss"], rel=1e-4)
    assert [line["name"] for line in told["together"]] == ["mean probabilities", "most votes"]
    before = [len(read_looks(folder)) for folder in folders]
    found = finish(measuring(members_of(folders), "test", "evaluate"))
    assert found.looks == tuple(count + 1 for count in before)
    assert [len(read_looks(folder)) for folder in folders] == list(found.looks)
    assert read_looks(folders[0])[-1]["accuracy"] == found.answers[0].accuracy


def test_one_run_is_an_ensemble_of_its_cycles(runs):
    folder = runs("c", "epochs=6", "schedule.cycles=3", "members=cycles", "average=cycles")
    members = members_of([folder])
    assert len(members) == 3
    assert [member.step for member in members_of([folder], last=2)] == [member.step for member in members[1:]]
    found = finish(measuring(members))
    names = [figures.name for figures in found.answers]
    assert names == ["mean probabilities", "most votes", "mean weights", "the run itself"]
    from safetensors.torch import load_file

    from guiapp.training.data import TrainingData
    from guiapp.training.load import load_run

    setup, model = load_run(folder)
    kept = [load_file(file) for file in sorted((folder / MEMBERS).iterdir())]
    model.load_state_dict({name: sum(one[name] for one in kept) / 3 for name in kept[0]})
    data = TrainingData(setup, torch.device("cpu"))
    expected = evaluate(model, setup.task, data.batches("validation"))
    assert found.answers[2].accuracy == expected.accuracy
    assert found.answers[2].loss == pytest.approx(expected.loss, rel=1e-4)


def test_what_cannot_be_an_ensemble_is_refused(runs, tmp_path, monkeypatch):
    folder = runs("d", "epochs=1")
    with pytest.raises(SettingError, match="has kept no weights"):
        members_of([folder])
    with pytest.raises(SettingError, match="twice"):
        members_of([folder, folder])
    assert main(["ensemble", str(folder), str(tmp_path / "none")]) == 2
    from guiapp.training.load import load_run

    setup, model = load_run(folder)
    from guiapp.training.recipe import change

    others = iter([setup.with_recipe(change(setup.recipe, {"data.folds": 3, "data.fold": fold})) for fold in (1, 2)])
    monkeypatch.setattr("guiapp.training.ensembles.load_run", lambda run: (next(others), model))
    with pytest.raises(SettingError, match="folds differ"):
        finish(measuring([Member("one", folder), Member("two", folder)]))
