"""What the live lane is given and what it tells: immutable records that are put into slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.state import Inspected
    from guiapp.models.zoo.base import ZooModel
    from guiapp.tasks.compare import Difference
    from guiapp.tasks.live_options import LiveOptions
    from guiapp.tasks.predictions import Drawn

LivePhase = Literal["empty", "opening", "ready", "failed"]


class Frames(Protocol):
    """What the lane asks of a source; ``sources.live.LiveSource`` is one.

    Attributes:
        on_frame: Called on the source's thread after each new picture.
        dropped: Frames that nobody took.
    """

    on_frame: Callable[[], None] | None
    dropped: int

    def latest(self) -> Picture | None:
        """The newest picture, the same object until there is a newer one."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


@dataclass(frozen=True, eq=False)
class LiveState:
    """What the live lane does.

    Attributes:
        phase: ``"ready"``: a network is open.
        model: The network that is open or being opened.
        weights: Name of its weights; ``"random"`` where it has none.
        note: One line on these weights.
        labels: Class names.
        device: Where it runs, such as ``"cpu"``.
        activity: What goes on while it is opened, in words.
        share: Share done of that, 0 to 1, or None.
        reason: Why it could not be opened, in one line.
        path: The file or run folder that its weights come from, or None.
        flaws: Which of its weights are NaN or infinite, in one line; empty where none is.
        inside: The network with its layers, once panels look into it.
        other: The same of the second network; None where there is none.
    """

    phase: LivePhase = "empty"
    model: ZooModel | None = None
    weights: str = ""
    note: str = ""
    labels: tuple[str, ...] = ()
    device: str = ""
    activity: str = ""
    share: float | None = None
    reason: str = ""
    path: Path | None = None
    flaws: str = ""
    inside: Inspected | None = None
    other: LiveState | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What the second network says of a picture.

    Attributes:
        drawn: What is shown of its answer, by the same thresholds as the first's.
        model: The network.
        difference: What the two answers differ by; None where they cannot be compared.
        milliseconds: Time of ``preprocess``, ``forward``, ``postprocess``, as far as they were done, and
            ``difference``.
    """

    drawn: Drawn
    model: ZooModel
    difference: Difference | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LiveResult:
    """One picture and what the network says of it.

    Attributes:
        picture: The picture.
        drawn: What is shown of the answer.
        model: The network.
        options: Thresholds that ``drawn`` was made with.
        milliseconds: Time of ``preprocess``, ``forward``, ``postprocess``.
        waited: Milliseconds from the making of the picture to the begin of the work on it.
        rate: Pictures a second over about the last two seconds.
        dropped: Pictures of the source that were overtaken, so far.
        again: Whether only thresholds changed: the network did not run.
        modified: Whether channels are switched off.
        other: What the second network says of the same picture, or None.
    """

    picture: Picture
    drawn: Drawn
    model: ZooModel
    options: LiveOptions
    milliseconds: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0
    rate: float = 0.0
    dropped: int = 0
    again: bool = False
    modified: bool = False
    other: Answer | None = None
