"""Voting over views: the course text's formula, ties, and what the views are."""

import pytest
import torch

from guiapp.core.notices import SettingError
from guiapp.models.base import Preprocessing
from guiapp.tasks.classification import ClassificationTask
from guiapp.training.evaluation import evaluate
from guiapp.training.recipe import Augmentation
from guiapp.training.voting import VIEWS, WORDS, Voting, joint, views_of

COLOUR = Preprocessing((3, 16, 16), (0.5,) * 3, (0.25,) * 3)


class Left(torch.nn.Module):
    """Class 1 where the left half is brighter than the right one, else class 0; sure of class 0, less so of class 1."""

    def forward(self, inputs):
        half = inputs.shape[3] // 2
        brighter = (inputs[..., :half].mean((1, 2, 3)) > inputs[..., half:].mean((1, 2, 3))).float()
        return torch.stack((4.0 * (1 - brighter), brighter, torch.zeros_like(brighter)), 1)


def inputs(count=3):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_the_majority_wins_and_a_tie_goes_to_the_larger_mean():
    votes = torch.tensor([
        [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]],
        [[0.4, 0.6, 0.0], [0.0, 0.9, 0.1]],
        [[0.4, 0.6, 0.0], [0.0, 0.0, 1.0]],
    ])  # fmt: skip
    majority, mean = joint(votes, "majority"), joint(votes, "mean")
    assert majority.argmax(1).tolist() == [1, 1] and mean.argmax(1).tolist() == [0, 1]
    assert majority[0].tolist() == pytest.approx([(1 + 1.7 / 3) / 4, (2 + 1.3 / 3) / 4, 0.0])
    assert majority.sum(1) == pytest.approx(torch.ones(2)) and mean[1].tolist() == pytest.approx(
        [0.2, 1.3 / 3, 1.1 / 3]
    )


def test_a_soft_max_of_the_output_gives_the_answer_back_and_evaluation_takes_it():
    network = Left()
    flips = views_of("flip", COLOUR)
    for rule in ("majority", "mean"):
        voting = Voting(network, flips, rule).eval()
        expected = joint(torch.stack([network(view(inputs())).softmax(1) for view in flips]), rule)
        assert torch.softmax(voting(inputs()), 1) == pytest.approx(expected, abs=1e-6)
    # Of a sample and its mirror image one is of each class: the tie goes to the surer answer.
    found = evaluate(Voting(network, flips), ClassificationTask(("a", "b", "c")), [(inputs(), torch.zeros(3).long())])
    assert found.accuracy == 1.0 and 0 < found.loss < 1


def test_the_views_of_each_kind():
    one = inputs(1)
    flip, crops, ten = (views_of(kind, COLOUR) for kind in ("flip", "crops", "ten"))
    assert (len(flip), len(crops), len(ten)) == (2, 5, 10) and set(WORDS) == set(VIEWS)
    assert torch.equal(flip[0](one), one) and torch.equal(flip[1](one), one.flip(3))
    corners = {(dx, dy) for dx in (2, -2) for dy in (2, -2)}
    for view in crops[1:]:
        found = [
            (dx, dy)
            for dx, dy in corners
            if torch.equal(view(one)[..., 4:12, 4:12], one.roll((dy, dx), (2, 3))[..., 4:12, 4:12])
        ]
        corners.discard(found[0])
        assert (view(one) == 0).sum() == 3 * (2 * 2 * 16 - 2 * 2)  # the border is the mean, zero after preparation
    assert not corners
    assert all(torch.equal(ten[5 + n](one), ten[n](one).flip(3)) for n in range(5))


def test_draws_are_those_of_the_run_without_mixing_and_always_the_same():
    options = Augmentation("flip-crop", brightness=0.3, mixup=1.0)
    views, again = views_of("draws", COLOUR, options, 6), views_of("draws", COLOUR, options, 6)
    assert len(views) == 6 and len({view(inputs()).numpy().tobytes() for view in views}) == 6
    assert all(torch.equal(one(inputs()), two(inputs())) for one, two in zip(views, again, strict=True))
    for none in (None, Augmentation("none"), Augmentation("none", mixup=1.0)):
        with pytest.raises(SettingError, match="there is none"):
            views_of("draws", COLOUR, none)
