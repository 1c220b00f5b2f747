"""Every method on every family of networks: it answers or says why not."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attribution import METHODS, attribute, reasons_against
from guiapp.interpret.targets import ClassTarget
from tests.interpret.attribution.networks import FAMILIES, case, run, state_of

FEW = {"smooth-grad": {"samples": 3}, "integrated-gradients": {"steps": 3}, "occlusion": {"window": 16, "stride": 16}}
WITHOUT = {("attention-rollout", name) for name in FAMILIES if name != "vit"}


def options(method):
    return METHODS[method].options(**FEW.get(method, {}))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_method_answers_and_leaves_no_trace(family):
    asked = case(family, size=(32, 48) if FAMILIES[family][0] == "detection" else (32, 32))
    before = state_of(asked.module)
    numbers = torch.get_rng_state()
    for method in METHODS:
        if (method, family) in WITHOUT:
            assert reasons_against(method, asked)
            with pytest.raises(UserError):
                run(attribute(asked, ClassTarget(2), method))
            continue
        assert reasons_against(method, asked) == ""
        found = run(attribute(asked, ClassTarget(2), method, options(method)))
        assert found.method == method and found.class_index == 2 and found.share == 1.0
        assert np.isfinite(found.map).all() and np.isfinite(found.score)
        assert found.map.any() or found.note, (method, family)
        if found.values is not None:
            assert found.values.shape == tuple(asked.batch.shape[1:])
            np.testing.assert_allclose(found.map, found.values.sum(0), rtol=1e-4, atol=1e-6)
        assert state_of(asked.module) == before, (method, family)
    assert torch.equal(torch.get_rng_state(), numbers)  # whatever trains beside draws from it


def test_it_works_where_a_lane_has_switched_gradients_off():
    asked = case("cnn")
    plain = {
        m: run(attribute(asked, ClassTarget(1), m, options(m))).map for m in METHODS if not reasons_against(m, asked)
    }
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            for method, expected in plain.items():
                found = run(attribute(asked, ClassTarget(1), method, options(method)))
                np.testing.assert_array_equal(found.map, expected)


def test_channels_that_are_switched_off_are_off_in_the_map():
    import dataclasses

    asked = case("cnn")
    off = dataclasses.replace(asked, switched_off={"features.3": frozenset(range(8))})
    found = run(attribute(off, ClassTarget(1), "gradient"))
    assert not found.map.any()
    assert run(attribute(asked, ClassTarget(1), "gradient")).map.any()
