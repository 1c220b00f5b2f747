"""The randomisation test: from the output down, on a copy, with a likeness that is Spearman's."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from guiapp.core.notices import UserError
from guiapp.interpret.attribution import SanityOptions, attribute, sanity
from guiapp.interpret.attribution.randomised import rank_correlation, shuffle, weighted_layers
from guiapp.interpret.targets import ClassTarget
from tests.interpret.attribution.networks import case, run, state_of


def test_layers_are_randomised_from_the_output_down_in_a_copy():
    asked = case("cnn")
    before = state_of(asked.module)
    weights = {name: value.clone() for name, value in asked.module.state_dict().items()}
    assert weighted_layers(asked) == ["fc.3", "fc.1", "features.3", "features.0"]
    told = []
    found = run(sanity(asked, ClassTarget(1), "gradient", None, SanityOptions(stages=4), told.append))
    assert [stage.layer for stage in found.stages] == ["", "fc.3", "fc.1", "features.3", "features.0"]
    assert [stage.layers for stage in found.stages] == [0, 1, 2, 3, 4]
    assert found.stages[0].likeness == 1.0 and found.total == 4
    np.testing.assert_array_equal(found.stages[0].found.map, run(attribute(asked, ClassTarget(1), "gradient")).map)
    for stage in found.stages[1:]:
        expected = spearmanr(np.abs(found.stages[0].found.map).ravel(), np.abs(stage.found.map).ravel()).statistic
        assert stage.likeness == pytest.approx(expected, abs=1e-4)
        assert stage.likeness < 0.999
    assert state_of(asked.module) == before
    for name, value in asked.module.state_dict().items():
        assert torch.equal(value, weights[name])
    assert len(told) == 3 and told[0].share < told[1].share < 1
    again = run(sanity(asked, ClassTarget(1), "gradient", None, SanityOptions(stages=4)))
    np.testing.assert_array_equal(again.stages[-1].found.map, found.stages[-1].found.map)


@pytest.mark.parametrize("family", ["resnet", "vit", "segmenter", "faster-rcnn", "ssd"])
def test_every_family(family):
    asked = case(family)
    method = "grad-cam"
    found = run(sanity(asked, ClassTarget(2), method, None, SanityOptions(stages=2)))
    assert len(found.stages) == 3
    assert found.stages[-1].layers == found.total == len(weighted_layers(asked))
    maps = [stage.found for stage in found.stages if not isinstance(stage.found, str)]
    assert len({one.layer for one in maps}) == 1
    assert len({one.class_index for one in maps}) == 1


def test_a_method_that_does_not_apply_says_so():
    with pytest.raises(UserError, match="attention"):
        run(sanity(case("cnn"), ClassTarget(), "attention-rollout"))


def test_rank_correlation_with_ties_and_of_flat_maps():
    a, b = np.array([[1.0, 2, 2], [0, 5, 7]]), np.array([[3.0, 3, 1], [0, 9, 9]])
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert rank_correlation(a, np.zeros((2, 3))) is None
    assert rank_correlation(a, np.zeros((3, 2))) is None


def test_shuffled_weights_are_the_same_numbers_elsewhere():
    layer = torch.nn.Linear(20, 10).requires_grad_(False)
    before = layer.weight.clone()
    shuffle(layer, torch.Generator().manual_seed(1))
    assert not torch.equal(layer.weight, before)
    assert torch.equal(layer.weight.flatten().sort().values, before.flatten().sort().values)
