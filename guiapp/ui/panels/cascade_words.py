"""What the cascade panel says: the sum from four numbers, the window, a feature, a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guiapp.ui.widgets.colour_bar import number

if TYPE_CHECKING:
    from guiapp.interpret.cascade import CascadeView

Wordings = tuple[str, tuple[str, ...]]

ALONE = 3  # windows up to which OpenCV takes them for a mistake by default


def of_faces(view: CascadeView) -> Wordings:
    """Faces, each of windows that lie alike, and what else passed every stage."""
    votes = view.faces[:, 4]
    sure, stray = votes[votes > ALONE], votes[votes <= ALONE]
    found = f"{len(sure)} face{'s' if len(sure) != 1 else ''}" if len(sure) else "no face"
    if len(sure):
        found += f" of {' + '.join(f'{v:.0f}' for v in sure[:4])}{' + …' if len(sure) > 4 else ''} windows"
    text = f"{found}, {int(stray.sum())} stray" if len(stray) else found
    return f"{text} · a click chooses a window or a face", (text, found)


def of_rectangle(view: CascadeView, area: tuple[int, int, int, int]) -> Wordings:
    """The sum of a rectangle of the searched picture from four numbers of its integral image."""
    left, top, width, height = area
    table, right, bottom = view.table, left + width, top + height
    a, b = int(table[top, left]), int(table[top, right])
    c, d = int(table[bottom, left]), int(table[bottom, right])
    total = d - b - c + a
    short = f"sum {total:,} · {width} × {height} · mean {total / (width * height):.1f}"
    text = f"D − B − C + A = {d:,} − {b:,} − {c:,} + {a:,} = {total:,} · {width} × {height} · mean "
    return f"{text}{total / (width * height):.1f}", (f"{d:,} − {b:,} − {c:,} + {a:,} = {total:,}", short)


def of_window(view: CascadeView) -> Wordings:
    """Size and fate of the chosen window."""
    _, _, width, height = view.area
    size = f"{width:.0f} × {height:.0f} pixels"
    stages = len(view.wanted)
    if view.face:
        fate, short = f"passes all {stages} stages: a face", "a face"
    elif view.deviation <= 10:
        fate = f"has too little contrast (deviation {view.deviation:.1f}) and is refused unseen"
        short = "too little contrast"
    else:
        at = view.passed
        short = f"refused by stage {at + 1} of {stages}"
        fate = f"{short}: {view.sums[at]:.2f} < {view.wanted[at]:.2f}"
    return f"window of {size} {fate}", (f"{size}: {fate}", short)


def of_scan(view: CascadeView) -> Wordings:
    """The point of the cascade."""
    where = f"{view.searched[0]} × {view.searched[1]}"
    mean = f"{view.features:.1f} of {view.features_of_all:,} features a window"
    smaller = "" if view.searched == view.size else f" of the picture at {where}"
    return f"{view.looked:,} windows{smaller}: {mean} in the mean", (f"{view.looked:,} windows · {mean}", mean)


def of_feature(view: CascadeView, stage: int, stump: int) -> Wordings:
    """Weights, response, threshold and vote of a feature; ``stump`` counts those of all stages."""
    cascade, passage = view.cascade, view.passage
    place = stump - int(cascade.begins[stage]) + 1
    count = int(cascade.begins[stage + 1] - cascade.begins[stage])
    rectangles = cascade.rectangles[cascade.feature[stump]]
    weights = ", ".join(f"{number(r[4])} × {r[2]:.0f}×{r[3]:.0f}" for r in rectangles.tolist() if r[4])
    value, threshold, vote = passage.values[stump], cascade.threshold[stump], passage.votes[stump]
    sign = "≥" if passage.fired[stump] else "<"
    short = f"{number(float(value))} {sign} {number(float(threshold))}: vote {vote:.3f}"
    name = f"feature {place} of {count}"
    return f"stage {stage + 1}, {name} · weights {weights} · {short}", (f"{name} · {short}", short)


def of_stage(view: CascadeView, stage: int) -> Wordings:
    """Sum, threshold and windows left of a stage."""
    before, after = int(view.survivors[stage]), int(view.survivors[stage + 1])
    count = int(view.cascade.begins[stage + 1] - view.cascade.begins[stage])
    sign = "≥" if view.sums[stage] >= view.wanted[stage] - 1e-5 else "<"
    late = "" if stage <= view.passed else ", no longer looked at"
    text = f"{view.sums[stage]:.2f} {sign} {view.wanted[stage]:.2f}{late}"
    left = f"{before:,} windows → {after:,}"
    return f"stage {stage + 1}, {count} features: {text} · {left}", (f"stage {stage + 1}: {text} · {left}", text)
