"""Settings that change the network: through runs and their folders, refused where they have no place."""

import itertools

import pytest
import torch

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError
from guiapp.training import checkpoints
from guiapp.training.load import load_run
from guiapp.training.preparation import largest
from guiapp.training.recipe import as_dict, from_dict
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.setup import from_run, prepare

DIGITS = {"dataset": "digits", "epochs": 1, "augmentation": "none", "device": "cpu", "batch": 256, "threads": 1}
ALL = {
    "model": "mlp",
    "preprocessing": "whitening",
    "preprocessing.components": 32,
    "initialisation": "kaiming",
    "normalisation": "batch",
    "leave_out.dropout": 0.2,
    "leave_out.dropconnect": 0.2,
}


def setup_of(**changes):
    return prepare(EXPERIMENTS["mlp"], {**DIGITS, **changes})


def run(setup, path, resume=False, most=None):
    folder = RunFolder.open(path) if resume else RunFolder.create(path, setup, exact=True)
    runner = Runner(setup, folder, resume=resume)
    for _ in itertools.islice(runner.events(), most):
        pass
    return runner


def test_defaults_change_nothing():
    setup = setup_of()
    torch.manual_seed(setup.recipe.seed)
    plain = setup.entry.make(setup.preprocessing, 10, **setup.model_options)
    for ours, theirs in zip(setup.build_model().parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_run_with_every_change_goes_on_bit_for_bit_and_opens_again(tmp_path):
    settings = {**ALL, "epochs": 2}
    whole = run(setup_of(**settings), tmp_path / "whole")
    whole.close()
    stopped = run(setup_of(**settings), tmp_path / "parts", most=7)
    stopped.close()
    resumed = run(from_run(tmp_path / "parts"), tmp_path / "parts", resume=True)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    resumed.close()
    setup, model = load_run(tmp_path / "whole")
    assert setup.preprocessing.mean == (0.0,) and setup.preprocessing.std == (1.0,)
    assert model.prepare.axes.shape == (64, 32)
    last = checkpoints.listed(tmp_path / "whole" / "checkpoints")[-1]
    assert last == whole.trainer.step
    assert from_dict(as_dict(setup.recipe)) == setup.recipe


def test_the_whitened_training_part_has_the_identity_as_covariance_along_the_kept_axes():
    setup = setup_of(**{"preprocessing": "whitening", "preprocessing.components": 20, "preprocessing.epsilon": 1e-8})
    layer = setup.build_model().prepare
    images = setup.preprocessing(setup.dataset.train.images)
    along = layer(images).flatten(1) @ layer.axes
    assert torch.allclose(along.T @ along / len(along), torch.eye(20), atol=1e-3)


def test_what_is_subtracted_comes_from_the_training_part():
    setup = setup_of(preprocessing="mean-image")
    model = setup.build_model()
    plain = torch.from_numpy(setup.dataset.train.images).float().mean(0).permute(2, 0, 1) / 255
    assert torch.allclose(model.prepare.mean, plain, atol=1e-5)
    assert setup_of(preprocessing="centre").preprocessing.std == (1.0,)
    assert setup_of(preprocessing="none").preprocessing.mean == (0.0,)
    channels = setup_of(preprocessing="channels")
    assert channels.preprocessing.mean == channels.dataset.mean


def test_largest_eigenvalues_of_a_large_matrix_are_those_of_all(monkeypatch):
    monkeypatch.setattr("guiapp.training.preparation._SMALL", 100)
    torch.manual_seed(0)
    basis = torch.linalg.qr(torch.randn(300, 300))[0]
    values = torch.arange(1, 301, dtype=torch.float32) ** -1.5
    matrix = (basis * values) @ basis.T
    found, vectors = largest(matrix.double(), 20)
    assert torch.allclose(found.float(), values[:20], rtol=1e-3)
    assert torch.allclose(vectors.T @ vectors, torch.eye(20), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model": "linear", "initialisation": "kaiming"}, "no hidden layer"),
        ({"model": "knn", "normalisation": "batch"}, "only remembers"),
        ({"model": "lenet5", "leave_out.depth": 0.5}, "no shortcuts"),
        ({"normalisation": "batch", "batch": 1}, "batch of one"),
        ({"leave_out.dropout": 1.5}, "between"),
    ],
)
def test_settings_without_a_place_are_refused(changes, word):
    with pytest.raises(SettingError, match=word):
        setup_of(**changes).build_model()


def test_a_run_keeps_the_network_it_began_with(tmp_path):
    run(setup_of(), tmp_path / "run", most=2).close()
    with pytest.raises(SettingError, match="keeps the one it began with"):
        from_run(tmp_path / "run", settings={"normalisation": "batch"})


@pytest.mark.learning
def test_deep_relu_layers_learn_with_kaimings_weights_and_not_with_xaviers(tmp_path):
    found = {}
    for rule in ("kaiming", "xavier"):
        setup = prepare(EXPERIMENTS["weight-initialisation"], {"initialisation": rule, "device": "cpu"})
        runner = run(setup, tmp_path / rule)
        found[rule] = runner.epochs[-1]["validation"]["accuracy"]
        runner.close()
    assert found["kaiming"] > 0.85 and found["xavier"] < 0.2


@pytest.mark.learning
def test_batch_normalisation_bears_a_rate_that_breaks_the_plain_network(tmp_path):
    from guiapp.training.runner import Diverged

    settings = {"device": "cpu", "threads": 1}
    runner = run(prepare(EXPERIMENTS["normalisation"], settings), tmp_path / "batch")
    runner.close()
    assert runner.epochs[-1]["validation"]["accuracy"] > 0.9
    setup = prepare(EXPERIMENTS["normalisation"], {**settings, "normalisation": "own"})
    plain = Runner(setup, RunFolder.create(tmp_path / "own", setup, exact=True))
    with pytest.raises(Diverged):
        for _ in plain.events():
            pass
    plain.close()
