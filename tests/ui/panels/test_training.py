import json

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from guiapp.catalogue import EXPERIMENTS
from guiapp.models.base import ModelEntry
from guiapp.training.columns import Columns
from guiapp.training.run_folder import RunFolder
from guiapp.training.setup import recipe_of
from guiapp.ui.panels.training import TrainingPanel
from guiapp.ui.panels.training_curves import read_previous, told_apart
from guiapp.ui.panels.training_status import duration, status_text, status_texts
from guiapp.ui.widgets.curve_data import Earlier


@pytest.fixture
def panel(context, opened, qtbot):
    made = TrainingPanel(context)
    made.resize(1000, 360)
    qtbot.addWidget(made)
    made.show()
    made.show_state(context.bridge.state)
    context.bridge.engine.asked.clear()
    return made


def columns(steps, start=2.3):
    made = Columns(("loss", "accuracy", "lr"))
    loss = start * np.exp(-np.arange(steps) / 200) + 0.1
    made.append({"loss": loss, "accuracy": 1 - loss / 3, "lr": np.full(steps, 0.05)})
    return made


def running(context, panel, steps=500, **changes):
    rows = [
        {"epoch": 1, "step": 200, "validation": {"loss": 0.9, "accuracy": 0.7}},
        {"epoch": 2, "step": 400, "validation": {"loss": 0.4, "accuracy": 0.9}},
    ]
    fields = {
        "phase": "running",
        "step": steps,
        "total_steps": 2000,
        "epoch": 2,
        "epochs": 10,
        "columns": columns(steps),
        "epoch_rows": rows,
        "snapshot_steps": (0, 1, 10, 100, 400),
        "seconds_left": 72.0,
        "learning_rate": 0.05,
    }
    context.bridge.give(panel, **{**fields, **changes})


def type_into(line, text):
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def asked(context):
    return [call for call in context.bridge.engine.asked if call[0] != "predict_many"]


def test_one_button_starts_and_pauses(panel, context):
    QTest.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert asked(context) == [("start",)]
    running(context, panel)
    assert panel.start_button.text() == "Pause"
    QTest.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert asked(context)[-1] == ("pause",)
    context.bridge.give(panel, phase="paused")
    assert panel.start_button.text() == "Resume"


@pytest.mark.parametrize(
    ("phase", "enabled"),
    [
        ("opening", set()),
        ("ready", {"start", "step", "epoch", "reset"}),
        ("running", {"pause", "stop", "reset"}),
        ("paused", {"start", "resume", "step", "epoch", "stop", "reset"}),
        ("finished", {"start", "reset"}),
    ],
)
def test_commands_are_enabled_by_phase(panel, context, phase, enabled):
    context.bridge.give(panel, phase=phase)
    verbs = ("start", "pause", "resume", "step", "epoch", "stop", "reset")
    assert {v for v in verbs if context.commands[f"training.{v}"].isEnabled()} == enabled


@pytest.mark.parametrize("verb", ["step", "epoch", "stop", "reset"])
def test_commands_reach_the_engine(panel, context, verb):
    context.bridge.give(panel, phase="paused")
    context.commands[f"training.{verb}"].trigger()
    assert asked(context) == [(verb,)]


def test_a_refused_start_says_why(panel, context):
    context.bridge.give(panel, refused="needs 90 GB of memory: choose a smaller batch")
    assert not panel.start_button.isEnabled()
    assert panel.message.isVisible() and "90 GB" in panel.message.text()


def test_curves_show_training_and_validation(panel, context):
    running(context, panel)
    for _ in range(5):
        context.bridge.give(panel)
    loss = panel.curves.plots["loss"]
    assert loss.x_range == (0, 500)
    values = {label: (x, value) for label, x, value in loss.values_at(400)}
    assert values["validation"] == (400, 0.4)
    exact = context.bridge.state.columns.view("loss")[380:400].mean()
    assert values["training"][1] == pytest.approx(exact, rel=0.01)
    accuracy = {label: value for label, _, value in panel.curves.plots["accuracy"].values_at(400)}
    assert accuracy["validation"] == pytest.approx(90)


def test_an_update_paints_one_plot_in_few_points(panel, context):
    running(context, panel, steps=100_000)
    drawn = []
    panel.curves._draw = drawn.append
    context.bridge.give(panel, step=100_001)
    assert len(drawn) == 1
    assert all(len(p.series["train"].x) <= 2 * p.columns for p in panel.curves.plots.values())


