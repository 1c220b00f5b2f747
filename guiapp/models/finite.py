"""Whether numbers are numbers: weights that hold NaN or infinity, and answers of a network that does."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

_NAMED = 3


def flaws(module: torch.nn.Module) -> str:
    """Which weights and buffers hold NaN or infinite values, in one line; empty where none does.

    A network with such weights can be opened, to see where they come from, but what it says is no answer.
    """
    found: list[tuple[str, int, int]] = []
    state = [(name, value) for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)]
    for name, value in state:
        if not value.is_floating_point() or value.is_meta or not value.numel():
            continue
        # The sum is no number where one of them is none: a tenth of the time of looking at each.
        if not bool(value.sum(dtype=torch.float64).isfinite()):
            count = int((~value.isfinite()).sum())
            if count:
                found.append((name, count, value.numel()))
    if not found:
        return ""
    words = [f"{name} {count:,} of {whole:,}" for name, count, whole in found[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return (
        f"{len(found)} of {len(state)} tensors hold values that are NaN or infinite ({', '.join(words)}{more}): "
        "what the network says is no answer"
    )


def without_numbers(answer: Any) -> bool:
    """Whether NaN is among the scores that a network gave: a tensor, or a record of some.

    Args:
        answer: What ``LiveTask.run`` gives. Scores of minus infinity are answers, for what was not computed.
    """
    if isinstance(answer, torch.Tensor):
        return answer.is_floating_point() and bool(torch.isnan(answer).any())
    if isinstance(answer, np.ndarray):
        return answer.dtype.kind == "f" and bool(np.isnan(answer).any())
    if isinstance(answer, list | tuple):
        return any(without_numbers(one) for one in answer)
    if dataclasses.is_dataclass(answer):
        return any(without_numbers(getattr(answer, item.name)) for item in dataclasses.fields(answer))
    return False
