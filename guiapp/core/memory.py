"""Memory: what was freed goes back to the system, what stays is not searched for garbage again and again."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Hand freed memory back to the system, where the C library (glibc) would keep hundreds of megabytes of it.

    Takes some milliseconds: worth it after what needed much memory for a moment. Does nothing on other systems.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


def keep_for_good() -> None:
    """Leave what is there now out of later garbage collections.

    The modules of torch and its like hold some 300,000 objects that never go away. A full collection walks over all of
    them and stops every thread, the window's too, for 150 ms (measured, one of 2 cores).
    """
    gc.freeze()


@cache
def _trim() -> Any:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
