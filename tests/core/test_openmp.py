"""Helper threads of OpenMP end with the order to, and come back with the next operation."""

import subprocess
import sys

import pytest

_PROGRAM = """
import os, time
import torch
from guiapp.core.openmp import dismiss_helpers

def threads():
    return len(os.listdir("/proc/self/task"))

def settled(wanted):
    until = time.monotonic() + 10
    while threads() != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return threads()

torch.set_num_threads(3)
alone = threads()
numbers = torch.arange(4_000_000.0)

first = torch.exp(-numbers).sum().item()
busy = threads()
dismiss_helpers()
rested = settled(alone)
second = torch.exp(-numbers).sum().item()
print(alone, busy, rested, threads(), first == second)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="helper threads are those of GNU's OpenMP")
def test_helpers_end_and_come_back():
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    alone, busy, rested, again, equal = done.stdout.split()
    if busy == alone:
        pytest.skip("this torch has no helper threads of its own for each thread")
    assert (int(rested), int(again), equal) == (int(alone), int(busy), "True")
