"""A job gets a network of its own: the experiment's at the newest or an earlier step, or the live room's."""

import threading

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.models.zoo.open import open_model
from tests.engine.test_engine import engine, opened, trained, until  # noqa: F401 - the fixture too


def studied(engine, work, of="experiment"):  # noqa: F811
    job = engine.study(work, of)
    assert job.wait(60)
    if job.error is not None:
        raise job.error
    return job.result


def whole(study):
    yield None
    return study


def picture(value=90):
    return Picture(np.full((240, 320, 3), value, np.uint8), Origin("file", "grey"))


def test_a_job_gets_the_newest_weights_and_may_hook_them_without_a_trace(engine):  # noqa: F811
    record = opened(engine, "lenet5", {"batch": "8"})
    trained(engine, 3)
    study = studied(engine, whole)
    assert study.inspected is record and study.step == 3 and study.dataset is record.dataset
    mine = study.module.state_dict()
    engine.set_step(1)
    before = studied(engine, whole)
    assert before.step in (0, 1)
    assert any(not torch.equal(mine[name], value) for name, value in before.module.state_dict().items())
    study.module.register_forward_hook(lambda *_: 1 / 0)
    engine.set_step(None)
    again = studied(engine, whole)
    assert again.module is not study.module
    assert not again.module._forward_hooks
    for name, value in again.module.state_dict().items():
        assert torch.equal(value, mine[name])


def test_a_sample_is_fed_as_the_data_set_has_it(engine):  # noqa: F811
    record = opened(engine)
    sample = np.asarray(record.dataset.train.images[0])
    shown = Picture(np.zeros((64, 64, 3), np.uint8), Origin("sample", "one"), sample=sample)
    study = studied(engine, whole)
    inputs = study.inputs(shown)
    assert torch.equal(inputs, record.preprocessing(sample))
    inputs.requires_grad_(True)
    study.module(inputs)[0, 3].backward()
    assert inputs.grad.abs().sum() > 0


def test_without_a_network_it_says_so(engine):  # noqa: F811
    with pytest.raises(UserError, match="no experiment is open"):
        studied(engine, whole)
    with pytest.raises(UserError, match="no network is open in the live room"):
        studied(engine, whole, "live")


def test_a_job_waits_for_a_live_network_that_is_busy_and_can_be_stopped_meanwhile(engine):  # noqa: F811
    opening, go = threading.Event(), threading.Event()

    def opener(name, weights, device, progress):
        opening.set()
        go.wait(60)
        return open_model(name, "random", device)

    engine.live._opener = opener
    engine.live.open_model("squeezenet1_1", "random", "cpu")
    assert opening.wait(60)
    engine.live.set_requests({}, watching=True)
    stopped, waits = engine.study(whole, "live"), engine.study(whole, "live")
    until(lambda: stopped.message == waits.message == "waiting for the network")
    stopped.stop()
    assert stopped.wait(5) and not waits.ended
    engine.live.set_picture(picture())
    go.set()
    assert waits.wait(60) and waits.error is None
    assert waits.result.inspected.model.name == "squeezenet1_1"


def test_the_live_rooms_network_is_lent_with_its_weights_shared(engine):  # noqa: F811
    kept = []

    def opener(name, weights, device, progress):
        kept.append(open_model(name, "random", device))
        return kept[-1]

    engine.live._opener = opener
    engine.live.open_model("squeezenet1_1", "random", "cpu")
    until(lambda: engine.live.newest.phase == "ready")
    shown = picture()
    engine.live.set_picture(shown)
    study = studied(engine, whole, "live")
    lane = kept[0].module
    assert study.picture is shown and study.module is not lane
    assert len(study.inspected.layers) > 20
    assert study.module.classifier[1].weight is lane.classifier[1].weight
    inputs = study.inputs(shown)
    assert tuple(inputs.shape) == (1, 3, 224, 224) and not inputs.is_inference()
    inputs.requires_grad_(True)
    study.module(inputs)[0, 0].backward()
    assert inputs.grad.shape == inputs.shape
    left, top, width, height = study.area(shown, inputs)
    assert (width, height) == pytest.approx((210, 210), abs=1) and (left, top) == pytest.approx((55, 15), abs=1)
    study.module.register_forward_hook(lambda *_: 1 / 0)
    assert not lane._forward_hooks
