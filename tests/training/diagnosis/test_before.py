"""Checks before a run: what they say of good and bad networks, and that they leave everything as it was."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import UserError
from guiapp.datasets.base import Samples
from guiapp.models.base import ModelEntry
from guiapp.training.data import TrainingData
from guiapp.training.diagnosis import before
from guiapp.training.diagnosis.apart import checks_apart
from guiapp.training.evaluation import finish
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner

CPU = torch.device("cpu")


def plain(channels, height, width, classes, scale=1.0):
    net = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))
    with torch.no_grad():
        net[1].weight *= scale
    return net


class Deaf(nn.Module):
    """Answers the same to everything."""

    def __init__(self, channels, height, width, classes):
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(classes))

    def forward(self, pictures):
        return self.scores.expand(len(pictures), -1)


def data_of(setup):
    data = TrainingData(setup, CPU)
    finish(data.prepare())
    return data


def end(going):
    while True:
        try:
            next(going)
        except StopIteration as stop:
            return stop.value


def test_all_checks_are_made_and_leave_everything_as_it_was(make_setup, tmp_path, same_weights):
    def trained(name, look=False):
        setup = make_setup(keep="last", optimiser__lr=0.1)
        runner = Runner(setup, RunFolder.create(tmp_path / name, setup, exact=True))
        for number, _ in enumerate(runner.events()):
            if look and number == 7:  # in the middle of a run
                torch.manual_seed(5)
                state, threads = torch.get_rng_state(), torch.get_num_threads()
                found.append(end(before.checks(setup, CPU)))
                assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
        runner.close()
        return runner.model.state_dict()

    found = []
    assert same_weights(trained("plain"), trained("checked", look=True))
    (checks,) = found
    assert [checks.labels.verdict, checks.first_loss.verdict, checks.handful.verdict] == ["good"] * 3
    assert checks.first_loss.chance == pytest.approx(math.log(3))
    assert checks.range_test.suggested is not None
    again = before.Checks.from_dict(checks.as_dict())
    assert again == checks


def test_random_generators_are_put_back_also_when_stopped_half_way(make_setup):
    state = torch.get_rng_state()
    going = before.checks(make_setup(), CPU)
    for _ in range(30):
        next(going)
    going.close()
    assert torch.equal(torch.get_rng_state(), state)


def test_first_scores_that_are_too_sure_are_told(make_setup):
    good = make_setup(ModelEntry("plain", "Plain", plain))
    sure = make_setup(ModelEntry("plain", "Plain", plain, options={"scale": 100.0}))
    first = before.check_first_loss(good, data_of(good), good.build_model(), CPU)
    assert first.verdict == "good" and first.loss == pytest.approx(math.log(3), rel=0.3)
    first = before.check_first_loss(sure, data_of(sure), sure.build_model(), CPU)
    assert first.verdict == "bad" and first.loss > 3 * first.chance


def test_a_handful_is_learned_by_heart_by_a_network_that_can(make_setup):
    setup = make_setup(optimiser__lr=0.05)
    found = end(before.check_handful(setup, data_of(setup), CPU))
    assert found.verdict == "good" and found.samples == 20 and found.accuracies[-1] == 1.0
    assert found.reached == len(found.losses) <= before.HANDFUL_STEPS
    deaf = make_setup(ModelEntry("deaf", "Deaf", Deaf))
    found = end(before.check_handful(deaf, data_of(deaf), CPU))
    assert found.verdict == "bad" and found.reached is None and max(found.accuracies) < 0.5


def test_a_handful_that_is_learned_at_a_tenth_of_the_rate_alone_says_so():
    tried = before.Handful("bad", "", "", 20, [2.3, 0.1], [0.1, 1.0], 2, 0.2)
    told = before.judge_handful(tried, 2.0)
    assert told.verdict == "doubtful" and "at 0.2, not at 2" in told.text
    assert before.judge_handful(tried, 0.2).verdict == "good"


def test_the_suggested_rate_learns_faster_than_a_tenth_of_it_and_hundred_times_it_does_not(make_setup):
    setup = make_setup(optimiser__name="sgd", schedule="constant", epochs=4)
    data = data_of(setup)
    found = end(before.check_range(setup, data, CPU))
    assert found.suggested < found.highest

    def loss_at(rate):
        again = make_setup(optimiser__name="sgd", schedule="constant", epochs=4, optimiser__lr=rate)
        from guiapp.training.events import EpochEnd
        from guiapp.training.trainer import Trainer

        trainer = Trainer(again.build_model(), again.task, data, again.recipe, CPU)
        return [e.train["loss"] for e in trainer.events() if isinstance(e, EpochEnd)][-1]

    good = loss_at(found.suggested)
    assert good < loss_at(found.suggested / 10)
    assert not loss_at(found.suggested * 100) < good


def test_what_a_range_test_says_of_a_rate():
    rates = np.geomspace(1e-6, 10, 120)
    fall = 2.3 - 1.5 / (1 + (1e-2 / rates) ** 2)  # falls fastest about 1e-2
    curve = (fall + np.where(rates > 0.2, (rates - 0.2) * 3, 0)).tolist()

    def said(asked):
        return before.judge_range(rates.tolist(), curve, curve, asked)

    assert 3e-3 < said(0.01).suggested < 3e-2 and 0.1 < said(0.01).highest < 0.4
    assert said(0.01).verdict == "good"
    assert said(1.0).verdict == "bad" and "too high" in said(1.0).text
    assert said(1e-5).verdict == "doubtful"
    flat = np.full(120, 2.3).tolist()
    assert before.judge_range(rates.tolist(), flat, flat, 0.1).suggested is None


def test_equal_pictures_with_different_labels_and_empty_classes_are_told(tiny_data):
    assert before.check_labels(tiny_data).verdict == "good"
    images, labels = tiny_data.train.images.copy(), tiny_data.train.labels.copy()
    images[4] = images[0]  # classes 1 and 0
    images[3] = images[0]  # of the same class
    found = before.check_labels(dataclasses.replace(tiny_data, train=Samples(images, labels)))
    assert found.verdict == "bad" and found.contradictions == [[0, 3, 4]]
    empty = dataclasses.replace(tiny_data, classes=(*tiny_data.classes, "none"))
    assert "no training sample of none" in before.check_labels(empty).text.lower()
    few = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1), [2]])
    uneven = Samples(tiny_data.train.images[few], labels[few])
    assert before.check_labels(dataclasses.replace(tiny_data, train=uneven)).verdict == "doubtful"


def test_a_network_that_only_remembers_has_nothing_to_check(make_setup):
    entry = ModelEntry("memory", "Memory", plain, trained_by="memory")
    with pytest.raises(UserError, match="remembers"):
        next(before.checks(make_setup(entry), CPU))


def test_checks_in_a_process_of_their_own_tell_how_far_they_are():
    shares, found = [], None
    going = checks_apart(EXPERIMENTS["softmax-classifier"], {"dataset": "digits", "device": "cpu", "threads": 1})
    while found is None:
        try:
            shares.append(next(going)[0])
        except StopIteration as stop:
            found = stop.value
    assert shares == sorted(shares) and found.range_test.suggested > 0 and found.handful.verdict == "good"
