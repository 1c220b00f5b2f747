"""What the attribution panel explains: the best answer, or one thing that was chosen, or two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from guiapp.interpret.targets import BoxTarget, ClassTarget, Measure, PixelsTarget
from guiapp.ui.panels.attribution_choices import Answer, class_of, followed, row_of

if TYPE_CHECKING:
    from guiapp.interpret.targets import Target
    from guiapp.ui.widgets.choice_list import Choice

_STEPS = 64
"""The place of a box is told in this many steps across the picture, so that its shiver is no news."""


class ChosenTargets:
    """One target or two; None stands for the best answer, whatever that is.

    Attributes:
        each: The targets.
        active: Which of them a click on an answer changes, and other panels follow.
    """

    def __init__(self) -> None:
        self.each: list[Target | None] = [None]
        self.active = 0

    def clear(self, class_index: int | None = None) -> None:
        """Begin with one target: a class, or the best answer."""
        self.each, self.active = [None if class_index is None else ClassTarget(class_index)], 0

    @property
    def current(self) -> Target | None:
        """The active target."""
        return self.each[self.active]

    @current.setter
    def current(self, target: Target | None) -> None:
        self.each[self.active] = target

    @property
    def pair(self) -> bool:
        """Whether two stand side by side."""
        return len(self.each) == 2

    @property
    def class_index(self) -> int | None:
        """Class of the active target, or None."""
        return class_of(self.current)

    def classes(self) -> list[int]:
        """Classes of all targets that name one."""
        return [index for target in self.each if (index := class_of(target)) is not None]

    def meant(self, measure: Measure) -> list[Target]:
        """The targets as the network is asked for them, with the score that is set."""
        found: list[Target] = []
        for target in self.each:
            wanted = ClassTarget() if target is None else target
            if isinstance(wanted, BoxTarget) and wanted.box is not None:
                left, top, right, bottom = (round(share * _STEPS) / _STEPS for share in wanted.box)
                wanted = replace(wanted, box=(left, top, right, bottom))
            if isinstance(wanted, ClassTarget | BoxTarget | PixelsTarget):
                wanted = replace(wanted, measure=measure)
            found.append(wanted)
        return found

    def follow(self, choices: Sequence[Choice]) -> bool:
        """Find boxes again in a newer answer; whether one has moved."""
        now = [target if target is None else followed(choices, target) for target in self.each]
        moved, self.each = now != self.each, now
        return moved

    def rows(self, choices: Sequence[Choice]) -> tuple[int | None, int | None]:
        """The rows of the active target and of the one beside it."""
        places = [0 if target is None and choices else row_of(choices, target) for target in self.each]
        return places[self.active], places[1 - self.active] if self.pair else None

    def set_beside(self, target: Target, answer: Answer) -> None:
        """Put a target beside the active one, which stays what it is now also where another answer becomes the best."""
        first = self.current
        if first is None and answer.choices:
            first = answer.choices[0].subject
        self.each, self.active = [first, target], 0

    def alone(self) -> None:
        """Leave the active one."""
        self.each, self.active = [self.current], 0


def target_of(index: int, answer: Answer) -> Target:
    """What a class means for an answer of this kind: its best box, the pixels that it wins, or the class."""
    if answer.noun == "box":
        boxes: list[Target] = [choice.subject for choice in answer.choices if class_of(choice.subject) == index]
        return boxes[0] if boxes else BoxTarget(None, index)
    return PixelsTarget(index) if answer.noun == "region" else ClassTarget(index)
