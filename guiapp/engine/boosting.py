"""Boosting a face detector on real patches, for the work lane: portraits or found faces against other windows."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.engine.job import Step
from guiapp.imaging.boosting import SIDE, Round, boost, haar_features, responses
from guiapp.imaging.haar import FLATTEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from guiapp.core.picture import Picture

ROUNDS = 40
_PEOPLE, _TAUGHT = 40, 30
_FACE = (4, 20, 84)  # left, top and side of what of a portrait of 92 x 112 a window of the cascade would hold
_FEWEST = 8  # found windows: with fewer there is nothing to boost
_LONGEST = 640

Grey = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Patches:
    """What is told apart.

    Attributes:
        pixels: uint8 (M, 20, 20).
        faces: bool (M,): which are faces.
        learned: bool (M,): which are learned from; the others test what was learned.
        about: Where they come from, in one line.
    """

    pixels: Grey
    faces: Bools
    learned: Bools
    about: str


@dataclass(frozen=True, eq=False)
class Boosted:
    """What is known after some rounds.

    Attributes:
        patches: What is told apart.
        rounds: The weak classifiers so far.
    """

    patches: Patches
    rounds: tuple[Round, ...]

    def errors(self, learned: bool) -> npt.NDArray[np.float64]:
        """Share of the patches that all votes together get wrong after each round, (rounds,)."""
        chosen = self.patches.learned == learned
        truth = self.patches.faces[chosen]
        return np.array([((one.sums[chosen] >= 0) != truth).mean() for one in self.rounds])

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weight of each sample before the first round and after each, (rounds + 1, N); a mean sample has 1."""
        count = int(self.patches.learned.sum())
        return np.stack([np.full(count, 1.0 / count), *(one.weights for one in self.rounds)]) * count


def boosting(
    picture: Picture | None, tell: Callable[[Boosted], None], rounds: int | None = None
) -> Generator[Step, None, Boosted]:
    """Choose weak classifiers one by one, telling after each.

    Args:
        picture: Gives faces where there are no portraits on this machine; the street that is drawn by default.
        tell: Called with what is known so far.
        rounds: At most so many; ``ROUNDS`` by default.

    Raises:
        UserError: If there are neither portraits nor faces in the picture.
    """
    rounds = rounds or ROUNDS
    yield 0.0, "cutting patches"
    patches = portraits() or found_faces(picture)
    yield 0.05, f"{len(haar_features()):,} features of {len(patches.pixels):,} patches"
    values = responses(patches.pixels, haar_features())
    made: list[Round] = []
    yield 0.1, "sorting"
    for one in boost(values, patches.faces, patches.learned, rounds):
        made.append(one)
        tell(Boosted(patches, tuple(made)))
        yield 0.1 + 0.9 * len(made) / rounds, f"round {len(made)} of {rounds}"
    return Boosted(patches, tuple(made))


def portraits() -> Patches | None:
    """The AT&T faces, people 1 to 30 to learn from and 31 to 40 to test; None where they are not on this machine."""
    import cv2

    from guiapp.datasets.att_faces import folder

    root = folder()
    if root is None:
        return None
    left, top, side = _FACE
    taught: list[Grey] = []
    tested: list[Grey] = []
    for person in range(1, _PEOPLE + 1):
        for number in range(1, 11):
            whole = cv2.imread(str(root / f"s{person}" / f"{number}.pgm"), cv2.IMREAD_GRAYSCALE)
            if whole is not None:
                (taught if person <= _TAUGHT else tested).append(_small(whole[top : top + side, left : left + side]))
    return _with_others(taught, tested, "faces of 30 people, of 10 others to test (AT&T)")


def found_faces(picture: Picture | None) -> Patches:
    """Windows of a picture that the shipped cascade takes for faces, every fourth one to test.

    Raises:
        UserError: If there are too few.
    """
    from guiapp.imaging.haar import shipped_cascade
    from guiapp.imaging.haar_scan import layers, scan
    from guiapp.imaging.street import street
    from guiapp.interpret.cascade import searched

    grey = searched((picture or street()).pixels, _LONGEST)
    pyramid = layers(grey, SIDE)
    found = scan(shipped_cascade(), pyramid, grey.shape)
    windows = [
        pyramid[layer].grey[y : y + SIDE, x : x + SIDE]
        for layer, x, y in zip(found.layer.tolist(), found.left.tolist(), found.top.tolist(), strict=True)
    ]
    if len(windows) < _FEWEST:
        raise UserError(
            "boosting needs faces to learn from: show a picture in which the cascade finds some, or put the Database "
            "of Faces (AT&T) on this machine"
        )
    taught = [window for row, window in enumerate(windows) if row % 4]
    return _with_others(taught, windows[::4], "windows that the cascade finds here")


def _with_others(taught: list[Grey], tested: list[Grey], about: str) -> Patches:
    """Faces, and as many windows of two photographs without any: their left for learning, their right for the test."""
    others = _windows(len(taught), 0.0, 0.7), _windows(len(tested), 0.7, 1.0)
    pixels = np.stack([*taught, *others[0], *tested, *others[1]])
    counts = (len(taught), len(others[0]), len(tested), len(others[1]))
    return Patches(
        pixels,
        np.repeat([True, False, True, False], counts),
        np.repeat([True, True, False, False], counts),
        f"{about} · others: parts of two photographs",
    )


def _windows(count: int, begin: float, end: float) -> list[Grey]:
    """Windows with contrast at random places and sizes, in a strip of the photographs of flower and temple."""
    import cv2

    from guiapp.engine.samples import FLOWER, TEMPLE, read_sample

    greys = [cv2.cvtColor(read_sample(name).pixels, cv2.COLOR_RGB2GRAY) for name in (TEMPLE, FLOWER)]
    random = np.random.default_rng(0)
    found: list[Grey] = []
    while len(found) < count:
        grey = greys[0 if random.random() < 0.7 else 1]  # the flower's ground is out of focus
        height, width = grey.shape
        side = int(SIDE * 6 ** random.random())
        x = int(random.integers(int(begin * width), int(end * width) - side))
        y = int(random.integers(0, height - side))
        window = _small(np.asarray(grey[y : y + side, x : x + side], np.uint8))
        if window[1:-1, 1:-1].std() > FLATTEST:
            found.append(window)
    return found


def _small(grey: Any) -> Grey:
    import cv2

    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
