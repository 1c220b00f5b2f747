"""The inspection twin: a copy of the network whose weights are exchanged between two training steps.

Whatever looks at a network looks at its twin, so that looking changes nothing that is being trained.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]


def tensors_of(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by qualified name, not copied."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in the plain order of memory, whatever the order in training: it is the fastest for one picture."""
    import torch

    return tensor.detach().clone(memory_format=torch.contiguous_format)


class Twin:
    """A network to look at, and the exchange that gives it new weights.

    The learn lane calls ``offer``, the look lane calls ``live`` or ``at``. Two sets of tensors alternate: one is read
    by the look lane while the other is written, so neither waits and nothing is allocated per look.

    Attributes:
        model: The network to look at, in evaluation mode, without gradients on its weights.
    """

    def __init__(self, model: torch.nn.Module, step: int = 0) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._slots = tensors_of(self.model)
        self._front = {name: _plain(value) for name, value in self._slots.items()}
        self._point(self._front)
        self._front_step = step
        self._back: dict[str, torch.Tensor] = {}
        self._back_step = step
        self._back_state = "free"  # free → writing → pending → (swapped) free
        self._lock = threading.Lock()

    def offer(self, model: torch.nn.Module, step: int) -> None:
        """Copy the weights of ``model``, which must not change meanwhile (between two steps)."""
        with self._lock:
            self._back_state = "writing"
        back = self._back
        for name, value in tensors_of(model).items():
            old = back.get(name)
            if old is None or old.shape != value.shape or old.dtype != value.dtype or old.device != value.device:
                back[name] = _plain(value)
            else:
                old.copy_(value.detach())
        with self._lock:
            self._back_step, self._back_state = step, "pending"

    def copied(self) -> Twin:
        """Another twin with the newest weights, for another lane to look at; called by the lane that offers."""
        with self._lock:
            newest = self._back if self._back_state == "pending" else self._front
            step = self._back_step if self._back_state == "pending" else self._front_step
        other = Twin(self.model, step)
        for module in other.model.modules():  # a look that goes on meanwhile listens to the original alone
            module._forward_hooks.clear()
            module._forward_pre_hooks.clear()
        other._front = {name: _plain(value) for name, value in newest.items()}
        other._point(other._front)
        return other

    @property
    def pending(self) -> bool:
        """Whether weights newer than the ones looked at lie ready."""
        return self._back_state == "pending"

    def live(self) -> int:
        """Point the twin at the newest weights; return their step."""
        with self._lock:
            if self._back_state == "pending":
                self._front, self._back = self._back, self._front
                self._front_step, self._back_state = self._back_step, "free"
        self._point(self._front)
        return self._front_step

    def at(self, weights: Tensors) -> None:
        """Point the twin at other weights, such as a snapshot's; missing names keep their newest values."""
        self._point({**self._front, **weights})

    def _point(self, weights: Tensors) -> None:
        for name, value in self._slots.items():
            found = weights[name]
            value.data = found if found.device == value.device else found.to(value.device)
