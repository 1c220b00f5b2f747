"""Pytest plugin for a run without Qt: knows the settings of pytest-qt, which is not loaded there."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of pytest-qt that pyproject.toml names, so that strict configuration takes them."""
    for name in ("qt_api", "qt_log_level_fail", "qt_log_ignore", "qt_default_raising", "qt_no_exception_capture"):
        parser.addini(name, "setting of pytest-qt, without effect here")
