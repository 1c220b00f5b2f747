"""The number of threads follows from the work alone."""

import torch
from torch import nn

from guiapp.models.lenet import LeNet5
from guiapp.training.recipe import Recipe
from guiapp.training.threads import forward_operations, physical_cores, recommended_threads, threads_of


def test_operations_by_hand():
    # 6 filters of 5x5 at 28x28 places, then a dense layer from 6 numbers to 10.
    net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.AvgPool2d(28), nn.Flatten(), nn.Linear(6, 10))
    assert forward_operations(net, (1, 32, 32)) == 2 * (6 * 25 * 28 * 28 + 60)


def test_counting_leaves_the_network_and_the_random_state_alone():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 3))
    net[2].eval()
    before, state = {n: t.clone() for n, t in net.state_dict().items()}, torch.get_rng_state()
    forward_operations(net, (1, 6, 6))
    assert all(torch.equal(t, before[n]) for n, t in net.state_dict().items())
    assert [m.training for m in net] == [True, True, False, True, True]
    assert torch.equal(state, torch.get_rng_state())
    assert not any(m._forward_hooks for m in net)


def test_small_networks_take_one_thread_and_large_ones_all():
    assert recommended_threads(15_700, 64, cores=16) == 1
    assert recommended_threads(4_000_000, 64, cores=16) == 16
    assert 1 <= recommended_threads(10**12, 64) <= physical_cores()


def test_lenet5_takes_two_of_two_unless_the_recipe_says():
    net = LeNet5(1, 32, 32, 10)
    assert recommended_threads(forward_operations(net, (1, 32, 32)), 64, cores=2) == 2
    assert threads_of(Recipe(threads=1), net, (1, 32, 32)) == 1
