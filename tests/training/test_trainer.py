"""The loop: figures against a plain loop, and randomness without history."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.models.base import ModelEntry
from guiapp.training.data import TrainingData
from guiapp.training.events import EpochEnd, Evaluating, StepEnd
from guiapp.training.recipe import OPTIMISERS
from guiapp.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture
def make_trainer(make_setup):
    def make(**fields):
        setup = make_setup(**fields)
        data = TrainingData(setup, CPU)
        list(data.prepare())
        return Trainer(setup.build_model(), setup.task, data, setup.recipe, CPU)

    return make


def finish(trainer):
    for _ in trainer.events():
        pass
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def plain_net(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))


def test_losses_and_weights_are_those_of_a_plain_loop(make_setup):
    setup = make_setup(ModelEntry("plain", "Plain", plain_net), epochs=2, optimiser__name="momentum", optimiser__lr=0.1)
    data = TrainingData(setup, CPU)
    list(data.prepare())
    trainer = Trainer(setup.build_model(), setup.task, data, setup.recipe, CPU)
    steps = [e for e in trainer.events() if isinstance(e, StepEnd)]

    net = setup.build_model()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 14)
    for step, event in enumerate(steps):
        inputs, targets = data.batch(step)
        optimiser.zero_grad()
        output = net(inputs)
        loss = functional.cross_entropy(output, targets)
        assert event.loss.item() == pytest.approx(loss.item(), rel=1e-4)
        assert event.correct.item() == (output.argmax(1) == targets).sum()
        assert event.lr == pytest.approx(optimiser.param_groups[0]["lr"])
        loss.backward()
        optimiser.step()
        scheduler.step()
    for one, two in zip(trainer.model.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_events_come_in_order_and_count(make_trainer):
    trainer = make_trainer(epochs=2)
    assert (trainer.steps_per_epoch, trainer.total_steps) == (7, 14)
    events = list(trainer.events())
    kinds = [type(event) for event in events]
    assert kinds == ([StepEnd] * 7 + [Evaluating] + [EpochEnd]) * 2
    steps = [event for event in events if isinstance(event, StepEnd)]
    assert [event.step for event in steps] == list(range(1, 15))
    assert [event.count for event in steps] == ([8] * 6 + [2]) * 2
    assert not any(event.loss.requires_grad for event in steps)
    for epoch, chosen in ((1, steps[:7]), (2, steps[7:])):
        end = next(e for e in events if isinstance(e, EpochEnd) and e.epoch == epoch)
        weighted = sum(e.loss.item() * e.count for e in chosen) / 50
        assert end.train["loss"] == pytest.approx(weighted, rel=1e-6)
        assert end.train["accuracy"] == sum(e.correct.item() for e in chosen) / 50
        assert end.step == 7 * epoch


def test_an_epoch_shows_every_sample_once_in_an_order_of_its_own(make_trainer):
    trainer = make_trainer()
    seen = [torch.cat([trainer.data.batch(s)[0] for s in range(7 * e, 7 * e + 7)]).flatten(1) for e in (0, 1)]
    own = torch.cat([inputs for inputs, _ in trainer.data.batches("train")]).flatten(1)
    rows = [sorted(map(tuple, part.tolist())) for part in (*seen, own)]
    assert rows[0] == rows[1] == rows[2]
    assert not torch.equal(seen[0], seen[1])


def test_a_last_batch_of_one_is_left_out_because_batch_normalisation_cannot_train_on_it(make_trainer):
    trainer = make_trainer(batch=7)
    assert trainer.steps_per_epoch == 7
    assert all(event.count == 7 for event in trainer.events() if isinstance(event, StepEnd))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_run_interrupted_anywhere_ends_bit_for_bit_like_one_that_was_not(make_trainer, same_weights, name):
    fields = {"optimiser__name": name, "optimiser__lr": 0.01, "epochs": 2, "augmentation": "handwriting"}
    whole = finish(make_trainer(**fields))
    for after in (1, 6, 7, 8, 9, 12):  # events: within an epoch, before and within validation, after the epoch
        first = make_trainer(**fields)
        for _ in itertools.islice(first.events(), after):
            pass
        state, weights = first.state(), first.model.state_dict()
        second = make_trainer(**{**fields, "seed": 0})
        second.model.load_state_dict(weights)
        second.load_state(state)
        assert same_weights(finish(second), whole), f"after event {after}"


def test_what_others_draw_between_steps_changes_nothing(make_trainer, same_weights):
    whole = finish(make_trainer())
    disturbed = make_trainer()
    for event in disturbed.events():
        torch.rand(13)
        np.random.rand(5)
        torch.manual_seed(99)
        disturbed.model.eval()
        assert event is not None
    assert same_weights(disturbed.model.state_dict(), whole)


def test_the_seed_changes_weights_order_and_dropout(make_trainer, same_weights):
    assert not same_weights(finish(make_trainer(seed=0)), finish(make_trainer(seed=1)))


def test_a_rate_set_by_hand_is_used_at_the_next_step_and_resumed(make_trainer, same_weights):
    trainer = make_trainer(schedule__name="constant", optimiser__lr=0.1)
    rates = []
    for event in trainer.events():
        if isinstance(event, StepEnd):
            rates.append(event.lr)
            if event.step == 4:
                trainer.set_learning_rate(0.02)
                trainer.set_learning_rate(0.01)
            if event.step == 6:
                state, weights = trainer.state(), {n: t.clone() for n, t in trainer.model.state_dict().items()}
                state["tensors"] = {n: t.clone() for n, t in state["tensors"].items()}
    assert rates == [0.1] * 4 + [0.01] * 17
    assert trainer.changes == [(4, 0.01)]
    again = make_trainer(schedule__name="constant", optimiser__lr=0.1)
    again.model.load_state_dict(weights)
    again.load_state(state)
    assert same_weights(finish(again), trainer.model.state_dict())


def test_validation_leaves_training_mode_and_statistics_alone(make_trainer):
    trainer = make_trainer(epochs=1)
    events = trainer.events()
    for event in events:
        if isinstance(event, StepEnd) and event.step == 7:
            before = {n: t.clone() for n, t in trainer.model.state_dict().items()}
    assert trainer.model.training
    assert all(torch.equal(t, before[n]) for n, t in trainer.model.state_dict().items())


def test_training_learns(make_trainer):
    trainer = make_trainer(epochs=40, optimiser__name="adam", optimiser__lr=0.01)
    last = [event for event in trainer.events() if isinstance(event, EpochEnd)][-1]
    assert last.validation["accuracy"] > 0.8


def test_the_trainer_can_be_read_in_one_sitting():
    import inspect

    from guiapp.training import trainer

    assert len(inspect.getsource(trainer).splitlines()) <= 160
