"""Memory: what was freed goes back to the system, what stays is not searched for garbage again and again."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import cache
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # M_... of malloc.h
_LARGEST = 32 * 2**20  # bytes; larger blocks have mappings of their own, which glibc allows no later


def give_back() -> None:
    """Hand freed memory back to the system, where the C library (glibc) would keep hundreds of megabytes of it.

    Takes some milliseconds: worth it after what needed much memory for a moment. Does nothing on other systems.
    """
    trim = _library("malloc_trim")
    if trim is not None:
        trim(0)


def arrange_heap() -> None:
    """Let all threads that start from now on use one heap, and keep what they free for what they take next.

    With a heap for each thread (glibc) the program took 10 to 30 MB more and went on growing by some MB when blocks of
    validation fell among others. And what a forward pass frees it takes again in the next one: handing it back each
    time cost VGG-16 6,000 page faults a picture, 5 % of its time. ``give_back`` hands it back at rest. Does nothing on
    systems other than glibc's.
    """
    option = _library("mallopt")
    if option is not None:
        option(_ARENA_MAX, 1)
        option(_MMAP_THRESHOLD, _LARGEST)
        option(_TRIM_THRESHOLD, 2**31 - 1)


def keep_for_good() -> None:
    """Leave what is there now out of later garbage collections.

    The modules of torch and its like hold some 300,000 objects that never go away. A full collection walks over all of
    them and stops every thread, the window's too, for 150 ms (measured, one of 2 cores).
    """
    gc.freeze()


@cache
def _library(name: str) -> Any:
    """A function of glibc, or None on other systems; musl has none of them."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)
