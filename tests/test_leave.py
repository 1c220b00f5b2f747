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


LEFT_OPEN = """
import atexit, sys, threading, time
atexit.register(lambda: print(*sorted(thread.name for thread in threading.enumerate())))  # after what drive registers
from guiapp import drive
drive.without_display()
driver = drive.Driver(opened=False)
began = threading.Event()
def work():
    began.set()
    time.sleep(0.3)
    yield
driver.window.engine.submit(work, title="work")
began.wait()
sys.exit(3)
"""


@pytest.mark.window
def test_a_script_that_leaves_its_window_open_ends_after_its_lanes_and_with_its_own_code(monkeypatch, tmp_path):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path))
    told = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (3, "MainThread\n", "")
