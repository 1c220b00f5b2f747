"""A theme for widgets."""

import pytest

from guiapp.ui.theme import Theme


@pytest.fixture
def theme(qapp):
    made = Theme("dark")
    made.apply()
    return made
