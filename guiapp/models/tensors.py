"""The tensors in what modules are given and give: lists, tuples and dictionaries of them, to any depth."""

from __future__ import annotations

from collections.abc import Iterator

import torch


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """The tensors of a value, in order; of what is no tensor, list, tuple or dictionary there are none."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_in(part)
