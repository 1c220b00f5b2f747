"""The network of the live lane for another thread: its weights shared, its modules and hooks apart."""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import UserError
from guiapp.engine.study import Study

if TYPE_CHECKING:
    from torch import nn

    from guiapp.core.picture import Picture
    from guiapp.engine.state import Inspected
    from guiapp.models.zoo.open import OpenedModel


class Loan:
    """One thread waits for it, the lane gives it."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._study: Study | None = None
        self._again: Callable[[], OpenedModel] | None = None

    def give(
        self,
        model: OpenedModel | None,
        inspected: Inspected | None,
        picture: Picture | None,
        again: Callable[[], Callable[[], OpenedModel]],
    ) -> None:
        """Hand out a copy of ``model``; called between two of its runs.

        Args:
            model: The open network, or None.
            inspected: What panels know of it.
            picture: What it is looking at.
            again: Gives what opens the network once more, for one that cannot be copied or is not run as it was
                opened; that is called on the thread that waits.
        """
        try:
            if model is not None and inspected is not None:
                own = _copied(model)
                self._again = again() if own is None else None
                self._study = Study(inspected, own or model, 0, picture)
        finally:
            self._ready.set()

    def ready(self, timeout: float) -> bool:
        """Whether it was given, waited for at most ``timeout`` seconds."""
        return self._ready.wait(timeout)

    def take(self) -> Study:
        """What was given.

        Raises:
            UserError: If no network is open.
        """
        if self._study is None:
            raise UserError("no network is open in the live room: choose one")
        if self._again is not None:
            return dataclasses.replace(self._study, model=self._again())
        return self._study


def _copied(model: OpenedModel) -> OpenedModel | None:
    """The same network with modules of its own; None where it is run in another way than it was opened."""
    import torch
    from torch import nn

    module: Any = model.module
    if not isinstance(module, nn.Module):
        return None
    trained = model.origin == "trained"
    arranged = any(part._compiled_call_impl is not None or "forward" in vars(part) for part in module.modules())
    tensors = [*module.parameters(), *module.buffers()]
    if arranged or any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in tensors) or not tensors:
        return None
    # Published weights never change and may be shared; those that train on are exchanged under the copy.
    shared = {} if trained else {id(tensor): tensor for tensor in tensors}
    own = copy.deepcopy(module, shared)
    without_hooks(own)
    made = copy.copy(model)  # of whichever kind: some know more than others
    for name, value in {"module": own.requires_grad_(False), **({"twin": None} if trained else {})}.items():
        object.__setattr__(made, name, value)
    return made


def without_hooks(module: nn.Module) -> None:
    """Take every hook off a network and its parts."""
    for part in module.modules():
        for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks):
            hooks.clear()
