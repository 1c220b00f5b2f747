"""The attack panel on a small network: what it asks, an attack step by step, the patch in the hand, the other pages."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture
from guiapp.core.workspace import Workspace
from guiapp.datasets.base import Dataset, Samples
from guiapp.engine.engine import Engine
from guiapp.engine.open_trained import OpenedTrained
from guiapp.engine.state import EngineState, LookResult
from guiapp.engine.study import Study
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panels.attack import AttackPanel
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.attack_pictures import enlarged, scale_from, scale_to, suited

LABELS = ("left", "right", "nowhere")


class Sides(torch.nn.Module):
    """Scores are the mean of the left half, of the right half, and a constant."""

    def forward(self, inputs):
        left, right = inputs[..., :4].mean((1, 2, 3)), inputs[..., 4:].mean((1, 2, 3))
        return torch.stack([10 * left, 10 * right, torch.full_like(left, 1.0)], 1)


def sample(left=200, right=100):
    pixels = np.full((8, 8, 1), left, np.uint8)
    pixels[:, 4:] = right
    return pixels


def picture(left=200, right=100):
    return Picture(np.repeat(sample(left, right), 3, 2), Origin("sample", "a"), 0, sample=sample(left, right))


PREPROCESSING = Preprocessing((1, 8, 8), (0.0,), (1.0,))
PART = Samples(np.stack([sample(200, 100), sample(90, 180), sample(220, 60)]), np.array([0, 1, 0]))
DATASET = Dataset("sides", "Sides", LABELS, PART, PART, PART, (0.0,), (1.0,))
WEIGHTS = ZooWeights("W", "", "", 0, 0, 0.0, "", "", "", {}, "", (1, 1), 1, Preset("classification"))
ENTRY = ZooModel("sides", "Sides", "Tests", "classification", "", (WEIGHTS,), "")


def opened_with(task="classification"):
    entry = ModelEntry("sides", "Sides", lambda *_: None, task=task)
    return SimpleNamespace(
        model=entry, preprocessing=PREPROCESSING, labels=LABELS, layers=(), dataset=DATASET, device="cpu"
    )


class Lender(Engine):
    """Lends the network above; ``answers`` holds what was asked for."""

    def _study(self):
        module = Sides().eval()
        model = OpenedTrained(
            ENTRY, WEIGHTS, module, LABELS, "trained", None, "", torch.device("cpu"), preprocessing=PREPROCESSING
        )
        return Study(opened_with(), model, 7, None, DATASET)


@pytest.fixture
def panel(application, qtbot, settings):
    engine, workspace = Lender(notices=NoticeBoard()), Workspace()
    bridge = EngineBridge(engine, workspace)
    bridge.state = EngineState("ready", opened_with())
    context = Context(workspace, bridge, Commands(bridge), engine.notices, Theme("dark"), settings)
    made = AttackPanel(context)
    qtbot.addWidget(made)
    made.resize(420, 620)
    made.show()
    yield made
    bridge.close()
    engine.shutdown(10)


def look(panel, shown=None):
    """Answer the panel's request as a lane would."""
    shown = shown or picture()
    request = panel.request()
    asked = Look(Sides().eval(), (), PREPROCESSING, picture=shown, labels=LABELS)
    asked.input = PREPROCESSING(shown.sample)
    with torch.no_grad():
        found = PROBES[request.probe].run(asked, request.options)
    panel.show_look(LookResult(panel.seen.opened, 7, True, False, shown, None, None, {"attack": found}))
    return found


def attack(panel, qtbot):
    panel.controls.go.click()
    assert panel.run.running
    qtbot.waitUntil(lambda: not panel.run.running)


def test_before_an_attack_the_picture_stands_there_as_it_is_fed(panel):
    found = look(panel)
    assert not found.change.any() and panel.pictures.captions[0].text().startswith("left")
    assert np.array_equal(panel.pictures.original.array, sample()[:, :, 0])
    assert panel.controls.options.epsilon == 76.5, "suited to grey drawings"
    assert panel.bars.order[0] == 0


