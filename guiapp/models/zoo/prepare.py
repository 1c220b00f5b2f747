"""Pictures into the input of a network of the zoo: torchvision's transforms in figures, done on the device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.models.zoo.base import Preset

# Longer pictures are cut at both ends first: the short side of 256 would make millions of pixels of a thin strip.
_LONGEST = 50


def prepare(
    preset: Preset, pixels: npt.NDArray[np.uint8], device: torch.device | str = "cpu", exact: bool = True
) -> torch.Tensor | list[torch.Tensor]:
    """What torchvision's transform of the preset gives for the same picture as a uint8 tensor on the same device.

    Args:
        preset: The figures of the transform.
        pixels: uint8 (H, W, 3).
        device: Where it is done and where the result lies.
        exact: Without it the CPU resizes in whole numbers, as Pillow does, with which published accuracies are
            measured: 1.5 ms instead of 33 ms for 1920x1080 on one thread, a tenth of the values one level (of 255)
            off, bicubic up to three. Elsewhere than on the CPU it is always exact.

    Returns:
        float32 (1, 3, h, w); for detection a list of one (3, H, W), as those networks take it. Frames of a clip are
        prepared one by one and stacked by the task.

    Raises:
        ValueError: For arrays of another type or shape.
        UserError: If a picture that may not be cut would become a strip of millions of pixels.
    """
    picture = _upload(pixels, device, preset.crop is not None)
    if exact or picture.device.type != "cpu" or preset.resize is None:
        picture = picture.to(torch.float32, memory_format=torch.contiguous_format)
    if preset.kind == "detection":
        return [picture[0].div_(255)]
    if preset.resize is not None:
        picture = _resize(picture, preset)
    if preset.crop is not None:
        picture = _crop(picture, *preset.crop)
    if preset.resize is not None and picture.is_floating_point():
        # torchvision goes back to whole numbers after resizing; bicubic weights reach beyond black and white.
        picture = picture.clamp_(0, 255).round_()
    picture = picture.to(torch.float32, memory_format=torch.contiguous_format)
    mean = torch.tensor(preset.mean, device=picture.device).reshape(1, -1, 1, 1)
    std = torch.tensor(preset.std, device=picture.device).reshape(1, -1, 1, 1)
    return picture.div_(255).sub_(mean).div_(std)


def _upload(pixels: npt.NDArray[np.uint8], device: torch.device | str, cut: bool) -> torch.Tensor:
    """uint8 (1, 3, H, W), channels last. It travels like this, a quarter of the bytes of floats."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"a picture is uint8 (H, W, 3), not {pixels.dtype} {pixels.shape}")
    if cut:
        pixels = _shortened(pixels)
    if not pixels.flags.writeable or not pixels.flags.c_contiguous:
        pixels = np.array(pixels)  # torch refuses negative strides and warns of read-only memory
    return torch.from_numpy(pixels).to(device).permute(2, 0, 1)[None]


def _shortened(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    limit = _LONGEST * min(height, width)
    top, left = max(0, (height - limit) // 2), max(0, (width - limit) // 2)
    return pixels[top : height - top, left : width - left]


def _resize(picture: torch.Tensor, preset: Preset) -> torch.Tensor:
    """One number is the new short side, the long one rounded down; two are height and width."""
    rows, columns = picture.shape[2:]
    wanted = preset.resize or ()
    if len(wanted) == 1:
        short, long = min(rows, columns), max(rows, columns)
        if long > _LONGEST * short:
            raise UserError(f"a picture of {columns}x{rows} is too thin for this network: cut it to a shorter strip")
        longer = int(wanted[0] * long / short)
        height, width = (wanted[0], longer) if rows <= columns else (longer, wanted[0])
    else:
        height, width = wanted
    if (height, width) == (rows, columns):
        return picture
    antialias = preset.antialias
    if antialias and picture.device.type == "mps" and (height < rows or width < columns):  # no such kernel there
        return _interpolate(picture.cpu(), height, width, preset.interpolation, True).to(picture.device)
    return _interpolate(picture, height, width, preset.interpolation, antialias)


def _interpolate(picture: torch.Tensor, height: int, width: int, mode: str, antialias: bool) -> torch.Tensor:
    return functional.interpolate(picture, (height, width), mode=mode, align_corners=False, antialias=antialias)


def _crop(picture: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The middle; black is put around where there is too little."""
    rows, columns = picture.shape[2:]
    down, right = max(0, height - rows), max(0, width - columns)
    if down or right:
        picture = functional.pad(picture, (right // 2, (right + 1) // 2, down // 2, (down + 1) // 2))
        rows, columns = picture.shape[2:]
    top, left = round((rows - height) / 2), round((columns - width) / 2)
    return picture[:, :, top : top + height, left : left + width].contiguous()
