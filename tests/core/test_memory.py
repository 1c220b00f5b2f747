"""Freed memory is handed back."""

import subprocess
import sys

import numpy as np
import psutil
import pytest

from guiapp.core.memory import _library, give_back


@pytest.mark.skipif(sys.platform != "linux" or _library("malloc_trim") is None, reason="the C library is not glibc")
def test_what_the_c_library_kept_is_handed_back():
    blocks = [np.ones(60_000, np.uint8) for _ in range(4000)]  # 240 MB in blocks too small for a mapping of their own
    kept = blocks[::100]  # freed memory between what is still used is not handed back by itself
    process = psutil.Process()
    full = process.memory_info().rss
    del blocks
    give_back()
    assert full - process.memory_info().rss > 180_000_000
    assert all(block.all() for block in kept)


THREADS = """
import ctypes, sys, threading
from guiapp.core.memory import arrange_heap
if sys.argv[1] == "shared":
    arrange_heap()
def take():
    blocks.append(bytearray(10_000))
    together.wait()
blocks, together = [], threading.Barrier(4)
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
out = library.fopen(b"/dev/stdout", b"w")
library.malloc_info(0, ctypes.c_void_p(out))
library.fflush(ctypes.c_void_p(out))
"""


@pytest.mark.skipif(sys.platform != "linux" or _library("mallopt") is None, reason="the C library is not glibc")
@pytest.mark.parametrize(("how", "least", "most"), [("shared", 1, 1), ("apart", 2, 9)])
def test_threads_arrange_heap_where_it_is_asked_for(how, least, most):
    told = subprocess.run([sys.executable, "-c", THREADS, how], capture_output=True, text=True, check=True).stdout
    assert least <= told.count("<heap nr=") <= most


FAULTS = """
import resource, sys
import numpy as np
from guiapp.core.memory import arrange_heap
if sys.argv[1] == "arranged":
    arrange_heap()
def take():
    blocks = [np.ones(2_000_000, np.uint8) for _ in range(20)]
take()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    take()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or _library("mallopt") is None, reason="the C library is not glibc")
@pytest.mark.parametrize(("how", "least", "most"), [("arranged", 0, 200), ("as it is", 5_000, 10**9)])
def test_a_pass_takes_what_the_last_one_freed_without_asking_the_system(how, least, most):
    told = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True).stdout
    assert least <= int(told) <= most  # 10 passes touch 98,000 pages


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    _library.cache_clear()
    try:
        assert _library("malloc_trim") is None
        give_back()
    finally:
        _library.cache_clear()