def test_an_attack_shows_its_steps_and_its_end(panel, qtbot):
    look(panel)
    attack(panel, qtbot)
    result = panel.done.result
    assert result.reached and result.says == "right" and panel.done.step == 7
    assert panel.pictures.captions[2].text().startswith("right") and panel.slider.maximum() == result.steps == 20
    assert set(panel.plot.series) == {"0", "1", "2"}
    assert np.allclose(panel.plot.series["1"].y, 100 * result.scores[:, 1])
    panel.slider.setValue(3)
    assert np.array_equal(panel.pictures.result.array, result.frames[3][:, :, 0])
    assert panel.shown.step_text.text() == "step 3 of 20"
    panel.tabs.setCurrentIndex(1)
    assert "became right" in panel.bar.words.text() and "weights of step 7" in panel.bar.words.text()


def test_a_report_tells_the_attack_and_not_the_question_of_its_preview(panel, qtbot):
    look(panel)
    assert panel.request().options.method == "noise"
    panel.controls.set_class(1)
    attack(panel, qtbot)
    told = panel.told()
    assert (told["attack"], told["to"], told["norm"], told["epsilon"]) == ("PGD", LABELS[1], "L-infinity", 76.5)
    assert "radius" not in told and told["outcome"] == panel.bar.words.text() and LABELS[1] in told["outcome"]


def test_closed_in_the_middle_it_attacks_nothing_more_and_another_network_finds_no_word_of_it(panel, qtbot):
    from dataclasses import replace

    look(panel)
    panel.controls.go.click()
    job = panel.run._job
    panel.put_away()
    qtbot.waitUntil(lambda: job.ended)
    assert not panel.run.running and panel.done is None and panel.bar.words.text() == "stopped"
    panel.controls.go.click()
    panel.context.bridge.state = replace(panel.seen, opened=opened_with())
    panel.show_state(panel.seen)
    assert not panel.run.running and panel.bar.words.text() == ""


def test_a_class_that_is_clicked_is_wanted_everywhere(panel, qtbot):
    look(panel)
    workspace = panel.context.workspace
    panel._choose_class(2)
    assert workspace.class_index == 2 and panel.controls.options.class_index == 2
    assert panel.controls.target.currentText() == "nowhere"
    workspace.class_index = 1
    assert panel.controls.target.currentText() == "right" and panel.controls.options.class_index == 1
    workspace.class_index = None
    assert panel.controls.target.currentText() == "any other class"
    panel.controls.class_chosen.emit(2)
    attack(panel, qtbot)
    assert panel.done.result.wanted == "nowhere"
    before = panel.done
    panel.controls._slide(399)
    qtbot.waitUntil(lambda: panel.done is not before and panel.done is not None)
    assert panel.done.result.largest > before.result.largest, "what is changed is attacked anew"


def test_one_step_follows_every_look(panel):
    panel.controls.choose("fgsm")
    assert panel.request().options.method == "fgsm" and not panel.controls.go.isEnabled()
    found = look(panel)
    assert panel.pictures.captions[2].text().startswith(found.says)
    look(panel, picture(90, 180))
    assert panel.pictures.captions[0].text().startswith("right")
    panel.controls.choose("noise")
    assert panel.request().options.method == "noise" and not panel.controls.target.isEnabled()


def test_the_patch_is_dragged_and_the_network_asked_there(panel, qtbot):
    look(panel)
    panel.controls.choose("patch")
    panel.controls._edit(steps=15, size=0.4)
    attack(panel, qtbot)
    assert panel.done.result.patch.shape == (3, 3, 1)
    view = panel.pictures.result
    assert view.box == panel.done.result.box and panel.request().probe == "patch"
    asked = []
    panel.request_changed.connect(lambda: asked.append(panel.request().options))
    where = view.to_widget(view.rect().toRectF()).topLeft()  # the picture's own corner in the widget
    scale = view.scale
    middle = QPoint(round(where.x() + 4 * scale), round(where.y() + 4 * scale))
    target = QPoint(round(where.x() + 2 * scale), round(where.y() + 7 * scale))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view, target)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=target)
    assert asked and asked[-1].x < 0.4 and asked[-1].y > 0.7 and view.box[1] == 5
    found = look(panel)
    assert view.box == found.box and np.array_equal(view.array, found.pixels[:, :, 0])
    assert panel.pictures.captions[2].text().startswith(LABELS[int(found.probabilities.argmax())])


