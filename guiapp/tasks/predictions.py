"""Typed results that a viewer can draw; plain arrays, no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Probabilities of the classes for one picture.

    Attributes:
        probabilities: float32, shape (C,), sum 1.
        labels: Class names, length C.
        logits: float32, shape (C,), before the soft-max.
        neighbours: For nearest-neighbour models, indices into the training part and their distances, nearest first.
    """

    probabilities: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    logits: npt.NDArray[np.float32] | None = None
    neighbours: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None = None

    @property
    def known(self) -> bool:
        """Whether they are numbers: a network whose weights or output are NaN or infinite gives no answer."""
        return bool(np.isfinite(self.probabilities).all())

    @property
    def best(self) -> int:
        """Index of the most probable class."""
        return int(self.probabilities.argmax())

    def ranked(self) -> list[tuple[int, str, float]]:
        """Index, label and probability, best first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(int(i), self.labels[i], float(self.probabilities[i])) for i in order]


@dataclass(frozen=True, eq=False)
class Masks:
    """Masks of objects, each cut to its box: a picture of 30 objects costs their area, not 30 pictures.

    Attributes:
        bits: bool (h, w) arrays, one for each object.
        corners: int32 (N, 2), column and row of the upper left pixel of each in the picture.
    """

    bits: tuple[npt.NDArray[np.bool_], ...]
    corners: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects with their boxes, best first; with masks or key points where the network gives them.

    Attributes:
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels of the picture as it is shown; pixel borders, so the whole
            picture is (0, 0, W, H).
        scores: float32 (N,), 0 to 1.
        classes: int64 (N,), indices into ``labels``.
        labels: Class names.
        size: Width and height of the picture.
        masks: One mask for each object, or None.
        keypoints: float32 (N, K, 3): x, y in pixels, score; or None.
        skeleton: Pairs of key points that are joined.
        suppressed: Boxes above the threshold that suppression took away, float32 (M, 5) with the score last; or None.
        proposals: What the detector looked at closer, float32 (P, 5) with its score last: regions of a two-stage
            detector, anchors or cells that fired of a one-stage one; or None.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    size: tuple[int, int]
    masks: Masks | None = None
    keypoints: npt.NDArray[np.float32] | None = None
    skeleton: tuple[tuple[int, int], ...] = ()
    suppressed: npt.NDArray[np.float32] | None = None
    proposals: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A class for every pixel.

    Attributes:
        classes: uint8 or int16 (h, w), indices into ``labels``; laid over the whole picture, also where smaller.
        labels: Class names; the first is often the background.
        size: Width and height of the picture.
        confidence: float32 (h, w), probability of that class, or None.
    """

    classes: npt.NDArray[np.integer]
    labels: tuple[str, ...]
    size: tuple[int, int]
    confidence: npt.NDArray[np.float32] | None = None

    def shares(self) -> dict[str, float]:
        """Share of the pixels of each class that is there, largest first."""
        counts = np.bincount(self.classes.ravel(), minlength=len(self.labels))
        order = np.argsort(-counts, kind="stable")
        return {self.labels[i]: float(counts[i]) / self.classes.size for i in order if counts[i]}


@dataclass(frozen=True, eq=False)
class Flow:
    """Where each pixel of the picture before has moved to.

    Attributes:
        vectors: float32 (h, w, 2): right and down, in pixels of the shown picture.
        size: Width and height of the picture.
    """

    vectors: npt.NDArray[np.float32]
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Depth:
    """How far away what each pixel shows is.

    Attributes:
        values: float32 (h, w), as the network gives them; laid over the whole picture, also where smaller. What is no
            number is unknown.
        size: Width and height of the picture.
        unit: ``"m"`` for metres; empty for values that are relative within the picture.
        near: Whether larger values are nearer (inverse depth) instead of farther away.
    """

    values: npt.NDArray[np.float32]
    size: tuple[int, int]
    unit: str = ""
    near: bool = False

    def range(self) -> tuple[float, float]:
        """Smallest and largest value; 0 and 0 where there is none."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class ClipScores:
    """Probabilities of the classes for the last frames of a video.

    Attributes:
        scores: What holds for the clip.
        frames: How many frames the clip has.
        wanted: How many the network needs; below that there is no score yet.
    """

    scores: ClassScores | None
    frames: int
    wanted: int


Prediction = ClassScores
"""What networks that are trained here predict."""

Drawn = ClassScores | Detections | LabelMap | Flow | ClipScores | Depth
"""Every type of prediction that is painted over a picture."""
