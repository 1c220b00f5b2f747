"""Which points of a map are chosen, in step with the pictures and samples that other panels look at."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from guiapp.interpret.embedding.place import Map
    from guiapp.ui.panel import Panel

_MOST_TOLD = 20_000  # samples of a lasso that other panels are told of
_NONE: npt.NDArray[np.int64] = np.empty(0, np.int64)


class MapSelection(QObject):
    """A point that is looked at, and points inside a lasso.

    Attributes:
        point: The point that is looked at, or None.
        circled: int64, ascending indices of the points inside the lasso.
        pointed: Emitted when another point is looked at.
        circled_here: Emitted when others are inside the lasso; ``circled_elsewhere``: because another panel has
            chosen samples together.
    """

    pointed = Signal()
    circled_here = Signal()
    circled_elsewhere = Signal()

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.point: int | None = None
        self.circled = _NONE
        self._context = panel.context
        self._map: Map | None = None
        self._telling = False
        for field, call in (("sample", self.follow_sample), ("samples", self._follow_samples)):
            stop = panel.context.workspace.subscribe(field, call)
            panel.destroyed.connect(lambda _=None, s=stop: s())

    def set_map(self, found: Map | None, same_points: bool = False) -> None:
        """Take another map; points of the same pictures stay chosen."""
        self._map = found
        if not same_points:
            self.point, self.circled = None, _NONE

    def choose(self, index: int) -> None:
        """Look at the picture of a point: every other panel follows."""
        found = self._map
        if found is None:
            return
        self.point = index
        self.pointed.emit()
        pictures, number = found.features.pictures, int(found.features.kept[index])
        bridge = self._context.bridge
        sample = pictures.sample(number) if self._is_open(pictures) else None
        if getattr(pictures, "dataset", None) is not None:
            bridge.look_at(pictures.picture(number), sample)
            return

        def read() -> Generator[None, None, Any]:
            yield
            return pictures.picture(number)

        bridge.call(bridge.engine.submit(read, title="Reading the picture"), bridge.look_at)

    def choose_many(self, indices: npt.NDArray[np.int64]) -> None:
        """Take what is inside a lasso; every panel is told of it."""
        found = self._map
        if found is None:
            return
        self.circled = np.asarray(indices, np.int64)
        self.circled_here.emit()
        pictures = found.features.pictures
        told = found.features.kept[self.circled[:_MOST_TOLD]].tolist() if self._is_open(pictures) else []
        self._telling = True
        self._context.workspace.samples = tuple(pictures.sample(number) for number in told)
        self._telling = False

    def follow_sample(self, sample: tuple[str, int] | None) -> None:
        """Point at the sample that is looked at, where it is in the map."""
        found = self._map
        if found is None or not self._is_open(found.features.pictures):
            return
        at = found.features.pictures.find(sample) if sample is not None else None  # type: ignore[attr-defined]
        rows = np.flatnonzero(found.features.kept == at) if at is not None else []
        self.point = int(rows[0]) if len(rows) else None
        self.pointed.emit()

    def _follow_samples(self, samples: tuple[tuple[str, int], ...]) -> None:
        """Another panel has chosen samples together, or none."""
        found = self._map
        if self._telling or found is None or not self._is_open(found.features.pictures):
            return
        pictures = found.features.pictures
        wanted = {pictures.find(sample) for sample in samples}  # type: ignore[attr-defined]
        self.circled = np.flatnonzero(np.isin(found.features.kept, [at for at in wanted if at is not None]))
        self.circled_elsewhere.emit()

    def _is_open(self, pictures: Any) -> bool:
        """Whether these are samples of the open data set."""
        opened = self._context.bridge.state.opened
        return opened is not None and getattr(pictures, "dataset", None) is opened.dataset
