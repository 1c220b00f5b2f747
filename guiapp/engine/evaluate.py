"""The figures of the network that is looked at on a part of its data set, as a study."""

from __future__ import annotations

import copy
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import UserError
from guiapp.datasets.base import UNLABELLED
from guiapp.training.looks import add_look, read_looks
from guiapp.training.metrics.report import Report, reporting

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Part
    from guiapp.engine.job import Step
    from guiapp.engine.state import Inspected
    from guiapp.engine.study import Study

NOT_LABELLED = (
    "What the pictures of this run show is not known: name its data in the script, guiapp.watch(…, dataset=FOLDER), "
    "or ask guiapp evaluate RUN --dataset FOLDER."
)
_SCORING = 0.95  # share of the work that is the network's


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A network on a part of its data set.

    Attributes:
        inspected: The network.
        report: Its figures.
        part: The part.
        step: Step of the weights.
        looks: All looks at the test part of the run so far, this one included.
        seconds: Time that it has taken from a core; waiting for the network is none of it.
        averaged: Whether the weights are the average that the run keeps.
    """

    inspected: Inspected
    report: Report
    part: Part
    step: int
    looks: list[dict[str, Any]]
    seconds: float = 0.0
    averaged: bool = False


def evaluate(study: Study, part: Part, run: Path | None = None, threads: int = 0) -> Generator[Step, None, Evaluated]:
    """Score every sample of a part; a look at the test part of a run is counted before it is shown.

    What is scored is what the run validates and keeps: an average of its weights where it makes one.

    Args:
        study: The network.
        part: The part.
        run: Folder of the run, or None where there is none: then nothing is counted.
        threads: Threads of an operation; 0 leaves their number as it is.

    Raises:
        UserError: If the network tells no classes of its data set apart, or a look cannot be counted.
    """
    import torch

    from guiapp.engine.state import Opened
    from guiapp.tasks.base import make_task
    from guiapp.training.scoring import scoring

    opened = study.inspected
    if not isinstance(opened, Opened) or study.dataset is None:
        raise UserError("evaluation needs an experiment with a data set: open one in the catalogue")
    if UNLABELLED in study.dataset.classes:
        raise UserError(NOT_LABELLED)
    began = time.thread_time()
    task = make_task(opened.experiment.task, tuple(opened.labels))
    work = scoring(_validated(study), task, opened.preprocessing, study.dataset, part, study.step)
    scores = yield from _with(work, threads, torch.get_num_threads())
    found = yield from _scaled(reporting(scores))
    if part == "test" and run is not None:
        looks = add_look(run, "window", float(scores.right.mean()), study.step, study.dataset.name)
    else:
        looks = read_looks(run)
    return Evaluated(opened, found, part, study.step, looks, time.thread_time() - began, study.average is not None)


def _validated(study: Study) -> torch.nn.Module:
    """The network with the weights that its run validates; a copy where they are an average."""
    if study.average is None:
        return study.module
    network = copy.deepcopy(study.module)
    network.load_state_dict(dict(study.average), strict=False)  # what is no part of a state stays as it is
    return network


def _with(work: Generator[tuple[float, str], None, Any], threads: int, before: int) -> Generator[Step, None, Any]:
    """Advance with a number of threads, which is this thread's alone only while it works."""
    import torch

    while True:
        try:
            if threads:
                torch.set_num_threads(threads)
            share, words = next(work)
        except StopIteration as end:
            return end.value
        finally:
            torch.set_num_threads(before)
        yield _SCORING * share, words


def _scaled(work: Generator[tuple[float, str], None, Report]) -> Generator[Step, None, Report]:
    while True:
        try:
            share, words = next(work)
        except StopIteration as end:
            found: Report = end.value
            return found
        yield _SCORING + (1 - _SCORING) * share, words
