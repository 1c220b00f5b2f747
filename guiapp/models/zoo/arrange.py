"""Brings an opened network into the shape that its run asks for: order in memory, precision, compiled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from guiapp.core.downloads import Progress
from guiapp.core.live_run import LiveRun
from guiapp.models.zoo.open import LASTING, OpenedModel

_WHOLE = ("classification", "segmentation")  # tasks that call a network as one function
_COUNTING = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def arrange(opened: OpenedModel, run: LiveRun, progress: Progress | None = None) -> OpenedModel:
    """The same network, run so. What is not possible is left out, and ``note`` says why.

    Args:
        opened: It is changed in place. What is no torch module (ONNX, OpenCV) and what is trained here stays as it is.
        run: The settings.
        progress: Told before compiling, which takes a minute.
    """
    module: Any = opened.module
    if not isinstance(module, nn.Module) or opened.origin not in LASTING:
        return opened
    notes = []
    if run.channels_last is not False and any(isinstance(part, nn.Conv2d) for part in module.modules()):
        module.to(memory_format=torch.channels_last)
    if run.precision != "float32":
        dtype: torch.dtype = getattr(torch, run.precision)
        if opened.entry.task not in _WHOLE:
            notes.append(f"in float32: {run.precision} is for classification and segmentation")
        elif dtype == torch.float16 and opened.device.type == "cpu":
            notes.append("in float32: the CPU counts with bfloat16, not with float16")
        else:
            _reduce(module, dtype, opened.device.type)
            notes.append(f"in {run.precision}")
    if run.compile:
        if progress is not None:
            progress(0.0, f"compiling {opened.entry.title} for this machine, about a minute")
        notes.append(_compile(opened))
    if not notes:
        return opened
    return dataclasses.replace(opened, note="; ".join([opened.note, *notes]))


def _reduce(module: nn.Module, dtype: torch.dtype, device: str) -> None:
    """Weights of convolutions and dense layers in half the bytes; autocast takes the rest to the same type."""
    for part in module.modules():
        if isinstance(part, _COUNTING):
            part.to(dtype)
    plain: Callable[..., Any] = module.forward

    def forward(*arguments: Any) -> Any:
        with torch.autocast(device, dtype):
            return _full(plain(*arguments))

    module.forward = forward


def _full(output: Any) -> Any:
    """Outputs in float32 again: what is made of them counts with that."""
    if isinstance(output, torch.Tensor):
        return output.float()
    return type(output)((name, _full(value)) for name, value in output.items()) if isinstance(output, dict) else output


def _compile(opened: OpenedModel) -> str:
    """Compile what takes the time and run it once; the plain network goes on where that fails. What came of it."""
    module = opened.module
    part = module if opened.entry.task in _WHOLE else getattr(module, "backbone", None)
    if not isinstance(part, nn.Module):
        return "not compiled: this kind of network cannot be"
    part.compile()
    try:
        with torch.inference_mode():
            inputs = opened.prepare(np.zeros((480, 640, 3), np.uint8))
            part(inputs if isinstance(inputs, torch.Tensor) else torch.stack(inputs))
    except Exception as error:  # noqa: BLE001 - compilers fail in many ways; the network works without
        part._compiled_call_impl = None
        torch._dynamo.reset()
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        missing = "C++ compiler" in reason or "InvalidCxxCompiler" in type(error).__name__
        return "not compiled: install a C++ compiler such as g++" if missing else f"not compiled: {reason}"
    return "compiled"


@contextmanager
def plainly(module: Any, wanted: bool) -> Iterator[None]:
    """Run without what was compiled while ``wanted``: compiled code calls no hooks, by which layers are looked into."""
    compiled = (
        [part for part in module.modules() if part._compiled_call_impl is not None]
        if wanted and isinstance(module, nn.Module)
        else []
    )
    kept = [part._compiled_call_impl for part in compiled]
    for part in compiled:
        part._compiled_call_impl = None
    try:
        yield
    finally:
        for part, call in zip(compiled, kept, strict=True):
            part._compiled_call_impl = call
