"""The options of attacks: plain data without torch, from which forms and command-line settings are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from guiapp.interpret.targets import DETECTORS

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing

Method = Literal["fgsm", "iterated", "pgd", "distance", "patch", "noise"]
Norm = Literal["L-infinity", "L2"]

METHODS: Mapping[str, str] = {
    "fgsm": "FGSM",
    "iterated": "Iterated FGSM",
    "pgd": "PGD",
    "distance": "Distance penalty",
    "patch": "Patch",
    "noise": "Noise",
}
"""Attacks by name, with what a person reads."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "fgsm": ("norm", "epsilon", "radius"),
    "iterated": ("norm", "epsilon", "radius", "steps", "step_size", "confidence"),
    "pgd": ("norm", "epsilon", "radius", "steps", "step_size", "confidence", "seed"),
    "distance": ("weight", "rate", "steps", "confidence"),
    "patch": ("size", "everywhere", "rate", "steps", "confidence", "seed"),
    "noise": ("norm", "epsilon", "radius", "seed"),
}
"""Fields that a method reads, beside ``class_index``; of ``epsilon`` and ``radius`` the one of the norm."""

TASKS = ("classification", "segmentation", *DETECTORS)
"""Tasks whose networks can be attacked."""

COMPARED: tuple[Method, ...] = ("fgsm", "pgd", "noise")
"""Attacks whose accuracies are drawn over one another."""

ONE_STEP = ("fgsm", "noise")
"""Methods so quick that they follow a camera or the weights while they train."""


