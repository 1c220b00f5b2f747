"""The program ends with its own exit code, also while a lane is in the middle of torch's code."""

import subprocess
import sys

import pytest

BUSY = """
import sys, threading, time
import torch
from guiapp.__main__ import leave
torch.set_num_threads(2)
def forward():
    picture, weights = torch.randn(8, 64, 256, 256), torch.randn(64, 64, 3, 3)
    while True:
        began.set()
        torch.nn.functional.conv2d(picture, weights)
began = threading.Event()
if sys.argv[1] == "busy":
    threading.Thread(target=forward, name="live", daemon=True).start()
    began.wait()
print("done")
leave(3)
"""


@pytest.mark.parametrize("how", ["busy", "idle"])
def test_exit_code_and_output_survive_a_busy_lane(how):
    told = subprocess.run([sys.executable, "-c", BUSY, how], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (3, "done\n", "")