def test_smoothing_changes_the_mean_alone(panel, context):
    running(context, panel, phase="paused")
    panel.time.smoothing.setValue(0)
    x, low = panel.curves.plots["loss"].series["train"].x, panel.curves.plots["loss"].series["train"].y
    exact = context.bridge.state.columns.view("loss")
    assert low[-1] == pytest.approx(exact[x[-1] - 1], rel=0.02)
    panel.time.smoothing.setValue(5)
    smooth = panel.curves.plots["loss"].series["train"].y
    assert smooth[-1] == pytest.approx(exact[-50:].mean(), rel=1e-4)


def test_slider_sets_the_step_and_live_again(panel, context):
    running(context, panel)
    slider = panel.slider
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(3)), 8))
    assert context.workspace.step == 100 and panel.time.label.text() == "step 100"
    assert any(m.strong and m.x == 100 for m in panel.curves.plots["loss"]._markers)
    context.commands["training.later"].trigger()
    assert context.workspace.step == 400
    context.commands["training.live"].trigger()
    assert context.workspace.step is None and panel.time.label.text() == "step 500"
    assert not any(m.strong for m in panel.curves.plots["loss"]._markers)


def test_start_follows_live_weights_again(panel, context):
    context.bridge.give(panel, phase="paused", snapshot_steps=(0, 5), step=10)
    context.workspace.step = 5
    assert panel.slider.step == 5
    context.commands["training.start"].trigger()
    assert context.workspace.step is None


def test_rate_during_a_run_reaches_the_engine_and_is_marked(panel, context):
    running(context, panel)
    assert not panel.recipe.form.editor("batch").isEnabled() and panel.recipe.form.editor("optimiser.lr").isEnabled()
    type_into(panel.recipe.form.editor("optimiser.lr"), "0.01")
    assert asked(context) == [("set_learning_rate", 0.01)]
    context.bridge.give(panel, events=({"step": 300, "what": "lr", "value": 0.01},))
    (marker,) = panel.curves.plots["loss"]._markers
    assert marker.x == 300 and "0.01" in marker.tip


def test_recipe_before_a_run_configures_the_experiment(panel, context):
    type_into(panel.recipe.form.editor("batch"), "128")
    panel.recipe.form.editor("optimiser.name").textActivated.emit("adam")
    assert asked(context) == [("configure", {"batch": 128}), ("configure", {"optimiser.name": "adam"})]


def test_recipe_after_a_run_waits_for_the_next_start(panel, context):
    context.bridge.give(panel, phase="finished", step=100, total_steps=100)
    type_into(panel.recipe.form.editor("epochs"), "3")
    assert asked(context) == [] and "next start" in panel.status.text()
    context.commands["training.start"].trigger()
    assert asked(context) == [("configure", {"epochs": 3}), ("start",)]


def test_bad_values_are_refused_with_a_message(panel, context):
    type_into(panel.recipe.form.editor("optimiser.lr"), "-3")
    assert asked(context) == [] and "between" in panel.message.text()
    type_into(panel.recipe.form.editor("optimiser.lr"), "0.2")
    assert asked(context) == [("configure", {"optimiser.lr": 0.2})] and panel.message.isHidden()


def test_the_button_shows_the_panel_with_every_field(panel, context):
    wanted = []
    context.bridge.panel_wanted.connect(wanted.append)
    panel.recipe.button.click()
    assert wanted == ["recipe"]


def test_another_data_set_is_opened(panel, context):
    box = panel.recipe.dataset
    assert box.currentData() == "strokes" and box.currentText() == context.bridge.state.opened.dataset.title
    box.activated.emit(box.findData("digits"))
    assert asked(context) == [("configure", {"dataset": "digits"})]


def test_log_toggles(panel, context):
    running(context, panel)
    context.commands["training.log-loss"].trigger()
    context.commands["training.log-steps"].trigger()
    assert panel.curves.plots["loss"].log_y and panel.curves.plots["accuracy"].log_x
    assert not panel.curves.plots["accuracy"].log_y
    assert not panel.grab().isNull()


def test_zoomed_accuracy_shows_the_later_half(panel, context):
    running(context, panel, phase="paused")
    context.commands["training.zoom-accuracy"].trigger()
    low, high = panel.curves.plots["accuracy"].y_range
    assert low > 0 and high == 100
    context.commands["training.zoom-accuracy"].trigger()
    assert panel.curves.plots["accuracy"].y_range == (0, 100)


