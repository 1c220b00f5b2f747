"""Statistics of batches against running ones, as PyTorch computes them."""

import pytest
import torch
from torch import nn

from guiapp.interpret.batch_statistics import statistics
from guiapp.training.evaluation import finish


def test_batches_running_statistics_and_both_modes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 4))
    batches = [(torch.randn(16, 1, 8, 8), torch.randint(0, 4, (16,))) for _ in range(3)]
    for inputs, _ in batches:
        model.train()(inputs)
    kept = model[1].running_mean.clone()
    found = finish(statistics(model, batches))
    (view,) = found.layers
    given = model[0](batches[1][0]).detach()
    assert torch.allclose(torch.from_numpy(view.batches[1, 0]), given.mean((0, 2, 3)), atol=1e-5)
    deviation = (given.var((0, 2, 3), unbiased=False) + 1e-5).sqrt()
    assert torch.allclose(torch.from_numpy(view.batches[1, 1]), deviation, atol=1e-5)
    assert torch.allclose(torch.from_numpy(view.running[0]), kept)
    assert torch.equal(model[1].running_mean, kept)  # looking moves nothing
    losses = {}
    for mode in (True, False):
        twin = model.train(mode)
        with torch.no_grad():
            losses[mode] = sum(float(nn.functional.cross_entropy(twin(x), y)) for x, y in batches) / 3
        model[1].running_mean.copy_(kept)
    assert found.modes.loss_batch == pytest.approx(losses[True], rel=1e-4)
    assert (found.modes.count, found.modes.batch) == (48, 16)


def test_layer_normalisation_keeps_none_and_is_the_same_in_both_modes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2))
    found = finish(statistics(model, [(torch.randn(8, 1, 2, 2), torch.randint(0, 2, (8,)))]))
    assert found.layers[0].running is None
    assert found.modes.loss_batch == found.modes.loss_running
