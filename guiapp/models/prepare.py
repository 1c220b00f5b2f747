"""Pictures into the input of a network: channels, size, scale. Training, prediction and probes share this one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
PAD_SHARE = 0.25  # of the network's size: more than this missing is stretched


def prepare(
    preprocessing: Preprocessing, images: npt.NDArray[np.uint8] | torch.Tensor, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Bring pictures to a network's channels and size and normalise them, on ``device``.

    Grey becomes colour by repeating it, colour becomes grey by ITU-R 601. Shrinking is bilinear with antialiasing,
    growing plain bilinear; pictures that have the right size keep their pixels exactly. Padding is black before
    normalisation, split evenly (one more at the end for an odd number).

    Args:
        preprocessing: Size, normalisation and fit.
        images: uint8, (N, H, W, C) or (H, W, C), C 1 or 3; a tensor in pinned memory is copied beside other work.
        device: Where the result lies.

    Returns:
        float32 (N, channels, height, width).

    Raises:
        ValueError: For arrays of another type or shape, and for channels that cannot be converted.
    """
    if isinstance(images, torch.Tensor):
        return _normalised(preprocessing, images.to(device, non_blocking=True), device)
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise ValueError(f"pictures are uint8 (N, H, W, C) or (H, W, C), not {images.dtype} {images.shape}")
    if images.ndim == 3:
        images = images[None]
    if not images.flags.c_contiguous or not images.flags.writeable:
        images = np.array(images)  # torch refuses negative strides and warns of read-only memory
    return _normalised(preprocessing, torch.from_numpy(images).to(device), device)


def _normalised(preprocessing: Preprocessing, images: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """From uint8 (N, H, W, C) on the device to the input of the network."""
    channels, height, width = preprocessing.size
    batch = fitted(_channels(images, channels), height, width, preprocessing.fit)
    mean = torch.tensor(preprocessing.mean, dtype=torch.float64)
    std = torch.tensor(preprocessing.std, dtype=torch.float64).clamp_min(1e-8)
    if channels == 1:
        return batch.mul_(1 / (255 * float(std[0]))).sub_(float(mean[0] / std[0]))
    scale = (1 / (255 * std)).float().reshape(1, -1, 1, 1).to(device)
    offset = (-mean / std).float().reshape(1, -1, 1, 1).to(device)
    return batch.mul_(scale).add_(offset)


def _channels(batch: torch.Tensor, channels: int) -> torch.Tensor:
    """From uint8 (N, H, W, C) to new float32 (N, channels, H, W), values 0 to 255."""
    own = batch.shape[3]
    if own == channels:
        return batch.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    if own == 1 and channels == 3:
        return batch.permute(0, 3, 1, 2).float().repeat(1, 3, 1, 1)
    if own == 3 and channels == 1:
        return (batch.float() @ torch.tensor(LUMA, device=batch.device))[:, None]
    raise ValueError(f"pictures of {own} channels do not fit a network that takes {channels}")


def pads(rows: int, columns: int, height: int, width: int) -> bool:
    """Whether ``"pad"`` surrounds pictures of ``rows`` by ``columns`` pixels with black and does not stretch them."""
    down, right = height - rows, width - columns
    return 0 <= down <= PAD_SHARE * height and 0 <= right <= PAD_SHARE * width


def fitted(batch: torch.Tensor, height: int, width: int, fit: str) -> torch.Tensor:
    """Pictures (N, C, H, W), black being 0, brought to a size; see ``Preprocessing.fit``."""
    rows, columns = batch.shape[2:]
    if (rows, columns) == (height, width):
        return batch
    down, right = height - rows, width - columns
    if fit == "pad" and pads(rows, columns, height, width):
        return functional.pad(batch, (right // 2, right - right // 2, down // 2, down - down // 2))
    if fit in ("pad", "stretch"):
        return _resize(batch, height, width)
    if fit == "crop":
        factor = max(height / rows, width / columns)
        batch = _resize(batch, max(height, round(rows * factor)), max(width, round(columns * factor)))
        top, left = (batch.shape[2] - height) // 2, (batch.shape[3] - width) // 2
        return batch[:, :, top : top + height, left : left + width].contiguous()
    raise ValueError(f"fit is pad, stretch or crop, not {fit!r}")


def _resize(batch: torch.Tensor, height: int, width: int) -> torch.Tensor:
    shrinks = height < batch.shape[2] or width < batch.shape[3]
    if (height, width) == tuple(batch.shape[2:]):
        return batch
    if shrinks and batch.device.type == "mps":  # the antialiased kernel is missing there
        return _resize(batch.cpu(), height, width).to(batch.device)
    return functional.interpolate(batch, (height, width), mode="bilinear", align_corners=False, antialias=shrinks)