def test_one_crosshair_for_all_plots(panel, context):
    running(context, panel, phase="paused")
    plots = panel.curves.plots
    QTest.mouseMove(plots["loss"], QPoint(round(plots["loss"].pixel_of(250)), 60))
    assert {plot._cross for plot in plots.values()} == {plots["loss"]._cross} != {None}


def test_words():
    assert (duration(48.2), duration(72), duration(7500), duration(float("inf"))) == (
        "48 s",
        "1 min 12 s",
        "2 h 05 min",
        "–",
    )


def test_status_line(context, opened, panel):
    running(context, panel)
    assert status_text(context.bridge.state) == "epoch 3 of 10 · step 500 of 2,000 · 1 min 12 s left"
    context.bridge.give(phase="ready", estimate="about 20 s, 300 MB")
    assert status_text(context.bridge.state) == "about 20 s, 300 MB"


def test_narrow_panels_keep_what_matters(panel):
    panel.resize(480, 300)
    assert panel.recipe.form.editor("optimiser.lr").isVisible() and not panel.recipe.form.editor("epochs").isVisible()
    panel.resize(1200, 300)
    assert panel.recipe.form.editor("epochs").isVisible() and panel.recipe.form.caption("schedule.name").isVisible()


def test_without_an_experiment_it_says_what_to_do(context, qtbot):
    made = TrainingPanel(context)
    qtbot.addWidget(made)
    made.show()
    assert made.empty.isVisible() and "catalogue" in made.empty.text.text()


def test_what_is_ready_can_be_started_at_once_and_while_the_panel_is_hidden(panel, context, kit):
    panel.hide()
    context.bridge.give(phase="opening")
    assert not context.commands["training.start"].isEnabled()
    context.bridge.give(phase="ready", opened=kit.make_opened())
    context.commands["training.start"].trigger()
    assert asked(context) == [("start",)]
    context.bridge.give(phase="running")
    assert context.commands["training.pause"].isEnabled() and panel.start_button.text() == "Pause"


def test_the_last_figures_come_when_no_further_state_does(panel, context, qtbot):
    running(context, panel, steps=500)
    context.bridge.give(panel, step=517, snapshot_steps=(0, 500))
    qtbot.waitUntil(lambda: "step 517" in panel.status.text())
    assert panel.slider.steps == (0, 500)


def test_a_stopped_run_says_where(context, panel):
    running(context, panel, phase="finished", steps=13, total_steps=680, epoch=0, epochs=40)
    assert status_text(context.bridge.state) == "stopped at step 13 · epoch 0 of 40"
    context.bridge.give(panel, step=680, epoch=40)
    assert status_text(context.bridge.state) == "finished · epoch 40 of 40 · step 680 of 680"


def test_a_status_in_less_room(context, panel):
    running(context, panel, phase="paused", steps=12, total_steps=680, epoch=0, epochs=40)
    assert status_texts(context.bridge.state) == (
        "paused · epoch 1 of 40 · step 12 of 680",
        ("paused · epoch 1/40 · step 12/680", "paused · step 12/680"),
    )


def test_what_is_done_before_the_first_step_is_said_with_its_progress(context, panel):
    running(context, panel, steps=0, activity="preparing", share=0.25, seconds_left=None, initial_loss=None)
    assert panel.status.text().startswith("preparing the samples 25 %")
    context.bridge.give(panel, activity="evaluating", share=0.4, phase="paused")
    context.bridge.give(panel, phase="running")
    assert panel.status.text().startswith("measuring the initial loss 40 %") and panel.progress.value() == 400
    context.bridge.give(panel, step=200, initial_loss=2.3, phase="paused")
    context.bridge.give(panel, phase="running")
    assert "validating" in panel.status.text() and panel.progress.value() == 100


def test_trained_weights_say_that_start_begins_afresh(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened(pretrained=True), estimate="about 5 min")
    assert "Start trains from fresh weights" in panel.status.text() and "about 5 min" in panel.status.text()
    assert "first weights" in context.commands["training.reset"].toolTip()


NEIGHBOURS = ModelEntry(
    "knn", "Neighbours", lambda *a, **k: None, options={"k": 5, "metric": "L2"}, choices={"metric": ("L1", "L2")},
    trained_by="memory",
)  # fmt: skip


