"""Attacks against values found by hand, Captum, and what bounds them."""

import captum.robust
import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.attack.methods import steps_of
from guiapp.interpret.attack.options import AttackOptions, sized
from guiapp.interpret.attack.patch import corner_of
from guiapp.interpret.attack.run import attack, finish
from guiapp.interpret.attack.space import LossOf, padding_mask, shuffled
from guiapp.interpret.attack.victims import make_victim
from guiapp.models.base import Preprocessing

LABELS = ("dark", "light")


class Linear(nn.Module):
    """Two classes, logits 0 and w.x + b."""

    def __init__(self, weights, bias):
        super().__init__()
        self.weights, self.bias = torch.tensor(weights), bias

    def forward(self, inputs):
        score = inputs.flatten(1) @ self.weights + self.bias
        return torch.stack([torch.zeros_like(score), score], 1)


def victim(module, inputs, mean=(), std=(), mask=None, labels=LABELS):
    return make_victim(module, labels, mean, std, inputs, mask)


def small_net(classes=4):
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 16), nn.ReLU(), nn.Linear(16, classes)
    )
    return net.eval().requires_grad_(False)


@pytest.fixture
def net():
    return small_net()


@pytest.fixture
def picture():
    return torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2


def asked_of(picture):
    return picture.clone().requires_grad_(True)  # Captum warns where it has to ask for gradients itself


def options(method, **more):
    return sized(AttackOptions(method, **more), Preprocessing((1, 8, 8), (0.0,), (1.0,)))


def test_one_step_is_the_signs_of_the_weights():
    module = Linear([2.0, -1.0, 0.5, 0.0], -0.3)
    start = torch.tensor([0.5, 0.5, 0.5, 0.5]).reshape(1, 1, 2, 2)  # score 0.45: light
    found = finish(attack(victim(module, start), start, options("fgsm", epsilon=0.15 * 255)))
    assert found.away == "light" and found.says == "dark" and found.reached
    assert np.allclose(found.change[..., 0], np.array([[-38.25, 38.25], [-38.25, 0.0]]), atol=1e-4)
    weak = finish(attack(victim(module, start), start, options("fgsm", epsilon=0.1 * 255)))
    score = 0.45 - 0.1 * 3.5
    assert weak.after["light"] == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-5)
    assert found.largest == pytest.approx(38.25, abs=1e-3)
    assert found.length == pytest.approx(0.15 * np.sqrt(3), abs=1e-5) and found.changed == 0.75


def test_in_l2_one_step_goes_along_the_gradient():
    module = Linear([3.0, 4.0], -0.5)
    start = torch.tensor([0.5, 0.5]).reshape(1, 1, 1, 2)
    found = finish(attack(victim(module, start), start, options("fgsm", norm="L2", radius=0.25)))
    assert np.allclose(found.change.ravel() / 255, [-0.15, -0.2], atol=1e-6) and found.length == pytest.approx(0.25)


def test_the_normalisation_is_counted_in():
    module = Linear([1.0, -2.0], 0.0)
    pixels = torch.tensor([0.9, 0.2]).reshape(1, 1, 1, 2)
    inputs = (pixels - 0.4) / 0.25
    found = finish(attack(victim(module, inputs, (0.4,), (0.25,)), inputs, options("fgsm", epsilon=5.1)))
    assert found.original.ravel().tolist() == [230, 51]
    assert np.allclose(found.change.ravel(), [-5.1, 5.1], atol=1e-3), "of 255 in the picture, not in the input"


