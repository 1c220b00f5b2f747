"""The attribution panel through the mouse: what it asks, what it shows, and how other panels move with it."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from torch import nn

from guiapp.core.picture import Origin, Picture
from guiapp.engine.job import Job
from guiapp.engine.state import LookResult
from guiapp.interpret.attribution import METHODS, Attribution
from guiapp.interpret.case import Case
from guiapp.interpret.layers import layer_list
from guiapp.interpret.targets import BoxTarget, ClassTarget, SimilarityTarget, UnitTarget
from guiapp.models.base import Preprocessing
from guiapp.ui.panels.attribution import AttributionPanel
from guiapp.ui.widgets.choice_list import ROW

LEFT = Qt.MouseButton.LeftButton
LABELS = ("locomotive", "stone wall", "crane", "crane")


class Small(nn.Module):
    """Two convolutions and a dense layer with fixed weights."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.conv1, self.relu1 = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(4, 5, 3, padding=1), nn.ReLU()
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(5, len(LABELS))

    def forward(self, x):
        x = self.relu2(self.conv2(self.relu1(self.conv1(x))))
        return self.fc(self.pool(x).flatten(1))


@pytest.fixture(scope="module")
def network():
    model = Small().eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model, layer_list(model, (3, 12, 16))


def make_picture(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return Picture(pixels, Origin("file", f"{seed}.png"))


def inputs_of(picture):
    return torch.from_numpy(picture.pixels.transpose(2, 0, 1).copy())[None].float() / 255


class Desk:
    """What the panel is driven with: a network, a picture, studies that run at once, looks."""

    def __init__(self, context, kit, network):
        self.context, self.kit = context, kit
        self.model, self.layers = network
        self.picture = make_picture()
        self.titles, self.cases, self.held_up = [], [], False
        context.bridge.study = self.study
        opened = kit.make_opened(
            layers=self.layers,
            labels=LABELS,
            preprocessing=Preprocessing((3, 12, 16), (0.0,) * 3, (1.0,) * 3, "stretch"),
        )
        context.bridge.give(phase="ready", opened=opened)
        context.workspace.layer = "conv1"

    def case(self, picture, changed=None):
        self.cases.append(changed or {})
        return Case(
            self.model, "classification", inputs_of(picture), LABELS, self.layers, picture, None, inputs_of,
            switched_off=changed or {},
        )  # fmt: skip

    def study(self, panel, work, done, title, partly=None, failed=None, *_more):
        self.titles.append(title)
        study = SimpleNamespace(picture=self.picture, step=5, case=self.case)
        job = Job(work(study, partly or (lambda _: None)), title)

        def run():
            if job.stopping or self.held_up:
                return
            job.run()
            if job.error is not None:
                failed(" ".join(str(job.error).split()))
            elif job.state == "done":
                done(job.result)

        QTimer.singleShot(0, panel, run)
        return job

    def scores(self, picture):
        logits = self.model(inputs_of(picture))[0]
        from guiapp.tasks.predictions import ClassScores

        return ClassScores(torch.softmax(logits, 0).numpy(), LABELS, logits.numpy())

    def look(self, panel, results=None, prediction=None):
        panel.show_look(
            LookResult(
                self.context.bridge.state.opened,
                5,
                True,
                False,
                self.picture,
                prediction or self.scores(self.picture),
                None,
                results or {},
                fed=self.picture.pixels,
            )
        )


@pytest.fixture
def desk(context, kit, network):
    return Desk(context, kit, network)


@pytest.fixture
def panel(context, desk, qtbot):
    made = AttributionPanel(context)
    qtbot.addWidget(made)
    made.resize(320, 440)
    made.show()
    qtbot.waitExposed(made)
    desk.look(made)
    qtbot.waitUntil(lambda: made.request() is not None)
    return made


def found(method="grad-cam", values=None, **fields):
    values = np.ones((3, 4), np.float32) if values is None else values
    return Attribution(method, "locomotive, logit", 2.5, values, layer="relu2", class_index=0, **fields)


def row(panel, number, x=30):
    QTest.mouseClick(panel.choices, LEFT, pos=QPoint(x, number * ROW + ROW // 2))


def test_one_backward_methods_are_asked_at_every_look(panel, desk):
    asked = panel.request()
    assert asked.probe == "attribution" and asked.options.method == "grad-cam"
    assert asked.options.target == ClassTarget() and asked.options.class_index is None
    desk.look(panel, {"attribution": found()})
    assert panel.grid.values_at(15, 11) == [1.0]
    assert panel.bar.words.text() == "locomotive, logit = 2.5 · layer relu2 · step 5"
    assert desk.titles == ["methods of attribution"]  # no study


def test_a_click_on_an_answer_explains_it_and_moves_the_other_panels(panel, desk, context, qtbot):
    order = [c.title for c in panel.choices.choices]
    assert order == [LABELS[i] for i in np.argsort(-desk.scores(desk.picture).probabilities, kind="stable")[:3]]
    with qtbot.waitSignal(panel.request_changed):
        row(panel, 1)
    chosen = context.workspace.class_index
    assert panel.request().options.target == ClassTarget(chosen) and LABELS[chosen] == order[1]
    row(panel, 1)  # once more follows the best again
    assert context.workspace.class_index is None and panel.request().options.target == ClassTarget()
    context.workspace.class_index = 2  # another panel
    assert panel.request().options.target == ClassTarget(2)
    assert panel.choices.choices[panel.choices.first].subject == ClassTarget(2)


def test_any_class_can_be_named_also_one_of_two_with_the_same_name(panel, context, qtbot):
    QTest.keyClicks(panel.target_row.names, "STONE")
    QTest.keyClick(panel.target_row.names, Qt.Key.Key_Return)
    assert context.workspace.class_index == 1
    panel.target_row.names.clear()
    QTest.keyClicks(panel.target_row.names, "crane (3)")
    QTest.keyClick(panel.target_row.names, Qt.Key.Key_Return)
    assert context.workspace.class_index == 3
    assert panel.choices.choices[-1].subject == ClassTarget(3) or panel.choices.first is not None


def test_two_classes_and_two_methods_stand_in_rows_and_columns(panel, desk, context, qtbot):
    row(panel, 1, panel.choices.width() - 6)
    panel.row.choose("gradient", ["occlusion"])
    assert panel.request() is None
    qtbot.waitUntil(lambda: panel.found is not None and all(isinstance(a, Attribution) for a in panel.found.answers))
    assert [(q.method, q.target.class_index) for q in panel.found.questions] == [
        (method, target.class_index) for method in ("gradient", "occlusion") for target in panel.targets()
    ]
    assert panel.grid.shape() == (2, 2)
    batch = inputs_of(desk.picture).requires_grad_()
    second = panel.found.questions[1].target.class_index
    desk.model(batch)[0, second].backward()
    gradient = batch.grad[0].numpy()
    np.testing.assert_allclose(panel.grid.tiles[1].values, np.abs(gradient).sum(0), rtol=1e-4, atol=1e-7)
    panel.maps.style_row.signs.setCurrentIndex(1)
    np.testing.assert_allclose(panel.grid.tiles[1].values, gradient.sum(0), rtol=1e-4, atol=1e-7)
    text = panel.csv_text()
    assert text.count("# ") == 4 and text.startswith(f"# {panel.grid.tiles[0].title}")
    np.testing.assert_allclose(
        [float(v) for v in text.splitlines()[1].split(",")], panel.grid.tiles[0].values[0], rtol=1e-5
    )
    told = panel.told()
    assert told["Gradient"] == "–" and "window 0" in told["Occlusion"] and "logit" in told["explained"]
    QTest.mouseClick(panel.grid.views[1], LEFT, pos=panel.grid.views[1].rect().center())
    assert context.workspace.class_index == second and panel.grid.tiles[1].chosen
    row(panel, panel.choices.second, panel.choices.width() - 6)
    assert len(panel.targets()) == 1


def test_slow_methods_begin_by_themselves_once_the_picture_rests_and_not_twice(panel, desk, qtbot):
    panel.row.choose("integrated-gradients")
    qtbot.waitUntil(lambda: panel.found is not None and isinstance(panel.found.answers[0], Attribution))
    assert panel.request() is None and desk.titles[1:] == ["Integrated gradients"]
    assert "sum off by" in panel.bar.words.text()
    desk.look(panel)  # the same picture: nothing new would be found
    qtbot.wait(60)
    assert len(desk.titles) == 2
    desk.picture = make_picture(1)
    desk.look(panel)
    qtbot.waitUntil(lambda: panel.found.picture is desk.picture)
    assert len(desk.titles) == 3


def test_the_form_is_made_of_the_methods_own_parameters(panel, desk, qtbot):
    panel.row.settings.click()
    assert panel.page.form is not None and set(panel.page.form._editors) == {"positive"}
    panel.row.choose("smooth-grad")
    qtbot.waitUntil(lambda: panel.found is not None and not panel.run.running)
    editor = panel.page.form.editor("samples")
    editor.clear()
    QTest.keyClicks(editor, "3")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.found.questions[0].options.samples == 3)
    editor.clear()
    QTest.keyClicks(editor, "-4")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert "samples" in panel.bar.words.text() and panel.questions()[0].options.samples == 3
    panel.row.choose("gradient")
    assert panel.page.form is None
    panel.row.views.setCurrentIndex(1)
    assert panel.findChild(QLineEdit, "attribution.curves.steps").isVisible()


def test_the_layer_is_chosen_well_by_hand_or_by_the_window(panel, context):
    box = panel.page.layers
    assert box.itemText(0).startswith("chosen well") and panel.request().options.layer == ""
    box.setCurrentIndex(box.findData("conv1"))
    box.activated.emit(box.currentIndex())
    assert panel.request().options.layer == "conv1" == panel.request().options.settings.layer
    box.setCurrentIndex(1)
    box.activated.emit(1)
    context.workspace.layer = "conv2"
    assert panel.request().options.layer == "conv2"
    context.workspace.layer = "fc"  # has no maps
    assert panel.request().options.layer == ""


def test_a_unit_that_is_chosen_in_another_panel_is_explained(panel, context):
    panel.target_row.subjects.setCurrentIndex(1)
    context.workspace.layer, context.workspace.unit = "conv2", 3
    assert panel.request().options.target == UnitTarget("conv2", 3)
    assert panel.target_row.unit.text() == "unit 3 of conv2" and panel.choices.isHidden()


def test_a_picture_is_held_and_others_are_likened_to_it(panel, desk, qtbot):
    panel.target_row.subjects.setCurrentIndex(2)
    assert panel.request() is None and "hold a picture first" in panel.bar.words.text()
    panel.target_row.hold.click()
    target = panel.request().options.target
    assert isinstance(target, SimilarityTarget) and target.picture is desk.picture
    assert panel.request() == panel.request()
    panel.row.choose("occlusion")
    desk.picture = make_picture(2)
    desk.look(panel)
    qtbot.waitUntil(lambda: panel.found is not None and panel.found.picture is desk.picture and not panel.run.running)
    assert -1 <= panel.found.answers[0].score < 1


def test_boxes_of_a_detector_are_chosen_and_followed(panel, desk, context):
    from guiapp.tasks.predictions import Detections

    def seen(shift):
        boxes = np.array([[2, 2, 10, 10], [8 + shift, 4, 14 + shift, 10]], np.float32)
        return Detections(boxes, np.array([0.9, 0.7], np.float32), np.array([0, 1]), LABELS, (16, 12))

    desk.look(panel, prediction=seen(0))
    assert panel.target_row.subjects.itemText(0) == "box"
    row(panel, 1)
    asked = panel.request().options.target
    assert isinstance(asked, BoxTarget) and asked.class_index == 1 == context.workspace.class_index
    assert asked.box == pytest.approx((8 / 16, 4 / 12, 14 / 16, 10 / 12), abs=1 / 64)
    desk.look(panel, prediction=seen(1), results={"attribution": found()})
    assert panel.request().options.target.box[0] == pytest.approx(9 / 16, abs=1 / 64)
    assert panel.grid.tiles[0].box == pytest.approx((9, 4, 6, 6), abs=0.3)
    context.bridge.subject = "live"
    context.workspace.region = (0.1, 0.1, 0.65, 0.85)  # the first box, clicked in the live picture
    assert panel.request().options.target.class_index == 0


def test_what_does_not_apply_cannot_be_chosen_and_says_why(panel):
    at = panel.row.methods.findData("attention-rollout")
    assert not panel.row.methods.model().item(at).isEnabled()
    assert "attention" in panel.row.methods.itemData(at, Qt.ItemDataRole.ToolTipRole)
    assert panel.row.methods.model().item(panel.row.methods.findData("occlusion")).isEnabled()


def test_where_no_gradients_flow_the_first_method_that_applies_is_taken(panel, context, kit):
    panel._allow({name: "no gradients" if method.backward else "" for name, method in METHODS.items()})
    assert panel.row.method == "occlusion"


def test_changed_channels_are_those_of_the_window(panel, desk, context, qtbot):
    context.workspace.switched_off = {"conv1": frozenset({1})}
    panel.row.choose("occlusion")
    qtbot.waitUntil(lambda: panel.found is not None and not panel.run.running)
    assert desk.cases[-1] == {"conv1": frozenset({1})}


def test_one_method_that_fails_leaves_the_others_alone(panel, desk, qtbot):
    panel._reasons["attention-rollout"] = ""  # as if it had not been checked
    panel.row.allow(panel._reasons)
    panel.row.choose("gradient", ["attention-rollout"])
    qtbot.waitUntil(lambda: panel.found is not None and panel.found.answers[-1] is not None)
    assert isinstance(panel.found.answers[0], Attribution) and "attention" in panel.found.answers[1]
    assert panel.grid.captions[1].text().startswith("Attention roll-out: ")
    panel.row.choose("attention-rollout")


def test_style_paints_anew_without_asking_the_network(panel, desk, qtbot):
    desk.look(panel, {"attribution": found(values=np.array([[-1.0, 2.0]], np.float32))})
    with qtbot.assertNotEmitted(panel.request_changed):
        assert panel.maps.colours.texts() == ("−2", "2")
        panel.maps.style_row.signs.setCurrentIndex(2)
        panel.maps.style_row.threshold.setValue(60)
        panel.maps.style_row.opacity.setValue(40)
    style = panel.grid.map_style
    assert (style.sign, style.threshold, style.opacity) == ("absolute", 0.6, 0.4)
    assert panel.maps.colours.texts() == ("0", "2")


def test_another_network_begins_anew(panel, desk, context, kit, qtbot):
    desk.look(panel, {"attribution": found()})
    row(panel, 1)
    context.bridge.give(panel, opened=kit.make_opened(layers=desk.layers, labels=("a", "b")))
    assert panel.grid.tiles == () and panel.request() is None and panel.targets() == [ClassTarget()]
    desk.look(panel)
    qtbot.waitUntil(lambda: panel.request() is not None)
    context.workspace.class_index = 1
    context.bridge.give(panel, opened=kit.make_opened(layers=desk.layers, labels=("a", "b")))  # from the start
    assert panel.targets() == [ClassTarget(1)]
    context.bridge.give(panel, phase="empty", opened=None)
    assert panel.empty.isVisible()


@pytest.mark.parametrize("size", [(280, 300), (320, 440), (440, 460), (900, 420), (1400, 1000)])
def test_nothing_is_cut_off_at_any_size(panel, desk, size):
    panel.resize(*size)
    assert (panel.width(), panel.height()) == size
    desk.look(panel, {"attribution": found()})
    for name in (
        "view",
        "method",
        "compare",
        "settings",
        "explain",
        "target",
        "sign",
        "ground",
        "opacity",
        "threshold",
    ):
        widget = panel.findChild(object, f"attribution.{name}")
        corner = widget.mapTo(panel, QPoint(widget.width(), widget.height()))
        assert widget.isVisible() and corner.x() <= panel.width() and corner.y() <= panel.height(), name
    assert panel.grid.height() >= 70


def test_curves_of_several_methods_stand_in_one_plot_with_the_picture_at_a_share(panel, desk, qtbot):
    panel.row.views.setCurrentIndex(1)
    panel.row.choose("occlusion", ["gradient-x-input"])
    qtbot.waitUntil(lambda: panel.curves.found is not None and not panel.run.running)
    found = panel.curves.found
    assert [line.title for line in found.lines] == ["Gradient × input", "Occlusion"] or len(found.lines) == 2
    plot = panel.curves.deletion
    assert [*plot.series] == ["0", "1", "random"]
    line = found.lines[0]
    np.testing.assert_allclose(plot.series["0"].y, line.curves.deletion, rtol=1e-6)
    rows = list(csv.reader(io.StringIO(panel.curves.rows.csv_text())))
    assert [r[0] for r in rows] == ["method", *(one.title for one in found.lines), "random order"]
    y, x = plot.series["random"].y, plot.series["random"].x / 100
    assert float(rows[1][1]) == pytest.approx(line.curves.deletion_area, abs=1e-6)
    assert float(rows[3][1]) == pytest.approx(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum(), abs=1e-6)
    whole = float(desk.scores(desk.picture).probabilities.max())
    assert plot.series["0"].y[0] == pytest.approx(whole, rel=1e-4) == panel.curves.insertion.series["0"].y[-1]
    assert sorted(line.taken.ravel().tolist()) == pytest.approx((np.arange(192) / 192).tolist())
    assert panel.csv_text().splitlines()[:2] == ["# area", "method,deletion,insertion"]
    panel.curves.insertion.clicked.emit(25.0)
    shown = panel.curves.only.array
    first = line.taken < 0.25
    assert first.sum() == 48 and (shown[first] == desk.picture.pixels[first]).all()
    assert (panel.curves.without.array[first] == 128).all()
    assert (panel.curves.without.array[~first] == desk.picture.pixels[~first]).all()
    QTest.mouseClick(panel.curves.rows, LEFT, pos=QPoint(40, 17 * 2 + 8))
    assert panel.curves.line == 1
    first = found.lines[1].taken < 0.25
    assert (panel.curves.without.array[first] == 128).all()


def test_the_sanity_check_shows_each_stage_and_says_what_follows(panel, desk, qtbot):
    panel.row.choose("gradient")
    panel.row.views.setCurrentIndex(2)
    qtbot.waitUntil(lambda: panel.sanity.found is not None and not panel.run.running)
    stages = panel.sanity.found.sanity.stages
    assert [stage.layers for stage in stages] == [0, 1, 2, 3]  # three layers have weights
    assert panel.sanity.plot.series["likeness"].x.tolist()[0] == 0 and panel.sanity.plot.series["likeness"].y[0] == 1
    assert panel.sanity.grid.tiles[1].title.startswith("random from fc on")
    assert panel.bar.words.text().startswith("all layers random: ")
    QTest.mouseClick(panel.sanity.grid.views[2], LEFT, pos=panel.sanity.grid.views[2].rect().center())
    assert [tile.chosen for tile in panel.sanity.grid.tiles] == [False, False, True, False]
    panel.sanity.plot.clicked.emit(2.8)
    assert panel.sanity.grid.tiles[3].chosen
