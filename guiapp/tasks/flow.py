"""Optical flow: where each pixel of the picture before has moved to, by RAFT or by OpenCV without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import Flow

STRIDE = 8  # RAFT works on an eighth of the picture
SMALLEST = 128  # pixels a side: below, the coarsest of RAFT's four correlation levels has no two cells


@dataclass(frozen=True, eq=False)
class FlowRun:
    """What one run gave.

    Attributes:
        vectors: float32 (2, h, w), right and down, in pixels of the network's input; None for a first picture.
        size: Width and height of the picture.
    """

    vectors: torch.Tensor | None
    size: tuple[int, int]


class FlowTask:
    """Flow from the picture before to this one.

    Takes modules that are called with two pictures (1, 3, h, w), values -1 to 1, and give a list of flows (1, 2, h, w),
    the best last, as torchvision's RAFT (Teed and Deng 2020) does. Pictures are padded by their borders to what the
    module takes, evenly on both sides, and the flow is cut back.

    Attributes:
        labels: Empty.
    """

    frames = 2
    rate = 0.0

    def __init__(self, labels: tuple[str, ...] = (), entry: Any = None) -> None:
        self.labels: tuple[str, ...] = tuple(labels)
        self._pair: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None)
        self._fed: Any = None

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor], seconds: float | None = None) -> None:
        """Take a picture; the one that was fed last becomes the one before."""
        self._pair, self._fed = (self._pair[1], _batch(inputs)), inputs

    def reset(self) -> None:
        """Forget the picture before."""
        self._pair, self._fed = (None, None), None

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> FlowRun:
        """Run the network on the picture before and this one; without one of the same size it is not run."""
        if inputs is not self._fed:
            self.feed(inputs)
        self._fed = None
        return self.again(module, inputs, size)

    @torch.inference_mode()
    def again(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> FlowRun:
        """Run the network once more on the last two pictures; see ``LiveTask.again``."""
        before, now = self._pair
        if now is None:
            raise ValueError("no picture was fed")
        if before is None or before.shape != now.shape:
            return FlowRun(None, size)
        left, right, top, bottom = _padding(now.shape, getattr(module, "any_size", False))
        if left or right or top or bottom:
            both = functional.pad(torch.cat([before, now]), (left, right, top, bottom), mode="replicate")
            before, now = both[:1], both[1:]
        vectors = module(before, now)[-1][0].float()
        height, width = vectors.shape[1:]
        return FlowRun(vectors[:, top : height - bottom, left : width - right], size)

    @torch.inference_mode()
    def drawn(self, raw: FlowRun, options: LiveOptions, previous: Any = None) -> Flow:
        """The vectors in pixels of the picture; a single zero vector for a first picture."""
        if raw.vectors is None:
            return Flow(np.zeros((1, 1, 2), np.float32), raw.size)
        height, width = raw.vectors.shape[1:]
        vectors = raw.vectors.permute(1, 2, 0).contiguous().cpu().numpy()
        scale = np.array((raw.size[0] / width, raw.size[1] / height), np.float32)
        return Flow(vectors if (scale == 1).all() else vectors * scale, raw.size)


def _batch(inputs: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    return inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs))


def _padding(shape: torch.Size, any_size: bool) -> tuple[int, int, int, int]:
    """Pixels to add at the left, right, top, bottom."""
    if any_size:
        return 0, 0, 0, 0
    add = [max(SMALLEST, -(-n // STRIDE) * STRIDE) - n for n in shape[-2:]]
    return add[1] // 2, add[1] - add[1] // 2, add[0] // 2, add[0] - add[0] // 2
