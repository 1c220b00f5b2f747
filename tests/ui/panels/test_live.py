"""The Live room in a whole window: a video that the test writes, a stream that it feeds, networks that it makes."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from torch import nn

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.engine.engine import Engine
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.candidates import Candidates
from guiapp.sources import open as opening
from guiapp.sources.live import LiveSource
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panels.live_transport import clock
from tests.ui.conftest import show

DETECTOR, OTHER = "ssdlite320_mobilenet_v3_large", "ssd300_vgg16"
WIDTH, HEIGHT, FRAMES = 160, 120, 40
BOXES = torch.tensor([[20.0, 30, 60, 90], [21, 30, 61, 90], [100, 40, 140, 80]])
SCORES = torch.tensor([0.9, 0.8, 0.3])


class Detector(nn.Module):
    """A person twice over and a weak dog; counts its runs."""

    def __init__(self):
        super().__init__()
        self.runs = 0

    def candidates(self, inputs, keep):
        self.runs += 1
        return Candidates(BOXES, SCORES, torch.tensor([1, 1, 2]), (HEIGHT, WIDTH), anchors=BOXES + 3)


class QuietEngine(Engine):
    """Opens no experiment: the tests are about the live lane."""

    def open_experiment(self, name, settings=None):
        pass


class Hose(LiveSource):
    """A stream that gives what the test puts in, and hangs up and comes back when the test says so."""

    kind = "stream"

    def __init__(self, text):
        super().__init__("hose")
        self.lost = self.tried = 0

    def _read(self):
        while not self._stopped():
            self._rest(0.02)

    def give(self, value=50):
        self._publish(np.full((HEIGHT, WIDTH, 3), value, np.uint8))
        self._say("playing")

    def hang_up(self):
        self._say("waiting", "hose: it hung up; next try in 1 s")

    def retry(self):
        self.tried += 1


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "street.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for index in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), 5 * index, np.uint8))
    writer.release()
    return path


@pytest.fixture
def room(application, qtbot, settings):
    """A window with the Live layout, whose networks are made by ``detector`` (``real`` ones by the zoo)."""
    before = set(threading.enumerate())
    window = MainWindow(engine=QuietEngine(), settings=settings)
    lane, detector, opened = window.engine.live, Detector(), []
    real = lane._opener

    def opener(name, weights, device, progress):
        opened.append((name, weights))
        if name not in (DETECTOR, OTHER):
            return real(name, weights, "cpu", progress)
        progress(0.25, "fetching the weights")
        if weights == "broken":
            raise UserError("the weights are damaged: fetch them again")
        return SimpleNamespace(
            entry=ZOO[name], weights=ZOO[name].best, module=detector, device="cpu", note="", flaws="",
            labels=("__background__", "person", "dog", "N/A"), origin="random" if weights == "random" else "published",
            prepare=lambda pixels, device: [torch.zeros(3, HEIGHT, WIDTH)],
        )  # fmt: skip

    lane._opener = opener
    window.resize(1280, 800)
    window.use_layout("live")
    show(window, qtbot)
    panel = window.panel("live")
    qtbot.waitUntil(lambda: bool(panel.models.found))
    yield SimpleNamespace(window=window, panel=panel, lane=lane, detector=detector, opened=opened, bot=qtbot)
    window.close()
    left = {t for t in threading.enumerate() if t.is_alive()} - before
    window.deleteLater()
    assert not [t.name for t in left if t.name == "live" or t.name.startswith(("source", "live source"))]


@pytest.fixture
def hose(room, monkeypatch):
    made = []

    def open_live(text, **_options):
        made.append(Hose(text))
        return made[-1]

    monkeypatch.setattr(opening, "open_live", open_live)
    field = room.window.findChild(QLineEdit, "live.address")
    field.setText("http://camera.example/stream")
    QTest.keyClick(field, Qt.Key.Key_Return)
    return made


def answer(room, name=DETECTOR, weights="best"):
    """Open a network and wait for its answer to a picture that is shown."""
    room.panel.models.wanted.emit(name, weights)
    room.bot.waitUntil(lambda: room.panel.image.result is not None and room.panel.image.result.model is ZOO[name])


def button(room, name):
    return room.window.findChild(QPushButton, name)


def index(room):
    return room.panel.feed.source.index


def at(room, x, y):
    """A pixel of the picture in the widget."""
    image = room.panel.image
    return (QPointF(x, y) * image.scale + image._offset).toPoint()


def test_empty_it_says_what_to_do_with_the_buttons_that_do_it(room):
    panel = room.panel
    assert panel.empty.isVisible() and "drop a video" in panel.empty.text.text()
    assert button(room, "live.empty-video").isVisible() and not panel.transport.seek.isVisible()
    assert not panel.models.weights.isVisible()  # no network, no weights of it
    assert not room.window.commands["live.play"].isEnabled()
    button(
        room, "live.empty-walk"
    ).click()  # with nothing on this machine there are people who walk, and what finds them
    room.bot.waitUntil(lambda: panel.image.result is not None and panel.feed.kind == "video")
    assert room.opened[0][0] == "hog-person"


def test_a_video_plays_pauses_steps_seeks_and_loops(room, video):
    panel, commands = room.panel, room.window.commands
    panel.open_source(str(video))
    room.bot.waitUntil(lambda: panel.image.array is not None and index(room) > 2)
    assert panel.image.image_size == (WIDTH, HEIGHT)
    commands["live.play"].trigger()
    room.bot.waitUntil(lambda: panel.feed.source.state == "paused")
    here = index(room)
    commands["live.frame-on"].trigger()
    room.bot.waitUntil(lambda: index(room) == here + 1)
    commands["live.frame-back"].trigger()
    commands["live.frame-back"].trigger()
    room.bot.waitUntil(lambda: index(room) == here - 1)
    assert commands["live.play"].text() == "Play"
    seek = panel.transport.seek
    room.bot.waitUntil(lambda: seek.maximum() == FRAMES - 1)
    QTest.mouseClick(seek, Qt.MouseButton.LeftButton, pos=QPoint(round(seek.x_of(30)), 10))
    room.bot.waitUntil(lambda: index(room) == 30 and abs(int(panel.image.array[0, 0, 0]) - 150) < 4)
    room.bot.waitUntil(lambda: panel.transport.time.text() == "0:01.2 / 0:01.6")
    commands["live.loop"].trigger()
    commands["live.play"].trigger()
    room.bot.waitUntil(lambda: index(room) < 20)
    assert panel.feed.source.state == "playing"


def test_the_time_of_a_video():
    assert [clock(s) for s in (0, 9.96, 62.4, 3722.4)] == ["0:00.0", "0:10.0", "1:02.4", "1:02:02.4"]


def test_a_picture_file_gets_boxes_and_thresholds_act_without_the_network(room, tmp_path):
    panel = room.panel
    cv2.imwrite(str(tmp_path / "dog.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    panel.open_source(str(tmp_path / "dog.png"))
    answer(room)
    assert panel.image.result.drawn.labels[1] == "person" and panel.count.text() == "1 object"
    panel.shown.sliders["score"].setValue(20)
    room.bot.waitUntil(lambda: panel.count.text() == "2 objects")
    panel.shown.sliders["iou"].setValue(100)
    room.bot.waitUntil(lambda: panel.count.text() == "3 objects")
    panel.shown.sliders["top"].setValue(0)
    room.bot.waitUntil(lambda: panel.count.text() == "1 object")
    panel.shown.sliders["top"].setValue(9)
    panel.shown.sliders["iou"].setValue(50)
    panel.shown.checks["suppressed"].setChecked(True)
    panel.shown.checks["proposals"].setChecked(True)
    room.bot.waitUntil(lambda: panel.image.result.drawn.proposals is not None)
    assert len(panel.image.result.drawn.suppressed) == 1 and panel.image.layer.look.suppressed
    QTest.mouseClick(panel.shown.classes_button, Qt.MouseButton.LeftButton)
    from guiapp.ui.panels.live_shown import ClassesCard

    card = room.window.findChild(ClassesCard)
    assert [card.list.item(row).text() for row in range(card.list.count())] == ["dog", "person"]
    card.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    room.bot.waitUntil(lambda: panel.image.result.drawn.classes.tolist() == [2])
    assert panel.shown.classes_button.text() == "only dog"
    card.dismiss()
    assert room.detector.runs == 1


def test_hover_tells_and_a_click_zooms_and_follows(room, hose):
    panel = room.panel
    hose[0].give()
    answer(room)
    QTest.mouseMove(panel.image, at(room, 30, 50))
    assert "person 0.90" in panel.image.value_text(30, 50) and "40 × 60 px" in panel.image.value_text(30, 50)
    assert panel.image.layer.look.marked == 0
    QTest.mouseMove(panel.image, at(room, 80, 10))
    assert panel.image.layer.look.marked is None
    before = panel.image.scale
    QTest.mouseClick(panel.image, Qt.MouseButton.LeftButton, pos=at(room, 30, 50))
    assert panel.image.scale > before and panel.image.chosen[0] == 1
    result = panel.image.result
    hose[0].give(60)
    room.bot.waitUntil(lambda: panel.image.result is not result)
    assert panel.image.chosen == (1, (20, 30, 60, 90)), "it is found again in the next picture"
    QTest.keyClick(panel, Qt.Key.Key_Escape)
    assert panel.image.chosen is None and panel.image.fitted


def test_a_stream_that_hangs_up_keeps_its_picture_and_says_so(room, hose):
    panel = room.panel
    assert panel.opening.isVisible() and "hose" in panel.opening.text.text()
    hose[0].give(77)
    room.bot.waitUntil(panel.image.isVisible)
    hose[0].hang_up()
    room.bot.waitUntil(panel.retry.isVisible)
    assert "it hung up" in panel.line.text() and panel.image.array[0, 0, 0] == 77
    QTest.mouseClick(panel.retry, Qt.MouseButton.LeftButton)
    assert hose[0].tried == 1
    hose[0].give(78)
    room.bot.waitUntil(lambda: not panel.retry.isVisible() and panel.image.array[0, 0, 0] == 78)
    assert panel.transport.freeze.isEnabled() and not panel.transport.seek.isVisible()
    room.window.commands["live.freeze"].trigger()
    assert hose[0].frozen
    room.window.commands["live.close"].trigger()
    room.bot.waitUntil(lambda: hose[0]._stopped() and panel.empty.isVisible())


def test_switching_networks_shows_no_answer_of_the_one_before(room, hose):
    panel = room.panel
    hose[0].give()
    answer(room, DETECTOR)
    answer(room, OTHER, "random")
    assert panel.image.layers[-1].text.startswith("random weights")
    flawed = replace(room.lane.newest, weights="own", flaws="1 of 3 tensors hold values that are NaN")
    panel._show_live_state(flawed)
    assert panel.image.layers[-1].text.startswith("weights with NaN")
    answer(room, DETECTOR)
    assert len(panel.image.layers) == 1 and [name for name, _ in room.opened] == [DETECTOR, OTHER, DETECTOR]
    QTest.mouseClick(button(room, "live.stop-model"), Qt.MouseButton.LeftButton)
    room.bot.waitUntil(lambda: room.lane.newest.phase == "empty" and panel.image.layers == ())
    assert panel.image.array is not None, "the picture goes on without a network"


def test_a_network_that_is_not_here_is_asked_about_and_one_that_fails_says_why(room):
    panel = room.panel
    panel.models.search.setText("ssdlite")
    row = panel.models._rows[DETECTOR]
    assert not row.isHidden() and panel.models._rows["alexnet"].isHidden()
    panel.models.tree.itemClicked.emit(row, 0)
    panel.models.choose(DETECTOR)
    best = ZOO[DETECTOR].best
    assert room.opened == [], "it is not fetched before the button is pressed"
    for part in (best.file, "14 MB", best.licence, "download.pytorch.org"):
        assert part in panel.models.about.text()
    assert button(room, "live.open-model").text() == "Download 14 MB and open"
    panel.models.wanted.emit(DETECTOR, "broken")
    room.bot.waitUntil(lambda: "damaged" in panel.models.about.text())
    assert panel.models.about.property("error") and button(room, "live.open-model").isVisible()


def test_a_real_network_with_random_weights_runs_the_whole_path(room, video):
    panel = room.panel
    panel.open_source(str(video))
    panel.models.choose("shufflenet_v2_x0_5")
    QTest.mouseClick(button(room, "live.random"), Qt.MouseButton.LeftButton)
    room.bot.waitUntil(lambda: panel.image.result is not None)
    assert len(panel.image.result.drawn.probabilities) == 1000
    assert set(panel.image.result.milliseconds) == {"preprocess", "forward", "postprocess"}
    room.bot.waitUntil(lambda: panel.meter.values["forward"].text() != "–")
    assert panel.meter.device.text() == "CPU" and "random weights" in panel.image.layers[-1].text
    assert panel.shown.sliders["bars"].isVisible() and not panel.shown.sliders["score"].isVisible()


def test_a_hidden_panel_does_no_work(room, video):
    panel = room.panel
    panel.open_source(str(video))
    room.window.commands["live.loop"].trigger()
    answer(room)
    room.window.use_layout("train")
    room.bot.waitUntil(lambda: panel.feed.source.state == "paused")
    room.bot.wait(200)
    runs, frames = room.detector.runs, panel.feed.source.frames
    room.bot.wait(200)
    assert (room.detector.runs, panel.feed.source.frames) == (runs, frames)
    room.window.use_layout("live")
    room.bot.waitUntil(lambda: room.detector.runs > runs and panel.feed.source.state == "playing")


def test_a_hidden_stream_is_closed_and_opened_again(room, hose):
    hose[0].give()
    room.bot.waitUntil(room.panel.image.isVisible)
    room.window.use_layout("train")
    room.bot.waitUntil(hose[0]._stopped)
    room.window.use_layout("live")
    assert len(hose) == 2 and room.panel.feed.source is hose[1]
    assert room.panel.image.isVisible(), "the last picture stays meanwhile"


def test_dropping_a_video_opens_it_here_and_a_picture_stays_where_its_room_is(room, video):
    room.window.use_layout("train")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(video))])
    assert room.window.files.take(data)
    assert room.window.layout_id == "live" and room.panel.feed.kind == "video"
    picture = Picture(np.zeros((9, 9, 3), np.uint8), Origin("file", "dot.png"))
    assert room.window.files.elsewhere(picture) and room.panel.feed.still is picture
    room.window.use_layout("train")
    assert not room.window.files.elsewhere(picture), "there the viewer takes it"


def test_what_cannot_be_opened_is_told_in_one_line_and_what_was_open_stays(room, video, tmp_path):
    room.panel.open_source(str(video))
    source = room.panel.feed.source
    room.panel.open_source(str(tmp_path / "nowhere.mp4"))
    assert "nowhere.mp4" in room.window.context.notices.notices[-1].text
    assert room.panel.feed.source is source
    (tmp_path / "noise.mp4").write_bytes(b"no video" * 99)
    room.panel.open_source(str(tmp_path / "noise.mp4"))
    room.bot.waitUntil(lambda: room.panel.empty.isVisible() and "noise.mp4" in room.panel.empty.text.text())
    assert room.panel.line.text() == "", "not said twice"


def test_cameras_are_listed_by_name_each_time_the_list_opens(room, hose, monkeypatch):
    from guiapp.sources import camera

    menu = room.panel.sources.camera.menu()
    for present, titles in (
        ([camera.Camera(2, "Desk cam")], ["Desk cam"]),
        ([], ["No camera is plugged in"]),
        (None, ["Camera 0", "Camera 1", "Camera 2", "Camera 3"]),
    ):
        monkeypatch.setattr(camera, "list_cameras", lambda p=present: p)
        menu.aboutToShow.emit()
        assert [action.text() for action in menu.actions()] == titles
    menu.actions()[2].trigger()
    assert room.panel.feed.text == "camera:2" and room.panel.feed.source is hose[-1]


def test_a_snapshot_holds_what_is_painted(room, hose, tmp_path):
    panel = room.panel
    hose[0].give(50)
    answer(room)
    panel.snapshot.save(tmp_path / "shot.png")
    room.bot.waitUntil(lambda: "is saved" in "".join(n.text for n in room.window.context.notices.notices))
    saved = cv2.imread(str(tmp_path / "shot.png"))
    assert saved.shape == (HEIGHT, WIDTH, 3) and (saved[110] == 50).all() and (saved[60, 20] != 50).any()


def test_in_a_narrow_place_nothing_is_cut_off(room, video):
    room.window.use_layout("train")
    room.window.show_panel("live")
    panel = room.panel
    panel.open_source(str(video))
    room.bot.waitUntil(panel.image.isVisible)
    room.bot.waitUntil(lambda: panel.width() < 900 and not panel.transport.speed.isVisible())
    for part in (panel.sources, panel.transport, panel.meter):
        assert part.width() >= part.layout().minimumSize().width()
    tree, rows = panel.models.tree, panel.models._rows
    room_of_names = tree.columnWidth(0) - 2 * tree.indentation() - 6
    cut = tree.fontMetrics().elidedText
    for family in ("fasterrcnn", "maskrcnn", "retinanet", "deeplabv3"):  # none looks like another one
        names = [row.text(0) for name, row in rows.items() if name.startswith(family)]
        assert len(names) > 1 and len({cut(t, Qt.TextElideMode.ElideRight, room_of_names) for t in names}) == len(names)
    inside = panel.run_box.parentWidget()
    panel.run_box.setMinimumWidth(inside.width() + 20)  # as another network has wider options
    room.bot.waitUntil(lambda: inside.parentWidget().width() >= inside.minimumSizeHint().width() >= 20)
    panel.run_box.setMinimumWidth(0)
    room.window.use_layout("live")
    room.bot.waitUntil(panel.transport.speed.isVisible)
    assert rows[DETECTOR].text(3)
    tree.setFixedWidth(600)
    room.bot.waitUntil(lambda: rows[DETECTOR].text(0) == ZOO[DETECTOR].title)


def test_training_leaves_the_live_network_a_share(room):
    bridge = room.window.bridge

    bridge.state_changed.emit(replace(bridge.state, phase="running"))
    assert room.lane.pause == 0.1
    bridge.state_changed.emit(replace(bridge.state, phase="paused"))
    assert room.lane.pause == 0.0
