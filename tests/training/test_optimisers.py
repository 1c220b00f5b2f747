"""Every optimiser against torch's own class and against the formula for two steps."""

import copy
import subprocess
import sys

import pytest
import torch

from guiapp.training.optimisers import build, set_rates
from guiapp.training.recipe import OPTIMISERS, Optimiser

CPU = torch.device("cpu")
SETTINGS = {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.01, "beta1": 0.85, "beta2": 0.97}
REFERENCE = {
    "gd": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.01),
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
    assert {*REFERENCE, "newton"} == set(OPTIMISERS)


@pytest.mark.parametrize("name", REFERENCE)
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


def two_steps(options, momentum=None):
    """w after two steps on f(w) = w1^2 + 2 w2^2 from (1, -1), as torch has it in double precision."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    optimiser = build(options, [weight], CPU)
    for _ in range(2):
        optimiser.zero_grad()
        (weight[0] ** 2 + 2 * weight[1] ** 2).backward()
        optimiser.step()
    return weight.tolist()


def by_hand(rule):
    """The same with a rule of the texts: ``rule(w, gradient, state, t)`` gives the next w."""
    found = []
    for start, bend in ((1.0, 2.0), (-1.0, 4.0)):
        w, state = start, {}
        for t in (1, 2):
            w = rule(w, lambda at, bend=bend: bend * at, state, t)
        found.append(w)
    return found


def nesterov(x, gradient, state, t):
    """T4 (59)-(60): v' = rho v - alpha f'(x~); x~' = x~ + v' + rho (v' - v). x~ is torch's parameter."""
    before = state.get("v", 0.0)
    state["v"] = 0.8 * before - 0.1 * gradient(x)
    return x + state["v"] + 0.8 * (state["v"] - before)


def momentum(x, gradient, state, t):
    """T1 (15)-(16), T4 (55)-(56): v' = rho v - alpha f'(x); x' = x + v'. Equal to (53)-(54) while alpha is constant."""
    state["v"] = 0.8 * state.get("v", 0.0) - 0.1 * gradient(x)
    return x + state["v"]


def adagrad(x, gradient, state, t):
    """T1 (19)-(20): s' = s + g^2; x' = x - lr g / (sqrt(s') + eps)."""
    state["s"] = state.get("s", 0.0) + gradient(x) ** 2
    return x - 0.1 * gradient(x) / (state["s"] ** 0.5 + 1e-10)


def rmsprop(x, gradient, state, t):
    """T1 (21)-(22): s' = beta s + (1 - beta) g^2."""
    state["s"] = 0.9 * state.get("s", 0.0) + 0.1 * gradient(x) ** 2
    return x - 0.1 * gradient(x) / (state["s"] ** 0.5 + 1e-8)


def adam(x, gradient, state, t):
    """T1 (23)-(26), T2: means of g and g^2, both divided by 1 - beta^t."""
    state["g"] = 0.7 * state.get("g", 0.0) + 0.3 * gradient(x)
    state["s"] = 0.9 * state.get("s", 0.0) + 0.1 * gradient(x) ** 2
    return x - 0.1 * (state["g"] / (1 - 0.7**t)) / ((state["s"] / (1 - 0.9**t)) ** 0.5 + 1e-8)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("gd", lambda x, gradient, state, t: x - 0.1 * gradient(x)),
        ("sgd", lambda x, gradient, state, t: x - 0.1 * gradient(x)),
        ("momentum", momentum),
        ("nesterov", nesterov),
        ("adagrad", adagrad),
        ("rmsprop", rmsprop),
        ("adam", adam),
        ("adamw", adam),
    ],
)
def test_the_update_rules_are_those_of_the_texts(name, rule):
    plain = 0.0 if name == "rmsprop" else 0.8
    options = Optimiser(name, lr=0.1, momentum=plain, beta1=0.7, beta2=0.9)
    assert two_steps(options) == pytest.approx(by_hand(rule), rel=1e-6)


def test_a_rate_and_a_momentum_for_the_next_step():
    weight, other = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    sgd, adam_one = build(Optimiser("momentum"), [weight], CPU), build(Optimiser("adam", beta2=0.9), [other], CPU)
    sgd.param_groups[0]["scale"] = 0.5
    set_rates(sgd, 0.2, 0.7)
    set_rates(adam_one, 0.2, 0.7)
    assert (sgd.param_groups[0]["lr"], sgd.param_groups[0]["momentum"]) == (0.1, 0.7)
    assert (adam_one.param_groups[0]["lr"], adam_one.param_groups[0]["betas"]) == (0.2, (0.7, 0.9))


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
        "    o.backward((w * w).sum()) if name == 'newton' else w.sum().backward()\n"
        "    o.step(); o.load_state_dict(o.state_dict()); o.zero_grad()\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
