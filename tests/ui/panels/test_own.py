"""The panel for a person's own networks: a file is looked into, set up, opened, and the open network saved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton

from guiapp.engine.study import Study
from guiapp.models.own.architectures import Spec, find
from guiapp.models.own.settings import OwnSettings, recall
from guiapp.ui.panels.own import OwnPanel


@pytest.fixture
def panel(context, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))
    made = OwnPanel(context)
    qtbot.addWidget(made)
    made.resize(420, 460)
    made.opened = []
    made.wanted.connect(made.opened.append)
    made.show()
    return made


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "squeezenet1_1-two.pth"
    torch.save(find("squeezenet1_1").build(Spec(2), seed=0).state_dict(), file)
    return file


def part(panel, kind, name):
    return panel.findChild(kind, name)


def test_an_empty_panel_says_what_to_do_and_saves_nothing_without_a_network(panel):
    assert panel.empty.isVisible() and "Drop a network's file" in panel.empty.text.text()
    assert panel.tabs.currentIndex() == 2
    panel.ask_save()
    assert "open one first" in panel.context.notices.notices[-1].text


def test_a_file_that_fits_is_opened_at_once_and_settings_make_it_anew(panel, weights, qtbot):
    panel.open_file(weights)
    assert panel.opened == [weights] and panel.found.architectures == ("squeezenet1_1",)
    for words in ("SqueezeNet 1.1", "classification, 2 classes", "input 3×224×224"):
        assert words in panel.about.text()
    assert panel.table.model().rowCount() == 52 and panel.tabs.tabText(1) == "Tensors 52"
    assert part(panel, QPushButton, "own.use").isVisible() and not part(panel, QPushButton, "own.partial").isVisible()
    assert not part(panel, QLineEdit, "own.function").isVisibleTo(panel)
    labels = part(panel, QLineEdit, "own.labels")
    labels.setFocus()
    qtbot.keyClicks(labels, "ant,bee")
    qtbot.keyClick(labels, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.found.settings.labels == "ant,bee")
    assert panel.found.opened.labels == ("ant", "bee") and panel.opened == [weights], "not before the person says so"
    qtbot.mouseClick(part(panel, QPushButton, "own.use"), Qt.MouseButton.LeftButton)
    assert panel.opened == [weights, weights] and recall(weights).settings.labels == "ant,bee"
    qtbot.mouseClick(part(panel, QPushButton, "own.forget"), Qt.MouseButton.LeftButton)
    assert recall(weights).settings == OwnSettings() and panel.found.opened.labels == ("class 0", "class 1")


def test_what_does_not_fit_is_listed_and_may_be_left_random(panel, weights, qtbot):
    panel.open_file(weights, use=False)
    panel.set_options({"architecture": "squeezenet1_0"})
    assert "does not fit" in panel.about.text() and panel.about.property("error") and panel.opened == []
    assert panel.tabs.currentIndex() == 1 and panel.bad.isChecked() and not panel.use_button.isVisible()
    model = panel.table.model()
    shown = {model.index(row, 1).data() for row in range(model.rowCount())}
    assert shown == {"missing", "other shape", "only in file"}
    everything = len(panel._model.rows)
    panel.bad.click()
    assert model.rowCount() == everything
    panel.filter.setText("classifier.1.")
    assert {model.index(row, 0).data() for row in range(model.rowCount())} == {
        "classifier.1.weight",
        "classifier.1.bias",
    }
    lines = panel._model.csv_text().splitlines()
    assert len(lines) == everything + 1 and "features.0.weight,features.0.weight,other shape,96x3x7x7,64x3x3x3" in lines
    qtbot.mouseClick(panel.partial_button, Qt.MouseButton.LeftButton)
    assert panel.opened == [weights] and panel.about.text().count("random") == 1


def test_python_is_run_only_after_the_person_said_so(panel, tmp_path, qtbot):
    file = tmp_path / "net.py"
    mark = tmp_path / "ran"
    file.write_text(
        f"from pathlib import Path\nPath({str(mark)!r}).touch()\nfrom torch import nn\n"
        "def build(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "def make_other(): return nn.Sequential(nn.Conv2d(3, 7, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    panel.open_file(file)
    assert not mark.exists() and panel.opened == [] and "can do anything" in panel.about.text()
    qtbot.mouseClick(panel.trust_button, Qt.MouseButton.LeftButton)
    assert mark.exists() and panel.opened == [file] and "4 classes" in panel.about.text()
    box = part(panel, QComboBox, "own.functions")
    box.textActivated.emit(box.itemText(1))
    assert "7 classes" in panel.about.text()


def test_files_that_are_no_network_and_wrong_settings_are_told_in_the_panel(panel, tmp_path, weights):
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"nothing")
    panel.open_file(broken)
    assert "damaged or not a weight file" in panel.about.text() and panel.opened == []
    panel.open_file(weights)
    good, before = panel.opened, panel.context.bridge.state
    for name, content in (("cut.pth", weights.read_bytes()[:5000]), ("x.safetensors", b"\xff" * 64), ("y.pt2", b"PK")):
        (tmp_path / name).write_bytes(content)
        panel.open_file(tmp_path / name)
        assert panel.about.property("error") and name in panel.about.text(), name
        assert panel.opened == good == [weights] and panel.context.bridge.state is before, "what is open stays"
        assert not panel.use_button.isVisible() and panel.found.opened is None
    panel.open_file(weights, use=False)
    panel.set_options({"height": "-3"})
    assert "height" in panel.rejected.text()
    panel.set_options({"labels": "nonsense"})
    assert "neither a known set" in panel.about.text()


def test_saving_runs_on_a_network_of_its_own_and_tells_what_came_of_it(panel, kit, tmp_path):
    from guiapp.models.zoo.open import open_model

    panel.context.bridge.give(panel, opened=kit.make_opened())
    assert "LeNet-5" in panel.what.text()
    panel.save_as(tmp_path / "out.safetensors")
    work, done, _failed = panel.context.bridge.studied
    steps = work(Study(None, open_model("squeezenet1_1", "random")), lambda partly: None)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            done(end.value)
            break
    assert (tmp_path / "out.safetensors").is_file()
    assert np.prod(find("squeezenet1_1").shapes(Spec(1000))["features.0.weight"]) == 64 * 27
    assert Path(tmp_path / "out.safetensors").stat().st_size > 4e6