def test_a_network_that_remembers_has_no_recipe_but_its_options(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened(model=NEIGHBOURS))
    assert panel.recipe.form.isHidden() and panel.recipe.memory.isVisible()
    assert panel.recipe.memory.text() == "one pass, nothing to learn but memory"
    context.bridge.give(panel, phase="finished", step=1, total_steps=1, epoch=1, epochs=10)
    assert panel.status.text() == "finished · remembers 40 samples"
    assert panel.curves.plots["rate"].isHidden()
    context.bridge.give(panel, phase="ready", opened=kit.make_opened())
    assert panel.recipe.form.isVisible() and panel.recipe.memory.isHidden() and panel.curves.plots["rate"].isVisible()


def test_other_runs_are_named_below_the_curves(panel, context):
    x = np.arange(1, 50)
    runs = [{"loss": Earlier(name, x, x / 50), "accuracy": Earlier(name, x, x)} for name in ("wide", "narrow")]
    panel.curves.set_previous(runs)
    assert panel.curves.legend.isVisible() and panel.curves.legend.names == ("wide", "narrow")
    panel.curves.set_previous([])
    assert panel.curves.legend.isHidden()


def test_runs_of_one_name_are_told_apart():
    assert told_apart([("a", "10:31"), ("b", "10:31"), ("b", "10:40")]) == ["a", "b 10:31", "b 10:40"]
    assert told_apart([("a", "10:31"), ("a", "10:31")]) == ["a 10:31 (1)", "a 10:31 (2)"]


class Child:
    """A process that has not ended."""

    code = None

    def poll(self):
        return self.code


@pytest.fixture
def beside(panel, context, kit, monkeypatch, tmp_path):
    """The panel on a linear classifier with a penalty, and what was handed to a process of its own."""
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path))
    begun = []
    monkeypatch.setattr(
        "guiapp.training.own_process.go_on", lambda folder, name: begun.append((folder, name)) or Child()
    )
    experiment = EXPERIMENTS["linear-classifier"]
    opened = kit.make_opened(
        kit.make_dataset(name="digits"), experiment=experiment, settings={"penalty.name": "l2", "augmentation": "none"},
        recipe=recipe_of(experiment, {"penalty.name": "l2", "augmentation": "none"}), model_options={},
    )  # fmt: skip
    context.bridge.give(panel, opened=opened, phase="ready")
    return panel.beside, begun


def test_the_same_run_without_one_thing_is_two_clicks_away(beside, panel, context):
    made, begun = beside
    menu = made.make_menu()
    next(action for action in menu.actions() if action.text() == "Without penalty").trigger()
    ((folder, name),) = begun
    info = RunFolder.open(folder).info
    assert name == "linear-classifier" and info["name"] == "penalty none" and info["state"] == "new"
    assert info["recipe"]["penalty"]["name"] == "none" and info["dataset"] == "digits"
    assert info["recipe"]["optimiser"]["lr"] == panel.recipe._opened.recipe.optimiser.lr
    assert context.workspace.compared == (folder,)
    made.take_away()
    assert context.workspace.compared == () and folder.is_dir()


def test_a_run_beside_that_fails_says_why_and_goes_with_its_experiment(beside, context, kit):
    made, begun = beside
    made.train({"optimiser.lr": 0.5}, "rate 0.5")
    made.train({"seed": 1}, "seed 1")
    (first, _), (second, _) = begun
    (first / "log.txt").write_text("error: the disk is full\n")
    made.children[first].code = 1
    made._look()
    assert [notice.text for notice in context.notices.notices] == [
        "The run beside ended early: error: the disk is full"
    ]
    assert context.workspace.compared == (first, second)
    context.bridge.give(opened=kit.make_opened())
    assert second not in context.workspace.compared


def test_other_runs_are_called_by_what_differs_and_bring_their_validation(beside, context):
    made, begun = beside
    made.train({"optimiser.lr": 0.5}, "")
    ((folder, _),) = begun
    steps = Columns(("loss", "accuracy", "lr"), folder / "steps")
    steps.append({"loss": np.full(40, 1.0), "accuracy": np.full(40, 0.5), "lr": np.full(40, 0.5)})
    steps.close()
    row = {"epoch": 1, "step": 40, "validation": {"loss": 0.75, "accuracy": 0.8}}
    (folder / "epochs.jsonl").write_text(json.dumps(row) + "\n")
    (found,) = read_previous(context.bridge.state.opened, None)
    assert found["loss"].name == found["accuracy"].name == "rate 0.5"
    assert found["accuracy"].held_x.tolist() == [40.0] and found["accuracy"].held_y.tolist() == [80.0]
    assert found["loss"].held_y.tolist() == [0.75]
