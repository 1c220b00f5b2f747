"""Torch's libraries are loaded ahead, and torch still works."""

import subprocess
import sys


def test_torch_is_loaded_ahead_and_works_as_ever():
    script = (
        "from guiapp.engine.preload import preload_torch\n"
        "preload_torch()\n"
        "import sys; assert 'torch' not in sys.modules\n"
        "if sys.platform.startswith('linux'):\n"
        "    assert 'libtorch_cpu' in open('/proc/self/maps').read()\n"
        "import torch; print(float(torch.ones(3).sum()))\n"
        "preload_torch()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout.strip(), done.returncode) == ("3.0", 0), done.stderr
