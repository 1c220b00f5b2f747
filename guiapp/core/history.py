"""What was looked at before: moments of the shared selection, to go back to and forward again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guiapp.core.picture import Picture
from guiapp.core.workspace import Workspace

FIELDS = (
    "picture", "layer", "unit", "class_index", "sample", "samples", "step", "switched_off", "boosted", "overlay",
    "region",
)  # fmt: skip
"""Fields of the workspace that a moment holds."""
_MOST = 200
_BYTES = 256 * 2**20  # of pictures that only the history holds


@dataclass(frozen=True, eq=False)
class Moment:
    """The selection at a time.

    Attributes:
        subject: ``"experiment"`` or ``"live"``: the room whose network is looked into.
        network: Catalogue id of the experiment, or name of the network of the live room; empty without one.
        values: Value of each of ``FIELDS``.
        dataset: Name of the data set whose samples are meant; empty where it is not known.
    """

    subject: str
    network: str
    values: Mapping[str, Any]
    dataset: str = ""

    def same_as(self, other: Moment) -> bool:
        """Whether nothing differs."""
        here, there = (self.subject, self.network, self.dataset), (other.subject, other.network, other.dataset)
        return here == there and all(
            value is other.values[name] or (not isinstance(value, Picture) and value == other.values[name])
            for name, value in self.values.items()
        )


def moment_of(workspace: Workspace, subject: str, network: str, dataset: str = "") -> Moment:
    """The selection as it is now."""
    return Moment(subject, network, {name: getattr(workspace, name) for name in FIELDS}, dataset)


def restore(moment: Moment, workspace: Workspace, dataset: str = "") -> bool:
    """Bring a moment back into the selection; its network must be the one that is looked into.

    Args:
        moment: What was looked at.
        workspace: The selection, changed in place.
        dataset: Name of the data set that is open now. A number of a sample means another picture in another data
            set, so samples come back only where it is the moment's, or either is not known.

    Returns:
        Whether everything came back: false where samples were chosen that are not here.
    """
    other = bool(moment.dataset and dataset) and moment.dataset != dataset
    for name in FIELDS:
        empty = {"sample": None, "samples": ()}.get(name, moment.values[name])
        setattr(workspace, name, empty if other else moment.values[name])
    return not (other and (moment.values["sample"] or moment.values["samples"]))


class History:
    """Moments in the order in which they were looked at, and where in them the person is.

    What comes after a step back replaces what lay ahead. The oldest moments go when there are more than 200, or when
    their pictures take more than 256 MB.
    """

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._at = -1

    @property
    def now(self) -> Moment | None:
        """The moment that is shown, or None before the first."""
        return self._moments[self._at] if self._at >= 0 else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is an earlier moment."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a later one."""
        return self._at + 1 < len(self._moments)

    def note(self, moment: Moment) -> bool:
        """Remember a moment as the newest; False where it is the one that is shown already."""
        if self.now is not None and moment.same_as(self.now):
            return False
        del self._moments[self._at + 1 :]
        if self.now is not None and _drawn_on(self.now, moment):
            self._moments.pop()  # strokes on one drawing are one moment
        self._moments.append(moment)
        self._thin()
        self._at = len(self._moments) - 1
        return True

    def go(self, steps: int) -> Moment | None:
        """Go so many moments on, or back where negative; None where there are not so many."""
        if not 0 <= self._at + steps < len(self._moments):
            return None
        self._at += steps
        return self._moments[self._at]

    def _thin(self) -> None:
        del self._moments[:-_MOST]
        held: dict[int, int] = {}
        for place in range(len(self._moments) - 1, -1, -1):
            picture = self._moments[place].values["picture"]
            if picture is not None:
                held[id(picture)] = picture.pixels.nbytes
            if sum(held.values()) > _BYTES and place < len(self._moments) - 1:
                del self._moments[: place + 1]
                return


def _drawn_on(before: Moment, after: Moment) -> bool:
    """Whether only strokes were added to a drawing."""
    one, two = before.values["picture"], after.values["picture"]
    if one is two or one is None or two is None or {one.origin.kind, two.origin.kind} != {"drawing"}:
        return False
    return after.same_as(Moment(before.subject, before.network, {**before.values, "picture": two}, before.dataset))
