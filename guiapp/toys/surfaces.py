"""Loss surfaces over two weights: the shapes on which rules of descent differ."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Formula = Callable[[Any, Any, Any], Any]

RULES = ("gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "newton")
_RATES = {"adagrad": 0.5, "rmsprop": 0.02, "adam": 0.1, "newton": 1.0}


def _rates(plain: float, **others: float) -> Mapping[str, float]:
    """Rates by rule: one for those that follow the gradient as it is, the others' usual ones where none is given."""
    return {
        **dict.fromkeys(("gd", "sgd"), plain),
        **dict.fromkeys(("momentum", "nesterov"), plain / 4),
        **_RATES,
        **others,
    }


@dataclass(frozen=True)
class Surface:
    """A loss of two weights.

    Attributes:
        id, title: Its name, and what a person reads.
        formula: As a person reads it.
        about: What there is to see.
        function: The loss of x and y; the third argument has ``cos`` and ``exp`` for them (numpy, torch).
        area: Left, right, bottom and top of the part that is shown.
        start: Where a race begins.
        minima: Places of the lowest points.
        rates: Learning rate that suits each rule here.
        noise: Deviation of the gradient of a batch about the true one, for each weight.
        saddles: Places that are flat but no minimum.
    """

    id: str
    title: str
    formula: str
    about: str
    function: Formula
    area: tuple[float, float, float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    rates: Mapping[str, float]
    noise: float
    saddles: tuple[tuple[float, float], ...] = field(default=())

    def values(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """The loss at places, any shape."""
        found: Floats = np.asarray(self.function(np.asarray(x, np.float64), np.asarray(y, np.float64), np), np.float64)
        return found

    @property
    def lowest(self) -> float:
        """The smallest loss."""
        return min(float(self.values(*place)) for place in self.minima)


def _beale(x: Any, y: Any, _: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _rastrigin(x: Any, y: Any, ops: types.ModuleType) -> Any:
    wave = ops.cos(2 * np.pi * x) + ops.cos(2 * np.pi * y)
    return 0.5 * (x**2 + y**2) + 2.0 - wave


_ALL = (
    Surface(
        "ravine", "Ravine", "0.1 x² + 2 y²",
        "Steep across, flat along: gradient descent swings from wall to wall and creeps along; above a rate of 0.5 it "
        "flies out. Momentum adds up what agrees, adaptive rules divide by what is steep, Newton goes straight.",
        lambda x, y, _: 0.1 * x**2 + 2.0 * y**2, (-6.0, 3.0, -3.0, 3.0), (-5.0, 2.0), ((0.0, 0.0),),
        _rates(0.4, momentum=0.1, nesterov=0.1, adagrad=1.0, rmsprop=0.1, adam=0.3), 0.15,
    ),
    Surface(
        "beale", "Beale", "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        "A long flat valley with steep walls at its ends: gradients differ a thousandfold between places, so that no "
        "single rate suits all of it.",
        _beale, (-1.0, 4.5, -2.0, 2.5), (1.0, 1.5), ((3.0, 0.5),),
        _rates(0.02, momentum=0.003, nesterov=0.003), 0.3,
    ),
    Surface(
        "rosenbrock", "Rosenbrock", "(1 − x)² + 100 (y − x²)²",
        "A bent valley: its floor is found at once, the way along it takes thousands of small steps. Newton's matrix "
        "knows the bend.",
        lambda x, y, _: (1 - x) ** 2 + 100 * (y - x**2) ** 2, (-2.0, 2.0, -1.0, 3.0), (-1.2, 1.0), ((1.0, 1.0),),
        _rates(0.001, momentum=0.0005, nesterov=0.0005), 1.0,
    ),
    Surface(
        "saddle", "Saddle", "x² / 2 + y⁴ / 4 − y² / 2",
        "The start is almost on the ridge: at the saddle (0, 0) the gradient dies, and gradient descent waits. Noise "
        "and adaptive rules leave it early; Newton's own step leads to it, so where the surface bends down the "
        "gradient over the damping is taken instead.",
        lambda x, y, _: 0.5 * x**2 + 0.25 * y**4 - 0.5 * y**2, (-2.5, 2.5, -1.8, 1.8), (-2.0, 1e-4),
        ((0.0, 1.0), (0.0, -1.0)), _rates(0.1, momentum=0.05, nesterov=0.05, adagrad=0.3), 0.02, ((0.0, 0.0),),
    ),
    Surface(
        "many-minima", "Many minima", "(x² + y²) / 2 + 2 − cos 2πx − cos 2πy",
        "Every hollow is a minimum, one of them the lowest (Rastrigin). Where a rule ends is decided by its start, its "
        "rate and its speed.",
        _rastrigin, (-3.2, 3.2, -3.2, 3.2), (-2.4, 2.7), ((0.0, 0.0),),
        _rates(0.02, momentum=0.04, nesterov=0.04, rmsprop=0.1, adam=0.6), 0.5,
    ),
    Surface(
        "four-minima", "Four minima", "(x² + y − 11)² + (x + y² − 7)²",
        "Four hollows of equal depth (Himmelblau): rules that begin together part ways at the ridges between them.",
        lambda x, y, _: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, (-5.5, 5.5, -5.5, 5.5), (-0.4, -0.8),
        ((3.0, 2.0), (-2.8051180869, 3.1313125183), (-3.7793102534, -3.2831859913), (3.5844283403, -1.8481265270)),
        _rates(0.01, momentum=0.003, nesterov=0.003), 2.0, ((-0.2708445906, -0.9230385565),),
    ),
)  # fmt: skip
SURFACES: Mapping[str, Surface] = {surface.id: surface for surface in _ALL}
