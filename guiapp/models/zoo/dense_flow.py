"""Dense optical flow by OpenCV in the place of a network: nothing to fetch, on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from guiapp.core.notices import SettingError

SMALLEST = 16  # pixels a side; DIS refuses less


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

        if min(now.shape[-2:]) < SMALLEST:
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


def farneback() -> DenseFlow:
    """Flow by polynomial expansion, as the zoo builds it."""
    return DenseFlow("farneback")


def dis() -> DenseFlow:
    """Flow by dense inverse search, as the zoo builds it."""
    return DenseFlow("dis")
