"""All units of a layer over many pictures: where each responds most, how its values lie, which are dead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.activations import SATURATED
from guiapp.interpret.units.histogram import Histograms, trimmed
from guiapp.interpret.units.passes import Inputs, LayerPass

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

KEPT = 24
"""Pictures that are kept for each unit."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LayerScan:
    """What the units of a layer did over a set of pictures.

    Attributes:
        layer: Name of the layer.
        pictures: Number of pictures that were looked at; ``of`` of so many.
        values: (units, kept): the largest response of a unit in each of its best pictures, best first.
        samples: (units, kept): index of those pictures in the set; -1 where there were fewer.
        rows, columns: (units, kept): where in its map.
        low, high, mean: (units,): over all places and pictures.
        zeros, positive: (units,): share of outputs that are exactly zero, and above it.
        saturated: (units,): share of outputs on the flat ends of a tanh or sigmoid; None where there is none.
        dead: (units,): bool: see ``dead_rule``.
        dead_rule: What is called dead here, in words.
        counts, widths: Histograms, see ``histogram.Histograms``.
        outputs: Outputs of each unit that were counted.
        by_class: (units, classes): mean over a class's pictures of the largest response; NaN for classes without any.
            None where the pictures have no classes.
    """

    layer: str
    pictures: int
    of: int
    values: Floats
    samples: Ints
    rows: Ints
    columns: Ints
    low: Floats
    high: Floats
    mean: Floats
    zeros: Floats
    positive: Floats
    saturated: Floats | None
    dead: npt.NDArray[np.bool_]
    dead_rule: str
    counts: Ints
    widths: npt.NDArray[np.float64]
    outputs: int
    by_class: Floats | None = None

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.values)

    def histogram(self, unit: int) -> tuple[Ints, npt.NDArray[np.float64]]:
        """Counts (n,) and edges (n + 1,) of a unit's outputs that are not zero."""
        return trimmed(self.counts[unit], float(self.widths[unit]))


