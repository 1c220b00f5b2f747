"""What the unit inspector says: one line each, with shorter wordings for less room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.ui.panels.units_table import percent as share
from guiapp.ui.widgets.class_bars import percent
from guiapp.ui.widgets.colour_bar import number

if TYPE_CHECKING:
    from guiapp.engine.units import Found, Traced
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.units.probe import UnitView
    from guiapp.interpret.units.scan import LayerScan
    from guiapp.tasks.predictions import ClassScores


def effect(now: ClassScores, plain: npt.NDArray[np.float32] | None, chosen: int | None) -> str:
    """What the network says, and what it said before channels were changed.

    Args:
        now: The prediction.
        plain: Probabilities of the network as it is, or None where it is as it is.
        chosen: A class that a person has chosen.
    """
    labels = now.labels
    if not now.known:
        return "no answer: the network gives NaN"
    if plain is None:
        rest = ""
        if chosen is not None and chosen != now.best and chosen < len(labels):
            rest = f" · {labels[chosen]} {percent(float(now.probabilities[chosen]))}"
        return f"reads {labels[now.best]}: {percent(float(now.probabilities[now.best]))}{rest}"
    was = int(plain.argmax())
    wanted = chosen if chosen is not None and chosen < len(labels) else was
    text = f"{labels[wanted]}: {percent(float(plain[wanted]))} → {percent(float(now.probabilities[wanted]))}"
    if now.best != was:
        return f"{text} · reads {labels[now.best]} now, {labels[was]} before"
    return f"{text} · still reads {labels[was]}"


def on_picture(view: UnitView, layer: LayerInfo | None, extent: Sequence[int]) -> tuple[str, ...]:
    """How strong the unit is, where, and what it sees there; and shorter wordings."""
    height, width = view.atlas.tile if view.atlas.values.shape[1:] != (1, 1) else (1, 1)
    if (height, width) == (1, 1):
        return f"unit {view.unit} of {view.units} · {number(view.value)}", number(view.value)
    field = layer.receptive_field if layer is not None else None
    sees = ""
    if field is not None:
        whole = field.size[0] >= extent[0] and field.size[1] >= extent[1]
        sees = " · sees all" if whole else f" · sees {field.size[1]} × {field.size[0]}"
    if view.flat:
        return f"map {height} × {width} · {number(view.value)} everywhere", f"{number(view.value)} everywhere"
    at = f"strongest {number(view.value)} at row {view.peak[0]}, column {view.peak[1]}"
    short = f"{number(view.value)} at {view.peak[0]}, {view.peak[1]}{sees}"
    return f"map {height} × {width} · {at}{sees}", f"{at}{sees}", f"strongest {short}", short


def of_scan(scan: LayerScan, title: str) -> str:
    """Over how many pictures."""
    of = f" of {scan.of:,}" if scan.of != scan.pictures else ""
    return f"{scan.pictures:,}{of} pictures, {title}"


def of_patches(found: Found, names: Sequence[str]) -> str:
    """What the best patches have in common, as far as their classes tell."""
    text = f"best of {of_scan(found.scan, found.pictures.title)}"
    by_class = found.scan.by_class
    if by_class is None or not len(names) or not np.isfinite(by_class[found.unit]).any():
        return text
    means = by_class[found.unit]
    best = int(np.nanargmax(means))
    return f"{text} · on average strongest for {names[best]} ({number(float(means[best]))})"


def of_unit(scan: LayerScan, unit: int) -> str:
    """How its outputs lie."""
    text = (
        f"mean {number(float(scan.mean[unit]))} · {number(float(scan.low[unit]))} … {number(float(scan.high[unit]))}"
        f" · zeros {share(float(scan.zeros[unit]))}"
    )
    if scan.saturated is not None:
        text += f" · saturated {share(float(scan.saturated[unit]))}"
    return text + (" · dead" if scan.dead[unit] else "")


def of_layer(scan: LayerScan) -> tuple[str, str]:
    """How many units are dead; and the rule."""
    dead = int(scan.dead.sum())
    text = f"{dead} of {scan.units} units dead" if dead else f"none of {scan.units} units dead"
    if scan.saturated is not None:
        half = int((scan.saturated > 0.5).sum())
        text += f" · {half} saturated on more than half"
    return text, f"dead: {scan.dead_rule}"


def of_trace(traced: Traced, rule: str) -> str:
    """Where the projection began and how it went."""
    found = traced.projection
    text = f"response {number(found.value)} at row {found.row}, column {found.column}"
    if found.other and rule != "gradient":
        text += f" · through {', '.join(found.other)} with {'its slope' if len(found.other) == 1 else 'their slopes'}"
    if not found.values.any():
        text += " · nothing comes back: the unit is off here"
    return text
