"""Fixtures for all tests: an own home folder, the real data where there is some."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Each test has its own user folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GUIAPP_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, ``GUIAPP_DATA`` or ``../shared/data``."""
    folder = Path(os.environ.get("GUIAPP_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip(f"no real data at {folder}: set GUIAPP_DATA")
    return folder
