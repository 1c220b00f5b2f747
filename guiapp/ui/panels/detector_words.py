"""What the detector panel says: levels, anchors, what each step leaves, how one object came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from guiapp.ui.widgets.colour_bar import number

if TYPE_CHECKING:
    from guiapp.interpret.detector import DetectorView, Level
    from guiapp.interpret.detector_object import ObjectView

Wordings = tuple[str, tuple[str, ...]]

SCORING = {
    "objectness": (
        "objectness: a sigmoid for each anchor, whatever the class",
        ("objectness: a sigmoid for each anchor",),
    ),
    "sigmoid": ("a sigmoid for each class, trained with the focal loss", ("a sigmoid for each class",)),
    "centred": (
        "root of class probability (sigmoid, focal loss) × centre-ness",
        ("root of class sigmoid × centre-ness",),
    ),
    "softmax": ("soft-max over the classes and the background", ("soft-max over the classes",)),
}
_BRIEF = {
    "best": "best",
    "after": "left",
    "with": "above",
    "regions": "regions",
    "boxes": "boxes",
}  # by the first word of a step
_PARTS = {"lateral": "1×1 of the stage", "above": "coarser sum, enlarged", "result": "finished level"}


def stride(level: Level) -> str:
    """Pixels from cell to cell."""
    across, down = level.stride
    return f"{across:.3g}" if round(across) == round(down) else f"{across:.3g}×{down:.3g}"


def sizes(level: Level) -> str:
    """Roots of the areas of the anchors."""
    sides = np.sqrt((level.base[:, 2] - level.base[:, 0]) * (level.base[:, 3] - level.base[:, 1]))
    found: list[float] = []
    for side in sorted(sides.tolist()):
        if not found or side > found[-1] * 1.04:  # anchors are rounded to whole pixels
            found.append(side)
    return " ".join(f"{side:.0f}" for side in found)


def ratios(level: Level) -> str:
    """Width to height of the anchors."""
    width, height = level.base[:, 2] - level.base[:, 0], level.base[:, 3] - level.base[:, 1]
    found: list[float] = []
    for ratio in sorted((width / height).tolist()):
        if not found or ratio > found[-1] * 1.08:
            found.append(ratio)
    return " ".join(f"{_near(r)}:1" if r > 0.96 else f"1:{_near(1 / r)}" for r in found)


def _near(ratio: float) -> str:
    """A whole number where rounding anchors to pixels has moved it a little."""
    return str(round(ratio)) if abs(ratio / round(ratio) - 1) < 0.06 else f"{ratio:.1f}"


def _length(pixels: float) -> str:
    return f"{pixels:.0f}" if pixels >= 10 else f"{pixels:.2g}"


def captions(level: Level, part: str, coarser: str) -> tuple[str, ...]:
    """What stands over a tile, longest first."""
    size = f"{level.name} {level.rows}×{level.columns}"
    if part == "lateral" or len(level.maps) == 1:
        some = f" · {level.objects} obj." if level.objects and len(level.maps) == 1 else ""
        short = f"{level.name} /{stride(level)}"
        return f"{size} stride {stride(level)}{some}", f"{size} /{stride(level)}", size, short, level.name
    if part == "above":
        return f"+ {coarser} enlarged", f"+ {coarser}"
    some = f" · {level.objects} object{'s' if level.objects != 1 else ''}" if level.objects else ""
    return f"after 3×3{some}", f"3×3{some.replace('object', 'obj')}", "3×3"


def of_pyramid(view: DetectorView) -> Wordings:
    """How the levels come about."""
    if any(len(level.maps) > 1 for level in view.levels):
        text = "1×1 of the stage + coarser level enlarged, then 3×3"
        return f"{text} · frames: objects taken from the level", (text,)
    text = f"{len(view.levels)} maps, each as it is: nothing is merged"
    return f"{text} · frames: objects found on it", (text,)


def of_tile(level: Level, part: str, cell: tuple[int, int, float] | None) -> Wordings:
    """A tile, and the value under the pointer."""
    channel = level.strongest.get(part, -1)  # type: ignore[call-overload]
    what = f"mean |x| of {level.channels} channels" if channel < 0 else f"channel {channel} of {level.channels}"
    text = f"{level.name} {_PARTS[part]}, {what}"
    if cell is None:
        return text, (f"{level.name} {what}",)
    value = f"row {cell[0]}, column {cell[1]}: {number(cell[2])}"
    return f"{text} · {value}", (f"{level.name} {what} · {number(cell[2])}", f"{level.name} {number(cell[2])}")


def of_anchors(view: DetectorView, level: Level) -> Wordings:
    """The anchors of a level among all."""
    total = sum(each.anchors for each in view.levels)
    kind = "cells" if view.scoring == "centred" else "default boxes" if view.scoring == "softmax" else "anchors"
    count = f"{len(level.base)} × {level.rows} × {level.columns} = {level.anchors:,} of {total:,} {kind}"
    shape = f"{sizes(level)} px, w:h {ratios(level)}"
    short = f"{level.anchors:,} of {total:,}"
    return (
        f"{level.name}: {count} · {shape}",
        (f"{level.name}: {count}", f"{level.name}: {short} · w:h {ratios(level)}", f"{level.name}: {short}", short),
    )


def of_cell(view: DetectorView, level: Level, cell: tuple[int, int]) -> Wordings:
    """The anchors of the cell under the pointer."""
    scores = level.scores[cell]
    best = int(scores.argmax())
    what = "objectness" if view.scoring == "objectness" else "best class"
    fired = int((scores > view.fires).sum())
    text = f"{level.name} row {cell[0]}, column {cell[1]}"
    return (
        f"{text}: {what} {scores[best]:.3f} · {fired} of {len(scores)} above {view.fires:.2f}",
        (f"{text}: {what} {scores[best]:.3f}", f"{scores[best]:.3f}"),
    )


def of_match(view: DetectorView) -> Wordings:
    """What positive means here."""
    if view.positive is None:
        text = "no anchors: a cell near the middle of an object answers for it"
        return text, ("no anchors, cells",)
    if view.object is None:
        return f"positive in training: overlap ≥ {view.positive:.1f} with an object", (
            f"overlap ≥ {view.positive:.1f}",
        )
    count = sum(level.matching or 0 for level in view.levels)
    text = f"{count} anchors with overlap ≥ {view.positive:.1f} (or the most): positive"
    return (
        f"{text} in training if {view.object.label} were annotated",
        (text, f"{count} positive: overlap ≥ {view.positive:.1f}, or the most", f"{count} positive"),
    )


def of_steps(view: DetectorView) -> Wordings:
    """What each step left."""
    full = " → ".join(f"{count:,} {words}" for words, count in view.steps)
    brief = " → ".join(f"{count:,} {_BRIEF.get(words.split()[0], words.split()[-1])}" for words, count in view.steps)
    return full, (brief, " → ".join(f"{count:,}" for _, count in view.steps))


def of_focus(view: DetectorView, gamma: float) -> Wordings:
    """How much of the loss the hardest anchors carry, if all that is seen were background."""
    scores = np.concatenate([level.scores.ravel() for level in view.levels]).astype(np.float64)
    right = np.clip(1 - scores, 1e-6, 1 - 1e-9)
    loss = np.sort(-((1 - right) ** gamma) * np.log(right))[::-1]
    hardest = max(1, len(loss) // 100)
    share = loss[:hardest].sum() / loss.sum()
    text = f"γ = {gamma:.1f}: the hardest 1 % of the anchors carry {100 * share:.0f} % of the loss"
    brief = f"γ = {gamma:.1f}: hardest 1 % carry {100 * share:.0f} % of the loss"
    return f"{text}, were all of them background", (text, brief, f"γ = {gamma:.1f}: {100 * share:.0f} %")


def of_loss(gamma: float, hundredths: int) -> Wordings:
    """The focal loss at a probability."""
    p = min(max(hundredths / 100, 0.01), 1.0)
    plain, loss = -np.log(p), -((1 - p) ** gamma) * np.log(p)
    times = f", {plain / loss:,.0f} times less than without γ" if loss > 0 and plain / loss >= 1.5 else ""
    return f"p = {p:.2f}: loss {abs(loss):.3g}{times}", (f"p = {p:.2f}: {abs(loss):.3g}",)


def of_object(view: DetectorView) -> Wordings:
    """Which object this is."""
    found = view.object
    if found is None:
        return "the network gave no box", ()
    which = "chosen" if found.chosen else "best shown" if found.shown else "nothing is shown: best box"
    text = f"{found.label} {100 * found.score:.1f} %"
    return f"{which}: {text}", (text,)


def of_level(view: DetectorView) -> Wordings:
    """From which level it was taken, with the formula."""
    found = view.object
    if found is None:
        return "", ()
    name = view.levels[found.level].name
    across, down = view.scale.tolist()
    width, height = (found.start[2] - found.start[0]) / across, (found.start[3] - found.start[1]) / down
    if found.exact_level is None:
        what = "cell" if view.scoring == "centred" else "anchor"
        centre = "" if found.centre is None else f", centre-ness {found.centre:.2f}"
        return f"{what} of {_length(width)} × {_length(height)} on {name}{centre}", (f"on {name}{centre}",)
    formula = f"⌊4 + log₂(√({_length(width)} · {_length(height)}) / 224)⌋ = ⌊{found.exact_level:.2f}⌋"
    return f"k = {formula} → {name}", (f"k = ⌊{found.exact_level:.2f}⌋ → {name}", name)


def of_codes(found: ObjectView | None, scoring: str) -> Wordings:
    """How the box was moved."""
    if found is None:
        return "", ()
    values = ", ".join(f"{value:+.2f}" for value in found.codes.tolist())
    if scoring == "centred":
        return f"left, top, right, bottom in strides: {values}", (values,)
    start = "anchor" if found.start_score is None else f"region (objectness {found.start_score:.2f})"
    return f"{start} moved by t = ({values})", (f"t = ({values})", values)


def table(view: DetectorView) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Heading and lines of the table of levels: the least important columns last."""
    levels = view.levels
    if view.view == "anchors":
        head = ["level", "grid", "sizes", "a cell", "all", "stride"]
        rows = [
            [x.name, f"{x.rows}×{x.columns}", sizes(x), str(len(x.base)), f"{x.anchors:,}", stride(x)] for x in levels
        ]
        if view.positive is not None:
            head.insert(4, "positive")
            for row, level in zip(rows, levels, strict=True):
                row.insert(4, "–" if level.matching is None else f"{level.matching:,}")
        return head, list(rows)
    best = [f"{float(x.scores.max()):.3f}" if x.scores.size else "–" for x in levels]
    if view.kind == "two-stage":
        head = ["level", "anchors", "best", "left", "objects", "highest", f"> {view.fires:.1f}"]
        rows = [
            [x.name, f"{x.anchors:,}", f"{x.kept or 0:,}", f"{x.left or 0:,}", str(x.objects), top, f"{x.fired:,}"]
            for x, top in zip(levels, best, strict=True)
        ]
    else:
        head = ["level", "anchors", f"> {view.fires:.2f}", "objects", "highest"]
        rows = [
            [x.name, f"{x.anchors:,}", f"{x.fired:,}", str(x.objects), top] for x, top in zip(levels, best, strict=True)
        ]
    return head, list(rows)
