"""Fixtures for all tests: an own home folder, the real data where there is some."""

import os
from pathlib import Path

import pytest

from guiapp.core.compiler import load_when_asked

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Helper threads wait awake for 2 ms instead of ten, which would hold up tests beside other programs; before torch.
os.environ.setdefault("GOMP_SPINCOUNT", "50000")

load_when_asked()  # torchvision as the program has it, before any test imports it

# Several test processes at once: each on a core of its own, or operations that are split would wait for one another.
if (number := os.environ.get("PYTEST_XDIST_WORKER", "")[2:]) and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(number) % len(cores)]})

WINDOW_FIXTURES = {"qtbot", "qapp", "qtlog", "qtmodeltester"}


def data_folder() -> Path:
    """``GUIAPP_DATA``, or the folder of data that is kept beside a clone."""
    return Path(os.environ.get("GUIAPP_DATA") or Path(__file__).parents[2] / "shared" / "data")


def pytest_collection_modifyitems(items):
    """Mark what needs Qt, so that all else can be run where Qt is not installed."""
    ui = Path(__file__).parent / "ui"
    for item in items:
        if ui in item.path.parents or WINDOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("window")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With ``CI`` set, a test that needs real data fails instead of being skipped where the data lies."""
    report = yield
    needs_data = "real_data" in getattr(item, "fixturenames", ()) or item.get_closest_marker("data") is not None
    must_run = needs_data and os.environ.get("CI") and data_folder().is_dir()
    if must_run and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped although there is data at {data_folder()}: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Each test has its own user folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GUIAPP_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, skipping the test where there is none."""
    folder = data_folder()
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip(f"no real data at {folder}: set GUIAPP_DATA")
    return folder
