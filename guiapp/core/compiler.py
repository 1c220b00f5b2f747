"""Loads torchvision without torch's compiler, which takes longer than torch itself and which nothing here runs.

``torchvision.ops.roi_align`` imports one function of ``torch._dynamo.utils`` to ask, for deterministic operations on a
GPU, whether a device can be compiled for. That import loads the whole compiler: 3 to 5 s of a core. Here the function
imports it when it is called.

Modules import ``torchvision`` before parts of it. Its parts import each other in circles, and Python lets a thread
begin with a part while another one is in the middle of the whole: both then wait for each other, until one is given a
half module ("partially initialized"), or one of them fails ("deadlock detected") and what it had begun stays broken
until the program ends. Who asks for the whole first waits until it is there; ``registry.resolve`` does.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_ASKING, _ASKED = "torchvision.ops.roi_align", "torch._dynamo.utils"


def load_when_asked() -> None:
    """From now on torchvision is imported without the compiler; does nothing a second time, or where it is too late."""
    if _ASKING not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the one module as Python does and has it run beside the stand-in."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ASKING or _ASKED in sys.modules:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Beside(spec.loader)
        return spec


class _Beside(Loader):
    """Runs a module while the stand-in has the place of what it asks for."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        sys.modules.setdefault(_ASKED, _StandIn(_ASKED))
        try:
            self._own.exec_module(module)
        finally:
            _leave()


class _StandIn(ModuleType):
    """Has the one function; whoever asks it for anything else, another thread, gets that of the module itself."""

    @staticmethod
    def is_compile_supported(device_type: str) -> bool:
        """What torch's own function says."""
        return bool(importlib.import_module(_ASKED).is_compile_supported(device_type))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _leave()
        return getattr(importlib.import_module(_ASKED), name)


def load_whole() -> None:
    """Load torch's compiler from its beginning, before a part of it is asked for; call where no import is under way.

    ``torch.export`` begins with parts of it. Counting the costs of a network loads it too, on another thread, and of
    two threads in one circle one is given a half module, which stays one until the program ends.
    """
    importlib.import_module("torch._dynamo")


def _leave() -> None:
    if isinstance(sys.modules.get(_ASKED), _StandIn):
        del sys.modules[_ASKED]
