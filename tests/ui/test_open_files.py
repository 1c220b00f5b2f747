"""Pictures, folders, runs and weights by drop, clipboard and command."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QPushButton

from guiapp.ui.open_files import kind_of, run_of
from tests.ui.conftest import settle
from tests.ui.runs import write_run


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "red.png"
    Image.fromarray(np.full((5, 7, 3), (255, 0, 0), np.uint8)).save(path)
    return path


def drop(window, *paths):
    """Drag files over the window and let go; return whether the window took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    button, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(400, 300), copy, data, button, keys))
    event = QDropEvent(QPointF(400, 300), copy, data, button, keys)
    event.setAccepted(False)
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def test_a_dropped_picture_is_looked_at(window, picture, qtbot):
    window.workspace.sample = ("validation", 0)
    assert drop(window, picture)
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    shown = window.workspace.picture
    assert window.workspace.sample is None, "no sample is marked any more"
    assert shown.size == (7, 5) and shown.origin.path == picture
    assert (shown.pixels == (255, 0, 0)).all()


def test_a_dropped_folder_is_looked_through_from_its_first_picture(window, tmp_path, qtbot):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.fromarray(np.full((4, 4, 3), number, np.uint8)).save(folder / f"img{number}.png")
    drop(window, folder)
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    assert window.workspace.picture.origin.name == "img0.png"
    source = window.panel("source")
    assert source.mode == "files"
    view = source.files.view
    qtbot.waitUntil(lambda: view.model().rowCount() == 12)
    view.setCurrentIndex(view.model().index(10, 0))
    qtbot.waitUntil(lambda: window.workspace.picture.origin.name == "img10.png")
    assert window.workspace.picture.origin.index == 10
    assert int(window.workspace.picture.pixels[0, 0, 0]) == 10


def test_several_pictures_open_the_first_and_offer_exactly_the_others(window, tmp_path, qtbot):
    names = [tmp_path / f"{n}.png" for n in "abc"]
    for name in names:
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(name)
    drop(window, names[1], names[2])
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    assert window.workspace.picture.origin.name == "b.png"
    source = window.panel("source")
    assert source.mode == "files" and source.files.count.text() == "2 pictures"
    view = source.files.view
    assert view.model().rowCount() == 2
    view.setCurrentIndex(view.model().index(1, 0))
    qtbot.waitUntil(lambda: window.workspace.picture.origin.name == "c.png")


def test_what_was_left_out_of_a_drop_is_told(window, picture, tmp_path, qtbot):
    (tmp_path / "notes.txt").write_text("x")
    drop(window, picture, tmp_path / "notes.txt")
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    settle()
    assert window.notices.shown.text.startswith("1 of 2 opened: red.png")


def test_a_failure_leaves_the_bar_when_a_later_picture_opens_and_stays_in_the_history(window, picture, tmp_path, qtbot):
    (tmp_path / "fake.jpg").write_text("hello")
    drop(window, tmp_path / "fake.jpg")
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    drop(window, picture)
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    settle()
    assert window.notices.shown is None
    assert "fake.jpg" in window.context.notices.notices[0].text
    window.context.notices.post("error", "the run failed")
    drop(window, picture)
    qtbot.wait(50)
    settle()
    assert window.notices.shown.text == "the run failed", "another kind of failure stays"


def test_a_run_folder_and_weights_inside_it_open_the_run(window, tmp_path):
    run = write_run(tmp_path, "run")
    inner = run / "checkpoints" / "5"
    inner.mkdir(parents=True)
    weights = inner / "model.safetensors"
    weights.write_bytes(b"")
    drop(window, run)
    drop(window, weights)
    assert window.engine.asked[-2:] == [("run", run), ("run", run)]


@pytest.mark.parametrize(("name", "said"), [("notes.txt", "neither"), ("gone.png", "not there")])
def test_what_cannot_be_opened_is_told(window, tmp_path, name, said):
    if name != "gone.png":
        (tmp_path / name).write_bytes(b"x")
    drop(window, tmp_path / name)
    settle()
    assert said in window.notices.shown.text


def test_a_file_that_holds_no_network_is_told_in_the_panel_for_ones_own(window, tmp_path, qtbot):
    (tmp_path / "w.safetensors").write_bytes(b"x")
    drop(window, tmp_path / "w.safetensors")
    own = window.panel("own")
    qtbot.waitUntil(lambda: "cannot be read as safetensors" in own.about.text())
    assert not window.docks["own"].isHidden() and own.name.text() == "w.safetensors"


def test_a_broken_picture_is_one_line(window, tmp_path, qtbot):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    drop(window, tmp_path / "broken.png")
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    assert window.notices.shown.level == "error" and "broken.png" in window.notices.shown.text
    assert window.workspace.picture is None
    settle()
    assert len(window.context.notices.notices) == 1, "told once"