@pytest.mark.parametrize("class_index", [None, 2])
def test_fgsm_is_that_of_captum(net, picture, class_index):
    away = int(net(picture).argmax())
    goal = away if class_index is None else class_index
    peer = captum.robust.FGSM(net, nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0)
    wanted = peer.perturb(asked_of(picture), 0.05, torch.tensor([goal]), targeted=class_index is not None).detach()
    found = finish(attack(victim(net, picture), picture, options("fgsm", epsilon=12.75, class_index=class_index)))
    assert np.allclose(found.change[..., 0] / 255, (wanted - picture)[0, 0].numpy(), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")
@pytest.mark.parametrize("norm", ["L-infinity", "L2"])
def test_iterated_is_the_pgd_of_captum_without_its_random_start(net, picture, norm):
    goal = torch.tensor([(int(net(picture).argmax()) + 1) % 4])
    peer = captum.robust.PGD(net, nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0)
    wanted = peer.perturb(picture, 0.1, 0.03, 7, goal, targeted=True, norm="Linf" if norm == "L-infinity" else "L2")
    asked = AttackOptions("iterated", int(goal), norm, 25.5, 0.1, 7, 0.03 * 255 if norm == "L-infinity" else 0.03)
    *_, last = steps_of(
        picture, lambda p: victim(net, picture).gradient(LossOf(goal, True), p)[2], options("iterated", **{
            name: getattr(asked, name) for name in ("class_index", "norm", "epsilon", "radius", "steps", "step_size")
        }), None,
    )  # fmt: skip
    if norm == "L-infinity":
        assert torch.allclose(last, wanted, atol=1e-6)
    else:  # Captum's step in L2 is along the signs; ours along the gradient, which is the steepest
        loss = nn.CrossEntropyLoss()
        assert loss(net(last), goal) <= loss(net(wanted), goal) + 1e-6
        assert float((last - picture).norm()) <= 0.1 + 1e-6


@pytest.mark.parametrize("norm", ["L-infinity", "L2"])
@pytest.mark.parametrize("method", ["fgsm", "iterated", "pgd", "noise"])
def test_no_step_leaves_the_ball_or_the_picture(net, picture, norm, method):
    start = picture.clone()
    start[0, 0, 0] = 0.0  # at the border of what a picture can be
    asked = options(method, norm=norm, epsilon=20.0, radius=0.4, steps=6)
    for pixels in steps_of(
        start, lambda p: victim(net, start).gradient(LossOf(torch.tensor([0]), True), p)[2], asked, None
    ):
        change = pixels - start
        size = change.abs().max() if norm == "L-infinity" else change.norm()
        assert size <= asked.bound + 1e-6 and pixels.min() >= 0 and pixels.max() <= 1


def test_scores_are_those_of_the_network_after_each_step(net, picture):
    asked = options("pgd", epsilon=30.0, steps=5, seed=4)
    subject = victim(net, picture, labels=tuple("abcd"))
    found = finish(attack(subject, picture, asked))
    away = int(net(picture).argmax())
    steps = steps_of(picture, lambda p: subject.gradient(LossOf(torch.tensor([away]), False), p)[2], asked, None)
    wanted = torch.cat([picture, *steps])
    assert np.allclose(found.scores, torch.softmax(net(wanted), 1).numpy(), atol=1e-6) and found.steps == 5
    assert np.allclose(found.lengths, (wanted - picture).flatten(1).norm(dim=1).numpy(), atol=1e-5)
    assert np.allclose(found.loss, torch.log(torch.softmax(net(wanted), 1)[:, away]).numpy(), atol=1e-5)
    assert sorted(found.frames) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(found.frames[3], np.rint(wanted[3, 0].numpy() * 255)[..., None].astype(np.uint8))
    again = finish(attack(subject, picture, asked))
    assert np.array_equal(again.change, found.change), "the seed decides"


def test_the_penalised_attack_ends_where_both_gradients_cancel():
    module = Linear([2.0, -1.0], -0.2)
    start = torch.tensor([0.6, 0.4]).reshape(1, 1, 1, 2)
    asked = options("distance", class_index=0, weight=2.0, rate=0.01, steps=1500)
    found = finish(attack(victim(module, start), start, asked))
    moved = start.flatten() + torch.from_numpy(found.change.ravel() / 255)
    p_light = torch.sigmoid(module.weights @ moved - 0.2)
    slope = p_light * module.weights + 2 * 2.0 * (moved - start.flatten())
    assert slope.abs().max() < 5e-3
    heavier = finish(attack(victim(module, start), start, options("distance", class_index=0, weight=20.0, steps=800)))
    assert heavier.length < found.length, "a heavier penalty keeps it nearer"


def test_it_stops_once_it_is_sure_enough(net, picture):
    target = int(net(picture)[0].argsort()[-2])
    asked = {"class_index": target, "weight": 0.0, "rate": 0.05, "steps": 60}
    whole = finish(attack(victim(net, picture), picture, options("distance", **asked))).scores[:, target]
    wanted = float(whole[0] + whole[-1]) / 2
    found = finish(attack(victim(net, picture), picture, options("distance", **asked, confidence=wanted)))
    assert found.steps == int((whole >= wanted).argmax()) + 1 < 60, "known with the next gradient"


def test_padding_stays_as_it_is(net):
    mask = padding_mask((1, 8, 8), (6, 7), "pad")
    assert mask[0, 0].sum() == 42 and mask[0, 0, 1, 0] == 1 and mask[0, 0, 0].sum() == 0
    assert padding_mask((1, 8, 8), (8, 8), "pad") is None and padding_mask((1, 8, 8), (6, 7), "stretch") is None
    picture = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(5)) * mask
    for method in ("fgsm", "pgd", "distance", "noise"):
        for norm in ("L-infinity", "L2"):
            found = finish(attack(victim(net, picture, mask=mask), picture, options(method, norm=norm, steps=3)))
            assert not found.change[mask[0, 0] == 0].any() and found.change.any(), method
    assert found.area == (0, 1, 7, 6)


