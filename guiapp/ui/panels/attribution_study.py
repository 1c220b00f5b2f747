"""What the attribution panel asks in the background: several methods and targets on one picture, one after another."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import UserError
from guiapp.interpret.attribution import (
    METHODS,
    Attribution,
    CurveOptions,
    SanityOptions,
    attribute,
    curves,
    reasons_against,
    sanity,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.core.picture import Picture
    from guiapp.engine.job import Step
    from guiapp.engine.study import Study
    from guiapp.interpret.attribution.insertion import Curves
    from guiapp.interpret.attribution.randomised import Sanity
    from guiapp.interpret.case import Case
    from guiapp.interpret.targets import Target

Work = Callable[["Study", Callable[[Any], None]], "Generator[Step, None, Any]"]
Changed = Mapping[str, Collection[int]] | None


@dataclass(frozen=True, eq=False)
class Question:
    """One map that is wanted.

    Attributes:
        method: Name of the method.
        options: Its options.
        target: What is explained.
    """

    method: str
    options: Any
    target: Target

    @property
    def title(self) -> str:
        """The method as a person reads it."""
        return METHODS[self.method].title


@dataclass(frozen=True, eq=False)
class Found:
    """Answers on one picture.

    Attributes:
        picture: The picture that was explained.
        step: Training step of the weights.
        questions: What was asked.
        answers: An attribution for each question, the reason why there is none, or None while it is not known.
    """

    picture: Picture | None
    step: int
    questions: tuple[Question, ...]
    answers: tuple[Attribution | str | None, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """The curves of one map.

    Attributes:
        title: The method.
        curves: Insertion and deletion; NaN where they are not known yet.
        answer: The map.
        taken: float32 (h, w), one number for each place of the input: the share at which it is taken away or shown.
    """

    title: str
    curves: Curves
    answer: Attribution
    taken: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CurvesFound:
    """Curves on one picture; ``missing`` says why a method has none, in one line each."""

    picture: Picture | None
    step: int
    options: CurveOptions
    lines: tuple[Line, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SanityFound:
    """Maps of one picture by a network that is made random layer by layer."""

    picture: Picture | None
    step: int
    question: Question
    sanity: Sanity


def explain(questions: Sequence[Question], changed: Changed = None) -> Work:
    """Work for a study that answers one question after another; one that fails leaves the others alone.

    Args:
        questions: What is asked.
        changed: Channels that are switched off or multiplied in the network that is looked at.
    """

    def work(study: Study, tell: Callable[[Found], None]) -> Generator[Step, None, Found]:
        answers: list[Attribution | str | None] = [None] * len(questions)

        def found() -> Found:
            return Found(study.picture, study.step, tuple(questions), tuple(answers))

        case = study.case(picture_of(study), changed)
        for number, question in enumerate(questions):

            def show(partly: Attribution, at: int = number) -> None:
                answers[at] = partly
                tell(found())

            steps = attribute(case, question.target, question.method, question.options, show)
            try:
                answers[number] = yield from _shared(steps, number, len(questions), question.title)
            except UserError as error:
                answers[number] = one_line(error)
            if number + 1 < len(questions):
                tell(found())
        if all(isinstance(answer, str) for answer in answers):
            raise UserError(str(answers[0]))
        return found()

    return work


def draw_curves(questions: Sequence[Question], options: CurveOptions, changed: Changed = None) -> Work:
    """Work for a study: the map of each question, and how the score follows its places.

    Args:
        questions: What is asked.
        options: Of the curves.
        changed: As in ``explain``.
    """

    def work(study: Study, tell: Callable[[CurvesFound], None]) -> Generator[Step, None, CurvesFound]:
        lines: list[Line] = []
        missing: list[str] = []

        def found(*more: Line) -> CurvesFound:
            return CurvesFound(study.picture, study.step, options, (*lines, *more), tuple(missing))

        case = study.case(picture_of(study), changed)
        total = 2 * len(questions)
        for number, asked in enumerate(questions):
            try:
                steps = attribute(case, asked.target, asked.method, asked.options)
                answer = yield from _shared(steps, 2 * number, total, asked.title)
                taken = places_of(answer, case)

                def show(partly: Curves, title: str = asked.title, of: Any = answer, at: Any = taken) -> None:
                    tell(found(Line(title, partly, of, at)))

                drawn = yield from _shared(
                    curves(case, asked.target, answer, options, show), 2 * number + 1, total, f"curves of {asked.title}"
                )
                lines.append(Line(asked.title, drawn, answer, taken))
            except UserError as error:
                missing.append(f"{asked.title}: {one_line(error)}")
            tell(found())
        if not lines and missing:
            raise UserError(missing[0])
        return found()

    return work


def places_of(answer: Attribution, case: Case) -> npt.NDArray[np.float32]:
    """The share of the places of an input that come before each in the order of a map, float32 (h, w), below 1."""
    import numpy as np

    from guiapp.interpret.attribution.insertion import order_of

    order = order_of(answer, case.batch).numpy()
    taken = np.empty(len(order), np.float32)
    taken[order] = np.arange(len(order), dtype=np.float32) / len(order)
    return taken.reshape(case.batch.shape[-2:])


def check(question: Question, options: SanityOptions, changed: Changed = None) -> Work:
    """Work for a study: the map of a question with more and more layers made random.

    Args:
        question: What is asked.
        options: Of the check.
        changed: As in ``explain``.
    """

    def work(study: Study, tell: Callable[[SanityFound], None]) -> Generator[Step, None, SanityFound]:
        def found(so_far: Sanity) -> SanityFound:
            return SanityFound(study.picture, study.step, question, so_far)

        case = study.case(picture_of(study), changed)
        done = yield from sanity(
            case, question.target, question.method, question.options, options, lambda partly: tell(found(partly))
        )
        return found(done)

    return work


def one_line(error: Exception) -> str:
    """The reason in one line."""
    return " ".join(str(error).split())


def _shared(steps: Generator[Step, None, Any], number: int, count: int, title: str) -> Generator[Step, None, Any]:
    """The steps of one of several pieces of work, its share being one part of the whole."""
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            yield None if step is None else ((number + step[0]) / count, f"{title}: {step[1]}")
    finally:
        steps.close()


def applicable(study: Study, _tell: Callable[[Any], None]) -> Generator[Step, None, dict[str, str]]:
    """Work for a study: why each method does not apply to the network, ``""`` where it does.

    Captum takes a second to load: here, and not on the lane that answers looks, which would stand still meanwhile.
    """
    yield 0.1, "loading the methods"
    importlib.import_module("captum.attr")
    yield 0.9, "loading the methods"
    case = study.case(picture_of(study))
    return {name: reasons_against(name, case) for name in METHODS}


def picture_of(study: Study) -> Picture:
    """The picture that was looked at when the study began.

    Raises:
        UserError: If there was none.
    """
    if study.picture is None:
        raise UserError("there is no picture: draw on the pad, choose a sample, or open one in the Live room")
    return study.picture
