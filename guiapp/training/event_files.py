"""Folders of TensorBoard events as curves: the files are read record by record, without TensorBoard, and as they grow.

A record is its length (uint64), a checksum of that (uint32), the event as a protocol buffer, a checksum of it (uint32).
The buffers are decoded by tensorboardX, which this program has in order to write them: 1,000,000 scalars take seconds,
where TensorBoard's own reader keeps a sample of 10,000 a curve by default.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PATTERN = "*tfevents*"
_MOST_FILES = 500
_BLOCK = 1 << 22  # bytes read at a time
_LARGEST = 1 << 28


@dataclass
class Curve:
    """One tag of one run: values by step, in the order in which they were written.

    Attributes:
        run: Folder of its file below the opened one; empty for that itself.
        tag: What the writer called it, such as ``"train/loss"``.
    """

    run: str
    tag: str
    _steps: list[int] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, step: int, value: float) -> None:
        """A value; a step before the last one means that the run went back: what came after it is forgotten."""
        while self._steps and self._steps[-1] >= step:
            self._steps.pop()
            self._values.pop()
        self._steps.append(step)
        self._values.append(value)

    @property
    def steps(self) -> npt.NDArray[np.float64]:
        """Steps, ascending, (N,)."""
        return np.array(self._steps, np.float64)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Values at the steps, (N,)."""
        return np.array(self._values, np.float64)


def has_events(folder: Path) -> bool:
    """Whether there is an event file in a folder or one of those right below it."""
    return any(True for pattern in (PATTERN, f"*/{PATTERN}") for _ in folder.glob(pattern))


class EventFolder:
    """Every scalar of the event files below a folder; ``refresh`` reads what has been added.

    Attributes:
        folder: Where they are.
        curves: By run and tag.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.curves: dict[tuple[str, str], Curve] = {}
        self._read: dict[Path, int] = {}

    def refresh(self) -> Iterator[int]:
        """Read on; yields now and then how many scalars were read so far in this call."""
        count = 0
        for path in sorted(self.folder.rglob(PATTERN))[:_MOST_FILES]:
            try:
                size = path.stat().st_size
            except OSError:
                continue
            at = self._read.get(path, 0)
            if size == at:
                continue
            at = at if size > at else 0  # written anew
            run = path.parent.relative_to(self.folder).as_posix()
            run = "" if run == "." else run
            for end, events in _records(path, at):
                for event in events:
                    count += self._take(run, event)
                self._read[path] = end
                yield count

    def _take(self, run: str, data: bytes) -> int:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from tensorboardX.proto.event_pb2 import Event

        try:
            event = Event.FromString(data)
        except DecodeError:
            return 0
        found = 0
        for value in event.summary.value:
            number = _number(value)
            if number is None:
                continue
            curve = self.curves.setdefault((run, value.tag), Curve(run, value.tag))
            curve.add(event.step, number)
            found += 1
        return found


def _records(path: Path, at: int) -> Iterator[tuple[int, list[bytes]]]:
    """Whole records of a file from a byte on, in groups, each with the byte after it; a torn last one is left."""
    with path.open("rb") as file:
        file.seek(at)
        rest = b""
        while block := file.read(_BLOCK):
            data, place, found = rest + block, 0, []
            while place + 12 <= len(data):
                (length,) = struct.unpack_from("<Q", data, place)
                if length > _LARGEST:
                    return  # no event file
                if place + 16 + length > len(data):
                    break
                found.append(data[place + 12 : place + 12 + length])
                place += 16 + length
            at += place
            rest = data[place:]
            if found:
                yield at, found


def _number(value: Any) -> float | None:
    """The number of a summary: a scalar, or a tensor with a single number as TensorFlow 2 and Keras write it."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor" or value.metadata.plugin_data.plugin_name not in ("scalars", ""):
        return None
    tensor = value.tensor
    for name in ("float_val", "double_val", "int_val", "int64_val"):
        numbers = getattr(tensor, name)
        if len(numbers) == 1:
            return float(numbers[0])
    kinds = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}  # DataType of TensorFlow: float, double, int32, int64
    content = tensor.tensor_content
    if tensor.dtype in kinds and len(content) == np.dtype(kinds[tensor.dtype]).itemsize:
        return float(np.frombuffer(content, kinds[tensor.dtype])[0])
    return None
