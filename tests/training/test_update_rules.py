"""What else a recipe asks of a step, against plain torch; and that a killed run goes on bit for bit with all of it."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import SettingError
from guiapp.models.base import ModelEntry
from guiapp.training.balance import class_weights, draw_order
from guiapp.training.callbacks import callbacks_of
from guiapp.training.data import TrainingData
from guiapp.training.events import EpochEnd, StepEnd
from guiapp.training.objective import RecipeObjective, objective_of, penalty
from guiapp.training.recipe import Clipping, Penalty, Recipe, Stopping, change
from guiapp.training.recipe_check import check_recipe
from guiapp.training.trainer import Trainer
from guiapp.training.update_rules import Clip, EarlyStopping

CPU = torch.device("cpu")


def plain_net(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 7), nn.Tanh(), nn.Linear(7, classes))


PLAIN = ModelEntry("plain", "Plain", plain_net)


@pytest.fixture
def make_trainer(make_setup):
    def make(entry=None, **fields):
        setup = make_setup(entry, **fields)
        data = TrainingData(setup, CPU)
        list(data.prepare())
        objective, callbacks = objective_of(setup, CPU), callbacks_of(setup)
        return Trainer(setup.build_model(), setup.task, data, setup.recipe, CPU, objective, callbacks)

    return make


def finish(trainer):
    for _ in trainer.events():
        pass
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def one_step(trainer):
    next(trainer.events())
    return [p.detach().clone() for p in trainer.model.parameters()]


# ------------------------------------------------------------------ the gradient of a step


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_a_batch_in_parts_gives_the_gradient_of_the_whole(make_trainer, parts):
    fields = {"penalty": "l2", "loss__smoothing": 0.1, "balance": "weights", "optimiser": "sgd", "optimiser__lr": 1.0}
    whole, split = (make_trainer(PLAIN, accumulate=n, **fields) for n in (1, parts))
    first, second = next(whole.events()), next(split.events())
    assert second.loss.item() == pytest.approx(first.loss.item(), rel=1e-5)
    assert second.correct == first.correct and second.count == first.count == 8
    for one, two in zip(whole.model.parameters(), split.model.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


def test_gradient_descent_takes_the_whole_training_part_a_step(make_trainer):
    trainer = make_trainer(PLAIN, optimiser="gd", optimiser__lr=0.5, epochs=4, batch=8, schedule="constant")
    net = make_trainer(PLAIN).model
    inputs, targets = (torch.cat(column) for column in zip(*trainer.data.batches("train"), strict=True))
    steps = [event for event in trainer.events() if isinstance(event, StepEnd)]
    assert [event.count for event in steps] == [50] * 4
    for event in steps:
        loss = functional.cross_entropy(net(inputs), targets)
        gradients = torch.autograd.grad(loss, net.parameters())
        assert event.loss.item() == pytest.approx(loss.item(), rel=1e-5)
        with torch.no_grad():
            for weight, gradient in zip(net.parameters(), gradients, strict=True):
                weight.sub_(gradient, alpha=0.5)
    for one, two in zip(trainer.model.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_newton_learns_what_gradients_take_long_for(make_trainer):
    entry = ModelEntry("dense", "Dense", lambda c, h, w, k: nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, k)))
    shared = {"batch": 50, "epochs": 8, "schedule": "constant", "penalty": "l2", "penalty__strength": 0.01}
    fields = {"optimiser__lr": 1.0, "optimiser__damping": 1e-3, "optimiser__iterations": 200}
    slope = {}
    for name in ("newton", "gd"):
        trainer = make_trainer(entry, optimiser=name, **shared, **fields)
        finish(trainer)
        inputs, targets = (torch.cat(column) for column in zip(*trainer.data.batches("train"), strict=True))
        loss = functional.cross_entropy(trainer.model(inputs), targets) + trainer.objective.penalty(trainer.model)
        slope[name] = torch.cat([g.flatten() for g in torch.autograd.grad(loss, trainer.model.parameters())]).norm()
    assert slope["newton"] < 1e-4 < 1e-2 < slope["gd"]


def test_the_momentum_of_one_cycle_reaches_the_optimiser(make_trainer):
    trainer = make_trainer(schedule="one-cycle", optimiser="adam")
    seen = [trainer.optimiser.param_groups[0]["betas"][0] for e in trainer.events() if isinstance(e, StepEnd)]
    assert seen[0] == 0.9 and min(seen) == pytest.approx(0.85, abs=0.01) and seen[-1] > 0.89


def test_mixed_precision_on_the_cpu_runs_in_bfloat16_and_keeps_weights_in_float32(make_trainer):
    trainer = make_trainer(precision="mixed", epochs=1)
    seen = []
    trainer.model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    finish(trainer)
    assert seen[0] is torch.bfloat16 and seen[-1] is torch.float32  # validation is in full precision
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}


# ------------------------------------------------------------------ the objective


def test_label_smoothing_is_torchs(make_setup):
    output, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    found = RecipeObjective(make_setup().task, Penalty(), 0.2).loss(output, output, targets)
    torch.testing.assert_close(found, functional.cross_entropy(output, targets, label_smoothing=0.2))
    mixed = 0.3 * functional.one_hot(targets, 3).float() + 0.7 / 3
    found = RecipeObjective(make_setup().task, Penalty(), 0.2).loss(output, output, mixed)
    torch.testing.assert_close(found, functional.cross_entropy(output, mixed, label_smoothing=0.2))


def test_weights_of_classes_are_scikit_learns_and_weigh_samples():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 6 + [2] * 3 + [3])
    found = class_weights(labels, 5)
    assert found[[0, 2, 3]].tolist() == pytest.approx(
        compute_class_weight("balanced", classes=np.array([0, 2, 3]), y=labels)
    )
    assert found[1] == found[4] == 1.0 and found[labels].mean() == pytest.approx(1.0)


def test_the_weighted_loss_by_hand(make_setup):
    output, targets = torch.randn(6, 3), torch.tensor([0, 0, 0, 0, 1, 2])
    weights = torch.tensor([0.5, 2.0, 2.0])
    objective = RecipeObjective(make_setup().task, Penalty(), weights=weights)
    each = functional.cross_entropy(output, targets, reduction="none")
    torch.testing.assert_close(objective.loss(output, output, targets), (weights[targets] * each).mean())


@pytest.mark.parametrize(
    ("name", "cost"),
    [("l1", lambda w: w.abs()), ("l2", lambda w: w**2), ("elastic", lambda w: 0.5 * w**2 + w.abs())],
)
def test_penalties_are_the_texts(name, cost):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    found = penalty(Penalty(name, strength=0.01, beta=0.5), net)
    torch.testing.assert_close(found, 0.01 * (cost(net[0].weight).sum() + cost(net[3].weight).sum()))


def test_an_l2_penalty_is_weight_decay_of_twice_the_strength(make_trainer):
    fields = {"optimiser": "sgd", "optimiser__lr": 0.1}
    one = make_trainer(PLAIN, penalty="l2", penalty__strength=0.05, **fields)
    other = make_trainer(PLAIN, optimiser__weight_decay=0.1, **fields)
    for found, expected in zip(one_step(one)[::2], one_step(other)[::2], strict=True):
        torch.testing.assert_close(found, expected)


def test_the_curve_shows_the_loss_without_penalty(make_trainer):
    plain, heavy = make_trainer(PLAIN), make_trainer(PLAIN, penalty="l1", penalty__strength=1.0)
    assert torch.equal(next(plain.events()).loss, next(heavy.events()).loss)


def test_drawing_by_class_evens_out_what_is_rare(make_setup, tiny_data, replace):
    labels = torch.tensor([0] * 90 + [1] * 9 + [2])
    order = draw_order(labels, 6000, torch.Generator().manual_seed(1))
    shares = torch.bincount(labels[order]) / 6000
    assert shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    keep = np.flatnonzero((tiny_data.train.labels != 0) | (np.arange(50) < 4))
    rare = replace(
        tiny_data,
        train=replace(tiny_data.train, images=tiny_data.train.images[keep], labels=tiny_data.train.labels[keep]),
    )
    data = TrainingData(make_setup(data=rare, balance="sampling"), CPU)
    list(data.prepare())
    drawn = torch.cat([data.batch(step)[1] for step in range(40 * data.steps_per_epoch)])
    assert (torch.bincount(drawn) / len(drawn)).tolist() == pytest.approx([1 / 3] * 3, abs=0.04)


# ------------------------------------------------------------------ clipping and early stopping


@pytest.mark.parametrize("limit", [0.01, 1e6])
@pytest.mark.parametrize("name", ["norm", "value"])
def test_clipping_is_torchs(make_trainer, name, limit):
    trainer = make_trainer(PLAIN, clipping=name, clipping__limit=limit, optimiser="sgd", optimiser__lr=1.0)
    net = make_trainer(PLAIN).model
    inputs, targets = trainer.data.batch(0)
    functional.cross_entropy(net(inputs), targets).backward()
    before = [p.detach().clone() for p in net.parameters()]
    if name == "norm":
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
    else:
        torch.nn.utils.clip_grad_value_(net.parameters(), limit)
    trainer.recipe = change(trainer.recipe, {"schedule": "constant"})
    for found, weight, old in zip(one_step(trainer), net.parameters(), before, strict=True):
        torch.testing.assert_close(found, old - weight.grad)
    assert isinstance(trainer.callbacks.all[-1], Clip) and trainer.callbacks.all[-1].options == Clipping(name, limit)


def figures(losses):
    return [{"loss": loss, "accuracy": 1 - loss} for loss in losses]


@pytest.mark.parametrize("watch", ["loss", "accuracy"])
def test_a_run_ends_after_the_patience_is_over(watch):
    class Loop:
        finished = False

    callback = EarlyStopping(Stopping(patience=2, watch=watch, margin=0.05))
    callback.attach(Loop())
    ends = []
    for found in figures([0.9, 0.5, 0.48, 0.4, 0.39, 0.38]):  # 0.48 and 0.39 are not better by the margin
        again = EarlyStopping(callback.options)
        again.attach(callback.trainer)
        again.load_state(*callback.state())
        callback = again
        callback.after_epoch({}, found)
        ends.append(callback.trainer.finished)
    assert ends == [False, False, False, False, False, True]


def test_early_stopping_ends_a_run_before_its_last_epoch(make_trainer):
    trainer = make_trainer(epochs=50, stopping__patience=1, stopping__margin=10.0)
    ends = [event for event in trainer.events() if isinstance(event, EpochEnd)]
    assert len(ends) == 2 and trainer.finished


# ------------------------------------------------------------------ killed and resumed


@pytest.mark.parametrize(
    "fields",
    [
        {"optimiser": "newton", "optimiser__lr": 0.5, "clipping": "norm"},
        {"optimiser": "gd", "optimiser__lr": 0.5, "penalty": "elastic", "epochs": 6},
        {"schedule": "one-cycle", "accumulate": 3, "balance": "weights", "loss__smoothing": 0.1},
        {"schedule": "cosine", "schedule__cycles": 3, "schedule__warmup": 0.5, "balance": "sampling"},
        {"schedule": "one-cycle", "optimiser": "adam", "precision": "mixed", "penalty": "l1", "clipping": "value"},
        {"schedule": "inverse-sqrt", "stopping__patience": 1, "stopping__margin": 10.0, "epochs": 9},
    ],
    ids=lambda fields: " ".join(str(value) for value in fields.values()),
)
def test_a_killed_run_goes_on_bit_for_bit(make_trainer, same_weights, fields):
    whole = make_trainer(**fields)
    expected = finish(whole)
    for after in (1, 5, 8, 9, 10):
        first = make_trainer(**fields)
        for _ in itertools.islice(first.events(), after):
            pass
        second = make_trainer(**fields)
        second.model.load_state_dict(first.model.state_dict())
        second.load_state(first.state())
        assert same_weights(finish(second), expected), f"after event {after}"
        assert (second.step, second.finished) == (whole.step, whole.finished)


# ------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"schedule.points": "5,2", "schedule": "step"}, "rising order"),
        ({"schedule.points": "5"}, "belong to schedule=step"),
        ({"schedule": "one-cycle", "schedule.warmup": 1}, "warm-up of its own"),
        ({"schedule.warmup": 10}, "leaves nothing"),
        ({"schedule.cycles": 2, "schedule": "linear"}, "belong to schedule=cosine"),
        ({"schedule": "one-cycle", "optimiser.momentum": 0.5}, "is above it"),
        ({"accumulate": 65}, "do not make that many parts"),
        ({"optimiser": "newton", "accumulate": 2}, "whole batch"),
        ({"optimiser": "newton", "precision": "mixed"}, "full precision"),
    ],
)
def test_settings_that_exclude_one_another_are_refused(fields, says):
    with pytest.raises(SettingError, match=says):
        check_recipe(change(Recipe(), fields))


def test_smoothing_needs_a_task_with_shares_of_classes(make_setup, replace):
    class Other:
        labels, metrics = ("a", "b", "c"), ("accuracy",)

        def loss(self, output, target):
            return output.sum()

    setup = replace(make_setup(loss__smoothing=0.1), task=Other())
    with pytest.raises(SettingError, match="cross-entropy"):
        objective_of(setup, CPU)
