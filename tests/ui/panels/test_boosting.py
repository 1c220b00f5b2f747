"""The boosting panel: rounds as they are found, one round looked at, samples as large as their weights."""

import pytest
from PySide6.QtCore import Qt

from guiapp.engine import boosting
from guiapp.engine.job import Job
from guiapp.ui.panels.boosting import BoostingPanel


@pytest.fixture
def panel(context, opened, qtbot, monkeypatch):
    monkeypatch.setattr(boosting, "portraits", lambda: None)
    monkeypatch.setattr(boosting, "ROUNDS", 4)
    told = []
    made = BoostingPanel(context)
    qtbot.addWidget(made)
    made.resize(440, 700)
    made.show()
    qtbot.waitUntil(lambda: hasattr(context.bridge, "worked"))
    work, done, partly = context.bridge.worked
    job = Job(work(told.append))
    job.run()
    partly(told[0])
    assert made.round.value() == made.round.maximum() == 1
    done(job.result)
    return made


def test_a_round_is_looked_at_and_the_newest_is_followed(panel, qtbot):
    found = panel.found
    assert panel.round.value() == len(found.rounds) == 4
    qtbot.keyClick(panel.round, Qt.Key.Key_Left)
    assert panel.round.value() == 3 and panel.head.text().startswith("Round 3 of 4: face where white − black")
    assert f"ε = {found.rounds[2].error:.3f}" in panel.vote.text()
    assert panel.patches.weights == pytest.approx(found.weights[3])
    panel.resize(300, 700)  # a column of a small window
    for label, said in ((panel.head, "white − black"), (panel.vote, f"{found.rounds[2].alpha:.2f}"), (panel.says, "%")):
        assert said in label.shown and "…" not in label.shown
    panel.errors.clicked.emit(0)
    assert panel.round.value() == 1
    panel.round.setValue(0)
    assert panel.feature.rectangles is None and "all samples weigh the same" in panel.head.text()


def test_areas_are_weights_and_a_sample_tells_its_own(panel):
    panel.round.setValue(1)
    plot = panel.patches
    first, second = plot.places[0], plot.places[-1]
    heavy, light = (plot.weights[plot.shown[at]] for at in (0, -1))
    assert not plot.right[plot.shown[0]] and plot.right[plot.shown[-1]] and heavy > light
    if second.width() > 8:  # smaller ones are not painted
        assert (first.width() / second.width()) ** 2 == pytest.approx(heavy / light)
    plot.hover = plot.item_at(first.center())
    plot.hovered.emit(plot.hover)
    assert plot.hover == plot.shown[0] and f"weight {heavy:.2f} of a mean one" in panel.says.text()
