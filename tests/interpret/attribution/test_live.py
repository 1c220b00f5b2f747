"""One run with gradients: its prediction is that of a plain run, its maps are those of runs of their own."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attribution import AttributionOptions, attribute
from guiapp.interpret.attribution.live import Explainer, shares_run
from guiapp.interpret.attribution.probe import run as probe
from guiapp.interpret.base import Look
from guiapp.interpret.targets import BoxTarget, PixelsTarget, UnitTarget
from guiapp.tasks.live_options import LiveOptions, make_live_task
from tests.interpret.attribution.networks import FAMILIES, case, run, state_of

METHODS = ("grad-cam", "layer-cam", "gradient", "gradient-x-input")


def numbers_of(raw):
    if isinstance(raw, torch.Tensor):
        return raw
    return raw.logits if hasattr(raw, "logits") else raw.candidates.scores


@pytest.mark.parametrize("family", FAMILIES)
def test_one_run_gives_prediction_and_maps(family):
    asked = case(family)
    task = make_live_task(asked.task, asked.labels)
    options = [AttributionOptions(method, 2, positive=False) for method in METHODS]
    options.append(AttributionOptions("grad-cam", positive=False))
    before = state_of(asked.module)
    calls = []
    counted = asked.module.register_forward_hook(lambda *_: calls.append(1)) if asked.task == "classification" else None
    with torch.inference_mode():  # as the live lane
        plain = task.run(asked.module, asked.inputs, asked.picture.size)
        calls.clear()
        raw, maps = Explainer().run(task.run, asked, asked.picture.size, options)
    if counted is not None:
        assert len(calls) == 1
        counted.remove()
    assert state_of(asked.module) == before
    torch.testing.assert_close(numbers_of(raw), numbers_of(plain))
    assert not numbers_of(raw).requires_grad
    task.drawn(raw, LiveOptions(score=0.0))
    assert len(maps) == len(options)
    for one in options:
        expected = run(attribute(asked, one.subject(), one.method, one.own()))
        found = maps[one]
        np.testing.assert_allclose(found.map, expected.map, atol=1e-5 * max(1e-3, np.abs(expected.map).max()))
        assert (found.layer, found.area, found.class_index) == (expected.layer, expected.area, expected.class_index)
        assert found.score == pytest.approx(expected.score, abs=1e-5)


def test_a_box_and_pixels_are_followed_too():
    for family, target in (("ssd", BoxTarget((0.0, 0.0, 0.9, 0.9))), ("segmenter", PixelsTarget(1, where="all"))):
        asked = case(family)
        task = make_live_task(asked.task, asked.labels)
        options = AttributionOptions("gradient", target=target)
        _, maps = Explainer().run(task.run, asked, asked.picture.size, [options])
        expected = run(attribute(asked, target, "gradient"))
        np.testing.assert_allclose(maps[options].map, expected.map, atol=1e-6)


def test_what_needs_a_run_of_its_own_is_left_to_the_probe():
    asked = case("resnet")
    task = make_live_task(asked.task, asked.labels)
    others = [
        AttributionOptions("guided-backpropagation", 1),
        AttributionOptions("grad-cam", target=UnitTarget("layer2", 0)),
    ]
    assert not any(shares_run(options, asked) for options in others)
    _, maps = Explainer().run(task.run, asked, asked.picture.size, others)
    assert not maps
    look = Look(asked.module, asked.layers, None, picture=asked.picture, input=asked.inputs, labels=asked.labels)
    for options in others:
        expected = run(attribute(asked, options.subject(), options.method, options.own()))
        np.testing.assert_allclose(probe(look, options).map, expected.map, rtol=1e-4, atol=1e-7)
    with pytest.raises(UserError, match="not computed at each look"):
        probe(look, AttributionOptions("smooth-grad"))
    look.explained = {AttributionOptions(): "known"}
    assert probe(look) == "known"


def test_a_layer_that_the_target_does_not_depend_on_is_replaced_at_the_next_picture():
    asked = case("cnn")
    task = make_live_task(asked.task, asked.labels)
    explainer, options = Explainer(), AttributionOptions("grad-cam", 1, positive=False)
    asked.module.fc = torch.nn.Sequential(torch.nn.Flatten(), Reads(asked.module))
    _, maps = explainer.run(task.run, asked, asked.picture.size, [options])
    assert options not in maps  # nothing of the last layer is read
    found = run(attribute(asked, options.subject(), "grad-cam", options.own()))
    assert found.layer == "features.1"
    explainer.learn(options, found)
    _, maps = explainer.run(task.run, asked, asked.picture.size, [options])
    np.testing.assert_allclose(maps[options].map, found.map, atol=1e-6)


class Reads(torch.nn.Module):
    """Scores from an early layer alone, past those after it."""

    def __init__(self, network):
        super().__init__()
        self.seen = None
        network.features[2].register_forward_pre_hook(self.keep)

    def keep(self, module, arguments):
        self.seen = arguments[0]

    def forward(self, x):
        return torch.cat([self.seen.mean((2, 3))[:, :5]], 1)


def test_a_network_that_breaks_leaves_no_hook():
    asked = case("ssd")
    task = make_live_task(asked.task, asked.labels)
    before = state_of(asked.module)
    broken = asked.module.head.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Explainer().run(task.run, asked, asked.picture.size, [AttributionOptions("grad-cam", 1)])
    broken.remove()
    assert state_of(asked.module) == before
