"""What the colours of the points in the embedding panel mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from guiapp.ui.colour_maps import sequential

if TYPE_CHECKING:
    from guiapp.interpret.embedding.features import Features
    from guiapp.ui.theme import Theme

CLASS, PREDICTION, ERROR, CONFIDENCE, OWN, TIME = "class", "prediction", "right or wrong", "confidence", "own", "time"
MODES: dict[str, tuple[str, str]] = {
    CLASS: ("class", "True class of each picture"),
    PREDICTION: ("prediction", "Class that the network names"),
    ERROR: ("right/wrong", "Whether that is the true class"),
    CONFIDENCE: ("confidence", "Probability that the network gives the class that it names"),
    OWN: ("own class", "Classes that you made with the lasso"),
    TIME: ("time", "Moment in the video"),
}
_STEPS = 24


@dataclass(frozen=True, eq=False)
class Colouring:
    """Groups of points with a colour each.

    Attributes:
        groups: int64 (N,), index into ``colours``.
        colours: One for each group.
        names: One for each group; empty for a scale.
        ends: What the two ends of a scale are; empty words without one.
        classes: For each group the class that it stands for, -1 where it stands for none.
    """

    groups: npt.NDArray[np.int64]
    colours: tuple[QColor, ...]
    names: tuple[str, ...] = ()
    ends: tuple[str, str] = ("", "")
    classes: tuple[int, ...] = ()


def possible(features: Features | None, own: npt.NDArray[np.int64] | None) -> list[str]:
    """The modes that tell something of these pictures."""
    if features is None:
        return []
    has_class = bool((features.pictures.labels[features.kept] >= 0).any())
    told = bool((features.predicted >= 0).any())
    checks = {
        CLASS: has_class,
        PREDICTION: told,
        ERROR: told and bool((features.truth >= 0).any()),
        CONFIDENCE: told,
        OWN: own is not None,
        TIME: features.pictures.moments is not None,
    }
    return [mode for mode, there in checks.items() if there]


def usual(modes: list[str]) -> str:
    """What is meant without a choice."""
    return next((mode for mode in (CLASS, TIME, PREDICTION) if mode in modes), CLASS)


def colouring(
    features: Features, mode: str, theme: Theme, own: npt.NDArray[np.int64] | None, own_names: tuple[str, ...]
) -> Colouring:
    """Groups and colours of the points.

    Args:
        features: What is laid out.
        mode: One of ``possible``.
        theme: Its colours.
        own: int64 (number of pictures,), own class of each, -1 for none.
        own_names: Their names.
    """
    if mode == CLASS:
        return _by_class(features, theme)
    if mode == PREDICTION:
        return _classes(features.predicted, features.labels, theme, "no answer")
    if mode == ERROR:
        known = (features.truth >= 0) & (features.predicted >= 0)
        groups = np.where(known, np.where(features.truth == features.predicted, 0, 1), 2)
        count = [int((groups == group).sum()) for group in range(3)]
        names = [f"right {count[0]:,}", f"wrong {count[1]:,}", f"unknown {count[2]:,}"]
        shown = 3 if count[2] else 2
        return Colouring(groups, (theme.good, theme.error, theme.faint)[:shown], tuple(names[:shown]))
    if mode == OWN and own is not None:
        return _classes(own[features.kept], own_names, theme, "none")
    if mode == TIME and features.pictures.moments is not None:
        moments = features.pictures.moments[features.kept]
        return _scale(moments, float(moments.min()), float(moments.max()), theme, "{:.1f} s")
    return _scale(features.confidence, 0.0, 1.0, theme, "{:.0f}")


def _by_class(features: Features, theme: Theme) -> Colouring:
    """By the pictures' own classes; where the network knows them they have the colours that they have with it."""
    pictures = features.pictures
    labels = pictures.labels[features.kept]
    if tuple(pictures.classes) == tuple(features.labels):
        return _classes(labels, features.labels, theme, "no class")
    known = dict(zip(labels.tolist(), features.truth.tolist(), strict=True))
    if all(known.get(index, -1) >= 0 for index in range(len(pictures.classes)) if index in known):
        return _classes(features.truth, features.labels, theme, "no class")
    plain = _classes(labels, pictures.classes, theme, "no class")
    return Colouring(plain.groups, plain.colours, plain.names, classes=(-1,) * len(plain.names))


def _classes(labels: npt.NDArray[np.int64], names: tuple[str, ...], theme: Theme, without: str) -> Colouring:
    """A group for each class that there is, in the order of the classes; -1 is a group of its own."""
    found = np.unique(labels)
    known = found[found >= 0]
    groups = np.searchsorted(known, labels)
    colours = [theme.class_colour(index, max(len(names), 1)) for index in known.tolist()]
    words = [names[index] if index < len(names) else str(index) for index in known.tolist()]
    classes = known.tolist()
    if len(found) > len(known):
        groups = np.where(labels < 0, len(known), groups)
        colours, words, classes = [*colours, theme.faint], [*words, without], [*classes, -1]
    return Colouring(groups.astype(np.int64), tuple(colours), tuple(words), classes=tuple(classes))


def _scale(values: npt.NDArray[np.float32], low: float, high: float, theme: Theme, text: str) -> Colouring:
    """Steps of a colour map; what is not known is grey."""
    share = (values - low) / max(high - low, 1e-12)
    groups = np.clip(np.nan_to_num(share) * _STEPS, 0, _STEPS - 1).astype(np.int64)
    table = sequential()
    rows = np.linspace(20, 235, _STEPS).round().astype(int)  # the darkest would vanish against the ground
    colours = [QColor(*(int(v) for v in table[row][:3])) for row in rows]
    unknown = np.isnan(values)
    if unknown.any():
        groups, colours = np.where(unknown, _STEPS, groups), [*colours, theme.faint]
    return Colouring(groups, tuple(colours), ends=(text.format(low), text.format(high)))
