"""Any panel as it is seen: as a picture, as a drawing with its texts, as the numbers behind it."""

import csv
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.ui.theme import Theme
from guiapp.ui.view_menu import has_numbers, numbers_of, save_view, view_menu
from guiapp.ui.widgets.image_view import ImageView


@pytest.fixture
def panel(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    column = QVBoxLayout(made)
    column.addWidget(QLabel("Kernel of conv1", made))
    made.view = ImageView(Theme("light"), "kernel", made)
    made.view.setObjectName("filters.kernel")
    column.addWidget(made.view, 1)
    made.resize(200, 180)
    made.show()
    return made


def test_a_panel_is_saved_as_it_is_seen(panel, tmp_path):
    panel.view.set_image(np.array([[10, 200], [30, 40]], np.uint8))
    save_view(panel, tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    assert image.size() == panel.grab().toImage().size()
    save_view(panel, tmp_path / "a.svg")
    drawn = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = [node.text for node in drawn.iter() if node.tag.endswith("text")]
    assert "Kernel of conv1" in [text.strip() for text in texts if text]
    save_view(panel, tmp_path / "a.csv")
    head, *rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    assert head == ["# filters.kernel"]
    assert rows[1:] == [["value", "0", "10", "200"], ["value", "1", "30", "40"]]


def test_the_menu_computes_no_numbers(panel, qtbot, monkeypatch):
    monkeypatch.setattr(ImageView, "csv_text", lambda view: pytest.fail("a million points would hold up the window"))
    assert has_numbers(panel)
    menu = view_menu(None, panel, panel, None)
    assert menu.actions()[-1].isEnabled()
    panel.view.hide()
    assert not has_numbers(panel)


def test_a_panel_that_writes_its_numbers_beside_other_work_is_asked_to(panel, monkeypatch, tmp_path):
    written = []
    panel.id, panel.save_numbers = "places", written.append
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "places"), ""))
    monkeypatch.setattr(ImageView, "csv_text", lambda view: pytest.fail("a million points would hold up the window"))
    view_menu(None, panel, panel, None).actions()[-1].trigger()
    assert written == [tmp_path / "places.csv"]


def test_a_panel_without_numbers_says_so(panel, tmp_path):
    assert numbers_of(panel) == ""
    with pytest.raises(UserError, match="no numbers"):
        save_view(panel, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_what_cannot_be_written_is_told(panel, tmp_path):
    panel.view.set_image(np.zeros((2, 2), np.uint8))
    for name in ("a.png", "a.svg", "a.csv"):
        with pytest.raises(UserError, match="cannot write"):
            save_view(panel, tmp_path / "nowhere" / name)
