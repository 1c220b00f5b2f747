"""From a catalogue entry and the person's settings to a run, and back from its folder."""

import pytest
import torch

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import SettingError, UserError
from guiapp.training.run_folder import RunFolder, list_runs
from guiapp.training.setup import from_run, prepare

ENTRY = Experiment(
    "e",
    "c",
    "Title",
    (),
    "mlp",
    "digits",
    "summary",
    recipe={"optimiser.lr": 0.02, "epochs": 7},
    by_dataset={"mnist": {"epochs": 3}, "digits": {"epochs": 99}},
    model_options={"hidden": 20},
)


def test_settings_come_after_the_experiment_after_the_defaults():
    setup = prepare(ENTRY, {"batch": "32", "optimiser": "adam", "optimiser.beta1": "0.8"})
    assert (setup.recipe.batch, setup.recipe.epochs, setup.recipe.optimiser.lr) == (32, 7, 0.02)
    assert (setup.recipe.optimiser.name, setup.recipe.optimiser.beta1) == ("adam", 0.8)
    assert setup.recipe.augmentation.name == setup.dataset.augmentation == "handwriting"
    assert setup.classes == tuple("0123456789") and setup.preprocessing.size == (1, 8, 8)


def test_another_data_set_brings_its_own_fields_before_the_settings(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    assert prepare(ENTRY, {"dataset": "mnist"}).recipe.epochs == 3
    setup = prepare(ENTRY, {"dataset": "mnist", "epochs": 5})
    assert setup.recipe.epochs == 5 and setup.dataset.name == "mnist"


def test_options_of_the_network():
    assert prepare(ENTRY).build_model().state_dict()["fc1.weight"].shape == (20, 64)
    setup = prepare(ENTRY, {"model.hidden": "12", "model.activation": "relu"})
    assert setup.model_options == {"hidden": 12, "activation": "relu"}
    other = prepare(ENTRY, {"model": "linear"})
    assert other.entry.name == "linear" and other.model_options == {}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learning_rate": 1}, "no setting 'learning_rate'"),
        ({"model": "lenet"}, "lenet5"),
        ({"model.depth": 3}, "no option 'depth'; it has: hidden"),
        ({"model.hidden": "many"}, "model.hidden takes a value of type int"),
        ({"augmentation": "mixup"}, "handwriting"),
        ({"optimiser.lr": "-1"}, "lies between"),
    ],
)
def test_wrong_settings_are_named(settings, words):
    with pytest.raises(SettingError, match=words):
        prepare(ENTRY, settings)


def test_the_seed_decides_the_fresh_weights(same_weights):
    one, two, other = (prepare(ENTRY, {"seed": seed}) for seed in (1, 1, 2))
    first = one.build_model().state_dict()
    torch.rand(9)
    assert same_weights(first, two.build_model().state_dict())
    assert not same_weights(first, other.build_model().state_dict())


def test_a_run_folder_gives_the_setup_back(tmp_path, same_weights):
    setup = prepare(ENTRY, {"batch": 40, "model.hidden": 11, "seed": 3})
    folder = RunFolder.create(tmp_path / "run", setup, exact=True)
    folder.release()
    again = from_run(tmp_path / "run")
    for name in ("recipe", "experiment", "preprocessing", "classes", "entry", "settings", "model_options"):
        assert getattr(again, name) == getattr(setup, name), name
    assert again.dataset.name == "digits"
    assert same_weights(again.build_model().state_dict(), setup.build_model().state_dict())
    assert from_run(tmp_path / "run", settings={"epochs": 50}).recipe.epochs == 50


def test_new_folders_have_names_of_their_own(tmp_path):
    setup = prepare(ENTRY)
    folders = [RunFolder.create(tmp_path, setup) for _ in range(3)]
    assert len({f.path for f in folders}) == 3
    assert all(f.path.parent == tmp_path and "e-digits" in f.path.name for f in folders)
    for folder in folders:
        folder.release()
    assert {f.path for f in list_runs(tmp_path)} == {f.path for f in folders}
    assert next(iter(list_runs(tmp_path))).state == "new"


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingError, match="not empty"):
        RunFolder.create(tmp_path, prepare(ENTRY), exact=True)
    with pytest.raises(UserError, match=r"no run\.json"):
        RunFolder.open(tmp_path)


def test_a_folder_of_a_newer_version_or_broken_is_said_plainly(tmp_path):
    run = tmp_path / "run"  # beside tmp_path lie the folders of other tests, some of them runs
    run.mkdir()
    (run / "run.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match="newer version"):
        RunFolder.open(run)
    (run / "run.json").write_text('{"format": ')
    with pytest.raises(UserError, match="cannot be read"):
        RunFolder.open(run)
    assert list(list_runs(tmp_path)) == []


def test_weights_that_ship_are_for_looking_at_that_very_network():
    with_weights = Experiment("e", "c", "t", (), "mlp", "digits", "s", weights="nowhere.safetensors")
    assert prepare(ENTRY).initial_weights() is None
    assert prepare(with_weights, {"model": "linear"}).initial_weights() is None
    with pytest.raises(UserError, match=r"nowhere\.safetensors"):
        prepare(with_weights)


def test_a_run_of_an_entry_with_weights_keeps_their_way_of_reading_drawings(tmp_path):
    from guiapp.catalogue import EXPERIMENTS

    with_weights = next(e for e in EXPERIMENTS.values() if e.weights is not None)
    setup = prepare(with_weights)
    assert set(setup.initial_weights()) == set(setup.build_model().state_dict())
    RunFolder.create(tmp_path / "run", setup, exact=True).release()
    again = from_run(tmp_path / "run")
    assert again.preprocessing == setup.preprocessing
    assert again.dataset.from_drawing is setup.dataset.from_drawing is not None
