"""Figures of every step as columns of numbers that open at once and draw fast, however long the run.

On disk a column is a file of float32 values and nothing else, so a torn last record is seen by its length alone.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
FACTOR = 16
"""Records that one record of the next level of the pyramid stands for."""


class _Growing:
    """A float32 array that grows at its end; slices given away stay as they are."""

    def __init__(self) -> None:
        self.buffer: Floats = np.empty(1024, np.float32)
        self.count = 0

    def append(self, block: Floats) -> None:
        needed = self.count + len(block)
        if needed > len(self.buffer):
            larger = np.empty(max(needed, 2 * len(self.buffer)), np.float32)
            larger[: self.count] = self.buffer[: self.count]
            self.buffer = larger
        self.buffer[self.count : needed] = block
        self.count = needed

    def cut(self, count: int) -> None:
        self.buffer = self.buffer[:count].copy()
        self.count = min(self.count, count)

    def view(self) -> Floats:
        return self.buffer[: self.count]


class _Column:
    """The values and, above them, the lowest and highest of every 16, 256, ... complete values."""

    def __init__(self) -> None:
        self.values = _Growing()
        self.levels: list[tuple[_Growing, _Growing]] = []

    def append(self, block: Floats) -> None:
        self.values.append(block)
        self._build()

    def cut(self, count: int) -> None:
        self.values.cut(count)
        for level, pair in enumerate(self.levels, 1):
            for part in pair:
                part.cut(count // FACTOR**level)

    def _build(self) -> None:
        low_below, high_below = self.values, self.values
        level = 0
        while low_below.count >= FACTOR:
            if level == len(self.levels):
                self.levels.append((_Growing(), _Growing()))
            low, high = self.levels[level]
            done, complete = low.count, low_below.count // FACTOR
            if complete > done:
                place = slice(done * FACTOR, complete * FACTOR)
                # fmin and fmax pass over NaN: a run that diverged still shows its curve.
                low.append(np.fmin.reduce(low_below.buffer[place].reshape(-1, FACTOR), axis=1))
                high.append(np.fmax.reduce(high_below.buffer[place].reshape(-1, FACTOR), axis=1))
            low_below, high_below = low, high
            level += 1

    def range(self, first: int, last: int, points: int) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """Indices, lowest and highest values of ``first`` to ``last`` (excluded) in about ``points`` groups."""
        first, last = max(first, 0), min(last, self.values.count)
        if last - first <= points:
            values = self.values.view()[first:last].copy()
            return np.arange(first, max(last, first)), values, values
        width = -(-(last - first) // max(points, 1))
        level = 0
        while level < len(self.levels) and FACTOR ** (level + 1) <= width:
            level += 1
        unit = FACTOR**level
        low, high = (self.values, self.values) if level == 0 else self.levels[level - 1]
        groups = width // unit
        start, stop = first // unit, low.count if last >= self.values.count else -(-last // unit)
        starts = np.arange(start, stop, groups)
        lows = np.fmin.reduceat(low.buffer[:stop], starts)
        highs = np.fmax.reduceat(high.buffer[:stop], starts)
        ends = np.minimum(starts + groups, stop) * unit
        indices = np.minimum((starts * unit + ends) // 2, last - 1)
        tail = stop * unit  # values after the last complete group
        if tail < last:
            rest = self.values.buffer[tail:last]
            lows, highs = np.append(lows, np.fmin.reduce(rest)), np.append(highs, np.fmax.reduce(rest))
            indices = np.append(indices, (tail + last) // 2)
        return indices.astype(np.int64), lows, highs


class Columns:
    """Figures of each step, in memory and, where a folder is given, on disk.

    One thread appends; any thread reads what is complete. Record i belongs to step i + 1.

    Attributes:
        names: Names of the columns.
    """

    def __init__(self, names: Sequence[str], folder: Path | None = None, *, read_only: bool = False) -> None:
        """Open the columns; what a folder holds is read, a record that is not complete in every column left out.

        Args:
            names: Names of the columns, which are also the names of the files.
            folder: Where the files are; None for memory alone.
            read_only: Leave the files as they are: another process writes them.
        """
        self.names = tuple(names)
        self._columns = {name: _Column() for name in self.names}
        self._folder = folder
        self._read_only = read_only
        self._files: dict[str, BinaryIO] = {}
        self._lock = threading.Lock()
        if folder is None:
            return
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        self._read()
        if not read_only:
            self._open()

    def __len__(self) -> int:
        """Complete records."""
        return self._columns[self.names[0]].values.count

    def append(self, block: Mapping[str, npt.ArrayLike]) -> None:
        """Add records: for each name as many values.

        Raises:
            ValueError: If names are missing or lengths differ.
            OSError: If the disk is full; memory then holds the records, the files a whole number of earlier ones.
        """
        arrays = {name: np.atleast_1d(np.asarray(block[name], np.float32)) for name in self.names}
        if len({len(a) for a in arrays.values()}) != 1:
            raise ValueError(f"columns of different lengths: { {n: len(a) for n, a in arrays.items()} }")
        with self._lock:
            for name, array in arrays.items():
                self._columns[name].append(array)
        for name, file in self._files.items():
            _write_all(file, arrays[name].astype("<f4").tobytes())

    def view(self, name: str) -> Floats:
        """All complete values of a column; never changed in place."""
        with self._lock:
            return self._columns[name].values.view()

    def window(
        self, name: str, first: int, last: int, points: int = 2000
    ) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """What a plot of steps ``first`` to ``last`` (both included, from 1) needs, with every peak.

        Args:
            name: Column.
            first: First step.
            last: Last step.
            points: About how many groups to make of them.

        Returns:
            Steps (the middle of each group), lowest and highest value of each group; as many as there are records
            where these are fewer than ``points``.
        """
        with self._lock:
            indices, low, high = self._columns[name].range(first - 1, last, points)
        return indices + 1, low, high

    def refresh(self) -> int:
        """Read what another process has added since; gives the number of records."""
        with self._lock:
            self._read()
        return len(self)

    def truncate(self, step: int) -> None:
        """Keep the records of steps 1 to ``step``; missing ones are filled with NaN."""
        with self._lock:
            for column in self._columns.values():
                column.cut(step)
        for file in self._files.values():
            file.truncate(4 * min(step, len(self)))
            file.seek(0, 2)
        if len(self) < step:
            self.append({name: np.full(step - len(self), np.nan, np.float32) for name in self.names})

    def flush(self) -> None:
        """Have the system write the files to the disk now."""
        for file in self._files.values():
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files; reading goes on."""
        files, self._files = self._files, {}
        for file in files.values():
            with contextlib.suppress(OSError):
                file.close()

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.f32"

    def _read(self) -> None:
        have = len(self)
        paths = {name: self._path(name) for name in self.names}
        complete = min(p.stat().st_size // 4 if p.exists() else 0 for p in paths.values())
        if complete < have:  # the run was cut back to a checkpoint
            for column in self._columns.values():
                column.cut(complete)
        elif complete > have:
            for name, path in paths.items():
                mapped = np.memmap(path, "<f4", "r", shape=(complete,))
                self._columns[name].append(np.asarray(mapped[have:]))

    def _open(self) -> None:
        for name in self.names:
            file = open(self._path(name), "ab", buffering=0)  # noqa: SIM115 - kept open for the run
            file.truncate(4 * len(self))
            file.seek(0, 2)
            self._files[name] = file


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