def test_a_stopped_attack_keeps_what_it_has_reached(panel, qtbot):
    look(panel)
    panel.controls._edit(steps=5000)
    panel.controls.go.click()
    qtbot.waitUntil(lambda: panel._shown is not None and panel._shown.steps > 1)
    panel.context.commands["attack.stop"].trigger()
    steps = panel.done.result.steps
    assert not panel.run.running and 1 < steps < 5000 and panel.slider.maximum() == steps
    assert panel.bar.words.text().startswith(f"stopped after {steps} steps")
    panel.slider.setValue(1)
    assert panel.shown.step_text.text() == f"step 0 of {steps}" or panel.shown.step_text.text() == f"step 1 of {steps}"
    look(panel, panel.done.picture)
    assert panel.done.result.steps == steps
    qtbot.waitUntil(lambda: not panel.context.bridge.engine.jobs)


def test_another_picture_is_attacked_anew_and_another_network_begins_anew(panel, qtbot):
    shown = picture()
    look(panel, shown)
    attack(panel, qtbot)
    first = panel.done
    look(panel, shown)
    assert panel.done is first
    look(panel, picture(90, 180))
    assert panel.done is None
    qtbot.waitUntil(lambda: panel.done is not None)
    assert panel.done.result.away == "right"
    panel.context.bridge.state = EngineState("ready", opened_with("depth"))
    panel.show_state(panel.seen)
    assert panel.done is None and panel.empty.isVisible() and panel.request() is None
    assert "tells no classes" in panel.empty.text.text()


def test_the_attacked_picture_can_be_looked_at(panel, qtbot):
    look(panel)
    attack(panel, qtbot)
    panel.context.commands["attack.look"].trigger()
    shown = panel.context.workspace.picture
    assert np.array_equal(shown.sample, panel.done.result.result) and shown.label == 0
    assert "attacked" in shown.origin.name
    look(panel, shown)
    assert panel.done is None and not panel._again.isActive(), "it is not attacked once more"
    assert panel.pictures.captions[0].text().startswith("right")
    panel.controls.set_class(1)
    attack(panel, qtbot)
    assert panel.bar.words.text().startswith("it says right") and "already" in panel.bar.words.text()


def test_robust_accuracy_is_measured_on_the_open_data(panel, qtbot):
    look(panel)
    page = panel.robust
    panel.tabs.setCurrentIndex(4)
    assert [page.pictures.itemText(i) for i in range(2)] == ["Sides, test part", "Sides, validation part"]
    page.count.setText("3")
    page.go.click()
    qtbot.waitUntil(lambda: page.curves is not None and not page.run.running)
    assert page.curves.right["fgsm"][0] == 3 and page.curves.right["fgsm"][-1] == 1, "160 levels lie between its halves"
    assert page.plot.series["pgd"].y[0] == 100.0 and "method,epsilon" in page.plot.csv_text()
    panel.controls._edit(norm="L2")
    assert page.curves is None and page.plot.x_title == "radius r"


def test_another_network_is_asked(panel, qtbot):
    look(panel)
    attack(panel, qtbot)
    page = panel.elsewhere
    panel.tabs.setCurrentIndex(3)
    qtbot.waitUntil(lambda: page.networks.count() > 0)
    panel.context.bridge.subject = "live"  # so that the network of the other room is the experiment's
    page.networks.setCurrentIndex(0)
    page.go.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    rows = [[page.model.item(row, column).text() for column in range(4)] for row in range(2)]
    assert rows[0][1:3] == rows[1][1:3] or [t.split()[0] for t in rows[0]][1:] == [t.split()[0] for t in rows[1]][1:]
    assert page.bar.words.text() == "it is fooled, too"


def test_a_change_is_enlarged_about_grey():
    change = np.array([[[2.0, -2.0, 0.0]]], np.float32)
    assert enlarged(change, 10)[0].tolist() == [[[148, 108, 128]]]
    indices, table = enlarged(np.array([[[2.0], [-500.0]]], np.float32), 10)
    assert indices.tolist() == [[148, 1]] and len(table) == 256
    assert (suited(4.0), suited(200.0), suited(0.3)) == (20, 1, 200)
    assert scale_from(scale_to(8.0, 0.1, 255.0, 400), 0.1, 255.0, 400) == pytest.approx(8.0, rel=0.02)
