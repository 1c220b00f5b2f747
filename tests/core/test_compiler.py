"""torchvision comes without torch's compiler, and its one question still reaches the compiler."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import guiapp
from guiapp.core import compiler

ASKED = "torch._dynamo.utils"
CHILD = """
import importlib, sys
from guiapp.core.compiler import load_when_asked
load_when_asked()
load_when_asked()
import torch, torchvision
asking = importlib.import_module("torchvision.ops.roi_align")
assert not [name for name in sys.modules if name.startswith(("torch._dynamo", "sympy"))]
assert type(asking.__loader__).__name__ == type(asking.__spec__.loader).__name__ == "SourceFileLoader"
ramp = torch.arange(64.0).reshape(1, 1, 8, 8)
found = torchvision.ops.roi_align(ramp, [torch.tensor([[0.0, 0.0, 4.0, 4.0]])], 2, sampling_ratio=2)
print(found.flatten().tolist())
"""


def test_torchvision_is_loaded_without_the_compiler_and_works():
    done = subprocess.run([sys.executable, "-W", "error", "-c", CHILD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Samples of a plane average to its value in the middle of each bin: x + 8 y at (1, 1), (3, 1), (1, 3), (3, 3).
    assert done.stdout.strip() == "[9.0, 11.0, 25.0, 27.0]"


@pytest.fixture
def real(monkeypatch):
    made = ModuleType(ASKED)
    made.is_compile_supported, made.other = lambda device: device == "cuda", 7
    monkeypatch.setattr(
        compiler.importlib, "import_module", lambda name: sys.modules.setdefault(name, made) if name == ASKED else None
    )
    monkeypatch.setitem(sys.modules, ASKED, made)  # what was there, or nothing, comes back behind the test
    del sys.modules[ASKED]
    return made


def test_the_question_reaches_the_compiler(real):
    asks = compiler._StandIn(ASKED).is_compile_supported
    assert asks("cuda") and not asks("cpu")


def test_another_thread_that_asks_for_more_gets_the_module_itself(real, monkeypatch):
    stand_in = compiler._StandIn(ASKED)
    monkeypatch.setitem(sys.modules, ASKED, stand_in)
    assert stand_in.other == 7
    assert sys.modules[ASKED] is real


def test_no_lane_begins_with_a_part_of_torchvision_while_another_one_loads_the_whole():
    package = Path(guiapp.__file__).parent
    texts = {path: path.read_text() for path in package.rglob("*.py")}
    found = {path: text.find("from torchvision") for path, text in texts.items() if "\nfrom torchvision" in text}
    assert len(found) >= 8
    for path, place in found.items():
        assert 0 <= texts[path].find("\nimport torchvision") < place, path
