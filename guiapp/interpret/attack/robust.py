"""Accuracy against the size of the change: how much of a set of pictures a network still gets right."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attack.methods import steps_of
from guiapp.interpret.attack.options import (
    COMPARED,
    METHODS,
    AttackOptions,
    Method,
    Norm,
    RobustOptions,
    drawn,
    sized,
)
from guiapp.interpret.attack.space import LossOf, Victim, padding_mask

if TYPE_CHECKING:
    from guiapp.interpret.base import Look

Floats = npt.NDArray[np.float64]
_PIXELS = 400_000


@dataclass(frozen=True, eq=False)
class RobustCurves:
    """Accuracy of a network under attacks of growing size.

    Attributes:
        norm: How the size is measured.
        sizes: float64 (E,): of 255 for L-infinity, a length with pixels from 0 to 1 for L2; the first is 0.
        right: By method, float64 (E,): how many pictures are still right; NaN where it is not known yet.
        total: How many pictures there are.
        labelled: Whether right means the true class; else what the network said of the picture as it is.
        name: What the pictures are.
    """

    norm: Norm
    sizes: Floats
    right: Mapping[str, Floats]
    total: int
    labelled: bool
    name: str = ""

    def accuracy(self, method: str) -> Floats:
        """Share of pictures, 0 to 1, (E,)."""
        return self.right[method] / max(self.total, 1)

    def interval(self, method: str) -> tuple[Floats, Floats]:
        """Wilson's 95 % interval of ``accuracy``."""
        n, z = max(self.total, 1), 1.959964
        share = self.accuracy(method)
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)

    def csv_text(self) -> str:
        """One line a size and method."""
        unit = "epsilon of 255" if self.norm == "L-infinity" else "radius"
        lines = [f"method,{unit},right,of,accuracy,lowest,highest"]
        for method, right in self.right.items():
            low, high = self.interval(method)
            for i, size in enumerate(self.sizes):
                if not math.isnan(right[i]):
                    share = right[i] / max(self.total, 1)
                    lines.append(
                        f"{method},{size:g},{right[i]:.0f},{self.total},{share:.6g},{low[i]:.6g},{high[i]:.6g}"
                    )
        return "\n".join(lines) + "\n"


def sizes_up_to(most: float, count: int = 8) -> Floats:
    """0 and ``count`` evenly spaced sizes up to ``most``."""
    return np.linspace(0.0, most, count + 1)


def robust_accuracy(
    victim: Victim,
    batches: Callable[[], Sequence[tuple[torch.Tensor, torch.Tensor]]],
    options: AttackOptions,
    sizes: Floats,
    methods: Sequence[Method],
    labelled: bool,
    tell: Callable[[RobustCurves], object],
    name: str = "",
) -> Generator[tuple[float, str], None, RobustCurves]:
    """Attack every picture that is still right with each method at each size, untargeted.

    Args:
        victim: The network.
        batches: Gives pixels (n, C, H, W) from 0 to 1 with their classes int64 (n,).
        options: Steps and norm of the attacks.
        sizes: As in ``RobustCurves``.
        methods: The attacks that are compared.
        labelled: Whether the classes are the true ones.
        tell: Called with what is known so far after each size.
        name: What the pictures are.

    Yields:
        Share done and what is being done, after each step of gradient.
    """
    found = batches()
    total = sum(len(classes) for _, classes in found)
    right: dict[str, Floats] = {method: np.full(len(sizes), np.nan) for method in methods}
    clean = []
    for pixels, classes in found:
        with torch.no_grad():
            clean.append(victim.logits(pixels).argmax(1) == classes.to(pixels.device))
        yield 0.0, "reading the pictures as they are"
    for method in methods:
        right[method][0] = sum(int(ok.sum()) for ok in clean)
    done, work = 0, max(1, (len(sizes) - 1) * len(methods) * len(found))
    curves = RobustCurves(options.norm, sizes, right, total, labelled, name)
    tell(_copied(curves))
    for place in range(1, len(sizes)):
        size = float(sizes[place])
        for method in methods:
            asked = replace(options, method=method, epsilon=size, radius=size, class_index=None)
            words = f"{METHODS[method]} at {size:.3g}{' of 255' if options.norm == 'L-infinity' else ''}"
            count = 0
            for number, ((pixels, classes), ok) in enumerate(zip(found, clean, strict=True)):
                for left in withstanding(victim, pixels[ok], classes.to(pixels.device)[ok], asked, number):
                    yield done / work, words
                    survived = left
                count += survived
                done += 1
            right[method][place] = count
            tell(_copied(curves))
    return curves


def withstanding(
    victim: Victim, pixels: torch.Tensor, classes: torch.Tensor, options: AttackOptions, number: int = 0
) -> Generator[int, None, None]:
    """Attack a batch; after each step how many are still said to be of their class, the last being the result.

    A picture counts as fooled only if the last pixels of its attack fool the network.
    """
    if not len(pixels):
        yield 0
        return
    loss_of = LossOf(classes, towards=False)
    seed = options.seed + 7919 * number
    steps = steps_of(pixels, lambda moved: victim.gradient(loss_of, moved)[2], options, victim.mask, seed)
    last = pixels
    for moved in steps:
        last = moved
        yield len(pixels)
    with torch.no_grad():  # which a yield within would leave switched on for whoever works meanwhile
        withstood = int((victim.logits(last).argmax(1) == classes).sum())
    yield withstood


def _copied(curves: RobustCurves) -> RobustCurves:
    return replace(curves, right={method: values.copy() for method, values in curves.right.items()})


def run(look: Look, options: RobustOptions) -> RobustCurves:
    """The whole measurement at once on the data set of ``look``.

    Raises:
        UserError: If the network's data set is not known, or has other classes.
    """
    from guiapp.interpret.attack.run import finish
    from guiapp.interpret.attack.victims import make_victim
    from guiapp.models.zoo.arrange import plainly

    dataset, preprocessing = look.dataset, look.preprocessing
    if dataset is None:
        raise UserError("this network's data set is not known: measure it in the Attack panel, on a folder of pictures")
    samples = dataset.part(options.part)
    chosen = drawn(len(samples), options.count)
    images = np.stack([np.asarray(samples.images[i]) for i in chosen])
    device = next((value.device for value in look.model.parameters()), torch.device("cpu"))
    inputs = preprocessing(images, device)
    _, height, width = dataset.sample_shape
    mask = padding_mask(preprocessing.size, (height, width), preprocessing.fit, device)
    victim = make_victim(look.model, dataset.classes, preprocessing.mean, preprocessing.std, inputs, mask)
    pixels = victim.pixels(inputs)
    classes = torch.from_numpy(np.asarray(samples.labels)[chosen].astype(np.int64))
    batch = batch_of(*inputs.shape[-2:])
    groups = [(pixels[i : i + batch], classes[i : i + batch]) for i in range(0, len(pixels), batch)]
    asked = sized(
        AttackOptions(norm=options.norm, steps=options.steps, step_size=options.step_size, seed=options.seed),
        preprocessing,
    )
    usual = asked.epsilon if options.norm == "L-infinity" else asked.radius
    most = options.most if options.most is not None else usual
    name = f"{len(chosen)} of {dataset.title}, {options.part} part"
    with plainly(look.model, True):
        return finish(
            robust_accuracy(
                victim, lambda: groups, asked, sizes_up_to(float(most or 0.0), options.points), COMPARED, True,
                lambda _curves: None, name,
            )
        )  # fmt: skip


def batch_of(height: int, width: int) -> int:
    """Pictures that are attacked at once: gradients of large networks take many times their memory."""
    return max(1, _PIXELS // (height * width))
