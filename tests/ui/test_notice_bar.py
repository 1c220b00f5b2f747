"""Messages: from any thread, never modal, details on demand, a history."""

import threading

from PySide6.QtWidgets import QApplication, QListWidget, QPlainTextEdit

from guiapp.ui.card import Card
from tests.ui.conftest import settle


def cards(window):
    return [c for c in window.findChildren(Card) if not c.isHidden()]


def test_a_notice_from_another_thread_is_shown(window, qtbot):
    thread = threading.Thread(target=lambda: window.context.notices.post("error", "the disk is full", "trace"))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    assert window.notices.text.text() == "the disk is full"
    assert window.notices.details.isVisible()
    assert QApplication.activeModalWidget() is None


def test_details_are_shown_and_copied(window, qtbot):
    window.context.notices.post("warning", "slow", "line one\nline two")
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    window.notices.details.click()
    (card,) = cards(window)
    assert card.findChild(QPlainTextEdit).toPlainText() == "line one\nline two"
    window.notices.show_details()
    settle()
    assert len(cards(window)) == 1, "one card at a time"


def test_dismiss_empties_the_bar(window, qtbot):
    window.context.notices.post("error", "no")
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    window.notices.dismiss.click()
    assert window.notices.shown is None
    assert not window.notices.text.isVisible()


def test_a_later_success_of_the_same_kind_clears_a_failure(window, qtbot):
    board = window.context.notices
    board.post("error", "broken.png is damaged", topic="open")
    board.post("info", "the clipboard is empty", topic="open")
    settle()
    assert window.notices.shown.text == "the clipboard is empty", "newer and of the same kind"
    board.post("error", "the loss is not finite", topic="learn")
    board.settle("open")
    settle()
    assert window.notices.shown.text == "the loss is not finite"
    board.settle("learn")
    assert window.notices.shown is None
    assert board.notices[0].text == "broken.png is damaged"


def test_information_does_not_hide_an_error_and_goes_by_itself(window, qtbot):
    window.context.notices.post("error", "important")
    window.context.notices.post("info", "by the way")
    settle()
    assert window.notices.shown.text == "important"
    window.notices.clear()
    window.context.notices.post("info", "by the way")
    settle()
    assert window.notices.shown.text == "by the way"
    assert window.notices._fade.isActive()


def test_the_newest_error_replaces_an_older_one(window):
    window.context.notices.post("error", "first")
    window.context.notices.post("error", "second")
    settle()
    assert window.notices.shown.text == "second"


def test_a_long_line_is_cut_and_whole_in_the_details(window):
    text = "word " * 200
    window.context.notices.post("error", text)
    settle()
    assert window.notices.text.text().endswith("…")
    assert window.notices.details.isVisible()
    assert window.width() < 1500, "a long message does not widen the window"


def test_history_lists_all_newest_first(window):
    for number in range(3):
        window.context.notices.post("info", f"message {number}")
    window.commands["help.messages"].trigger()
    listed = cards(window)[0].findChild(QListWidget)
    texts = [listed.item(row).text() for row in range(listed.count())]
    assert texts[:3] == ["message 2", "message 1", "message 0"]
