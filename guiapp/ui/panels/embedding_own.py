"""Classes of one's own, which points inside a lasso are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from guiapp.interpret.embedding.features import Features


@dataclass
class OwnClasses:
    """The classes that pictures of one source were given by hand.

    Attributes:
        of_picture: int64, for each picture of the source the index into ``names`` or -1; None where there are none.
        names: Of the classes, in the order in which they were made.
        source: Name of the pictures that they are of.
    """

    of_picture: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    source: str = ""

    def follow(self, source: str) -> None:
        """Forget them where other pictures are shown."""
        if source != self.source:
            self.of_picture, self.names, self.source = None, (), source

    def give(self, features: Features, points: npt.NDArray[np.int64], name: str) -> None:
        """Put the pictures of these points into a class of this name, which is made where there is none."""
        if self.of_picture is None:
            self.of_picture = np.full(len(features.pictures), -1, np.int64)
        if name not in self.names:
            self.names = (*self.names, name)
        self.of_picture[features.kept[points]] = self.names.index(name)

    def name_of(self, features: Features, point: int) -> str:
        """The class of a point, empty for none."""
        mine = int(self.of_picture[features.kept[point]]) if self.of_picture is not None else -1
        return self.names[mine] if mine >= 0 else ""
