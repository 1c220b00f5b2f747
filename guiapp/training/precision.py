"""Whether a run uses half precision, and which."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from guiapp.core.notices import SettingError

LARGE = 1_000_000
"""Trained parameters from which half precision pays on CUDA; small networks wait for kernel launches, not for sums."""


def use_mixed(precision: str, model: torch.nn.Module, device: torch.device) -> torch.dtype | None:
    """The type for autocast, or None for float32 throughout.

    Args:
        precision: ``"auto"``, ``"float32"`` or ``"mixed"``.
        model: Its size decides under ``"auto"``.
        device: Mixed precision is for CUDA, in bfloat16 where the device has it, else in float16 with scaled
            gradients, and for the CPU, in bfloat16.

    Raises:
        SettingError: If mixed precision is asked for elsewhere.
    """
    if precision == "mixed" and device.type == "cpu":
        return torch.bfloat16
    if precision == "mixed" and device.type != "cuda":
        raise SettingError(
            f"mixed precision needs a CUDA device or the CPU, and this run uses {device.type}; set precision=auto"
        )
    large = sum(p.numel() for p in model.parameters()) >= LARGE
    if device.type != "cuda" or precision == "float32" or (precision == "auto" and not large):
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def in_precision(
    precision: str, model: torch.nn.Module, device: torch.device
) -> tuple[AbstractContextManager[Any], torch.amp.GradScaler]:
    """The context of a forward pass, and what scales losses and gradients (switched off for all but float16)."""
    dtype = use_mixed(precision, model, device)
    context = nullcontext() if dtype is None else torch.autocast(device.type, dtype)
    return context, torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)
