"""The twin holds the newest weights without touching the network that is trained."""

import torch
from torch import nn

from guiapp.engine.twin import Twin


def network():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))


def test_the_twin_follows_what_is_offered_and_nothing_else():
    model = network()
    twin = Twin(model)
    before = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert torch.equal(twin.model[0].weight, before)
    twin.offer(model, 7)
    assert twin.pending
    assert torch.equal(twin.model[0].weight, before)
    assert twin.live() == 7
    assert not twin.pending
    assert torch.equal(twin.model[0].weight, model[0].weight)
    with torch.no_grad():
        model[0].weight.mul_(0.0)
    assert torch.equal(twin.model[0].weight, before + 1.0)


def test_offers_that_nobody_takes_are_overwritten():
    model = network()
    twin = Twin(model)
    for step in range(1, 4):
        with torch.no_grad():
            model[0].bias.fill_(step)
        twin.offer(model, step)
    assert twin.live() == 3
    assert twin.model[0].bias.tolist() == [3.0, 3.0]
    assert twin.live() == 3


def test_buffers_travel_too():
    model = network()
    twin = Twin(model)
    model.train()(torch.randn(8, 3))
    twin.offer(model, 1)
    twin.live()
    assert torch.equal(twin.model[1].running_mean, model[1].running_mean)
    assert int(twin.model[1].num_batches_tracked) == 1


def test_going_back_and_forth():
    model = network()
    twin = Twin(model)
    old = {name: value.detach().clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        model[0].weight.fill_(5.0)
    twin.offer(model, 10)
    twin.live()
    twin.at(old)
    assert torch.equal(twin.model[0].weight, old["0.weight"])
    twin.offer(model, 11)
    assert torch.equal(twin.model[0].weight, old["0.weight"])
    assert twin.live() == 11
    assert float(twin.model[0].weight[0, 0]) == 5.0


def test_the_twin_never_trains():
    twin = Twin(network().train())
    assert not any(module.training for module in twin.model.modules())
    assert not any(parameter.requires_grad for parameter in twin.model.parameters())
    twin.offer(network().train(), 1)
    twin.live()
    assert not twin.model.training


def test_a_buffer_may_change_its_size():
    class Memory(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("kept", torch.zeros(0, 4))

    model = Memory()
    twin = Twin(model)
    model.kept = torch.ones(5, 4)
    twin.offer(model, 1)
    twin.live()
    assert twin.model.kept.shape == (5, 4)


def test_the_twin_of_a_network_in_training_order_is_in_plain_order():
    model = nn.Sequential(nn.Conv2d(1, 4, 5), nn.Conv2d(4, 3, 5)).to(memory_format=torch.channels_last)
    twin = Twin(model)
    for _ in range(2):
        for one, two in zip(twin.model.parameters(), model.parameters(), strict=True):
            assert torch.equal(one, two)
            assert one.stride() == torch.empty(one.shape).stride()
        twin.offer(model, 1)
        twin.live()
