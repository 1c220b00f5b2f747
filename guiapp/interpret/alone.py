"""Networks that take one picture at a time: ONNX files here, and programs that were exported with a batch of one."""

from __future__ import annotations

from typing import Any

import torch

from guiapp.interpret.layers import first_tensor

_REFUSED = (RuntimeError, AssertionError, ValueError)  # what programs raise for a batch that they were not made for


def answer_of(module: Any, batch: torch.Tensor) -> Any:
    """What a network gives for prepared pictures; one that takes them one at a time is called so often.

    Files that onnxruntime runs have no parameters and answer for the first of a batch alone; programs that were
    exported with a batch of one refuse others.

    Args:
        module: The network.
        batch: float32 (N, C, H, W).

    Returns:
        Its output; of several pictures one by one a tensor (N, ...), or None where it gives none.
    """
    if len(batch) < 2:
        return module(batch)
    if next(module.parameters(), None) is not None:
        try:
            output = module(batch)
            found = first_tensor(output)
            if found is None or len(found) == len(batch):
                return output
        except _REFUSED:
            pass
    each = [first_tensor(module(one[None])) for one in batch]
    return None if any(found is None for found in each) else torch.cat([found for found in each if found is not None])


def takes_one(module: Any, inputs: torch.Tensor) -> bool:
    """Whether a network answers for one picture at a time alone; it is tried with two.

    Args:
        module: The network.
        inputs: One prepared picture, (1, C, H, W), that it takes.
    """
    if next(module.parameters(), None) is None:
        return True
    try:
        with torch.no_grad():
            found = first_tensor(module(torch.cat([inputs, inputs])))
    except _REFUSED:
        return True
    return found is not None and len(found) != 2
