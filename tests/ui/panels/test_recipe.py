"""The recipe panel: groups, marks, what counts, the drawn schedule, files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from guiapp.catalogue import EXPERIMENTS
from guiapp.models.base import ModelEntry
from guiapp.training.columns import Columns
from guiapp.training.recipe import Recipe, change
from guiapp.training.recipe_file import read_recipe
from guiapp.training.recipe_transfer import Transfer
from guiapp.training.setup import entry_recipe, recipe_of
from guiapp.ui.panels.recipe import RecipePanel
from guiapp.ui.panels.training import TrainingPanel
from guiapp.ui.widgets.option_form import fields_of

MLP = ModelEntry(
    "mlp", "Perceptron", lambda *a, **k: None, options={"hidden": 64, "activation": "tanh"},
    choices={"activation": ("tanh", "relu")},
)  # fmt: skip
NEIGHBOURS = ModelEntry(
    "knn", "Neighbours", lambda *a, **k: None, options={"k": 5, "metric": "L2"}, choices={"metric": ("L1", "L2")},
    trained_by="memory",
)  # fmt: skip


@pytest.fixture
def panel(context, opened, qtbot):
    made = RecipePanel(context)
    made.resize(360, 700)
    qtbot.addWidget(made)
    made.show()
    made.show_state(context.bridge.state)
    context.bridge.engine.asked.clear()
    return made


def type_into(line, text):
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def asked(context):
    return context.bridge.engine.asked


def shown(panel):
    return {d for form in panel.forms.values() for d in form.names if not form.editor(d).isHidden()}


def back(panel, dotted):
    return panel.findChild(QToolButton, f"recipe.{dotted}.reset")


def test_every_field_is_there_by_its_name_with_a_tip(panel):
    names = [f.dotted for f in fields_of(Recipe())]
    assert sorted(d for form in panel.forms.values() for d in form.names) == sorted(names)
    for name in names:
        assert panel.editor(name).objectName() == f"recipe.{name}" and panel.editor(name).toolTip()
    assert "from 1 to 1e+06" in panel.editor("batch").toolTip()


def test_groups_fold_and_say_what_is_in_them(panel, context, qtbot):
    fold = panel.folds["penalty"]
    assert not fold.open and panel.editor("penalty.name").isVisible() is False
    QTest.mouseClick(fold.title, Qt.MouseButton.LeftButton)
    assert fold.open and panel.editor("penalty.name").isVisible()
    assert panel.folds["optimiser"].summary.text() == "momentum · rate 0.05" and fold.summary.text() == "–"
    again = RecipePanel(context)
    qtbot.addWidget(again)
    again.show()
    again.show_state(context.bridge.state)
    assert again.folds["penalty"].open, "remembered"


def test_a_changed_field_is_marked_and_goes_back_with_a_click(panel, context):
    assert back(panel, "batch") is None
    type_into(panel.editor("batch"), "128")
    assert asked(context) == [("configure", {"batch": 128})]
    assert back(panel, "batch").isVisible() and panel.forms["run"].caption("batch").property("heading")
    assert "1 changed" in panel.head.text() and back(panel, "batch").toolTip() == "Back to 64"
    QTest.mouseClick(back(panel, "batch"), Qt.MouseButton.LeftButton)
    assert asked(context)[-1] == ("configure", {"batch": 64}) and back(panel, "batch").isHidden()
    assert panel.editor("batch").text() == "64" and "changed" not in panel.head.text()


def test_what_an_experiment_brings_is_no_change_of_the_person(panel, context, kit):
    exhibit = EXPERIMENTS["optimisers"]
    context.bridge.give(panel, opened=kit.make_opened(experiment=exhibit, recipe=entry_recipe(exhibit, "strokes")))
    assert not any(form.changed for form in panel.forms.values())
    panel.shown.setCurrentIndex(panel.shown.findData("differs"))
    assert {"optimiser.name", "optimiser.damping", "batch"} <= shown(panel) and "seed" not in shown(panel)
    panel.shown.setCurrentIndex(panel.shown.findData("mine"))
    assert shown(panel) == set() and panel.nothing.isVisible()


def test_the_augmentation_of_the_data_set_is_no_change(panel, context, kit):
    recipe = change(Recipe(), {"augmentation": "handwriting"})
    context.bridge.give(panel, opened=kit.make_opened(recipe=recipe))
    assert not panel.forms["augmentation"].changed
    context.bridge.give(panel, opened=kit.make_opened(recipe=recipe, settings={"augmentation.name": "handwriting"}))
    assert panel.forms["augmentation"].changed == {"augmentation.name"}


def test_typing_goes_on_while_the_experiment_is_opened_again(panel, context, opened):
    """A large network takes seconds to open; the newest edit wins and nothing that was typed is lost."""
    engine, batch, epochs = context.bridge.engine, panel.editor("batch"), panel.editor("epochs")
    type_into(batch, "128")
    context.bridge.give(panel, phase="opening")
    assert batch.isEnabled() and epochs.isEnabled()
    type_into(epochs, "7")
    type_into(batch, "32")
    assert engine.asked[-2:] == [("configure", {"epochs": 7}, "lenet5"), ("configure", {"batch": 32}, "lenet5")]
    epochs.setFocus()
    epochs.selectAll()
    QTest.keyClicks(epochs, "9")  # and stands there half typed
    for made in ({"batch": 128}, {"batch": 32, "epochs": 7}):  # the state between them was overtaken
        context.bridge.give(panel, phase="ready", opened=replace(opened, recipe=change(opened.recipe, made)))
        assert (batch.text(), epochs.text(), epochs.hasFocus()) == ("32", "9", True)
        assert (context.draft.recipe.batch, context.draft.recipe.epochs) == (32, 7)
        assert context.draft.reopening == (len(made) == 1)
    QTest.keyClick(epochs, Qt.Key.Key_Return)
    assert engine.asked[-1] == ("configure", {"epochs": 9})


def test_what_cannot_be_opened_leaves_the_form_with_what_holds(panel, context, opened):
    type_into(panel.editor("batch"), "128")
    context.bridge.give(panel, phase="opening")
    context.bridge.give(panel, phase="ready", opened=replace(opened))
    assert panel.editor("batch").text() == "64" and not context.draft.reopening
    context.bridge.give(panel, phase="opening")  # of another experiment, say
    assert not panel.editor("batch").isEnabled()


def test_everything_goes_back_at_once(panel, context):
    type_into(panel.editor("batch"), "128")
    panel.editor("optimiser.name").textActivated.emit("adam")
    context.commands["recipe.reset"].trigger()
    assert asked(context)[-1] == ("configure", {"batch": 64, "optimiser.name": "momentum"})


def test_fields_without_effect_are_left_out_until_they_have_one(panel):
    assert "optimiser.momentum" in shown(panel) and "optimiser.beta1" not in shown(panel)
    panel.editor("optimiser.name").textActivated.emit("adam")
    assert "optimiser.momentum" not in shown(panel) and "optimiser.beta1" in shown(panel)
    panel.shown.setCurrentIndex(panel.shown.findData("all"))
    assert shown(panel) == {f.dotted for f in fields_of(Recipe())}


def test_a_field_is_found_by_its_name_or_by_what_it_does(panel):
    panel.shown.setCurrentIndex(panel.shown.findData("all"))
    panel.find.setText("smoothing")
    assert shown(panel) == {"loss.smoothing"} and panel.folds["loss"].open
    panel.find.setText("conjugate nothing")
    assert shown(panel) == set() and panel.nothing.isVisible()
    panel.find.setText("")
    assert not panel.folds["loss"].open, "folds stand as before"


def test_row_and_panel_say_the_same_and_what_waits_stays(panel, context, qtbot):
    training = TrainingPanel(context)
    qtbot.addWidget(training)
    training.resize(1000, 300)
    training.show()
    training.show_state(context.bridge.state)
    context.bridge.give(panel, phase="finished", step=100, total_steps=100)
    type_into(training.recipe.form.editor("epochs"), "3")
    type_into(panel.editor("batch"), "32")
    assert panel.editor("epochs").text() == "3" and training.recipe.form.editor("batch").text() == "32"
    assert "2 wait" in panel.head.text() and not [c for c in asked(context) if c[0] == "configure"]
    context.commands["training.start"].trigger()
    assert asked(context)[-2:] == [("configure", {"epochs": 3, "batch": 32}), ("start",)]


def test_during_a_run_the_rate_alone_can_be_changed(panel, context):
    context.bridge.give(panel, phase="running", step=1, total_steps=10)
    assert not panel.editor("batch").isEnabled() and not context.commands["recipe.reset"].isEnabled()
    type_into(panel.editor("optimiser.lr"), "0.01")
    assert asked(context) == [("set_learning_rate", 0.01)]


def test_bad_values_are_refused_with_a_message(panel, context):
    type_into(panel.editor("optimiser.lr"), "-3")
    assert asked(context) == [] and panel.error.isVisible() and "between" in panel.error.text()
    type_into(panel.editor("optimiser.lr"), "0.2")
    assert asked(context) == [("configure", {"optimiser.lr": 0.2})] and panel.error.isHidden()


def test_options_of_the_network(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened(model=MLP, model_options={"hidden": 32}))
    form = panel.network_form
    assert form.editor("hidden").text() == "32" and form.editor("hidden").objectName() == "recipe.model.hidden"
    type_into(form.editor("hidden"), "16")
    form.editor("activation").textActivated.emit("relu")
    type_into(form.editor("hidden"), "many")
    assert asked(context) == [("configure", {"model.hidden": 16}), ("configure", {"model.activation": "relu"})]
    assert "'many'" in panel.error.text()
    context.bridge.give(panel, phase="running")
    assert not form.editor("hidden").isEnabled()
    context.bridge.give(panel, phase="ready", opened=kit.make_opened())
    assert panel.network_form is None and panel.folds["model"].isHidden(), "LeNet-5 has no options"


def test_a_network_that_remembers_has_its_options_and_the_device(panel, context, kit):
    context.bridge.give(panel, opened=kit.make_opened(model=NEIGHBOURS))
    assert shown(panel) == {"device"} and "no rate" in panel.note.text() and panel.schedule.isHidden()
    panel.network_form.editor("metric").textActivated.emit("L1")
    assert asked(context) == [("configure", {"model.metric": "L1"})]


def test_the_schedule_is_drawn_before_the_run_and_followed(panel, context, kit):
    recipe = change(Recipe(), {"schedule": "one-cycle", "batch": 4, "epochs": 3, "optimiser.lr": 0.2})
    context.bridge.give(panel, opened=kit.make_opened(recipe=recipe))
    rate, momentum = panel.schedule.rate, panel.schedule.momentum
    planned = rate.series["planned"]
    assert planned.x[-1] == 30 and planned.y.max() == pytest.approx(0.2) and planned.x[planned.y.argmax()] == 10
    assert momentum.isVisible() and momentum.series["planned"].y.min() == pytest.approx(0.85)
    columns = Columns(("loss", "accuracy", "lr"))
    columns.append({name: planned.y[:12].astype(np.float32) for name in columns.names})
    context.bridge.give(panel, phase="running", step=12, total_steps=30, columns=columns)
    assert len(rate.series["done"].x) == 12 and momentum.series["done"].x[-1] == 12
    context.bridge.give(panel, events=({"step": 12, "what": "lr", "value": 0.01},))
    assert rate.series["planned"].y[12] == pytest.approx(0.01), "it goes on from what was chosen by hand"
    panel.editor("schedule.name").textActivated.emit("cosine")
    assert momentum.isHidden() and rate.series["planned"].y[0] == pytest.approx(0.2)


def test_saved_it_opens_again_as_it_was(panel, context, tmp_path):
    type_into(panel.editor("batch"), "128")
    path = tmp_path / "mine.recipe.json"
    panel.files.write(path)
    assert read_recipe(path).settings["batch"] == 128
    context.commands["recipe.copy"].trigger()
    assert json.loads(QGuiApplication.clipboard().text()) == json.loads(path.read_text())
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "dataset": "digits"}))
    panel.files.read(path)
    name, settings = asked(context)[-1][1:]
    assert asked(context)[-1][0] == "open_experiment" and name == "lenet5"
    assert settings["batch"] == 128 and settings["dataset"] == "digits"


def test_saved_in_one_home_it_gives_the_same_settings_in_another(panel, context, home, monkeypatch, tmp_path):
    for dotted, word in (("optimiser.name", "adam"), ("schedule.name", "one-cycle"), ("penalty.name", "l1")):
        panel.editor(dotted).textActivated.emit(word)
    for dotted, text in (("batch", "128"), ("optimiser.lr", "0.003"), ("loss.smoothing", "0.1"), ("seed", "7")):
        type_into(panel.editor(dotted), text)
    path = tmp_path / "mine.recipe.json"
    panel.files.write(path)
    mine = context.draft.recipe
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "of another person"))
    panel.files.read(path)
    _, name, settings = asked(context)[-1]
    assert recipe_of(EXPERIMENTS[name], {"dataset": "mnist", **settings}) == mine
    assert mine.optimiser.name == "adam" and mine.seed == 7 and mine.penalty.name == "l1"


def test_head_only_gradual_unfreezing_and_a_rate_per_layer_are_set_in_the_form(panel, context, kit):
    exhibit = EXPERIMENTS["transfer-learning"]
    context.bridge.give(panel, opened=kit.make_opened(experiment=exhibit, recipe=entry_recipe(exhibit, "att-faces")))
    fold = panel.folds["transfer"]
    if not fold.open:
        QTest.mouseClick(fold.title, Qt.MouseButton.LeftButton)
    kind = panel.editor("transfer.name")
    inner = {"transfer.every", "transfer.groups", "transfer.decay"}
    assert kind.currentText() == "head" and kind.isVisible() and not inner & shown(panel)
    kind.textActivated.emit("all")
    assert inner & shown(panel) == {"transfer.decay"}
    type_into(panel.editor("transfer.decay"), "0.3")
    assert inner & shown(panel) == {"transfer.groups", "transfer.decay"}, "a rate per layer without unfreezing"
    kind.textActivated.emit("gradual")
    assert inner <= shown(panel)
    for dotted, text in (("transfer.every", "2"), ("transfer.groups", "6"), ("transfer.decay", "0.5")):
        type_into(panel.editor(dotted), text)
    settings = {name: value for call, given in asked(context) if call == "configure" for name, value in given.items()}
    made = recipe_of(exhibit, settings).transfer
    assert made == Transfer("gradual", every=2, groups=6, decay=0.5) == context.draft.recipe.transfer


def test_the_recipe_of_another_experiment_is_used_here_without_its_network(panel, context, tmp_path):
    path = tmp_path / "other.recipe.json"
    recipe = {"optimiser": {"name": "adam", "lr": 0.001}}
    path.write_text(
        json.dumps({"format": 1, "experiment": "mlp", "dataset": "mnist", "model": "mlp", "recipe": recipe})
    )
    panel.files.read(path, here=True)
    assert asked(context)[-1] == ("open_experiment", "lenet5", {"optimiser.name": "adam", "optimiser.lr": 0.001})


def test_a_file_that_is_no_recipe_is_told(panel, context, tmp_path):
    path = tmp_path / "no.recipe.json"
    path.write_text("{}")
    told = []
    panel.files._say = lambda level, text: told.append((level, text))
    context.bridge.engine.submit = lambda work, on_error, title: _fail(work, on_error)
    panel.files.read(path)
    assert told[0][0] == "error" and "is not a recipe" in told[0][1]


def _fail(work, on_error):
    from guiapp.engine.job import Job

    job = Job(work(), "")
    job.run()
    on_error(job.error)
    return job


def test_without_an_experiment_it_says_what_to_do(context, qtbot):
    made = RecipePanel(context)
    qtbot.addWidget(made)
    made.show()
    assert made.empty.isVisible() and "catalogue" in made.empty.text.text()