def test_an_empty_folder_is_told(window, tmp_path, qtbot):
    (tmp_path / "none").mkdir()
    drop(window, tmp_path / "none")
    qtbot.waitUntil(lambda: window.notices.shown is not None)
    assert "holds no pictures" in window.notices.shown.text
    files = window.panel("source").files
    qtbot.waitUntil(files.empty.isVisible)
    assert files.count.text() == "", "nothing is being listed any more"
    assert files.empty.findChild(QPushButton, "source.choose-folder").isVisible()
    assert len(window.context.notices.notices) == 1


def test_paste_takes_pixels(window, qtbot):
    image = QImage(3, 2, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.green)
    QGuiApplication.clipboard().setImage(image)
    window.commands["file.paste"].trigger()
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    assert window.workspace.picture.origin.kind == "clipboard"
    assert window.workspace.picture.size == (3, 2)
    assert window.workspace.picture.pixels[0, 0].tolist() == [0, 255, 0]


def test_an_empty_clipboard_is_told(window):
    QGuiApplication.clipboard().clear()
    window.commands["file.paste"].trigger()
    settle()
    assert "clipboard" in window.notices.shown.text


def test_kinds(tmp_path, picture):
    run = write_run(tmp_path, "run")
    assert kind_of(picture) == "picture"
    assert kind_of(tmp_path / "run") == "run" == kind_of(run / "run.json")
    assert run_of(run / "checkpoints" / "5" / "w") == run
    assert kind_of(tmp_path / "nowhere") == "missing"
    recipe = tmp_path / "mine.recipe.json"
    recipe.write_text("{}")
    assert kind_of(recipe) == "recipe"


def test_a_table_of_labels_is_the_data_set_of_the_open_experiment(window, tmp_path, monkeypatch):
    table = tmp_path / "labels.CSV"
    table.write_text("file,label\n")
    asked = []
    monkeypatch.setattr(window.engine, "configure", asked.append)
    drop(window, table)
    assert kind_of(table) == "table" and asked == [{"dataset": str(table)}]


def test_the_picture_of_the_window_is_saved(window, tmp_path):
    window.files.save_window(tmp_path / "window.png")
    with Image.open(tmp_path / "window.png") as saved:
        assert saved.size == (window.width(), window.height())
    window.files.save_window(tmp_path / "no" / "window.png")
    settle()
    assert "cannot be written" in window.notices.shown.text


def test_thumbnails_of_ten_thousand_files_are_read_only_where_seen(window, tmp_path, qtbot):
    folder = tmp_path / "many"
    folder.mkdir()
    first = folder / "0.png"
    Image.fromarray(np.full((4, 4, 3), 200, np.uint8)).save(first)
    content = first.read_bytes()
    for number in range(1, 10_000):
        (folder / f"{number}.png").write_bytes(content)
    drop(window, folder)
    qtbot.waitUntil(lambda: window.workspace.picture is not None)
    files = window.panel("source").files
    qtbot.waitUntil(lambda: files.view.model().rowCount() == 10_000, timeout=60_000)
    files.view.scrollToBottom()
    qtbot.waitUntil(lambda: files._loader.thumbnail(folder / "9999.png") is not None, timeout=60_000)
    assert len(files._loader._ready) < 500
    assert files._loader.waiting < 300


def test_a_thumbnail_that_cannot_be_read_has_a_reason(window, tmp_path, qtbot):
    from guiapp.ui.widgets.thumbnails import ThumbnailLoader

    (tmp_path / "bad.png").write_bytes(b"no picture")
    loader = ThumbnailLoader(64, window)
    with qtbot.waitSignal(loader.loaded):
        assert loader.thumbnail(tmp_path / "bad.png") is None
    assert "bad.png" in loader.thumbnail(tmp_path / "bad.png")
    before = threading.active_count()
    loader.close()
    assert loader.thumbnail(tmp_path / "other.png") is None
    assert threading.active_count() <= before


def test_drag_over_the_window_is_accepted_for_files_alone(window, picture):
    def enter(data):
        event = QDragEnterEvent(
            QPoint(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        event.setAccepted(False)
        QApplication.sendEvent(window, event)
        return event.isAccepted()

    files, text = QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(picture))])
    text.setText("hello")
    assert enter(files)
    assert not enter(text)


def test_videos_addresses_and_cameras_go_to_the_live_room(window, tmp_path, monkeypatch):
    video = tmp_path / "Street.MP4"
    video.write_bytes(b"not looked into")
    assert kind_of(video) == "video"
    asked = []
    monkeypatch.setattr(window.panel("live"), "open_source", asked.append)
    window.files.open([video])
    for text in ("camera:0", "screen:0,0,64,48", "rtsp://host/stream", str(video)):
        window.files.open_text(text)
    assert asked == [str(video), "camera:0", "screen:0,0,64,48", "rtsp://host/stream", str(video)]
    assert window.layout_id == "live"
