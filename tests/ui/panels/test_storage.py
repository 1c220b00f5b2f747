"""Storage: measured sizes, clearing by a second press."""

from PySide6.QtWidgets import QLabel, QPushButton


def test_sizes_are_measured_and_clearing_asks_once_more(window, home, qtbot):
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "a.bin").write_bytes(b"x" * 3000)
    (home / "data" / "MNIST").mkdir(parents=True)
    (home / "data" / "MNIST" / "b.bin").write_bytes(b"x" * 5000)
    panel = window.show_panel("storage")
    qtbot.waitUntil(lambda: panel.bytes.get("cache") == 3000 and panel.bytes.get("downloads") == 5000)
    assert panel.findChild(QLabel, "storage.downloads-size").text() == "5 kB"
    button = panel.findChild(QPushButton, "storage.clear-downloads")
    button.click()
    assert (home / "data" / "MNIST" / "b.bin").exists()
    assert button.text() == "Delete all?"
    button.click()
    qtbot.waitUntil(lambda: panel.bytes["downloads"] == 0)
    assert list((home / "data").iterdir()) == []
    assert (home / "cache" / "a.bin").exists()
    assert not button.isEnabled()


def test_runs_are_not_cleared_here(window):
    assert window.panel("storage").findChild(QPushButton, "storage.clear-runs") is None
