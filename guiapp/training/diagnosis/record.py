"""What is noted of the inside of a run at some of its steps, and the files that hold it.

observation/layers.json    names of the layers with weights, in the order in which they run, and of their activations
observation/records.f32    one record of float32 numbers an observed step; a torn last one is seen by its length
observation/epochs.jsonl   one line an epoch: mistakes of the validation that are as sure as right answers
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from guiapp.core.files import write_atomic

Floats = npt.NDArray[np.float32]

FOLDER = "observation"
BINS = 65
"""Of each histogram; the middle one holds what is about zero."""
STAGES = ("data", "transfer", "forward", "backward", "update")
"""Parts of a step: reading and augmenting its samples, bringing them to the device and to the network's input, the
output and its loss, the gradients, the change of the weights."""
GENERAL = ("step", "samples", "batch", *STAGES)
"""Numbers of a record that are of the step as a whole; ``samples`` are those of the step that was timed."""
FIGURES = ("ratio", "gradient", "weight", "mean", "std", "dead", "saturated")
"""Numbers of each layer; see ``Observations``."""
ACTIVATION_UNIT, GRADIENT_UNIT = 0.01, 1e-8
"""Below these the axes of the histograms are linear, above logarithmic."""
ACTIVATION_DECADES, GRADIENT_DECADES = 4.0, 8.0
"""How many powers of ten above their unit the axes reach, on either side."""
_WIDTH = len(FIGURES) + 2 * BINS
_FORMAT = 1


def bin_edges(unit: float, decades: float) -> npt.NDArray[np.float64]:
    """Edges of the bins of a histogram, (BINS + 1,): x = 2 unit sinh(t ln 10), t even from -decades to decades."""
    return np.asarray(2 * unit * np.sinh(np.linspace(-decades, decades, BINS + 1) * np.log(10.0)))


def due(step: int, every: int) -> bool:
    """Whether a step, from 1, is observed: powers of two at first, then one in ``every``, later fewer.

    Late in a run there are at most 128 between a step and its double, so that a million steps leave a thousand records.
    """
    if step < every:
        return step & (step - 1) == 0
    return step % max(every, 1 << max((step // 128).bit_length() - 1, 0)) == 0


@dataclass(frozen=True)
class ObservedLayer:
    """A layer with weights.

    Attributes:
        name: Qualified name, such as ``"features.0"``.
        type: Class name, such as ``"Conv2d"``.
        activation: Qualified name of the activation that follows before the next such layer, or empty; histogram and
            figures are then of its output, else of the layer's own.
        activation_type: Its class name, or empty.
        call: How many times that activation was called before in the same pass.
    """

    name: str
    type: str
    activation: str = ""
    activation_type: str = ""
    call: int = 0


@dataclass(frozen=True, eq=False)
class Observations:
    """All records of a run; R records, L layers.

    Attributes:
        layers: The layers.
        steps: Steps observed, counted from 1, int64 (R,).
        times: Seconds of each of ``STAGES``, float32 (R, 5), of a step just before; NaN where none was timed.
        samples: Samples of the step that was timed, (R,).
        batch: Samples of the step that was observed, (R,).
        figures: By name, float32 (R, L), NaN where a layer has no such figure: ``ratio`` of the norms of update and
            weights, ``gradient`` and ``weight`` norms, ``mean`` and ``std`` of the outputs, share of units that are
            ``dead`` (zero for the whole batch), share of outputs that are ``saturated`` (slope below 6 % of the
            steepest).
        activations, gradients: Shares in the bins of ``bin_edges``, float32 (R, L, BINS).
        epochs: What was noted of each validation, see ``labels.confident_mistakes``.
    """

    layers: tuple[ObservedLayer, ...]
    steps: npt.NDArray[np.int64]
    times: Floats
    samples: Floats
    batch: Floats
    figures: dict[str, Floats]
    activations: Floats
    gradients: Floats
    epochs: tuple[dict[str, Any], ...] = field(default=())

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def stage_shares(self) -> dict[str, float]:
        """Share of the time of a step by stage, over the last half of the timed steps; empty where none was timed."""
        rows = self.times[np.isfinite(self.times).all(1)]
        if not len(rows):
            return {}
        rows = rows[len(rows) // 2 :]
        total = float(rows.sum())
        return {name: float(rows[:, i].sum()) / max(total, 1e-12) for i, name in enumerate(STAGES)}

    @property
    def rate(self) -> float:
        """Samples a second within the steps that ``stage_shares`` are of; NaN where none was timed."""
        timed = np.isfinite(self.times).all(1)
        rows, counts = self.times[timed], self.samples[timed]
        half = len(rows) // 2
        seconds = float(rows[half:].sum())
        return float(counts[half:].sum()) / seconds if seconds > 0 else float("nan")


class Writer:
    """Appends records to the folder of a run; one thread.

    Args:
        run: The run folder.
        step: What was noted after this step is forgotten.
        epoch: What was noted after this epoch is forgotten.
    """

    def __init__(self, run: Path, step: int, epoch: int) -> None:
        self._folder = run / FOLDER
        self._file: BinaryIO | None = None
        self.layers: tuple[ObservedLayer, ...] | None = _read_layers(self._folder)
        if self.layers is not None:
            table = _read_table(self._folder, len(self.layers))
            keep = int((table[:, 0] <= step).sum())
            with contextlib.suppress(FileNotFoundError), (self._folder / "records.f32").open("r+b") as stream:
                stream.truncate(4 * keep * (len(GENERAL) + _WIDTH * len(self.layers)))
        lines = [line for line in _read_lines(self._folder) if line["epoch"] <= epoch]
        if self._folder.is_dir():
            write_atomic(self._folder / "epochs.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    def set_layers(self, layers: tuple[ObservedLayer, ...]) -> None:
        """Say what the records are of; before the first one of a run."""
        self.layers = layers
        self._folder.mkdir(exist_ok=True)
        data = {"format": _FORMAT, "layers": [asdict(layer) for layer in layers]}
        write_atomic(self._folder / "layers.json", json.dumps(data, indent=1) + "\n")

    def add(self, general: npt.ArrayLike, layers: npt.ArrayLike) -> None:
        """Append a record: numbers of ``GENERAL`` and, for each layer, ``FIGURES`` and both histograms."""
        if self._file is None:
            self._file = (self._folder / "records.f32").open("ab", buffering=0)
        row = np.concatenate([np.asarray(general, "<f4"), np.asarray(layers, "<f4").ravel()])
        self._file.write(row.tobytes())

    def add_epoch(self, line: dict[str, Any]) -> None:
        """Append a line of an epoch."""
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "epochs.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Close the file; adding opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def read(run: Path) -> Observations | None:
    """What was noted of a run, also while it is written; None where nothing was."""
    folder = run / FOLDER
    layers = _read_layers(folder)
    if layers is None:
        return None
    table = _read_table(folder, len(layers))
    inner = table[:, len(GENERAL) :].reshape(len(table), len(layers), _WIDTH)
    head, first = len(FIGURES), GENERAL.index(STAGES[0])
    return Observations(
        layers,
        table[:, 0].astype(np.int64),
        table[:, first : first + len(STAGES)],
        table[:, GENERAL.index("samples")],
        table[:, GENERAL.index("batch")],
        {name: inner[:, :, i] for i, name in enumerate(FIGURES)},
        inner[:, :, head : head + BINS],
        inner[:, :, head + BINS :],
        tuple(_read_lines(folder)),
    )


def _read_layers(folder: Path) -> tuple[ObservedLayer, ...] | None:
    try:
        data = json.loads((folder / "layers.json").read_text())
        return tuple(ObservedLayer(**layer) for layer in data["layers"]) if data["format"] == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_table(folder: Path, layers: int) -> Floats:
    """All whole records, (R, numbers of a record)."""
    width = len(GENERAL) + _WIDTH * layers
    try:
        data = (folder / "records.f32").read_bytes()
    except OSError:
        data = b""
    count = len(data) // (4 * width)
    return np.frombuffer(data, "<f4", count * width).reshape(count, width)


def _read_lines(folder: Path) -> list[dict[str, Any]]:
    found = []
    with contextlib.suppress(OSError):
        for text in (folder / "epochs.jsonl").read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(text))
    return found
