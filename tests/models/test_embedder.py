"""Vectors of pictures by a frozen network: the same before and after it is fused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.models.embedder import Embedder


def opened(*head):
    """A small network that stands for a published one, with its statistics away from 0 and 1."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), *head).eval()
    module[1].running_mean.uniform_(-1, 1)
    module[1].running_var.uniform_(0.5, 2)
    prepare = lambda pixels, exact: torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None]  # noqa: E731
    return SimpleNamespace(module=module, entry=SimpleNamespace(name="small"), prepare=prepare)


@pytest.mark.parametrize(
    "head", [(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)), (nn.Conv2d(8, 4, 1), nn.Flatten())]
)
def test_vectors_stay_what_they_are_once_the_network_is_fused(head):
    pictures = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 3), dtype=np.uint8)
    model = opened(*head)
    first = model.module[:3]
    with torch.no_grad():
        wanted = first(torch.cat([model.prepare(pixels, False) for pixels in pictures])).mean((2, 3))
    embedder = Embedder(model)
    found = np.concatenate([embedder(pictures[start : start + 8]) for start in range(0, 48, 8)])
    assert embedder.width == 8 and (embedder._fused is not None) is isinstance(head[-1], nn.Linear)
    assert found == pytest.approx(wanted.numpy(), rel=1e-4, abs=1e-5)
