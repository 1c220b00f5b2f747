"""Weights of many steps for the time machine: dense early, sparse late, within a number of bytes."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import UserError

if TYPE_CHECKING:
    import torch

BUDGET = 200_000_000
PER_OCTAVE = 16
"""Snapshots between a step and its double, before thinning."""


def stride(step: int, per_octave: int) -> int:
    """Distance between snapshots near ``step``: a power of two that grows with the step."""
    return 1 << max((step // per_octave).bit_length() - 1, 0)


class SnapshotStore:
    """Weights by step, in files of a folder. One thread adds, any thread reads.

    Attributes:
        folder: Where the files are.
        budget: Bytes that they may take.
    """

    def __init__(self, folder: Path, budget: int = BUDGET, *, cached: int = 8) -> None:
        self.folder = folder
        self.budget = budget
        self._cached = cached
        self._per_octave = PER_OCTAVE
        self._lock = threading.Lock()
        self._cache: collections.OrderedDict[int, dict[str, torch.Tensor]] = collections.OrderedDict()
        self._sizes: dict[int, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read which steps the folder holds, for a run that another process writes."""
        found = {}
        for path in self.folder.glob("*.safetensors"):
            with contextlib.suppress(OSError, ValueError):
                found[int(path.stem)] = path.stat().st_size
        with self._lock:
            self._sizes = dict(sorted(found.items()))

    def wants(self, step: int) -> bool:
        """Whether the schedule takes this step: every one early, then a constant number between doublings."""
        return step % stride(step, self._per_octave) == 0

    def add(self, step: int, weights: Mapping[str, torch.Tensor]) -> None:
        """Write the weights of a step and thin the others to the budget.

        Raises:
            OSError: If the disk is full; the snapshots before stay.
        """
        from safetensors.torch import save

        from guiapp.training.checkpoints import plain_tensors

        data = save(plain_tensors(weights), {"step": str(step)})
        if len(data) > self.budget:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{step:09d}.writing"
        try:
            # Not flushed to the disk: renaming keeps a killed process from leaving half a file, and a power cut may
            # cost a snapshot but never the run.
            beside.write_bytes(data)
            beside.replace(self._path(step))
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        with self._lock:
            self._sizes[step] = len(data)
            self._sizes = dict(sorted(self._sizes.items()))
            self._cache.pop(step, None)
            self._thin(step)

    def steps(self) -> list[int]:
        """Steps that there are, ascending."""
        with self._lock:
            return list(self._sizes)

    def bytes(self) -> int:
        """Bytes that the snapshots take."""
        with self._lock:
            return sum(self._sizes.values())

    def nearest(self, step: int) -> int:
        """The step nearest to ``step`` that has a snapshot, the earlier of two.

        Raises:
            UserError: If there is none.
        """
        steps = self.steps()
        if not steps:
            raise UserError("this run has no snapshots; start the training to make some")
        return min(steps, key=lambda s: (abs(s - step), s))

    def load(self, step: int) -> dict[str, torch.Tensor]:
        """Weights of a step, on the CPU; the caller must not change them.

        Raises:
            UserError: If there are none, or the file cannot be read.
        """
        with self._lock:
            if step in self._cache:
                self._cache.move_to_end(step)
                return self._cache[step]
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            weights = load(self._path(step).read_bytes())
        except (OSError, SafetensorError):
            with self._lock:
                self._sizes.pop(step, None)
            raise UserError(f"the weights of step {step} are no longer there; choose another step") from None
        with self._lock:
            self._cache[step] = weights
            while len(self._cache) > self._cached:
                self._cache.popitem(last=False)
        return weights

    def discard_after(self, step: int) -> None:
        """Remove the snapshots of later steps, as on resuming from an earlier checkpoint."""
        with self._lock:
            for later in [s for s in self._sizes if s > step]:
                self._remove(later)

    def _path(self, step: int) -> Path:
        return self.folder / f"{step:09d}.safetensors"

    def _remove(self, step: int) -> None:
        self._sizes.pop(step, None)
        self._cache.pop(step, None)
        with contextlib.suppress(OSError):
            self._path(step).unlink()

    def _thin(self, newest: int) -> None:
        """Halve the density until the budget holds; the first and the newest go last."""
        while sum(self._sizes.values()) > self.budget:
            if self._per_octave > 1:
                self._per_octave //= 2
                kept = {0, newest}
                for step in [s for s in self._sizes if s not in kept and s % stride(s, self._per_octave)]:
                    self._remove(step)
            else:
                inner = [s for s in self._sizes if s not in (0, newest)]
                self._remove(inner[0] if inner else 0)
