"""What the attack panel says of a result, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from guiapp.interpret.attack.run import AttackResult

NO_NETWORK = "Open an experiment, or a network in the Live room that tells classes, to see how little fools it."
NO_CLASSES = "This network tells no classes of a picture, of its pixels or of boxes: open one that does to attack it."
WHOLE_ONLY = "Only for networks that tell classes of whole pictures"
NO_PICTURE = "No picture: draw on the pad, choose a sample, or open a camera, a video or a picture."


def percent(share: float) -> str:
    """A probability in percent, with figures enough to tell it from 0 and 100."""
    if 0 < share < 0.001 or 0.999 < share < 1:
        return f"{100 * share:.2f} %"
    return f"{100 * share:.1f} %"


def name_of(labels: Sequence[str], index: int) -> str:
    """A class by name, else its number."""
    return labels[index] if 0 <= index < len(labels) else f"class {index}"


def says(probabilities: npt.NDArray[np.float32], labels: Sequence[str]) -> str:
    """The best class with its probability."""
    best = int(probabilities.argmax())
    return f"{name_of(labels, best)} {percent(float(probabilities[best]))}"


def size_of(change: npt.NDArray[np.float32]) -> tuple[str, str]:
    """Size of a change (H, W, C), of 255, in both norms; and a shorter wording."""
    largest = float(np.abs(change).max(initial=0))
    length = float(np.linalg.norm(change.astype(np.float64))) / 255
    return f"at most {largest:.3g} of 255 · ‖δ‖₂ {length:.3g}", f"≤ {largest:.3g} of 255"


def verdict(result: AttackResult, labels: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """One line on what came of an attack, and shorter wordings."""
    steps = f"{result.steps} step{'s' if result.steps != 1 else ''}"
    before, wanted = name_of(labels, result.away_index), result.wanted_index
    now = says(result.scores[-1], labels)
    if result.about:
        before = result.about
    if not result.steps:
        return f"it says {now} already: choose another class", (f"already {now}",)
    if not result.reached:
        short = f"withstands: still {now}" if wanted is None else f"not {name_of(labels, wanted)}: {now}"
        return f"{steps}, {short}", (short,)
    if result.about and wanted is None and result.scores[-1].max() < 0.5:  # it is no class at all any more
        return f"{before} is gone in {steps}: {now} at most", (f"gone in {steps}",)
    if not result.rounded or not result.noise:
        return f"{before} became {now} in {steps}", (f"{now} in {steps}",)
    rounded, noise = next(iter(result.rounded.items())), next(iter(result.noise.items()))
    kept = f"as 8-bit picture {rounded[0]} {percent(rounded[1])}"
    beside = f"the same change shuffled: {noise[0]} {percent(noise[1])}"
    return (
        f"{before} became {now} in {steps} · {kept} · {beside}",
        (f"{now} in {steps} · {beside}", beside, f"{now} in {steps}"),
    )
