"""The command palette: what it finds, and the keyboard."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from guiapp.ui.fuzzy import score
from guiapp.ui.palette import Entry, Palette, find


def entries(*titles):
    return [Entry(title, "Action", lambda: None) for title in titles]


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("run", "Runs"),
        ("gc", "Grad-CAM"),
        ("lenet", "LeNet-5 on handwritten digits"),
        ("open fol", "Open folder"),
        ("fold open", "Open folder"),
        ("OPEN P", "Open picture"),
    ],
)
def test_the_best_match_comes_first(typed, best):
    titles = ["Open picture", "Open folder", "Runs", "Grad-CAM", "LeNet-5 on handwritten digits", "Prune weights"]
    assert find(typed, entries(*titles))[0].title == best


def test_what_does_not_occur_is_not_found():
    assert score("xyz", "Open folder") is None
    assert find("xyz", entries("Open folder")) == []


def test_a_start_of_a_word_beats_its_middle():
    assert score("in", "Look inside") > score("in", "Training")


def test_an_empty_line_lists_all_in_order():
    assert [e.title for e in find("  ", entries("b", "a"))] == ["b", "a"]


def open_palette(window):
    window.commands["palette.open"].trigger()
    (palette,) = [p for p in window.findChildren(Palette) if p.isVisible()]
    return palette


def test_enter_runs_the_chosen_command(window, qtbot):
    palette = open_palette(window)
    QTest.keyClicks(palette.line, "light theme")
    assert palette.shown[0].title == "Light theme"
    with qtbot.waitSignal(window.commands["view.theme-light"].triggered):
        QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert not palette.isVisible()


def test_arrows_choose_and_wrap(window):
    palette = open_palette(window)
    QTest.keyClicks(palette.line, "layout")
    rows = len(palette.shown)
    assert rows > 1
    QTest.keyClick(palette.line, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 1
    QTest.keyClick(palette.line, Qt.Key.Key_Up)
    QTest.keyClick(palette.line, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == rows - 1


def test_escape_closes_and_runs_nothing(window):
    palette = open_palette(window)
    before = list(window.engine.asked)
    QTest.keyClick(palette.line, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert window.engine.asked == before


def test_experiments_are_found_by_name_and_opened(window):
    palette = open_palette(window)
    QTest.keyClicks(palette.line, "mlp experiment")
    assert palette.shown[0].kind == "Experiment"
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.engine.asked[-1] == ("experiment", "mlp")


def test_runs_are_found(window, home):
    (home / "runs" / "20240101-000000-mlp-digits").mkdir(parents=True)
    palette = open_palette(window)
    QTest.keyClicks(palette.line, "20240101")
    assert [e.kind for e in palette.shown] == ["Run"]
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.engine.asked[-1] == ("run", home / "runs" / "20240101-000000-mlp-digits")


def test_disabled_commands_are_left_out(window):
    window.commands["layout.reset"].setEnabled(False)
    palette = open_palette(window)
    QTest.keyClicks(palette.line, "Reset layout")
    assert "Reset layout" not in [e.title for e in palette.shown]
