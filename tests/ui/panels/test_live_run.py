"""What is set under "Run with" is what the lane is told."""

from guiapp.core.live_run import LiveRun
from guiapp.ui.panels.live_run import LiveRunBox, _counts


def test_each_control_says_how_the_network_is_to_be_run(qtbot):
    told = []
    box = LiveRunBox(told.append)
    qtbot.addWidget(box)
    assert box.run == LiveRun()
    box.precision.setCurrentIndex(box.precision.findData("bfloat16"))
    box.precision.activated.emit(1)
    box.channels_last.click()
    box.compile.click()
    box.threads.setCurrentIndex(1)
    box.threads.activated.emit(1)
    assert told == [
        LiveRun("bfloat16"),
        LiveRun("bfloat16", channels_last=False),
        LiveRun("bfloat16", channels_last=False, compile=True),
        LiveRun("bfloat16", channels_last=False, compile=True, threads=1),
    ]


def test_numbers_of_threads_are_sensible_on_any_machine():
    assert [_counts(cores) for cores in (1, 2, 6, 64)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8, 16, 32, 64]]
