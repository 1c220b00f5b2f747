"""Loads torch's shared libraries without stopping the window.

Python holds its global lock while it loads an extension module, so the window stands still for as long as the
libraries beneath torch take (230 ms where measured; 130 ms after this). A call through ctypes gives the lock up.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from pathlib import Path

log = logging.getLogger(__name__)


def preload_torch() -> None:
    """Load what ``import torch`` would load, with Python's lock given up meanwhile; does nothing where it cannot."""
    spec = None if "torch" in sys.modules else importlib.util.find_spec("torch")
    if not sys.platform.startswith("linux") or spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent / "lib"
    loader = ctypes.CDLL(None).dlopen
    loader.restype, loader.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    # In the order and with the visibility that torch itself uses.
    for name, flags in (("libtorch_global_deps.so", os.RTLD_GLOBAL | os.RTLD_NOW), ("libtorch.so", os.RTLD_LAZY)):
        path = folder / name
        if path.exists() and not loader(os.fsencode(path), flags):
            log.info("%s was not loaded ahead; torch will load it", path)
