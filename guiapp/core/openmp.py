"""OpenMP's helper threads: how they wait for each other, and that lanes at rest keep none."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

SPINS = "GOMP_SPINCOUNT"
"""Environment variable of GNU's OpenMP: how often a thread looks for work before it goes to sleep."""
_PATIENCE = 50_000  # about 2 ms: more than from one operation of a network to the next beside a painting window
_SOFT = 1  # omp_pause_soft of omp.h


def arrange_waiting() -> None:
    """Let helper threads wait awake for 2 ms, where they would for ten; before torch is imported.

    For runs beside other programs that use every core, such as those of the tests: ResNet-18 made 1 picture a second on
    two cores that two other programs used as well, and makes 16 so. The window does not do it: where nothing else runs,
    training beside it would lose 7 % (0.88 of a bare loop instead of 0.95). What a person has set in
    ``GOMP_SPINCOUNT`` or ``OMP_WAIT_POLICY`` stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(SPINS, str(_PATIENCE))


def dismiss_helpers() -> None:
    """End the helper threads that GNU's OpenMP keeps for the calling thread; the next operation starts new ones.

    Each thread that ran an operation on several cores keeps helpers of its own. Once there are more of them in the
    process than cores, those that work no longer wait for each other awake but go to sleep after each operation:
    SSDlite ran half as fast (12 against 29 pictures a second on two cores) beside a learn lane that merely had run
    something before. Takes 0.1 ms. Does nothing where torch is not loaded or uses another OpenMP.
    """
    if sys.platform == "linux" and "torch" in sys.modules:
        for library in _libraries():
            library.omp_pause_resource(_SOFT, library.omp_get_initial_device())


@cache
def _libraries() -> tuple[Any, ...]:
    """What is loaded of GNU's OpenMP: torch brings one, scikit-learn another."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    names = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "/libgomp" in line}
    loaded = [ctypes.CDLL(name) for name in sorted(names) if Path(name).is_file()]
    return tuple(library for library in loaded if hasattr(library, "omp_pause_resource"))
