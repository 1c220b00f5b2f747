"""A recipe that goes through a file says the same, and a file that is wrong is refused in one line."""

import json

import pytest

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError, UserError
from guiapp.training.recipe_file import OF_THE_MACHINE, content, read_recipe, write_recipe
from guiapp.training.setup import prepare

SETTINGS = {
    "dataset": "digits", "schedule": "one-cycle", "optimiser.lr": 0.02, "penalty": "l1", "epochs": 3,
    "device": "cpu", "threads": 1, "model.hidden": "40",
}  # fmt: skip


@pytest.fixture
def given():
    return prepare(EXPERIMENTS["mlp"], SETTINGS)


def test_a_round_through_a_file_gives_the_same_run(given, tmp_path):
    path = tmp_path / "mine.recipe.json"
    write_recipe(path, given)
    found = read_recipe(path)
    assert found.experiment == "mlp"
    again = prepare(EXPERIMENTS["mlp"], {**found.for_experiment(EXPERIMENTS["mlp"]), "device": "cpu", "threads": 1})
    assert again.recipe == given.recipe
    assert (again.entry, again.dataset_name, again.preprocessing) == (
        given.entry, given.dataset_name, given.preprocessing,
    )  # fmt: skip
    assert dict(again.model_options) == dict(given.model_options)


def test_only_what_differs_is_set_so_that_an_exhibit_keeps_its_weights(tmp_path):
    lenet = EXPERIMENTS["lenet5"]
    path = tmp_path / "plain.recipe.json"
    write_recipe(path, prepare(lenet, {"dataset": "digits"}))
    assert read_recipe(path).for_experiment(lenet).keys() <= {"dataset", "model", "augmentation.name"}


def test_the_recipe_alone_goes_to_another_experiment(given, tmp_path):
    path = tmp_path / "mine.recipe.json"
    write_recipe(path, given)
    settings = read_recipe(path).for_experiment(EXPERIMENTS["lenet5"])
    assert settings["schedule.name"] == "one-cycle" and settings["penalty.name"] == "l1"
    assert not [name for name in settings if name.startswith(("model", "dataset"))]


def test_what_belongs_to_the_machine_stays_there(given):
    assert not set(OF_THE_MACHINE) & content(given)["recipe"].keys()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda d: d.update(format=2), UserError, "newer version"),
        (lambda d: d["recipe"]["optimiser"].update(speed=1), SettingError, "speed"),
        (lambda d: d["recipe"].update(epochs=-1), SettingError, "epochs"),
        (lambda d: d.pop("recipe"), UserError, "not a recipe"),
    ],
)
def test_a_wrong_file_is_refused(given, tmp_path, change, error, says):
    data = content(given)
    change(data)
    path = tmp_path / "wrong.recipe.json"
    path.write_text(json.dumps(data))
    with pytest.raises(error, match=says):
        read_recipe(path)


def test_no_file_and_no_json_are_refused(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_recipe(tmp_path / "none.recipe.json")
    path = tmp_path / "text.recipe.json"
    path.write_text("lr = 0.1")
    with pytest.raises(UserError, match="cannot be read"):
        read_recipe(path)
