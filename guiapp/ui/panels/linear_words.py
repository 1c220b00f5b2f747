"""What the linear views say: why there are none, what is under the pointer, the numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from guiapp.engine.state import EngineState
from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.score_table import figure

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.interpret.atlas import Atlas
    from guiapp.interpret.linear_views import Algebra, Plane


def why_not(state: EngineState) -> str:
    """Why the open network has no such views."""
    if state.opened is None:
        return "No network is open."
    having = sum(layer.has_weights for layer in state.opened.layers)
    what = "no layer of weights" if not having else f"{having} layers of weights"
    if having == 1:
        what = "one layer of weights, but not a dense one on the pixels"
    return (
        f"{state.opened.model.title} has {what}. These views are for one dense layer on the pixels, where each "
        "class has one weight a pixel."
    )


def of_formula(algebra: Algebra) -> str:
    """How the numbers of the table come about."""
    if not algebra.activation:
        return "score = w·x + b: weights times pixels, plus bias"
    return f"score = w·x + b; output = {algebra.activation}(score), which the soft-max is given"


def as_modified(count: int) -> str:
    """What follows the words on a network with so many channels switched off."""
    return f" · modified: {count} switched off" if count else ""


def of_plane(plane: Plane) -> str:
    """How much of the pictures' variance the plane shows, and how far from it the picture is."""
    first, second = plane.explained
    text = f"{first * 100:.0f} % + {second * 100:.0f} % of variance"
    return text if plane.distance is None else f"{text} · picture off by {number(plane.distance)}"


def of_terms(algebra: Algebra, index: int, label: str, place: tuple[int, int] | None) -> str:
    """What the pixel at ``place`` (column, row) adds to the score of a class, else how the score comes about."""
    if place is not None:
        value = float(algebra.contributions.values[index, place[1], place[0]])
        return f"row {place[1]}, column {place[0]} adds {number(value)} to {label}"
    product, bias = float(algebra.products[index]), float(algebra.bias[index])
    sign = "−" if figure(bias, 3).startswith("−") else "+"
    score = figure(float(algebra.scores[index]), 3)
    text = f"{label}: {figure(product, 3)} {sign} {figure(abs(bias), 3)} = {score}"
    if algebra.activation:
        text += f" · {algebra.activation}({score}) = {figure(float(algebra.outputs[index]), 3)}"
    return text


def of_template(
    templates: Atlas, labels: Sequence[str], place: tuple[int, int] | None, off: Collection[int] = ()
) -> str:
    """The template and the weight at ``place`` (column, row) of the atlas; classes in ``off`` are switched off."""
    tile = templates.tile_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
    if tile is None or place is None:
        return "click enlarges and chooses the class"
    text = f"template of {labels[tile]}"
    value = templates.value_at(place[0] + 0.5, place[1] + 0.5)
    if value is not None:
        text += f" · row {value[1]}, column {value[2]}: {number(value[3])}"
    if tile in off:
        text += " · switched off"
    return text


def of_sample(plane: Plane, row: int, labels: Sequence[str]) -> str:
    """The training sample in a row of the plane's points."""
    return f"training sample {int(plane.indices[row]):,} · {labels[plane.labels[row]]} · click opens it"


def of_scores(scores: npt.NDArray[np.floating], labels: Sequence[str]) -> str:
    """Winner and runner-up at a place of the plane; ``scores`` has one number a class, two or more."""
    first, second = scores.argsort()[::-1][:2]
    return f"here {labels[first]} {number(float(scores[first]))}, then {labels[second]} {number(float(scores[second]))}"


def contributions_csv(scores: Sequence[Sequence[object]], algebra: Algebra | None, index: int, label: str) -> str:
    """The scores of all classes, then weight times pixel of the chosen one, row by row."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows(scores)
    if algebra is not None:
        writer.writerow([])
        writer.writerow([f"weight times pixel for {label}"])
        for row in algebra.contributions.values[index].tolist():
            writer.writerow([f"{value:.7g}" for value in row])
    return stream.getvalue()
