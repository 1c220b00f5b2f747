"""The number of threads follows from the work alone, and a run uses it."""

import torch
from torch import nn

from guiapp.models.lenet import LeNet5
from guiapp.training.recipe import Recipe, change
from guiapp.training.threads import forward_operations, physical_cores, recommended_threads, threads_of


def test_operations_by_hand():
    # A 5x5 convolution from 1 to 6 maps on 28x28, a grouped 3x3 one, and a dense layer from 4704 to 10.
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1, groups=6),
        nn.Flatten(),
        nn.Linear(4704, 10),
    )
    assert forward_operations(model, (1, 28, 28)) == 2 * (150 * 784 + 54 * 784 + 47040)


def test_counting_leaves_the_network_and_the_random_state_as_they_were():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    model[1].eval()
    before = torch.get_rng_state()
    forward_operations(model, (1, 8, 8))
    assert torch.equal(torch.get_rng_state(), before)
    assert (model.training, model[1].training, model[2].training) == (True, False, True)
    assert int(model[1].num_batches_tracked) == 0
    assert not any(module._forward_hooks for module in model.modules())


def test_small_networks_take_one_thread_and_large_ones_all():
    assert recommended_threads(2 * 7840, 64, cores=16) == 1
    assert recommended_threads(2 * 50_000 * 40_000, 64, cores=16) == 16
    assert 1 <= recommended_threads(2 * 7840, 1_000_000) <= physical_cores()


def test_lenet5_takes_two_of_two_unless_the_recipe_says_otherwise():
    operations = forward_operations(LeNet5(1, 32, 32, 10), (1, 32, 32))
    assert operations == 2 * (150 * 784 + 2400 * 100 + 48000 + 120 * 84 + 84 * 10)
    assert recommended_threads(operations, 64, cores=2) == 2
    assert threads_of(change(Recipe(), {"threads": 5}), LeNet5(1, 32, 32, 10), (1, 32, 32)) == 5
