"""Samples that are not kept on the device are read while steps run: by a thread, or by spawned processes."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.datasets.base import Part
from guiapp.datasets.reading import ReadingProcess
from guiapp.training.recipe_loading import Loading

_MOST = 4  # processes by themselves: more of them seldom decode faster than a device learns
_FEW = 4  # cores below which a thread decodes, several files at once: measured 1.5 times as fast as a process on two


class Loader:
    """Reads batches of rows ahead, in the order in which they are asked for, whatever finishes first.

    Attributes:
        ahead: Batches that are read ahead; 0 reads each when it is asked for.
        workers: Processes; 0 where a thread of this one reads.
    """

    def __init__(self, images: Mapping[Part, Any], options: Loading, device: torch.device | str = "cpu") -> None:
        """Nothing is started before the first batch is asked for.

        Args:
            images: Arrays, or what looks like them, uint8 (N, H, W, C), by part.
            options: How.
            device: Where batches go: for CUDA they lie in pinned memory, from which copies run beside the steps.
        """
        self._images = dict(images)
        self.ahead = options.ahead
        self.workers = 0 if not options.ahead else workers_of(options, self._images)
        self._pinned = torch.device(device).type == "cuda"
        self._pool: ThreadPoolExecutor | None = None
        self._processes: list[ReadingProcess] = []
        self._local = threading.local()
        self._end = weakref.finalize(self, _close, self._processes)

    def batches(self, part: Part, plan: Iterable[npt.NDArray[np.int64]]) -> Generator[torch.Tensor, None, None]:
        """The samples of each entry of the plan, uint8 (n, H, W, C), in its order.

        Args:
            part: Part of the data set.
            plan: Rows of the part, one array a batch; asked for ``ahead`` batches before they are given.
        """
        waiting: deque[Future[torch.Tensor]] = deque()
        try:
            for rows in plan:
                if not self.ahead:
                    yield self._read(part, rows)
                    continue
                waiting.append(self._threads().submit(self._read, part, rows))
                if len(waiting) > self.ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()

    def close(self) -> None:
        """End threads and processes; a later batch starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        _close(self._processes)
        self._local = threading.local()

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max(self.workers, 1), thread_name_prefix="loading")
        return self._pool

    def _read(self, part: Part, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """One batch; a process of this thread's own reads it, or this thread where there are none."""
        images = self._images[part]
        if not self.workers:
            # A copy: rows of a memory map may be read-only.
            found = torch.from_numpy(np.array(images[rows]))
            return found.pin_memory() if self._pinned else found
        staged = torch.empty((len(rows), *images.shape[1:]), dtype=torch.uint8, pin_memory=self._pinned)
        process = getattr(self._local, "process", None)
        if process is None:
            process = self._local.process = ReadingProcess(self._images)
            self._processes.append(process)
        try:
            process.read(part, rows, staged.numpy().reshape(-1).data)
        except (EOFError, OSError):  # it was killed: this thread reads from now on
            staged.copy_(torch.from_numpy(np.array(images[rows])))
        return staged


def workers_of(options: Loading, images: Mapping[Part, Any]) -> int:
    """Processes that read: those of the recipe, or as many as there are cores to spare where pictures are decoded."""
    if options.workers >= 0:
        return options.workers
    if not any(getattr(of, "decodes", False) for of in images.values()):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if cores < _FEW else min(cores - 1, _MOST)


def _close(processes: list[ReadingProcess]) -> None:
    while processes:
        processes.pop().close()
