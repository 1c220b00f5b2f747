"""Newton's method against the Hessian written out."""

import pytest
import torch

from guiapp.training.newton import NewtonCG

BEND = torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
PULL = torch.tensor([1.0, 2.0], dtype=torch.float64)


def start():
    return torch.nn.Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))


def step(weight, loss, **options):
    optimiser = NewtonCG([weight], **options)
    optimiser.backward(loss(weight))
    with torch.no_grad():
        optimiser.step()
    return weight.detach()


def bowl(weight):
    return 0.5 * weight @ BEND @ weight - PULL @ weight


def test_one_step_reaches_the_minimum_of_a_bowl():
    found = step(start(), bowl, lr=1.0, damping=1e-12)
    torch.testing.assert_close(found, torch.linalg.solve(BEND, PULL))


def test_damping_decay_and_rate_are_those_of_the_formula():
    weight = start().detach()
    left = BEND + 0.7 * torch.eye(2, dtype=torch.float64)
    gradient = BEND @ weight - PULL + 0.2 * weight
    found = step(start(), bowl, lr=0.4, damping=0.5, weight_decay=0.2)
    torch.testing.assert_close(found, weight - 0.4 * torch.linalg.solve(left, gradient))


def test_the_products_are_those_with_the_hessian_of_any_function():
    weight = start()

    def curved(w):
        return (w**4).sum() + torch.exp(0.1 * w[0] * w[1])

    hessian = torch.autograd.functional.hessian(curved, weight.detach())
    gradient = torch.autograd.functional.jacobian(curved, weight.detach())
    expected = weight.detach() - torch.linalg.solve(hessian + 0.1 * torch.eye(2, dtype=torch.float64), gradient)
    torch.testing.assert_close(step(weight, curved, damping=0.1), expected)


def test_where_nothing_curves_upwards_the_step_follows_the_gradient():
    weight = start()
    found = step(weight, lambda w: -(w**2).sum(), lr=0.1, damping=0.5)
    assert found.tolist() == pytest.approx([3.0 + 0.1 * 2 * 3.0 / 0.5, -2.0 - 0.1 * 2 * 2.0 / 0.5])


def test_a_clipped_gradient_counts():
    weight = start()
    optimiser = NewtonCG([weight], lr=1.0, damping=1e-12)
    optimiser.backward(bowl(weight))
    half = weight.grad.mul_(0.5).clone()
    with torch.no_grad():
        optimiser.step()
    torch.testing.assert_close(weight.detach(), start().detach() - torch.linalg.solve(BEND, half))


def test_attention_can_be_differentiated_twice():
    query = torch.randn(1, 1, 4, 2, dtype=torch.float64)
    weight = torch.nn.Parameter(torch.eye(2, dtype=torch.float64))
    optimiser = NewtonCG([weight], damping=1.0)
    with optimiser.differentiable():
        key = query @ weight
        loss = torch.nn.functional.scaled_dot_product_attention(key, key, query).square().sum()
    optimiser.backward(loss)
    with torch.no_grad():
        optimiser.step()
    assert torch.isfinite(weight).all() and torch.backends.cuda.flash_sdp_enabled()