@dataclass
class _Best:
    """The best pictures of each unit so far."""

    values: torch.Tensor
    samples: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor

    @classmethod
    def none(cls, units: int) -> _Best:
        whole = torch.full((units, KEPT), -1, dtype=torch.int64)
        return cls(torch.full((units, KEPT), -torch.inf), whole, whole.clone(), whole.clone())

    def take(self, peaks: torch.Tensor, samples: torch.Tensor, places: torch.Tensor, width: int) -> None:
        """Join (n, units) peaks with their places, row times ``width`` plus column."""
        values = torch.cat([self.values, peaks.T], 1)
        kept = values.topk(KEPT, 1)
        self.values = kept.values
        for name, new in (
            ("samples", samples[:, None].expand_as(peaks)), ("rows", places // width), ("columns", places % width),
        ):  # fmt: skip
            setattr(self, name, torch.cat([getattr(self, name), new.T], 1).gather(1, kept.indices))


@dataclass
class Scan:
    """Takes batch after batch; ``result`` may be asked at any time.

    Attributes:
        passed: The layer, entered.
        total: Number of pictures that will come.
        classes: Number of classes, 0 without.
    """

    passed: LayerPass
    total: int
    classes: int = 0
    after: LayerInfo | None = None
    done: int = 0
    _best: _Best | None = None
    _histograms: Histograms = field(init=False)

    def add(self, indices: Sequence[int], inputs: Inputs, labels: Sequence[int] | None = None) -> None:
        """Look at pictures of the set.

        Args:
            indices: Their numbers in the set.
            inputs: As the network takes them.
            labels: Their classes.
        """
        with torch.no_grad():
            maps = self.passed(inputs)[0].cpu()
            self._take(maps, torch.tensor(list(indices)), None if labels is None else torch.tensor(list(labels)))
        self.done += len(indices)

    def _take(self, maps: torch.Tensor, indices: torch.Tensor, labels: torch.Tensor | None) -> None:
        units = maps.shape[1]
        if self._best is None:
            self._best = _Best.none(units)
            self._histograms = Histograms(units)
            self._low, self._high = torch.full((units,), torch.inf), torch.full((units,), -torch.inf)
            self._sum = torch.zeros(units, dtype=torch.float64)
            self._flat = torch.zeros(units, dtype=torch.float64)
            self._class_sums = torch.zeros(units, self.classes, dtype=torch.float64)
            self._class_counts = torch.zeros(self.classes, dtype=torch.int64)
        flat = maps.flatten(2)
        peaks, places = flat.max(2)
        self._best.take(peaks, indices, places, maps.shape[3])
        values = flat.transpose(0, 1).reshape(units, -1)
        self._histograms.add(values)
        self._low = torch.minimum(self._low, values.amin(1))
        self._high = torch.maximum(self._high, values.amax(1))
        self._sum += values.sum(1, dtype=torch.float64)
        bounded = self._bounded(values)
        if bounded is not None:
            self._flat += (bounded > SATURATED).sum(1)
        if labels is not None and self.classes:
            known = (labels >= 0) & (labels < self.classes)
            self._class_sums.index_add_(1, labels[known], peaks[known].T.double())
            self._class_counts += torch.bincount(labels[known], minlength=self.classes)

    def _bounded(self, values: torch.Tensor) -> torch.Tensor | None:
        """How near outputs are to the flat ends of the tanh or sigmoid that they are, or are fed to; 1 is there."""
        for layer, applied in ((self.passed.noted, True), (self.after, False)):
            if layer is not None and layer.type in ("Tanh", "Sigmoid"):
                if layer.type == "Tanh":
                    return (values if applied else torch.tanh(values)).abs()
                return (2 * (values if applied else torch.sigmoid(values)) - 1).abs()
        return None

    @property
    def begun(self) -> bool:
        """Whether anything was looked at."""
        return self._best is not None

    def result(self) -> LayerScan:
        """What was found so far; at least one batch must have been added."""
        assert self._best is not None
        found, outputs = self._histograms, max(self._histograms.total, 1)
        feeds_relu = self.after is not None and self.after.type.startswith("ReLU")
        constant = self._low == self._high
        dead = constant | (found.positive == 0) if feeds_relu else constant
        rule = (
            "never above zero, so that the ReLU after it gives nothing" if feeds_relu else "the same on every picture"
        )
        means = self._class_sums / self._class_counts.clamp_min(1)
        means[:, self._class_counts == 0] = torch.nan
        has_flat = self._bounded(torch.zeros(1)) is not None
        return LayerScan(
            self.passed.noted.name if self.passed.noted is not None else "",
            self.done, self.total,
            self._best.values.numpy().copy(), self._best.samples.numpy().copy(),
            self._best.rows.numpy().copy(), self._best.columns.numpy().copy(),
            self._low.numpy().copy(), self._high.numpy().copy(), (self._sum / outputs).float().numpy(),
            (found.zeros / outputs).float().numpy(), (found.positive / outputs).float().numpy(),
            (self._flat / outputs).float().numpy() if has_flat else None,
            dead.numpy(), rule, found.counts.numpy().copy(), found.widths.numpy().copy(), outputs,
            means.float().numpy() if self.classes and int(self._class_counts.sum()) else None,
        )  # fmt: skip


def next_after(layers: Sequence[LayerInfo], name: str) -> LayerInfo | None:
    """The activation that a layer feeds: the next that is no container, where it has the same shape."""
    names = [layer.name for layer in layers]
    if name not in names:
        return None
    at = names.index(name)
    rest = [layer for layer in layers[at + 1 :] if layer.kind != "container" and not layer.name.startswith(f"{name}.")]
    if not rest or rest[0].kind != "activation" or rest[0].output_shape != layers[at].output_shape:
        return None
    return rest[0]


def scanning(
    scan: Scan,
    batches: Iterable[tuple[Sequence[int], Inputs, Sequence[int] | None]],
    tell: Callable[[LayerScan], None] | None = None,
    every: int = 8,
) -> Generator[tuple[float, str], None, LayerScan | None]:
    """Run a scan over batches, telling what is known so far.

    Args:
        scan: The scan.
        batches: Indices, inputs and classes of pictures; computed as they are asked for.
        tell: Called with what was found so far.
        every: … after so many batches.

    Returns:
        What was found; None without a picture.
    """
    for number, (indices, inputs, labels) in enumerate(batches):
        scan.add(indices, inputs, labels)
        if tell is not None and number % every == 0:
            tell(scan.result())
        yield scan.done / max(scan.total, 1), f"{scan.done:,} of {scan.total:,} pictures"
    return scan.result() if scan.begun else None
