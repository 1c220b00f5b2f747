"""The unit inspector in the whole window: what it finds moves the viewer, what it changes changes the prediction."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from guiapp.engine.engine import Engine
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panels.units import PATCHES


@pytest.fixture
def house(application, qtbot, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))
    window = MainWindow(engine=Engine(runs=tmp_path / "runs"), settings=settings)
    with qtbot.waitSignals([window.first_painted, window.panels_built], timeout=30_000):
        window.show()
    yield window
    window.close()
    window.deleteLater()


def test_from_a_unit_to_its_best_picture_and_without_it(house, qtbot):
    window, workspace = house, house.workspace
    window.open_experiment("lenet5")
    qtbot.waitUntil(
        lambda: window.bridge.look is not None and window.bridge.look.prediction is not None, timeout=60_000
    )
    workspace.layer, workspace.unit = "conv3", 7
    panel = window.show_panel("units")
    qtbot.waitUntil(lambda: panel._view is not None and panel._view.unit == 7, timeout=20_000)
    assert panel.head.effect.text().startswith("reads ")
    panel.tabs.setCurrentIndex(PATCHES)
    qtbot.waitUntil(lambda: panel.search.found is not None and not panel.search.run.running, timeout=60_000)
    found = panel.search.found
    assert len(found.patches) == 12 and found.scan.units == 120
    panel.patches.grid.clicked.emit(1)
    best = found.patches[1].sample
    assert workspace.sample == ("validation", best)
    viewer = window.panel("viewer")
    qtbot.waitUntil(lambda: window.bridge.look.picture is workspace.picture, timeout=20_000)
    np.testing.assert_array_equal(viewer.image.array[:, :, 0], window.bridge.look.fed[:, :, 0])
    plain = window.bridge.look.prediction.probabilities
    qtbot.waitUntil(lambda: panel._view.value == pytest.approx(found.patches[1].value, rel=1e-3), timeout=20_000)
    panel.gain.setValue(50)
    qtbot.waitUntil(lambda: window.bridge.look.modified, timeout=20_000)
    look = window.bridge.look
    np.testing.assert_allclose(look.plain.probabilities, plain, rtol=1e-5)
    assert not np.allclose(look.prediction.probabilities, plain)
    qtbot.waitUntil(lambda: "→" in panel.head.effect.text(), timeout=20_000)
    assert not viewer.badge.isHidden()
    viewer.badge.click()
    qtbot.waitUntil(lambda: not window.bridge.look.modified, timeout=20_000)
    assert panel.gain.value() == 10
    assert panel.patches.grid.item_at(QPointF(panel.patches.grid.cell(0).center())) == 0
