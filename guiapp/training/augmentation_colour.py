"""Colour jitter and PCA colour of a whole batch, each sample by its own draw, on the device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from guiapp.training.recipe import Augmentation

_PICTURES = 2000  # over which principal components are taken; more change nothing that can be seen
_COLOURS = 3
_LUMA = (0.2989, 0.587, 0.114)  # as torchvision's rgb_to_grayscale


def jitter(pictures: torch.Tensor, drawn: torch.Tensor, options: Augmentation) -> torch.Tensor:
    """Brightness, contrast, saturation and hue, in this order, by the formulas of torchvision's ``v2.functional``.

    ``v2.ColorJitter`` draws one factor for a whole batch and mixes the order; here each sample has its own factors.

    Args:
        pictures: (N, C, H, W), values 0 to 1; C is 1 or 3, the last two need 3.
        drawn: Uniform numbers of 0 to 1, (4, N).
        options: Strengths.
    """
    signed = (drawn * 2.0 - 1.0)[:, :, None, None, None]
    if options.brightness:
        pictures = adjust_brightness(pictures, 1.0 + signed[0] * options.brightness)
    if options.contrast:
        pictures = adjust_contrast(pictures, 1.0 + signed[1] * options.contrast)
    if options.saturation:
        pictures = adjust_saturation(pictures, 1.0 + signed[2] * options.saturation)
    return adjust_hue(pictures, signed[3] * options.hue) if options.hue else pictures


def adjust_brightness(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) times a factor (N, 1, 1, 1), held within 0 and 1."""
    return (pictures * factor).clamp_(0.0, 1.0)


def adjust_contrast(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) drawn away from its mean brightness, or towards it, by a factor (N, 1, 1, 1)."""
    return _blend(pictures, _grey(pictures).mean((1, 2, 3), keepdim=True), factor)


def adjust_saturation(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) drawn away from grey, or towards it, by a factor (N, 1, 1, 1)."""
    return _blend(pictures, _grey(pictures), factor)


def adjust_hue(pictures: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W), values 0 to 1, with the hue turned by a share of the circle, (N, 1, 1, 1)."""
    red, green, blue = pictures.unbind(1)
    low, value = torch.aminmax(pictures, dim=1)
    span = value - low
    safe = torch.where(span > 0, span, 1.0)
    sixth = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2.0 + (blue - red) / safe, 4.0 + (red - green) / safe),
    )
    hue = (torch.where(span > 0, sixth, 0.0) / 6.0 + turn[:, 0]) * 6.0
    # Back by the form without cases: value - span * max(0, min(k, 4 - k, 1)) with k = (n + 6 hue) mod 6.
    channels = []
    for offset in (5.0, 3.0, 1.0):
        k = torch.remainder(offset + hue, 6.0)
        channels.append(value - span * torch.minimum(k, 4.0 - k).clamp(0.0, 1.0))
    return torch.stack(channels, 1)


def pca_colour(pictures: torch.Tensor, strengths: torch.Tensor, components: torch.Tensor) -> torch.Tensor:
    """Add one colour to all pixels of a sample: a draw along the principal components of the training part's colours.

    Course text T4, section 8.7; Krizhevsky et al. 2012, section 4.1.

    Args:
        pictures: (N, 3, H, W), values 0 to 1.
        strengths: Draws along the components, (N, 3), in standard deviations.
        components: (3, 3): columns are the components times the standard deviation along each.
    """
    return (pictures + (strengths @ components.T)[:, :, None, None]).clamp_(0.0, 1.0)


def principal_components(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Principal components of the colours of all pixels, largest first, each times the deviation along it.

    Args:
        images: uint8 (N, H, W, 3); beyond 2,000 some are taken, evenly spaced.

    Returns:
        (3, 3), a component a column; its sum of squares is the sum of the channels' variances on the scale 0 to 1.
    """
    step = -(-len(images) // _PICTURES) or 1
    total, first, second = 0, np.zeros(_COLOURS), np.zeros((_COLOURS, _COLOURS))
    for start in range(0, len(images), 200 * step):
        block = np.asarray(images[start : start + 200 * step : step]).reshape(-1, _COLOURS).astype(np.float32) / 255.0
        total += len(block)
        first += block.sum(0, dtype=np.float64)
        second += block.T @ block
    mean = first / max(total, 1)
    values, vectors = np.linalg.eigh(second / max(total, 1) - np.outer(mean, mean))
    scaled = vectors * np.sqrt(np.maximum(values, 0.0))
    # The sign of an eigenvector is the library's choice: most of each component points to bright.
    scaled = scaled * np.where(scaled.sum(0) < 0, -1.0, 1.0)
    return np.ascontiguousarray(scaled[:, ::-1], dtype=np.float32)


def _grey(pictures: torch.Tensor) -> torch.Tensor:
    if pictures.shape[1] != _COLOURS:
        return pictures
    red, green, blue = pictures.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def _blend(pictures: torch.Tensor, other: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    return (pictures * share + other * (1.0 - share)).clamp_(0.0, 1.0)