def _option(default: Any, help: str, unit: str = "", low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class AttackOptions:
    """What an attack may do. Sizes are of the network's input, on whose pixels it works.

    Sizes, steps and rate that are left empty are suited to the network and the method: see ``sized``.
    """

    method: Method = field(default="pgd", metadata={"help": "the attack", "unit": "", "low": None, "high": None})
    class_index: int | None = _option(None, "class it shall say; empty for any but the one it says now", low=0)
    norm: Norm = field(
        default="L-infinity",
        metadata={"help": "how the size of the change is measured", "unit": "", "low": None, "high": None},
    )
    epsilon: float | None = _option(None, "most that a pixel may change (L-infinity)", "of 255", 0.0, 255.0)
    radius: float | None = _option(None, "most length of the change, pixels from 0 to 1 (L2)", "", 0.0, 1000.0)
    steps: int | None = _option(None, "steps of gradient; empty for as many as the method needs", "", 1, 5000)
    step_size: float | None = _option(
        None, "of one step, as epsilon or radius are given; empty for 2.5 of them shared by the steps", "", 0.0, 255.0
    )
    weight: float = _option(0.1, "λ, the weight of the squared distance to the original", "", 0.0, 1e6)
    rate: float | None = _option(None, "learning rate of Adam, pixels from 0 to 1", "", 1e-6, 1.0)
    confidence: float = _option(
        1.0, "it stops once the wanted outcome has this probability; 1 takes all steps", "", 0, 1
    )
    size: float = _option(0.25, "side of the patch as a share of the shorter side", "", 0.02, 1.0)
    x: float = _option(0.5, "middle of the patch across, 0 to 1", "", 0.0, 1.0)
    y: float = _option(0.5, "middle of the patch down, 0 to 1", "", 0.0, 1.0)
    everywhere: bool = _option(False, "the patch learns at random places, so that it works wherever it is put")
    seed: int = _option(0, "of what is drawn at random", "", 0)
    compare: bool = _option(True, "ask about the result in whole numbers and about the shuffled change, too")
    about: int | None = _option(
        None,
        "of detectors and segmentation networks: class whose box or pixels are attacked; empty for the best",
        low=0,
    )
    box: str = _option(
        "", "of detectors and segmentation networks: left, top, right, bottom as shares of the picture; empty for all"
    )

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that count for this method and norm."""
        other = "radius" if self.norm == "L-infinity" else "epsilon"
        return tuple(name for name in FIELDS[self.method] if name != other)

    @property
    def part(self) -> tuple[float, float, float, float] | None:
        """``box`` as numbers.

        Raises:
            SettingError: If it is no box.
        """
        from guiapp.interpret.attribution.options import shares

        return shares(self.box) if self.box.strip() else None

    @property
    def bound(self) -> float:
        """The greatest size in the chosen norm on the scale 0 to 1; the sizes must be given (``sized``)."""
        size = self.epsilon if self.norm == "L-infinity" else self.radius
        assert size is not None
        return size / 255 if self.norm == "L-infinity" else size

    @property
    def one_step(self) -> float:
        """The size of one step in the chosen norm on the scale 0 to 1."""
        if self.step_size is None:
            assert self.steps is not None
            return 2.5 * self.bound / self.steps  # Madry et al. 2018, section 5: the border can be reached and left
        return self.step_size / 255 if self.norm == "L-infinity" else self.step_size


@dataclass(frozen=True, eq=False)
class PatchOptions:
    """Where a patch that was learnt before is pasted.

    Attributes:
        patch: The pixels, uint8 (h, w, C), of the network's input.
        x, y: Middle as shares of the network's input.
    """

    patch: Any = None
    x: float = 0.5
    y: float = 0.5

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PatchOptions):
            return NotImplemented
        return self.patch is other.patch and (self.x, self.y) == (other.x, other.y)

    def __hash__(self) -> int:
        return hash((id(self.patch), self.x, self.y))


@dataclass(frozen=True)
class RobustOptions:
    """What the robustness probe measures: accuracy over a part of the network's data set against attacks' size."""

    part: Literal["test", "validation", "train"] = field(
        default="test", metadata={"help": "part of the data set", "unit": "", "low": None, "high": None}
    )
    count: int = _option(200, "pictures, drawn at random with a fixed seed", "", 1, 1_000_000)
    norm: Norm = field(
        default="L-infinity",
        metadata={"help": "how the size of the change is measured", "unit": "", "low": None, "high": None},
    )
    most: float | None = _option(
        None, "largest size: of 255 for L-infinity, a length for L2; empty for one that suits the network", "", 0.0
    )
    points: int = _option(8, "sizes above zero, evenly spaced", "", 1, 100)
    steps: int = _option(20, "steps of PGD", "", 1, 5000)
    step_size: float | None = _option(
        None, "of one step of PGD, as the size is given; empty for 2.5 sizes shared by the steps", "", 0.0, 255.0
    )
    seed: int = _option(0, "of what is drawn at random", "", 0)


def drawn(total: int, count: int) -> list[int]:
    """Which of ``total`` pictures are attacked, the same ones each time, in their order."""
    import numpy as np

    order = np.random.default_rng(0).permutation(total)[:count]
    return sorted(int(i) for i in order)


def sized(options: AttackOptions, preprocessing: Preprocessing) -> AttackOptions:
    """The options with what is left empty filled in; sizes as papers choose them for such pictures.

    Grey drawings: 0.3 of the range and a length of 2 (Madry et al. 2018, MNIST); small colour pictures: 8 of 255 and
    0.5 (CIFAR-10); larger ones: 4 of 255 and 1. The larger a picture, the less of each pixel is needed.
    """
    channels, height, width = preprocessing.size
    if channels == 1:
        epsilon, radius, rate = 76.5, 2.0, 0.03
    elif max(height, width) <= 64:
        epsilon, radius, rate = 8.0, 0.5, 0.01
    else:
        epsilon, radius, rate = 4.0, 1.0, 0.003
    if options.method == "patch":
        rate = 0.05
    return replace(
        options,
        steps=(100 if options.method in ("distance", "patch") else 20) if options.steps is None else options.steps,
        rate=rate if options.rate is None else options.rate,
        epsilon=epsilon if options.epsilon is None else options.epsilon,
        radius=radius if options.radius is None else options.radius,
    )
