"""What the embedding panel says: cards of points, lines on what is chosen, tables to save."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from guiapp.interpret.embedding.features import Features
    from guiapp.interpret.embedding.place import Map


def card_lines(features: Features, index: int, own: str = "") -> list[str]:
    """What is told of a point: picture, class, prediction with its probability."""
    pictures = features.pictures
    lines = [pictures.caption(int(features.kept[index]))]
    label = int(pictures.labels[features.kept[index]])
    if label >= 0:
        lines.append(f"class {pictures.classes[label]}")
    predicted = int(features.predicted[index])
    if predicted >= 0:
        lines.append(f"says {features.labels[predicted]}, {100 * float(features.confidence[index]):.1f} %")
    if own:
        lines.append(f"own class {own}")
    return lines


def chosen_line(features: Features, chosen: npt.NDArray[np.int64]) -> str:
    """How many points are chosen, and of which classes most."""
    pictures = features.pictures
    labels = pictures.labels[features.kept[chosen]]
    known = Counter(labels[labels >= 0].tolist()).most_common(3)
    parts = [f"{len(chosen):,} chosen"]
    parts += [f"{count:,} × {pictures.classes[label]}" for label, count in known]
    checked = (features.truth[chosen] >= 0) & (features.predicted[chosen] >= 0)
    wrong = int((features.truth[chosen] != features.predicted[chosen])[checked].sum())
    if checked.any():
        parts.append(f"{wrong:,} wrong")
    return " · ".join(parts)


def table_text(
    found: Map, chosen: Iterable[int], own: npt.NDArray[np.int64] | None = None, own_names: tuple[str, ...] = ()
) -> str:
    """The chosen points as a table of comma-separated values."""
    return "".join(table_lines(found, chosen, own, own_names))


def table_lines(
    found: Map, chosen: Iterable[int], own: npt.NDArray[np.int64] | None = None, own_names: tuple[str, ...] = ()
) -> Iterator[str]:
    """The same line by line, the head first."""
    features = found.features
    pictures = features.pictures
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["picture", "x", "y", "class", "prediction", "probability", "own class"])
    yield stream.getvalue()
    for index in chosen:
        picture = int(features.kept[index])
        label, predicted = int(pictures.labels[picture]), int(features.predicted[index])
        mine = int(own[picture]) if own is not None else -1
        x, y = (float(v) for v in found.xy[index])
        stream.seek(0)
        stream.truncate()
        writer.writerow([
            pictures.caption(picture), f"{x:.7g}", f"{y:.7g}",
            pictures.classes[label] if label >= 0 else "",
            features.labels[predicted] if predicted >= 0 else "",
            f"{float(features.confidence[index]):.6g}" if predicted >= 0 else "",
            own_names[mine] if mine >= 0 else "",
        ])  # fmt: skip
        yield stream.getvalue()
