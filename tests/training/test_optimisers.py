"""Every optimiser against torch's own class and against the formula for two steps."""

import copy
import subprocess
import sys

import pytest
import torch

from guiapp.training.optimisers import build
from guiapp.training.recipe import OPTIMISERS, Optimiser

CPU = torch.device("cpu")
SETTINGS = {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.01, "beta1": 0.85, "beta2": 0.97}
REFERENCE = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, weight_decay=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.97, momentum=0.8, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.85, 0.97), weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.85, 0.97), weight_decay=0.01),
}


def train(net, optimiser, steps=5):
    inputs = torch.linspace(-1, 1, 24).reshape(4, 6)
    for _ in range(steps):
        optimiser.zero_grad()
        net(inputs).square().sum().backward()
        optimiser.step()
    return [p.detach().clone() for p in net.parameters()]


def test_every_name_is_tested():
    assert set(REFERENCE) == set(OPTIMISERS)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_weights_are_those_of_torchs_class(name):
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    other = copy.deepcopy(net)
    ours = train(net, build(Optimiser(name, **SETTINGS), net.parameters(), CPU))
    theirs = train(other, REFERENCE[name](other.parameters()))
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


def test_momentum_by_hand():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimiser = build(Optimiser("momentum", lr=0.1, momentum=0.5), [weight], CPU)
    for expected in (0.8, 0.8 - 0.1 * (0.5 * 2.0 + 1.6)):  # gradient of w^2 is 2 w; v = 0.5 v + gradient
        optimiser.zero_grad()
        weight.square().sum().backward()
        optimiser.step()
        assert weight.item() == pytest.approx(expected)


def test_frozen_parameters_are_left_out():
    weight, frozen = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2), requires_grad=False)
    optimiser = build(Optimiser("adam"), [weight, frozen], CPU)
    assert [len(g["params"]) for g in optimiser.param_groups] == [1]


def test_torchs_compiler_is_not_loaded():
    # It takes seconds, at the moment when a person presses Start for the first time.
    code = (
        "import sys, torch\n"
        "from guiapp.training.optimisers import build\n"
        "from guiapp.training.recipe import OPTIMISERS, Optimiser\n"
        "for name in OPTIMISERS:\n"
        "    w = torch.nn.Parameter(torch.ones(2))\n"
        "    o = build(Optimiser(name), [w], torch.device('cpu'))\n"
        "    w.sum().backward(); o.step(); o.load_state_dict(o.state_dict()); o.zero_grad()\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
