"""A map with every picture of the live lane, out of the run that gives the prediction."""

import numpy as np
import torch

from guiapp.engine.state import Request
from guiapp.interpret.attribution import AttributionOptions
from guiapp.interpret.options import ActivationOptions
from tests.engine.test_live_inside import Fed, Tiny, lane, look, opened, picture, tiny, until  # noqa: F401 - fixtures

MAP = {"attribution": Request("attribution", AttributionOptions("grad-cam", 0, layer="relu"))}


def test_every_picture_gets_its_map_without_a_second_run(lane, tiny):  # noqa: F811
    inside = opened(lane, MAP)
    source = Fed()
    lane.set_source(source)
    source.give(51)
    until(lambda: lane.newest.inside is not inside)
    inside = lane.newest.inside
    asked = {**MAP, "activations": Request("activations", ActivationOptions("relu"))}
    lane.set_requests(asked, True, inside)
    look(lane, lambda found: "attribution" in found.results and "activations" in found.results)
    runs, others = tiny.runs, 0
    for value in range(60, 90):
        shown = source.give(value)
        found = look(lane, lambda found, shown=shown: found.picture is shown)
        map_ = found.results["attribution"]
        # Score of class 0 is the mean of map 0, whose gradient is 1/24 everywhere: 24 places of 3 value / 255.
        np.testing.assert_allclose(map_.map, np.full((4, 6), 3 * value / 255 / 24), rtol=1e-4)
        np.testing.assert_allclose(map_.score, 3 * value / 255, rtol=1e-4)
        assert found.prediction.best == 0
        others += "activations" in found.results
    assert tiny.runs - runs <= 30 + others, "one run a picture; others look ten times a second at most"
    assert others < 30
    assert not tiny.conv._forward_hooks and not tiny.relu._forward_hooks
    # The picture that stays is looked into by all: at once where ten times a second allows it, else a little later.
    last = found if "activations" in found.results else look(lane, lambda found: "activations" in found.results)
    assert last.picture is shown and "attribution" in last.results
    lane.set_requests({}, True, inside)
    lane.set_source(None)


def test_a_method_with_a_run_of_its_own_and_one_that_is_too_slow(lane, tiny):  # noqa: F811
    asked = {
        "attribution": Request("attribution", AttributionOptions("guided-backpropagation", 1)),
        "slow": Request("attribution", AttributionOptions("integrated-gradients")),
    }
    lane.set_picture(picture(51, (320, 240)))
    inside = opened(lane, asked)
    found = look(lane, lambda found: found.opened is inside and "attribution" in found.results)
    assert found.results["attribution"].values.shape == (3, 240, 320)
    assert "slow" not in found.results
    assert any("not computed at each look" in notice.text for notice in lane.told)


def test_channels_that_are_off_have_no_part_in_it(lane, tiny):  # noqa: F811
    lane.set_picture(picture(51, (320, 240)))
    inside = opened(lane, MAP)
    lane.set_switched_off({"relu": frozenset({0})})
    found = look(lane, lambda found: found.opened is inside and found.modified and "attribution" in found.results)
    assert not found.results["attribution"].map.any()
    assert torch.is_grad_enabled()
