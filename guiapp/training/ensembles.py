"""Ensembles: several networks asked about the same samples, compared one by one and together.

Course text T1, 9 and T4, 8.6: train several networks, run each over a picture, average the results; networks with equal
error rates make different mistakes. Members are the weights of finished runs, or those that one run kept at the ends of
its cycles (a snapshot ensemble), whose weights can be averaged too (T1 (41)).
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import SettingError, UserError
from guiapp.training.averages import STATISTICS_SAMPLES, estimate_statistics, kept_members, mean_weights
from guiapp.training.evaluation import wilson
from guiapp.training.load import load_run
from guiapp.training.looks import By, add_look
from guiapp.training.scoring import scoring

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset, Part
    from guiapp.training.metrics.scores import Scores
    from guiapp.training.setup import Setup

MOST = 100
_SUBSETS = 64
_BATCH = 128
_VOTES = "most votes"


@dataclass(frozen=True)
class Member:
    """A network that takes part.

    Attributes:
        name: What a person reads.
        run: Folder of its run.
        step: Step of weights that the run kept at the end of a cycle; None for those that it ended with.
    """

    name: str
    run: Path
    step: int | None = None


@dataclass(frozen=True, eq=False)
class Figures:
    """How good one answer is.

    Attributes:
        name: Of the member, or of the way in which all are put together.
        accuracy: Share of the samples that are right.
        interval: 95 % interval of it (Wilson).
        loss: Mean of -log p(true class); infinite where a true class has probability 0, NaN for votes.
    """

    name: str
    accuracy: float
    interval: tuple[float, float]
    loss: float


@dataclass(frozen=True, eq=False)
class Together:
    """What several networks say about the samples of a part.

    Attributes:
        names: Of the members.
        probabilities: float32 (M, N, K).
        truth: int64 (N,).
        classes: Names of the K classes.
        part: Of the data set.
        dataset: Its name.
        mean_weights: Probabilities (N, K) of the network with the mean of the members' weights; None where they belong
            to several runs, whose weights have nothing to do with one another.
        kept: Probabilities (N, K) of the weights that the one run ended with, such as a moving average; None for
            several runs.
        looks: For the test part: the looks at it so far, by run.
    """

    names: tuple[str, ...]
    probabilities: npt.NDArray[np.float32] = field(repr=False)
    truth: npt.NDArray[np.int64] = field(repr=False)
    classes: tuple[str, ...]
    part: str
    dataset: str
    mean_weights: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    kept: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    looks: tuple[int, ...] = ()

    @cached_property
    def members(self) -> tuple[Figures, ...]:
        """Each member alone."""
        return tuple(self.figures(name, p) for name, p in zip(self.names, self.probabilities, strict=True))

    @cached_property
    def all_together(self) -> dict[str, npt.NDArray[np.floating[Any]]]:
        """Answers (N, K) of all: mean of the probabilities, votes, and for one run its mean of weights and its own."""
        found: dict[str, npt.NDArray[np.floating[Any]]] = {
            "mean probabilities": self.mean,
            _VOTES: votes(self.probabilities),
        }
        if self.mean_weights is not None:
            found["mean weights"] = self.mean_weights
        if self.kept is not None:
            found["the run itself"] = self.kept
        return found

    @cached_property
    def answers(self) -> tuple[Figures, ...]:
        """Figures of ``all_together``, in its order."""
        found = (self.figures(name, said) for name, said in self.all_together.items())
        return tuple(dataclasses.replace(one, loss=math.nan) if one.name == _VOTES else one for one in found)

    @cached_property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean of the members' probabilities, (N, K)."""
        return np.asarray(self.probabilities.mean(0, dtype=np.float64))

    @cached_property
    def said(self) -> npt.NDArray[np.int64]:
        """Class that each member names, (M, N)."""
        return np.asarray(self.probabilities.argmax(2))

    @cached_property
    def disagreement(self) -> npt.NDArray[np.float64]:
        """Share of the samples for which two members name different classes, (M, M)."""
        return np.array([[(one != other).mean() for other in self.said] for one in self.said])

    def different(self, one: int, other: int) -> npt.NDArray[np.int64]:
        """Samples for which two members name different classes; for one alone: those that it gets wrong."""
        if one == other:
            return np.flatnonzero(self.said[one] != self.truth)
        return np.flatnonzero(self.said[one] != self.said[other])

    @cached_property
    def by_size(self) -> tuple[tuple[float, ...], ...]:
        """Accuracies of the mean of m members for m = 1 … M, of each of their subsets.

        All subsets, or 64 drawn of them (always the same ones) where there are more.
        """
        count = len(self.names)
        return tuple(
            tuple(
                float((self.probabilities[list(chosen)].mean(0, dtype=np.float64).argmax(1) == self.truth).mean())
                for chosen in _subsets(count, size)
            )
            for size in range(1, count + 1)
        )

    @property
    def growth(self) -> tuple[tuple[float, float, float], ...]:
        """Of ``by_size`` the mean, the least and the largest."""
        return tuple((float(np.mean(rows)), min(rows), max(rows)) for rows in self.by_size)

    def figures(self, name: str, probabilities: npt.NDArray[np.floating[Any]]) -> Figures:
        """Figures of probabilities (N, K)."""
        right = int((probabilities.argmax(1) == self.truth).sum())
        count = len(self.truth)
        with np.errstate(divide="ignore"):
            losses = -np.log(probabilities[np.arange(count), self.truth].astype(np.float64))
        return Figures(name, right / count, wilson(right, count), float(losses.mean()))


