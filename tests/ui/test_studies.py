"""A study handed out: saved from one window, opened in another home as it was; and the report of it."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

from guiapp.core.history import FIELDS
from guiapp.core.notices import NoticeBoard
from guiapp.core.paths import runs
from guiapp.core.picture import Origin, Picture
from guiapp.engine.engine import Engine
from guiapp.engine.study_file import Pinned, StudyFile
from guiapp.ui import report
from guiapp.ui.main_window import MainWindow


@pytest.fixture
def window(application, qtbot, settings, home):
    made = MainWindow(engine=Engine(NoticeBoard()), settings=settings)
    made.workspace.experiment = "lenet5"
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: made.bridge.look is not None)
    yield made
    told = [notice.text for notice in made.context.notices.notices if notice.level == "error"]
    made.close()
    made.deleteLater()
    assert not told


class Page(HTMLParser):
    """Texts by their element, and what the page would load."""

    def __init__(self):
        super().__init__()
        self.loads, self.texts, self._within = [], {}, []

    def handle_starttag(self, tag, attributes):
        self._within.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data):
        if self._within:
            self.texts.setdefault(self._within[-1], []).append(data)


def test_a_study_opens_as_it_was_and_its_report_tells_what_is_seen(window, qtbot, tmp_path, monkeypatch):
    engine, workspace, bridge = window.engine, window.workspace, window.bridge
    engine.start(until=4)
    qtbot.waitUntil(lambda: bridge.state.phase == "paused" and bridge.state.step == 4)
    opened = bridge.state.opened
    sample = opened.dataset.picture("test", 5)
    workspace.picture, workspace.sample = sample, ("test", 5)
    workspace.layer, workspace.unit, workspace.class_index = "conv2", 7, 3
    workspace.switched_off = {"conv1": frozenset({1})}
    window.use_layout("look-inside")
    qtbot.waitUntil(lambda: bridge.look.picture is sample and bridge.look.modified)
    answer = bridge.look.prediction.probabilities
    window.pin("viewer")
    wanted = {name: getattr(workspace, name) for name in FIELDS[1:]}
    job = window.studies.save(tmp_path / "for the class")
    written = report.save(window, tmp_path / "report")
    qtbot.waitUntil(lambda: job.ended and written.ended)
    path = tmp_path / "for the class.vexstudy"
    assert job.result == path and written.result == tmp_path / "report.html"

    page = Page()
    page.feed(written.result.read_text())
    assert page.loads and all(load.startswith("data:image/png;base64,") for load in page.loads)
    assert {"Answer", "Picture", "Viewer", "Viewer (pinned)", "Recipe", "Versions"} <= set(page.texts["h2"])
    assert {"Optimiser", "Optimiser: rate"} <= set(page.texts["td"]) and "Optimiser: beta 1" not in page.texts["td"]
    best = int(answer.argmax())
    assert page.texts["td"][:2] == [opened.labels[best], f"{answer[best]:.4f}"]
    assert any("conv2, channel 7" in text and "1 channel off" in text for text in page.texts["figcaption"])

    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "another machine"))
    window.panel("pinned").clear()
    window.use_layout("train")
    window.open_experiment("mlp")
    qtbot.waitUntil(lambda: bridge.state.opened is not None and bridge.state.opened.experiment.id == "mlp")
    assert workspace.layer != "conv2"
    window.files.open([path])
    qtbot.waitUntil(lambda: bridge.state.opened.experiment.id == "lenet5" and workspace.layer == "conv2")
    assert bridge.state.run.parent == runs() and "another machine" in str(runs())
    assert (bridge.state.phase, bridge.state.step) == ("paused", 4) and window.layout_id == "look-inside"
    assert {name: getattr(workspace, name) for name in FIELDS[1:]} == wanted
    assert (workspace.picture.sample == sample.sample).all() if sample.sample is not None else True
    assert (workspace.picture.pixels == sample.pixels).all() and workspace.picture.label == sample.label
    qtbot.waitUntil(
        lambda: bridge.look is not None and bridge.look.picture is workspace.picture and bridge.look.modified
    )
    assert bridge.look.prediction.probabilities == pytest.approx(answer, abs=1e-6)
    (pin,) = window.panel("pinned").pins
    assert pin.title == "Viewer" and "conv2, channel 7" in pin.lines
    assert re.search(r"\(\d+ [kM]B\)", " ".join(n.text for n in window.context.notices.notices))
    engine.start(until=6)
    qtbot.waitUntil(lambda: bridge.state.step == 6)


def test_a_report_escapes_what_it_tells():
    made = report.Report(
        "<script>alert(1)</script>", report.datetime.datetime(2026, 1, 2), {"A & B": {"x<y": "\"quoted\" 'too'"}},
        [["class", "score"], ["<img src=x onerror=alert(1)>", "0.5"]], (),
    )  # fmt: skip
    text = report.to_html(made)
    page = Page()
    page.feed(text)
    assert page.loads == [] and "<script" not in text
    assert page.texts["title"] == ["<script>alert(1)</script>"]
    assert page.texts["td"] == ["<img src=x onerror=alert(1)>", "0.5", "x<y", "\"quoted\" 'too'"]


def test_a_study_whose_data_set_is_missing_shows_its_picture_and_pinned_views(make_window, tmp_path):
    window = make_window()
    picture = Picture(np.full((8, 8, 3), 90, np.uint8), Origin("file", "seven"))
    values = {**dict.fromkeys(FIELDS), "picture": picture, "samples": (("test", 3),), "switched_off": {}, "boosted": {}}
    red = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(red, "PNG")
    pins = [Pinned("Filters", ("conv1",), "2026-01-01T10:00:00", red.getvalue(), "experiment", "lenet5", values)]
    window.studies._show(
        StudyFile(
            "LeNet-5", "experiment", "lenet5", selection=values, pins=pins, samples=[picture], sample_names=["seven"]
        ),
        tmp_path / "s.vexstudy",
    )
    assert window.workspace.picture is None, "the network comes first"
    window.context.notices.post("error", "MNIST is not on this machine: fetch it")
    QApplication.processEvents()
    assert window.workspace.picture is picture and window.panel("pinned").isVisible()
    told = window.context.notices.notices[-1].text
    assert told.startswith("The network of s.vexstudy cannot be opened: MNIST is not on this machine")
    assert told.endswith("Shown without it: its picture, its chosen samples and its pinned view.")
    group = window.panel("pinned").pins[1]
    assert group.title == "1 chosen sample" and group.image.pixelColor(36, 36).getRgb()[:3] == (90, 90, 90)
    below = [group.image.pixelColor(x, y).alpha() for y in range(73, group.image.height()) for x in range(72)]
    assert max(below) > 200, "the name of its class stands below"
    window.workspace.picture = None
    window.context.notices.post("error", "another one")
    QApplication.processEvents()
    assert window.workspace.picture is None, "what fails later is no matter of the study"