def test_a_patch_changes_its_square_alone(net, picture):
    target = (int(net(picture).argmax()) + 1) % 4
    asked = options("patch", class_index=target, size=0.5, x=1.0, y=0.25, steps=40)
    found = finish(attack(victim(net, picture), picture, asked))
    assert found.box == (4, 0, 4, 4)
    outside = np.ones((8, 8), bool)
    outside[:4, 4:] = False
    assert not found.change[outside].any() and np.array_equal(found.patch, found.result[:4, 4:])
    assert found.scores[-1][target] > found.scores[0][target]
    everywhere = finish(attack(victim(net, picture), picture, options("patch", size=0.5, everywhere=True, steps=3)))
    assert everywhere.patch.shape == (4, 4, 1)
    assert corner_of(0.0, 1.0, 4, 8, 10) == (4, 0) and corner_of(0.5, 0.5, 4, 8, 10) == (2, 3)


def test_shuffled_noise_has_the_size_of_the_change():
    change = torch.randn(1, 3, 5, 5)
    mask = torch.zeros(1, 1, 5, 5)
    mask[..., :3] = 1
    other = shuffled(change * mask, torch.Generator().manual_seed(0), mask)
    assert torch.equal(other.abs().flatten().sort()[0], (change * mask).abs().flatten().sort()[0])
    assert not (other * (1 - mask)).any() and not torch.equal(other, change * mask)


def test_a_network_that_is_sure_is_attacked_all_the_same():
    module = Linear([60.0, 60.0], 0.0)  # probability 1 - 1e-26: in float32 there is no gradient left
    start = torch.tensor([0.5, 0.5]).reshape(1, 1, 1, 2)
    found = finish(attack(victim(module, start), start, options("fgsm", epsilon=10.0)))
    assert np.allclose(found.change.ravel(), [-10, -10], atol=1e-4)


def test_what_cannot_be_attacked_is_said_in_one_line(picture):
    flat = nn.Flatten()

    class Remembers(nn.Module):
        def forward(self, inputs):
            return (flat(inputs)[:, :3].detach() * 4).round()

    with pytest.raises(UserError, match="no gradient"):
        finish(attack(victim(Remembers(), picture), picture, options("fgsm")))
    assert finish(attack(victim(Remembers(), picture), picture, options("noise"))).steps == 1
    with pytest.raises(UserError, match="tell classes apart"):
        finish(attack(victim(nn.Identity(), picture), picture, options("fgsm")))
    away = int(small_net()(picture).argmax())
    said = finish(attack(victim(small_net(), picture), picture, options("pgd", class_index=away)))
    assert said.reached and said.steps == 0 and not said.change.any(), "the wanted class is said already"
    with pytest.raises(UserError, match="no class 9"):
        finish(attack(victim(small_net(), picture), picture, options("pgd", class_index=9)))