def votes(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Shares of the votes (N, K) of the members' probabilities (M, N, K), with one more vote divided by their mean.

    So a tie goes to the larger mean, and no class has probability zero that a member gives some; see ``voting.joint``.
    """
    count, _, classes = probabilities.shape
    cast = np.eye(classes)[probabilities.argmax(2)].sum(0)
    return np.asarray((cast + probabilities.mean(0, dtype=np.float64)) / (count + 1))


def members_of(runs: Sequence[Path], last: int | None = None) -> list[Member]:
    """The members of an ensemble: the weights kept at the ends of cycles of one run, or the final weights of several.

    Args:
        runs: Folders of runs.
        last: Of one run: only so many of the last cycles.

    Raises:
        SettingError: If one run is named that has kept fewer than two, or too many are named.
    """
    if len(runs) > MOST:
        raise SettingError(f"an ensemble has at most {MOST} members, not {len(runs)}")
    if len(set(runs)) < len(runs):
        raise SettingError("a run is named twice: a member counts once")
    if len(runs) != 1:
        if last is not None:
            raise SettingError("the last cycles are those of one run: name one")
        return [Member(run.name, run) for run in runs]
    (run,) = runs
    steps = kept_members(run).steps()
    if len(steps) < 2:
        raise SettingError(
            f"{run.name} has kept no weights at the ends of cycles: train with members=cycles, or name several runs"
        )
    return [Member(f"step {step}", run, step) for step in (steps if last is None else steps[-last:])]


def measuring(
    members: Sequence[Member], part: Part = "validation", by: By | None = None
) -> Generator[tuple[float, str], None, Together]:
    """Ask every member about a part of their data set; yields the share done and words.

    Args:
        members: At least two.
        part: The part; a look at the test part is counted in every run.
        by: Who looks at the test part; needed for it.

    Raises:
        SettingError: If the runs have other data or classes, or one has learned what another was validated on.
        UserError: If one cannot be read.
    """
    if len(members) < 2:
        raise SettingError("an ensemble has at least two members")
    if part == "test" and by is None:
        raise SettingError("a look at the test part is somebody's")
    yield 0.0, "opening"
    one_run = all(member.step is not None for member in members)
    opened: dict[Path, tuple[Setup, torch.nn.Module]] = {}
    dataset: Dataset | None = None
    first: Setup | None = None
    rows: list[npt.NDArray[np.float32]] = []
    extra = 2 if one_run else 0
    for number, member in enumerate(members):
        setup, model = opened[member.run] if member.run in opened else load_run(member.run)
        if first is None:
            first, dataset = setup, setup.dataset
        _check_alike(member, setup, first, part)
        assert dataset is not None
        if one_run:
            opened[member.run] = setup, model
            model = copy.deepcopy(model)
            assert member.step is not None
            model.load_state_dict(kept_members(member.run).load(member.step))
        scores = scoring(model.eval(), setup.task, setup.preprocessing, dataset, part)
        rows.append((yield from _shares(scores, number, len(members) + extra, member.name)).probabilities)
    assert first is not None and dataset is not None
    averaged = kept = None
    if one_run:
        setup, model = opened[members[0].run]
        count = len(members)
        scores = scoring(model, setup.task, setup.preprocessing, dataset, part)
        kept = (yield from _shares(scores, count, count + extra, "the run itself")).probabilities
        _load_mean(model, members, setup, dataset)
        scores = scoring(model, setup.task, setup.preprocessing, dataset, part)
        averaged = (yield from _shares(scores, count + 1, count + extra, "mean weights")).probabilities
    found = Together(
        tuple(member.name for member in members), np.stack(rows), np.asarray(dataset.part(part).labels, np.int64),
        tuple(dataset.classes), part, first.dataset_name, averaged, kept,
    )  # fmt: skip
    if part != "test" or by is None:
        return found
    accuracy = found.answers[0].accuracy
    runs = dict.fromkeys(member.run for member in members)
    looks = tuple(len(add_look(run, by, accuracy, None, first.dataset_name)) for run in runs)
    return dataclasses.replace(found, looks=looks)


def _load_mean(model: torch.nn.Module, members: Sequence[Member], setup: Setup, dataset: Dataset) -> None:
    """Give a network the mean of the members' weights, and its normalisation the statistics that go with them."""
    store = kept_members(members[0].run)
    model.load_state_dict(mean_weights(store.load(m.step) for m in members if m.step is not None))
    images = dataset.train.images
    rows = np.random.default_rng(0).permutation(len(images))[:STATISTICS_SAMPLES]
    batches = (
        setup.preprocessing(np.asarray(images[np.sort(rows[start : start + _BATCH])]), "cpu")
        for start in range(0, len(rows), _BATCH)
    )
    estimate_statistics(model, batches)


def _check_alike(member: Member, setup: Setup, first: Setup, part: Part) -> None:
    if setup.dataset_name != first.dataset_name or tuple(setup.classes) != tuple(first.classes):
        raise SettingError(
            f"{member.name} was trained on {setup.dataset_name}, the others on {first.dataset_name}: an ensemble "
            "answers one question"
        )
    if setup.experiment.task != "classification":
        raise UserError(f"{member.name} is for {setup.experiment.task}: there are no classes to average")
    one, other = setup.recipe.data, first.recipe.data
    if part != "test" and (one.folds, one.folds and one.fold) != (other.folds, other.folds and other.fold):
        raise SettingError(
            f"{member.name} has learned samples that another run is validated on: their folds differ. Compare such "
            "runs on the test part"
        )


def _shares(
    work: Generator[tuple[float, str], None, Scores], number: int, count: int, name: str
) -> Generator[tuple[float, str], None, Scores]:
    while True:
        try:
            share, _ = next(work)
        except StopIteration as end:
            found: Scores = end.value
            return found
        yield (number + share) / count, f"{name} ({number + 1} of {count})"


def _subsets(count: int, size: int) -> list[tuple[int, ...]]:
    if math.comb(count, size) <= _SUBSETS:
        return list(itertools.combinations(range(count), size))
    draw = np.random.default_rng(size)
    return [tuple(draw.choice(count, size, replace=False)) for _ in range(_SUBSETS)]
