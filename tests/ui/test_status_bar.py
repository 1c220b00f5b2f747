"""The runtime meter: words, figures, fixed widths."""

import pytest

from guiapp.engine.state import EngineState
from guiapp.ui.status_bar import activity, milliseconds, size


class Opened:
    """What the meter reads of an open experiment."""

    device = "cpu"

    class experiment:
        title = "LeNet-5"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.04, "0.0"), (12.34, "12.3"), (99.6, "100"), (999.4, "999"), (1500, "1.5k"), (34_200, "34k")],
)
def test_milliseconds_keep_to_four_characters(value, text):
    assert milliseconds(value) == text
    assert len(text) <= 4


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999_600, "1 MB"), (612e6, "612 MB"), (1.234e9, "1.23 GB"), (2000, "2 kB")]
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (EngineState(), "nothing open"),
        (EngineState(phase="opening", activity="opening LeNet-5"), "opening LeNet-5"),
        (EngineState(phase="opening", activity="fetching MNIST", share=0.42), "fetching MNIST · 42%"),
        (EngineState(phase="ready", opened=Opened()), "LeNet-5 · ready"),
        (EngineState(phase="running", opened=Opened(), activity="training", steps_per_second=212.4),
         "training LeNet-5 · 212 steps/s"),
        (EngineState(phase="paused", opened=Opened()), "LeNet-5 · paused"),
    ],
)  # fmt: skip
def test_activity(state, text):
    assert activity(state) == text


def test_memory_is_measured_and_nothing_jumps(window, qtbot):
    field = window.status.fields["memory"]
    qtbot.waitUntil(lambda: field.value.text().endswith("B"))
    widths = [f.width() for f in window.status.fields.values()]
    for name in ("capture", "preprocess", "forward", "postprocess", "draw", "looking"):
        window.status.fields[name].show_text("99.9")
    window.status.fields["dropped"].show_text("1234")
    assert [f.width() for f in window.status.fields.values()] == widths
    for f in window.status.fields.values():
        assert f.value.fontMetrics().horizontalAdvance(f.value.text()) <= f.value.width(), f.objectName()
        assert f.toolTip()


def test_a_tip_of_a_menu_does_not_cover_the_meter(window):
    from PySide6.QtGui import QStatusTipEvent
    from PySide6.QtWidgets import QApplication

    QApplication.sendEvent(window, QStatusTipEvent("hello"))
    assert window.status.currentMessage() == ""
    assert window.status.device.isVisible()


def test_the_live_room_has_a_meter_of_its_own(window, qtbot):
    fields = window.status.fields
    window.use_layout("live")
    qtbot.waitUntil(lambda: not fields["forward"].isVisible() and fields["memory"].isVisible())
    window.use_layout("train")
    qtbot.waitUntil(lambda: fields["forward"].isVisible() and fields["looking"].isVisible())
