"""Attacks on boxes of detectors and on pixels of segmentation networks, against loops written out by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import SettingError, UserError
from guiapp.interpret.attack.options import AttackOptions, sized
from guiapp.interpret.attack.run import attack, finish
from guiapp.interpret.attack.victims import victim_of_part
from guiapp.interpret.case import Case
from guiapp.interpret.score_boxes import candidates_of
from guiapp.models.base import Preprocessing
from tests.interpret.attribution.networks import case as tiny
from tests.interpret.detectors import LABELS, build

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
CLASSES = ("background", "cat", "dog")


class Segmenter(nn.Module):
    """Three classes of every pixel, at half the size, as a dictionary."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Tanh(), nn.Conv2d(8, 3, 3, padding=1))

    def forward(self, batch):
        return {"out": 4 * self.body(batch)}


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pixels():
    return torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(5)) * 0.8 + 0.1


def options(method, **more):
    return sized(AttackOptions(method, **more), Preprocessing((3, 16, 20), (0.0,), (1.0,)))


def inputs_of(pixels):
    return (pixels - torch.tensor(MEAN).reshape(1, 3, 1, 1)) / torch.tensor(STD).reshape(1, 3, 1, 1)


def by_hand(start, loss_of, epsilon, step, steps):
    """Iterated FGSM: signs of the gradient, clipped to the ball and to 0 to 1."""
    now = start.clone()
    for _ in range(steps):
        leaf = now.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(loss_of(leaf), leaf)
        now = (start + (now - step * slope.sign() - start).clamp(-epsilon, epsilon)).clamp(0, 1)
    return now


@pytest.mark.parametrize("wanted", [None, 0])
def test_the_pixels_of_a_class_go_as_in_a_loop_by_hand(segmenter, pixels, wanted):
    case = Case(segmenter, "segmentation", inputs_of(pixels), CLASSES)
    scores = segmenter(inputs_of(pixels))["out"]
    mine = scores[0].argmax(0) == 2
    assert 5 < int(mine.sum()) < mine.numel()
    asked = options("iterated", epsilon=6.0, steps=5, step_size=2.0, about=2, class_index=wanted)
    victim, inputs = victim_of_part(case, MEAN, STD, asked)
    found = finish(attack(victim, inputs, asked))

    def chance(leaf, index):
        return torch.softmax(segmenter(inputs_of(leaf))["out"], 1)[0, index][mine].mean()

    def loss(leaf):
        return chance(leaf, 2).log() if wanted is None else -chance(leaf, wanted).log()

    expected = by_hand(pixels, loss, 6 / 255, 2 / 255, 5)
    assert np.allclose(found.change / 255, (expected - pixels)[0].permute(1, 2, 0).numpy(), atol=1e-6)
    assert np.allclose(found.scores[-1], [float(chance(expected, index)) for index in range(3)], atol=1e-5)
    assert found.away == "dog" and found.about == "dog where it wins"
    assert found.loss[-1] < found.loss[0]


def test_a_region_alone_is_attacked_where_one_is_named(segmenter, pixels):
    case = Case(segmenter, "segmentation", inputs_of(pixels), CLASSES)
    asked = options("fgsm", epsilon=4.0, box="0,0,0.5,1", about=1)
    victim, inputs = victim_of_part(case, MEAN, STD, asked)
    found = finish(attack(victim, inputs, asked))
    assert found.change[:, :9].any() and not found.change[:, 13:].any()  # beyond what the left half sees
    with pytest.raises(SettingError, match="left before right"):
        victim_of_part(case, MEAN, STD, options("fgsm", box="0.5,0,0.2,1"))


def logits_by_hand(module, picture, place, region):
    """All class scores of the held anchor or region, from torchvision's own parts."""
    images, _ = module.transform([picture[0]])
    features = module.backbone(images.tensors)
    if region is None:
        return module.head(list(features.values()))["cls_logits"][0, place]
    heads = module.roi_heads
    pooled = heads.box_roi_pool(features, [region[None]], images.image_sizes)
    return heads.box_predictor(heads.box_head(pooled))[0][0]


@pytest.mark.parametrize("name", ["FasterRCNN", "RetinaNet"])
def test_the_score_of_a_box_goes_as_in_a_loop_by_hand(name):
    module = build(name)
    picture = torch.rand(1, 3, 60, 72, generator=torch.Generator().manual_seed(2)) * 0.8 + 0.1
    case = Case(module, "detection", [picture[0]], LABELS)
    with torch.no_grad():
        boxes = candidates_of(module, picture[0])
    best = int(boxes.scores.argmax())
    index, place = int(boxes.classes[best]), int(boxes.origins[best])
    region = boxes.proposals[place, :4] if name == "FasterRCNN" else None

    def loss(leaf):
        logits = logits_by_hand(module, leaf, place, region)
        return torch.log_softmax(logits, 0)[index] if region is not None else nn.functional.logsigmoid(logits[index])

    asked = options("iterated", epsilon=4.0, steps=3, step_size=2.0, about=index)
    victim, inputs = victim_of_part(case, (), (), asked)
    found = finish(attack(victim, inputs, asked))
    expected = by_hand(picture, loss, 4 / 255, 2 / 255, 3)
    with torch.no_grad():
        before, after = float(loss(picture).exp()), float(loss(expected).exp())
    same = np.isclose(found.change / 255, (expected - picture)[0].permute(1, 2, 0).numpy(), atol=1e-6)
    assert same.mean() > 0.999  # a gradient of nearly zero may have either sign
    assert found.scores[0, index] == pytest.approx(before, abs=1e-5)
    assert found.scores[-1, index] == pytest.approx(after, abs=1e-3) and after < before
    assert found.away == LABELS[index] and found.about == f"box of {LABELS[index]}"


def test_another_class_appears_a_patch_is_learnt_and_what_cannot_be_is_refused():
    case = tiny("retinanet")
    asked = options("pgd", epsilon=16.0, steps=3, class_index=3)
    found = finish(attack(*victim_of_part(case, (), (), asked), asked))
    assert found.wanted == "d" and found.scores[-1, 3] > found.scores[0, 3]
    learnt = options("patch", size=0.5, steps=2, rate=0.1)
    patch = finish(attack(*victim_of_part(case, (), (), learnt), learnt))
    assert patch.patch.shape == (16, 16, 3) and patch.scores[-1, patch.away_index] < patch.scores[0, patch.away_index]
    nothing = options("fgsm", class_index=0)
    with pytest.raises(SettingError, match="leave the class empty"):
        finish(attack(*victim_of_part(case, (), (), nothing), nothing))


class Finder(nn.Module):
    """A detector from a file: boxes and nothing behind them."""

    def candidates(self, inputs, keep):
        return candidates_of(tiny("retinanet").module, inputs[0])


def test_a_detector_without_gradients_says_that():
    case = Case(Finder(), "detection", tiny("retinanet").inputs, LABELS)
    with pytest.raises(UserError, match="passes none back"):
        victim_of_part(case, (), (), AttackOptions())
