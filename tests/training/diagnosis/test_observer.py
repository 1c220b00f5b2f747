"""Observation of a run: it changes nothing, its numbers are those of a plain computation, and it survives a kill."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.catalogue import EXPERIMENTS
from guiapp.datasets.base import Samples
from guiapp.models.base import ModelEntry
from guiapp.training.diagnosis import record
from guiapp.training.diagnosis.figures import figures_of
from guiapp.training.diagnosis.findings import findings
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.setup import prepare

FIELDS = {"observe__name": "on", "observe__every": 4}


def train(setup, folder, stop=None):
    runner = Runner(setup, RunFolder.create(folder, setup, exact=True))
    events = runner.events()
    for _ in events:
        if stop is not None and runner.trainer.step == stop:
            break
    events.close()
    weights = {name: tensor.clone() for name, tensor in runner.model.state_dict().items()}
    runner.close()
    return weights


def dense(channels, height, width, classes):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(),
        nn.Linear(5, classes),
    )  # fmt: skip


@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
def test_a_run_that_is_observed_ends_with_the_same_weights_bit_for_bit(make_setup, tmp_path, same_weights, optimiser):
    plain = train(make_setup(optimiser__name=optimiser, keep="last"), tmp_path / "plain")
    seen = train(make_setup(optimiser__name=optimiser, keep="last", **FIELDS), tmp_path / "seen")
    assert same_weights(plain, seen)
    assert record.read(tmp_path / "plain") is None
    found = record.read(tmp_path / "seen")
    assert found.steps.tolist() == [1, 2, 4, 8, 12, 16, 20]
    assert [layer.name for layer in found.layers] == ["0", "4", "6"]
    assert [layer.activation for layer in found.layers] == ["2", "", ""]
    assert np.isfinite(found.figures["ratio"]).all() and (found.figures["ratio"] > 0).all()


def test_no_hook_stays_and_nothing_is_noted_without_being_asked(make_setup, tmp_path):
    setup = make_setup(**FIELDS)
    runner = Runner(setup, RunFolder.create(tmp_path / "run", setup, exact=True))
    for _ in runner.events():
        assert not any(module._forward_hooks for module in runner.model.modules())
        assert runner.data.clock is None
    runner.close()


def test_the_figures_are_those_of_a_plain_computation(make_setup, tmp_path):
    fields = {"optimiser__name": "sgd", "optimiser__lr": 0.1, "schedule": "constant", "epochs": 1}
    setup = make_setup(ModelEntry("dense", "Dense", dense), **fields, **FIELDS)
    train(setup, tmp_path / "run")
    found = record.read(tmp_path / "run")
    from guiapp.training.data import TrainingData

    data = TrainingData(setup, torch.device("cpu"))
    list(data.prepare())
    net = setup.build_model()
    inputs, targets = data.batch(0)
    hidden = net[2](net[1](net[0](inputs)))
    outer = net[4](net[3](hidden))
    torch.nn.functional.cross_entropy(net[5](outer), targets).backward()
    for place, layer in enumerate((net[1], net[3], net[5])):
        norm, gradient = layer.weight.norm().item(), layer.weight.grad.norm().item()
        assert found.figures["weight"][0, place] == pytest.approx(norm, rel=1e-5)
        assert found.figures["gradient"][0, place] == pytest.approx(gradient, rel=1e-4)
        assert found.figures["ratio"][0, place] == pytest.approx(0.1 * gradient / norm, rel=1e-3)
    assert found.figures["dead"][0, 0] == pytest.approx((hidden.amax(0) <= 0).float().mean().item())
    assert found.figures["saturated"][0, 1] == pytest.approx((1 - outer**2 < 0.06).float().mean().item())
    assert np.isnan(found.figures["dead"][0, 1:]).all() and np.isnan(found.figures["saturated"][0, [0, 2]]).all()
    assert found.figures["mean"][0, 0] == pytest.approx(hidden.mean().item(), rel=1e-4)
    edges = record.bin_edges(record.ACTIVATION_UNIT, record.ACTIVATION_DECADES)
    counted = np.histogram(hidden.detach().numpy(), edges)[0] / hidden.numel()
    assert found.activations[0, 0] == pytest.approx(counted, abs=0.02)
    edges = record.bin_edges(record.GRADIENT_UNIT, record.GRADIENT_DECADES)
    gradient = net[5].weight.grad.numpy()
    assert found.gradients[0, 2] == pytest.approx(np.histogram(gradient, edges)[0] / gradient.size, abs=0.05)
    assert found.gradients[0].sum(1) == pytest.approx(1.0, abs=1e-5)


def test_dead_and_saturated_units_are_counted(make_setup, tmp_path):
    def broken(*shape):
        net = dense(*shape)
        with torch.no_grad():
            net[1].bias[:3] = -1e3  # silent for whatever it is given
            net[1].bias[3:] = 10.0
            net[3].weight *= 1e3  # the hyperbolic tangent is at its ends
        return net

    train(make_setup(ModelEntry("dense", "Dense", broken), epochs=1, **FIELDS), tmp_path / "run")
    found = record.read(tmp_path / "run")
    assert found.figures["dead"][0, 0] >= 0.5
    assert found.figures["saturated"][0, 1] > 0.9


def test_a_run_that_was_killed_goes_on_with_the_same_record(make_setup, tmp_path):
    setup = make_setup(**FIELDS)
    train(setup, tmp_path / "whole")
    train(setup, tmp_path / "cut", stop=10)
    with (tmp_path / "cut" / "observation" / "records.f32").open("ab") as stream:
        stream.write(b"torn")
    runner = Runner(setup, RunFolder.open(tmp_path / "cut"), resume=True)
    assert runner.trainer.step == 10
    for _ in runner.events():
        pass
    runner.close()
    whole, cut = record.read(tmp_path / "whole"), record.read(tmp_path / "cut")
    assert cut.steps.tolist() == whole.steps.tolist()
    for name in record.FIGURES:
        assert np.array_equal(cut.figures[name], whole.figures[name], equal_nan=True)
    assert np.array_equal(cut.activations, whole.activations)
    assert [line["epoch"] for line in cut.epochs] == [1, 2, 3]


def test_the_time_of_a_step_is_told_in_parts(make_setup, tmp_path):
    train(make_setup(epochs=4, **FIELDS), tmp_path / "run")
    found = record.read(tmp_path / "run")
    shares = found.stage_shares
    assert sum(shares.values()) == pytest.approx(1.0) and shares["backward"] > 0
    assert shares["transfer"] == 0  # the samples are on the device
    assert found.rate > 0


def test_late_in_a_run_fewer_steps_are_observed():
    steps = [step for step in range(1, 200_001) if record.due(step, 50)]
    assert steps[:8] == [1, 2, 4, 8, 16, 32, 50, 100]
    assert len(steps) < 900
    assert sum(100_000 < step <= 200_000 for step in steps) <= 128


def test_wrong_labels_are_found_in_a_run_that_has_some_and_not_in_one_that_has_none(tmp_path):
    def found(share):
        setup = prepare(EXPERIMENTS["mlp"], {"dataset": "digits", "observe": "on", "epochs": 6, "augmentation": "none"})
        data, draw = setup.dataset, np.random.default_rng(0)

        def relabelled(part):
            wrong = draw.random(len(part)) < share
            other = (part.labels + draw.integers(1, 10, len(part))) % 10
            return Samples(part.images, np.where(wrong, other, part.labels), part.paths), wrong

        learned, _ = relabelled(data.train)
        validation, wrong = relabelled(data.validation)
        bad = replace(data, train=learned, validation=validation)
        train(replace(setup, open_data=lambda: bad), tmp_path / str(share))
        return findings(figures_of(tmp_path / str(share))), wrong

    clean, _ = found(0.0)
    assert [one.id for one in clean] == []
    told, wrong = found(0.1)
    (labels,) = [one for one in told if one.id == "label-problems"]
    assert np.mean(wrong[list(labels.samples)]) > 0.8, "most of the samples that are named have a wrong label"
