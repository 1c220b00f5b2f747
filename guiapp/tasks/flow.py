"""Optical flow: where each pixel of the picture before has moved to, by RAFT or by OpenCV without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from guiapp.core.notices import SettingError
from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import Flow

STRIDE = 8  # RAFT works on an eighth of the picture
SMALLEST = 128  # pixels a side: below, the coarsest of RAFT's four correlation levels has no two cells
DENSE_SMALLEST = 16  # pixels a side for OpenCV


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

    def __init__(self, labels: tuple[str, ...] = (), entry: Any = None) -> None:
        self.labels: tuple[str, ...] = tuple(labels)
        self._before: torch.Tensor | None = None

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> None:
        """Take a picture as the one before the next."""
        self._before = _batch(inputs)

    def reset(self) -> None:
        """Forget the picture before."""
        self._before = None

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> FlowRun:
        """Run the network on the picture before and this one; without one of the same size it is not run."""
        now = _batch(inputs)
        before, self._before = self._before, now
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


class DenseFlow(nn.Module):
    """Dense flow of OpenCV in the place of a network: no weights, on the CPU.

    Attributes:
        method: ``"dis"``, dense inverse search (Kroeger et al. 2016), or ``"farneback"``, polynomial expansion
            (Farnebäck 2003).
        any_size: Pictures need no padding.
    """

    any_size = True

    def __init__(self, method: str = "dis") -> None:
        super().__init__()
        if method not in ("dis", "farneback"):
            raise SettingError(f"the method of dense flow is dis or farneback, not {method}")
        self.method = method
        self._dis: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_dis": None}  # OpenCV's object cannot be copied; a copy makes its own

    def forward(self, before: torch.Tensor, now: torch.Tensor) -> list[torch.Tensor]:
        """The flow between two pictures.

        Args:
            before: float (1, 3, h, w), values -1 to 1.
            now: As ``before``.

        Returns:
            One flow, float32 (1, 2, h, w) on the same device; zero for pictures under 16 pixels a side.
        """
        import cv2

        if min(now.shape[-2:]) < DENSE_SMALLEST:
            return [now.new_zeros((1, 2, *now.shape[-2:]), dtype=torch.float32)]
        first, second = _grey(before), _grey(now)
        if self.method == "dis":
            if self._dis is None:
                self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            vectors = self._dis.calc(first, second, None)
        else:
            start = np.zeros((*first.shape, 2), np.float32)
            vectors = cv2.calcOpticalFlowFarneback(first, second, start, 0.5, 4, 15, 3, 5, 1.2, 0)
        return [torch.from_numpy(np.array(vectors, np.float32)).permute(2, 0, 1)[None].to(now.device)]


def _grey(picture: torch.Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """uint8 (h, w) by ITU-R 601 from (1, 3, h, w), values -1 to 1."""
    red, green, blue = picture[0].float().cpu()
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    grey: np.ndarray[Any, np.dtype[np.uint8]] = (luma + 1).mul_(127.5).round_().clamp_(0, 255).byte().numpy()
    return grey


def _batch(inputs: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    return inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs))


def _padding(shape: torch.Size, any_size: bool) -> tuple[int, int, int, int]:
    """Pixels to add at the left, right, top, bottom."""
    if any_size:
        return 0, 0, 0, 0
    add = [max(SMALLEST, -(-n // STRIDE) * STRIDE) - n for n in shape[-2:]]
    return add[1] // 2, add[1] - add[1] // 2, add[0] // 2, add[0] - add[0] // 2
