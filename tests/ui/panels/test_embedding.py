"""The embedding panel on a small network: maps, colours, points, lasso, neighbours, and what moves with it."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from torch import nn

from guiapp.core.picture import Origin, Picture
from guiapp.engine.job import Job
from guiapp.engine.state import LookResult
from guiapp.interpret.base import Look
from guiapp.interpret.embedding import probe
from guiapp.interpret.layers import layer_list
from guiapp.models.base import Preprocessing
from guiapp.ui.panels.embedding import EmbeddingPanel
from guiapp.ui.widgets.sample_browser import SampleBrowser

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    made = nn.Sequential()
    made.add_module("conv", nn.Conv2d(1, 4, 5, stride=4))
    made.add_module("relu", nn.ReLU())
    made.add_module("flatten", nn.Flatten())
    made.add_module("plane", nn.Linear(4 * 36, 2))
    made.add_module("fc", nn.Linear(2, 10))
    return made.eval().requires_grad_(False)


class Desk:
    """Runs studies one turn of the event loop later, as the bridge would."""

    def __init__(self, context, kit, module):
        self.context, self.module, self.step = context, module, 0
        self.made, self.looked_at, self.held = 0, [], False
        preprocessing = Preprocessing((1, 28, 28), (0.1,), (0.3,))
        self.opened = kit.make_opened(layers=layer_list(module, (1, 28, 28)), preprocessing=preprocessing)
        context.bridge.study = self.study
        context.bridge.look_at = lambda picture, sample=None: self.looked_at.append((picture, sample))
        context.bridge.give(phase="ready", opened=self.opened)

    def study(self, panel, work, done, title, partly=None, failed=None, of=None):
        self.made += 1
        model = SimpleNamespace(
            module=self.module, origin="trained", device=torch.device("cpu"),
            entry=SimpleNamespace(task="classification"),
        )  # fmt: skip
        study = SimpleNamespace(
            model=model, inspected=self.opened, step=self.step, dataset=self.opened.dataset, picture=None
        )
        job = Job(work(study, partly or (lambda _found: None)), title)

        def run():
            if job.stopping or self.held:
                return
            job.run()
            if job.error is not None:
                failed(" ".join(str(job.error).split()))
            elif job.state == "done":
                done(job.result)

        QTimer.singleShot(0, panel, run)
        return job

    def look(self, panel, sample=("validation", 0)):
        """What the look lane answers for a sample."""
        picture = self.opened.dataset.picture(*sample)
        asked = panel.request()
        given = self.opened.preprocessing(picture.sample)
        layer = panel.shown.features.layer
        kept = {}
        value = given
        for name, part in self.module.named_children():
            value = kept[name] = part(value)
        look = Look(self.module, self.opened.layers, self.opened.preprocessing, picture=picture, input=given)
        look.output, look.activations = value, {layer: kept[layer]} if layer in kept else {}
        found = probe.run(look, asked.options)
        panel.show_look(LookResult(self.opened, 0, True, False, picture, None, None, {"embedding": found}))


@pytest.fixture
def desk(context, kit, module):
    return Desk(context, kit, module)


@pytest.fixture
def panel(context, desk, qtbot):
    made = EmbeddingPanel(context)
    qtbot.addWidget(made)
    made.resize(340, 560)
    made.show()
    qtbot.waitExposed(made)
    made.show_state(made.seen)
    qtbot.waitUntil(lambda: made.shown is not None and not made.run.running)
    return made


@pytest.fixture
def by_pca(panel, qtbot):
    again(panel, qtbot, lambda: panel.set_method("PCA"))
    assert "% of the variance" in panel.bar.words.text()
    return panel


def again(panel, qtbot, act):
    before = panel.shown
    act()
    qtbot.waitUntil(lambda: panel.shown is not before and not panel.run.running)


def test_every_validation_sample_is_a_point_in_the_colour_of_its_class(panel, desk, context):
    assert len(panel.plot.cloud) == 25 and panel.legend.names == tuple("0123456789")
    labels = desk.opened.dataset.validation.labels
    theme = context.theme
    assert [panel._colour_of(i) for i in range(25)] == [theme.class_colour(int(c), 10) for c in labels]


def test_a_report_tells_how_the_pictures_were_laid_out(panel):
    from guiapp.ui import report

    told = panel.told()
    assert told["layer"].startswith(panel.shown.features.layer) and told["points"] == str(len(panel.shown.xy))
    assert "placed in" not in report._settings(panel.request().options), "a whole map is no setting"
    assert {"method", "pictures", "colours", "map"} <= set(told)


def test_the_vectors_are_the_layers_output_and_the_plane_is_it_as_it_is(panel, desk, qtbot):
    assert panel.layer == "plane"  # what the classifier is given; it has two units
    assert panel.shown.method == "plane"
    images = desk.opened.dataset.validation.images
    expected = desk.module[:4](desk.opened.preprocessing(images)).numpy()
    assert np.allclose(panel.shown.xy, expected, atol=1e-5) and "itself" in panel.bar.words.text()
    output = desk.module(desk.opened.preprocessing(images)).softmax(1)
    assert np.array_equal(panel.shown.features.predicted, output.argmax(1).numpy())
    assert np.allclose(panel.shown.features.confidence, output.max(1).values.numpy(), atol=1e-6)


def test_a_panel_that_is_not_seen_computes_nothing_and_begins_anew_when_it_is(panel, desk, qtbot):
    shown, desk.held = panel.shown, True
    panel.set_method("UMAP")
    job = panel.run._job
    assert panel.run.running and not job.stopping
    panel.hide()
    assert not panel.run.running and job.stopping
    made = desk.made
    panel.maker.refresh()
    assert desk.made == made  # not while it is hidden
    desk.held = False
    panel.set_method("PCA")
    panel.show()
    panel.show_state(panel.seen)
    qtbot.waitUntil(lambda: panel.shown is not shown and not panel.run.running)
    assert panel.shown.method == "PCA" and panel.shown.features is shown.features


def test_a_map_on_its_way_lends_its_vectors_to_no_other_layer(panel, desk, qtbot):
    panel.set_method("PCA")
    qtbot.waitUntil(lambda: not panel.run.running)
    first, desk.held = panel.shown, True
    panel.controls.set_layer("conv")
    panel.maker.lay_out(by_hand=True)
    other = replace(first, features=replace(first.features, layer="conv"), final=False)
    panel._show_part(other)
    desk.held = False
    panel.controls.set_layer(first.features.layer)
    panel.maker.lay_out(by_hand=True)
    qtbot.waitUntil(lambda: not panel.run.running)
    assert panel.shown.features.layer == first.features.layer


def test_a_layer_that_is_chosen_elsewhere_is_laid_out(panel, desk, context, qtbot):
    again(panel, qtbot, lambda: setattr(context.workspace, "layer", "relu"))
    images = desk.opened.dataset.validation.images
    expected = desk.module[:2](desk.opened.preprocessing(images)).mean((2, 3)).numpy()
    assert panel.layer == "relu" and np.allclose(panel.shown.features.vectors, expected, atol=1e-5)


def test_another_method_needs_no_second_pass_of_the_network(panel, qtbot):
    features = panel.shown.features
    again(panel, qtbot, lambda: panel.set_method("t-SNE"))
    assert panel.shown.features is features and panel.shown.method == "t-SNE" and panel.plot.points.axes == ("", "")


def test_a_click_on_a_point_looks_at_its_picture(panel, desk):
    panel.plot.points.thumbnail = None
    spot = panel.plot._spot(7).toPoint()
    nearest = panel.plot.point_at(QPointF(spot))
    QTest.mouseClick(panel.plot, LEFT, pos=spot)
    picture, sample = desk.looked_at[0]
    assert sample == ("validation", nearest)
    assert np.array_equal(picture.sample, desk.opened.dataset.validation.images[nearest])


def test_a_sample_chosen_elsewhere_is_ringed(panel, context):
    context.workspace.sample = ("validation", 4)
    assert panel.plot._chosen == 4
    context.workspace.sample = ("train", 4)
    assert panel.plot._chosen is None


def test_a_class_of_the_legend_moves_the_other_panels_and_follows_them(panel, context, desk):
    QTest.mouseClick(panel.legend, LEFT, pos=panel.legend.places()[3].center().toPoint())
    assert context.workspace.class_index == 3
    assert np.array_equal(panel.plot.points.marked, desk.opened.dataset.validation.labels == 3)
    context.workspace.class_index = None
    assert panel.plot.points.marked is None and panel.legend.chosen is None


def lasso(panel):
    """Circle the left half of the map by hand."""
    plot = panel.plot
    middle = plot.width() // 2
    corners = [(1, 1), (middle, 1), (middle, plot.height() - 2), (1, plot.height() - 2)]
    QTest.mousePress(plot, LEFT, Qt.KeyboardModifier.ShiftModifier, QPoint(*corners[0]))
    for corner in corners[1:]:
        QTest.mouseMove(plot, QPoint(*corner))
        move = QPointF(*corner)
        plot._outline.append(move)  # the offscreen platform may merge moves
    QTest.mouseRelease(plot, LEFT, Qt.KeyboardModifier.ShiftModifier, QPoint(*corners[-1]))
    left = plot.view.to_map(QPointF(middle, 0))[0]
    return np.flatnonzero(panel.shown.xy[:, 0] < left)


def test_a_lasso_chooses_samples_for_every_panel_and_escape_drops_them(panel, context):
    inside = lasso(panel)
    assert 0 < len(inside) < 25
    assert context.workspace.samples == tuple(("validation", int(i)) for i in inside)
    assert panel.chosen_row.words.text().startswith(f"{len(inside)} chosen")
    QTest.keyClick(panel.plot, Qt.Key.Key_Escape)
    assert context.workspace.samples == () and panel.chosen_row.isHidden()


def test_samples_chosen_elsewhere_stand_out(panel, context):
    context.workspace.samples = (("validation", 3), ("train", 3), ("validation", 9))
    assert np.flatnonzero(panel.plot.points.marked).tolist() == [3, 9]
    context.workspace.samples = ()
    assert panel.plot.points.marked is None


def test_what_is_circled_becomes_a_class_of_ones_own_a_table_and_files(panel, tmp_path):
    inside = lasso(panel)
    panel.chosen_row.name.setText("left")
    QTest.keyClick(panel.chosen_row.name, Qt.Key.Key_Return)
    assert panel.controls.colour.currentText() == "own class" and panel.legend.names == ("left", "none")
    panel.save_table(tmp_path / "some.csv")
    rows = list(csv.DictReader((tmp_path / "some.csv").read_text().splitlines()))
    assert [row["picture"] for row in rows] == [f"validation {i}" for i in inside]
    assert {row["own class"] for row in rows} == {"left"}
    assert float(rows[0]["x"]) == pytest.approx(float(panel.shown.xy[inside[0], 0]), rel=1e-5)
    panel.save_numbers(tmp_path / "all.csv")
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + len(panel.shown.features)
    panel.save_pictures(tmp_path)
    files = sorted((tmp_path / "left").glob("*.png"))
    assert len(files) == len(inside)
    images = panel.shown.features.pictures.dataset.validation.images
    read = np.asarray(Image.open(tmp_path / "left" / f"validation-{inside[0]}.png"))
    assert np.array_equal(read, images[inside[0], :, :, 0])


def test_the_picture_of_the_moment_is_placed_with_its_neighbours(panel, desk):
    desk.look(panel, ("validation", 6))
    assert panel.plot.live == pytest.approx(tuple(panel.shown.xy[6].tolist()), abs=1e-4)
    assert [near.indices[0] for near in panel.rows.found.values()] == [6, 6, 6]
    panel.choose(6)
    desk.look(panel, ("validation", 6))
    assert all(6 not in near.indices for near in panel.rows.found.values())  # not its own neighbour
    assert panel.plot._ties == tuple(panel.rows.found["euclidean"].indices[:5].tolist())


def test_the_rows_open_neighbours_and_choose_which_distance_ties(panel, desk):
    desk.look(panel)
    rows = panel.rows
    QTest.mouseClick(rows, LEFT, pos=QPoint(rows._head + 5, 3))
    assert desk.looked_at[-1][1] == ("validation", int(rows.found["euclidean"].indices[0]))
    QTest.mouseClick(rows, LEFT, pos=QPoint(4, rows.height() - 5))
    assert rows.tied == "mahalanobis"


def test_newer_weights_are_followed_and_the_map_lies_as_before(by_pca, panel, desk, context, qtbot):
    before = panel.shown
    desk.step = 9
    weights = {name: value.clone() for name, value in desk.module.state_dict().items()}
    desk.module[3].weight.data = -weights["plane.weight"]  # the same map, mirrored
    desk.module[0].weight.data *= 1.001
    try:
        again(panel, qtbot, lambda: (context.bridge.give(step=9), panel.show_state(panel.seen)))
    finally:
        desk.module.load_state_dict(weights)
    assert panel.shown.features.step == 9 and panel.shown.features.pictures is before.features.pictures
    moved = np.linalg.norm(panel.shown.xy - before.xy, axis=1)
    assert moved.max() < 0.02 * np.ptp(before.xy)


def test_while_it_trains_weights_are_followed_only_if_wanted(panel, context, desk, qtbot):
    made = desk.made
    context.commands["embedding.follow"].setChecked(False)
    context.bridge.give(phase="running", step=5)
    panel.show_state(panel.seen)
    qtbot.wait(20)
    assert desk.made == made and not panel.maker.again.isActive()


def test_going_back_in_time_makes_the_map_of_that_step(panel, context, desk, qtbot):
    desk.step = 3
    again(panel, qtbot, lambda: setattr(context.workspace, "step", 3))
    assert panel.shown.features.step == 3


def test_what_cannot_be_laid_out_is_told_in_one_line(by_pca, panel, qtbot):
    panel.controls.forms["plane"].options = type(panel.controls.forms["plane"].options)(across=0, up=500)
    panel.set_method("plane")
    qtbot.waitUntil(lambda: not panel.run.running)
    assert "units 0 to" in panel.bar.words.text() and panel.shown.method == "PCA"


def test_a_folder_is_laid_out_with_its_sub_folders_as_classes_and_a_video_by_its_moments(panel, qtbot, tmp_path, desk):
    for name, grey in (("dark", 20), ("light", 230)):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 20, (30, 40)) + grey
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name / f"{number}.png")
    (tmp_path / "light" / "broken.png").write_bytes(b"no picture")
    preprocessing = desk.opened.preprocessing
    model_of = desk.study

    def study(panel, work, *rest, **more):
        def with_files(found, tell):
            found.model.origin = "published"
            found.model.prepare = lambda pixels, device: preprocessing(pixels[:, :, :1])
            return work(found, tell)

        return model_of(panel, with_files, *rest, **more)

    panel.context.bridge.study = study
    again(panel, qtbot, lambda: panel.controls.choose_path(tmp_path))
    assert len(panel.shown.features) == 8 and panel.legend.names == ("dark", "light")
    assert panel.shown.features.pictures.caption(0) == "dark/0.png"
    assert panel._thumbnail(0).shape == (48, 64, 3) or panel._thumbnail(0).shape == (30, 40, 3)
    panel.choose(5)
    picture, sample = desk.looked_at[-1]
    assert sample is None and picture.size == (40, 30)
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for number in range(9):
        film.write(np.full((24, 32, 3), 25 * number, np.uint8))
    film.release()
    again(panel, qtbot, lambda: panel.controls.choose_path(tmp_path / "film.avi"))
    assert len(panel.shown.features) == 9 and panel.controls.colour.currentText() == "time"
    panel.choose(6)
    origin = desk.looked_at[-1][0].origin
    assert (origin.kind, origin.index) == ("video", 6) and origin.seconds == pytest.approx(0.6, abs=0.06)


def test_opening_another_network_shows_nothing_of_the_one_before(panel, desk, context, kit, qtbot):
    desk.held = True
    other = kit.make_opened(layers=desk.opened.layers[:2], dataset=desk.opened.dataset)
    context.bridge.give(opened=other)
    panel.show_state(panel.seen)
    assert panel.shown is None and panel.plot.cloud is None and panel.request() is None
    context.bridge.give(opened=None, phase="empty")
    panel.show_state(panel.seen)
    assert "Choose an experiment" in panel.empty.text.text()


def test_a_picture_that_the_map_does_not_fit_is_not_placed(panel, desk):
    asked = panel.request().options
    picture = Picture(np.zeros((5, 5, 3), np.uint8), Origin("file", "x"))
    look = Look(desk.module, desk.opened.layers, desk.opened.preprocessing, picture=picture)
    look.activations = {panel.shown.features.layer: torch.zeros(1, 3)}
    found = probe.run(look, asked)
    assert found.place is None and len(found.vector) == 3


def test_what_is_chosen_together_is_listed_in_the_samples_panel(panel, context):
    browser = SampleBrowser(context, "samples", panel)
    inside = lasso(panel)
    assert browser.classes.currentText() == f"chosen ({len(inside)})"
    assert browser.current_part == "validation" and np.array_equal(browser.grid.shown, inside)
    browser.classes.setCurrentIndex(1)  # all
    assert len(browser.grid.shown) == 25
    panel._drop_chosen()
    assert browser.classes.findText(f"chosen ({len(inside)})") < 0 and len(browser.grid.shown) == 25
