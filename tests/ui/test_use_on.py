"""Runs and files of one's own in the live room: Use on …, weights by set, by file and by drop, timm by search."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QToolButton

from guiapp.cli import main
from guiapp.core import paths
from guiapp.engine.engine import Engine
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.weights import Here
from guiapp.tasks.predictions import ClassScores
from guiapp.ui.main_window import MainWindow
from guiapp.ui.panels import live_models
from tests.ui.conftest import show

SMALL = "shufflenet_v2_x0_5"


class QuietEngine(Engine):
    """Opens no experiment by itself."""

    def open_experiment(self, name, settings=None):
        pass


@pytest.fixture
def window(application, qtbot, settings, tmp_path):
    run = paths.runs() / "mine"
    words = ["train", "softmax-classifier", "--epochs", "1", "--device", "cpu", "--run-dir", str(run)]
    paths.runs().mkdir(parents=True)
    assert main(words) == 0
    made = MainWindow(engine=QuietEngine(), settings=settings)
    made.resize(1280, 800)
    show(made, qtbot)
    yield SimpleNamespace(window=made, run=run, bot=qtbot, tmp=tmp_path)
    made.close()
    made.deleteLater()


def test_a_chosen_run_on_a_folder_and_a_video_and_weights_that_do_not_fit_take_nothing_away(window, monkeypatch):
    main_window, bot = window.window, window.bot
    album = window.tmp / "album"
    album.mkdir()
    one = np.full((90, 70, 3), 250, np.uint8)
    one[10:80, 30:40] = 10
    cv2.imwrite(str(album / "one.png"), one)
    runs = main_window.show_panel("runs")
    for name in ("runs.use-on", "training.use-on"):
        assert len(main_window.findChild(QToolButton, name).menu().actions()) == 3
    bot.waitUntil(lambda: len(runs._model.runs) == 1)
    use = main_window.rooms.use_on
    assert use.network == "", "nothing is open and nothing chosen"
    runs.choose({window.run})
    assert use.network == str(window.run)
    monkeypatch.setattr("guiapp.ui.use_on.QFileDialog.getExistingDirectory", lambda *_: str(album))
    use.on_folder()
    panel = main_window.panel("live")
    assert panel.isVisible()
    bot.waitUntil(lambda: panel.image.result is not None)
    drawn = panel.image.result.drawn
    assert isinstance(drawn, ClassScores) and drawn.labels == tuple("0123456789")
    bot.waitUntil(lambda: panel.models.chosen is not None and panel.models.chosen.name == str(window.run))
    assert panel.models._rows[str(window.run)].parent().text(0).startswith("Trained here")
    assert "trained here, mine" in panel.models.about.text()
    assert not panel.models.weights.isVisible() and not panel.models.random_button.isVisible()

    # Another network, then weights that belong to none: the panel names the keys, the network stays and goes on.
    panel.models.choose(SMALL)
    panel.models.wanted.emit(SMALL, "random")
    lane = main_window.engine.live
    bot.waitUntil(lambda: lane.newest.phase == "ready" and lane.newest.model is ZOO[SMALL])
    bad = window.tmp / "bad.pth"
    torch.save({"fc.weight": torch.zeros(2, 2), "mine.bias": torch.zeros(1)}, bad)
    main_window.files.open([bad])
    own = main_window.panel("own")
    bot.waitUntil(lambda: "does not fit" in own.about.text())
    assert "1 not in the network (mine.bias)" in own.about.text() and "missing" in own.about.text()
    bot.waitUntil(lambda: lane.newest.phase == "ready")
    assert lane.newest.model is ZOO[SMALL] and lane.newest.weights == "random"
    bot.waitUntil(lambda: panel.image.result is not None and panel.image.result.model is ZOO[SMALL])


def test_weights_are_chosen_and_timm_is_searched(window, monkeypatch):
    main_window, bot = window.window, window.bot
    main_window.use_layout("live")
    panel = main_window.show_panel("live")
    models = panel.models
    bot.waitUntil(lambda: bool(models.found))
    models.choose("resnet50")
    box = models.weights
    assert box.isVisible()
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == ["IMAGENET1K_V2 · 80.9 % top-1", "IMAGENET1K_V1 · 76.1 % top-1", "A file …"]
    for part in ("25.6 M parameters", "1000 classes of ImageNet", "103 MB", "licence BSD-3-Clause"):
        assert part in models.about.text()
    wanted = []
    models.wanted.connect(lambda *what: wanted.append(what))
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert wanted == [], "what is not here is asked about"
    assert "resnet50-0676ba61.pth" in models.about.text()
    assert models.title.text().endswith("76.1 % top-1")
    monkeypatch.setattr(panel._lane, "open_model", lambda *_: None)
    models.open_button.click()
    assert wanted == [("resnet50", "IMAGENET1K_V1")]

    def found(words):
        yield
        entries = [replace(ZOO["resnet18"], name=f"timm:{words}.{tag}", title=f"{words}.{tag}", family="timm")
                   for tag in ("a1", "b2")]  # fmt: skip
        return {entry.name: entry for entry in entries}, {entry.name: Here((), (), False) for entry in entries}

    monkeypatch.setattr(live_models, "list_timm", found)
    models.search.setText("timm: resnet18")
    bot.waitUntil(lambda: "timm:resnet18.a1" in models._rows)
    models.choose("timm:resnet18.a1")
    assert not models._rows["timm:resnet18.b2"].isHidden() and models._rows["resnet18"].isHidden()
    models.search.setText("timm vit")
    bot.waitUntil(lambda: "timm:vit.a1" in models._rows)
    assert "timm:resnet18.b2" not in models._rows and "timm:resnet18.a1" in models._rows, "the chosen one stays"
