"""The rules of docs/architecture.md about imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EARLY = ("guiapp.catalogue", "guiapp.models", "guiapp.datasets", "guiapp.interpret", "guiapp.training.recipe")
HEAVY = ("torch", "torchvision", "sklearn", "cv2", "PySide6", "pyqtgraph")


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after ``code``."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_imports_go_down_the_layers():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", EARLY)
def test_lists_are_there_without_torch_and_qt(module):
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_help_loads_nothing_heavy():
    code = (
        "from guiapp.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0"
    )
    assert not loaded_by(code) & {*HEAVY, "numpy"}


@pytest.mark.parametrize("what", ["experiments", "models", "datasets", "probes", "systems"])
def test_listing_loads_no_torch(what):
    assert not loaded_by(f"from guiapp.cli import main\nmain(['list', '{what}'])") & set(HEAVY)
