"""What is shown as left out is what the trainer's own step leaves out."""

import torch
from torch import nn

from guiapp.interpret.left_out import draws
from guiapp.models import MODELS
from guiapp.models.changed_layers import StochasticDepth
from guiapp.models.changes import Changes, changed

SIZE = (1, 32, 32)


def seed():
    torch.manual_seed(7)


def test_draws_are_those_of_a_forward_pass_under_the_same_seed():
    torch.manual_seed(0)
    model = changed(MODELS["lenet5"].build(*SIZE, 10), SIZE, Changes(dropout=0.5, dropconnect=0.3)).train()
    heard = {}

    def hear(module, given, gave):
        heard["units"] = (given[0] != 0) & (gave == 0)

    model.fc2_dropout.register_forward_hook(hear)
    drawn = model.fc1.drawn
    model.fc1.drawn = lambda weight: heard.setdefault("weights", drawn(weight))
    pictures = torch.randn(5, *SIZE)
    seed()
    model(pictures)
    model.fc2_dropout._forward_hooks.clear()
    del model.fc1.drawn
    state = torch.get_rng_state()
    found = {one.layer: one for one in draws(model, (5, *SIZE), seed)}
    assert torch.equal(torch.get_rng_state(), state) and model.training
    assert torch.equal(torch.from_numpy(found["fc2_dropout"].kept) == 0, heard["units"])
    assert torch.equal(torch.from_numpy(found["fc1"].kept) == 0, heard["weights"] == 0)
    assert 0.25 < found["fc1"].share < 0.35


def test_branches_and_pooling_regions():
    model = changed(MODELS["resnet20"].build(*SIZE, 10), SIZE, Changes(depth=0.5))
    found = draws(model, (6, *SIZE), seed)
    assert [one.kept.shape for one in found] == [(1, 6)] * 9
    assert sum(isinstance(m, StochasticDepth) for m in model.modules()) == 9
    pooled = changed(MODELS["lenet5"].build(*SIZE, 10), SIZE, Changes(pooling="fractional"))
    first = draws(pooled, (4, *SIZE), seed)[0]
    assert first.kept.shape == (4, 28) and first.kept.sum(1).tolist() == [2.0 * 19] * 4


def test_nothing_is_found_where_nothing_draws():
    assert draws(nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(4, 2)), (2, 1, 2, 2), seed) == ()
