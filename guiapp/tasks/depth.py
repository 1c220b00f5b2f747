"""Depth: how far away what each pixel shows is, in metres or relative, as the network gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import Depth


@dataclass(frozen=True, eq=False)
class DepthRun:
    """What one run gave.

    Attributes:
        values: float32 (h, w).
        size: Width and height of the picture.
    """

    values: npt.NDArray[np.float32]
    size: tuple[int, int]


class DepthTask:
    """One number for every pixel; see ``LiveTask``.

    Takes modules with a method ``depth(inputs)`` that gives float32 (h, w) of the picture alone, and modules that map
    (1, 3, h, w) to (1, h, w) or (1, 1, h, w). What larger numbers mean is in the entry's description
    (``description.output.means`` and ``unit``); by default they are near, as MiDaS and Depth Anything give inverse
    depth up to scale and shift (Ranftl et al. 2020, arXiv 1907.01341).

    Attributes:
        labels: Empty.
    """

    frames = 1

    def __init__(self, labels: tuple[str, ...] = (), entry: Any = None) -> None:
        self.labels: tuple[str, ...] = tuple(labels)
        answer = getattr(getattr(entry, "description", None), "output", None)
        self._near = answer is None or answer.means == "near"
        self._unit = "" if answer is None else str(answer.unit)

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> None:
        """Nothing: each picture stands for itself."""

    def reset(self) -> None:
        """Nothing: each picture stands for itself."""

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> DepthRun:
        """One number a pixel of the network's output."""
        if hasattr(module, "depth"):
            return DepthRun(np.asarray(module.depth(inputs), np.float32), size)
        output = module(inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs)))
        return DepthRun(output.float().cpu().reshape(output.shape[-2:]).numpy(), size)

    def drawn(self, raw: DepthRun, options: LiveOptions, previous: Any = None) -> Depth:
        """The numbers with what they mean; the options are about other tasks."""
        return Depth(raw.values, raw.size, self._unit, self._near)
