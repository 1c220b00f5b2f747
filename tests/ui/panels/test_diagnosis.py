"""The Diagnosis panel: findings with their evidence on the curves, layers, histograms, time, checks before a run."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QUrl
from PySide6.QtTest import QTest

from guiapp.training.columns import Columns
from guiapp.training.diagnosis import before, record
from guiapp.training.recipe import change
from guiapp.ui.panels.diagnosis import DiagnosisPanel
from guiapp.ui.panels.training_curves import TrainingCurves
from tests.training.diagnosis import curves

LAYERS = (
    record.ObservedLayer("conv1", "Conv2d", "relu1", "ReLU"),
    record.ObservedLayer("fc", "Linear"),
)


@pytest.fixture
def panel(context, qtbot):
    made = DiagnosisPanel(context)
    made.resize(340, 500)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def follow(context, panel, kit, tmp_path):
    """Give the panel a run: figures of its steps and epochs, and what was observed."""

    def give(run, observed=False):
        columns = Columns(("loss", "accuracy", "lr"))
        columns.append({"loss": run.loss, "accuracy": np.zeros(run.steps), "lr": run.rate})
        if observed:
            writer = record.Writer(tmp_path, 0, 0)
            writer.set_layers(LAYERS)
            for step in (1, 100, 200, 300, 400, 500):
                figures = np.zeros((2, len(record.FIGURES) + 2 * record.BINS))
                figures[:, :7] = [[2e-3, 0.5, 3.0, 0.2, 0.4, 0.75, np.nan], [5e-2, 0.1, 2.0, 0.0, 1.0, np.nan, np.nan]]
                figures[:, 7 + 32] = 1.0
                figures[:, 7 + 65 + 40] = 1.0
                writer.add([step, 64, 64, 0.035, 0.010, 0.020, 0.025, 0.010], figures)
            writer.close()
        state = {"phase": "paused", "opened": kit.make_opened(), "columns": columns, "run": tmp_path}
        rows = {"epoch_rows": tuple(run.epochs), "step": run.steps, "total_steps": run.total_steps}
        context.bridge.give(**state, **rows, initial_loss=run.initial_loss)
        panel.show_state(context.bridge.state)

    return give


def overfitted():
    return curves.run(held=[1.2, 0.9, 0.7, 0.6, 0.62, 0.66, 0.7, 0.75, 0.8, 0.85])


def test_what_is_wrong_is_said_and_marked_on_the_curves(panel, follow, context):
    follow(overfitted())
    assert [one.id for one in panel.found] == ["overfitting"]
    assert "after epoch 4" in panel.finding_page.text.toPlainText()
    assert ("loss", 400, 1000) in [piece[:3] for piece in context.workspace.evidence]
    assert len(panel.finding_page.plot.series["train"].x) == 200
    follow(curves.run())
    assert panel.found == [] and context.workspace.evidence == ()
    assert "Nothing is wrong" in panel.finding_page.text.toPlainText()


def test_while_the_panel_is_hidden_its_marks_do_not_stay_on_the_curves_of_another_run(panel, follow, context, kit):
    follow(overfitted())
    context.bridge.give(phase="finished")
    assert context.workspace.evidence, "the same run went on"
    context.bridge.give(phase="ready", opened=kit.make_opened())
    assert context.workspace.evidence == ()


def test_what_a_run_did_while_it_was_read_is_read_next(panel, follow, context, monkeypatch):
    calls = []
    now = context.bridge.call
    monkeypatch.setattr(context.bridge, "call", lambda job, then: calls.append((job, then)))
    follow(overfitted())
    context.bridge.give(phase="finished")  # the last thing that is told of the run
    panel.show_state(context.bridge.state)
    assert len(calls) == 1
    now(*calls[0])
    assert [one.id for one in panel.found] == ["overfitting"] and len(calls) == 2
    now(*calls[1])
    assert len(calls) == 2


def test_a_click_marks_the_evidence_of_one_finding_alone(panel, follow, context):
    follow(overfitted(), observed=True)
    names = [one.id for one in panel.found]
    assert {"overfitting", "dead-units", "data-bottleneck"} <= set(names)
    panel.finding_page.text.anchorClicked.emit(QUrl(f"finding:{names.index('dead-units')}"))
    assert [text for *_, text in context.workspace.evidence] == ["Dead units: units are dead"]
    panel.finding_page.text.anchorClicked.emit(QUrl("layer:conv1"))
    assert context.workspace.layer == "conv1"
    panel.finding_page.text.anchorClicked.emit(QUrl(f"finding:{names.index('dead-units')}"))
    assert len(context.workspace.evidence) > 2


def test_the_samples_of_a_finding_are_chosen_everywhere(panel, follow, context):
    follow(overfitted())
    panel.found = [replace(panel.found[0], samples=(3, 5))]
    panel.finding_page.text.anchorClicked.emit(QUrl("samples:0"))
    assert context.workspace.samples == (("validation", 3), ("validation", 5))


def test_layers_histograms_and_times_follow_the_chosen_layer(panel, follow, context):
    follow(overfitted(), observed=True)
    rows = [[cell.text for cell in row] for row in panel.layers_page.model.rows]
    assert rows == [["conv1", "2.0e-03", "5.0e-01", "75%", ""], ["fc", "5.0e-02", "1.0e-01", "", ""]]
    assert panel.layers_page.model.rows[1][1].mark and not panel.layers_page.model.rows[0][1].mark
    context.workspace.layer = "fc"
    assert panel.layers_page.ratio.series["ratio"].y == pytest.approx([0.05] * 6)
    assert panel.histograms_page.layers.currentData() == "fc"
    assert panel.histograms_page.outputs.steps.tolist() == [1, 100, 200, 300, 400, 500]
    panel.histograms_page.chosen.emit("conv1")
    assert context.workspace.layer == "conv1"
    stages = {name: seconds for name, seconds, _ in panel.time_page.bars.stages}
    assert stages["data"] == pytest.approx(0.035) and stages["update"] == pytest.approx(0.010)
    assert panel.time_page.line.text().startswith("640 samples/s")
    for name in ("layers", "histograms", "time"):
        panel.show_page(name)
        assert not panel.grab().isNull()
    plot = panel.histograms_page.outputs
    panel.show_page("histograms")
    assert plot.item_at(QPointF(plot.area().left() + 1, plot.area().center().y())) == 0
    assert plot.csv_text().count("\n") == 7 and panel.time_page.bars.csv_text().startswith("stage,seconds\ndata,0.035")


def test_observation_and_the_suggested_rate_go_into_the_recipe(panel, follow, context, kit):
    opened = kit.make_opened()
    context.bridge.give(phase="ready", opened=opened)
    panel.show_state(context.bridge.state)
    assert panel.observe.isEnabled() and not panel.observe.isChecked()
    panel.observe.click()
    assert context.bridge.engine.asked[-1] == ("configure", {"observe.name": "on"})
    context.bridge.give(opened=kit.make_opened(recipe=change(opened.recipe, {"observe": "on"})))
    panel.show_state(context.bridge.state)
    assert panel.observe.isChecked()
    rates = np.geomspace(1e-6, 10, 120).tolist()
    losses = np.concatenate([np.full(60, 2.3), np.linspace(2.3, 0.5, 40), np.linspace(0.5, 3, 20)]).tolist()
    tested = before.judge_range(rates, losses, losses, 0.05)
    page = panel.before_page
    panel.show_page("before")
    page.check.click()
    assert context.bridge.engine.asked[-1] == ("study", "checks before a run")
    page.show_checks(before.Checks(range_test=tested))
    assert "falls fastest" in page.text.toPlainText() and page.use.text() == f"Use {tested.suggested:.2g}"
    assert page.range.x_range[0] == 1e-6 and not page.grab().isNull()
    page.use.click()
    assert context.bridge.engine.asked[-1] == ("configure", {"optimiser.lr": tested.suggested})
    context.bridge.give(phase="running")
    page.use.click()
    assert context.bridge.engine.asked[-1] == ("set_learning_rate", tested.suggested)
    context.bridge.give(phase="ready", opened=kit.make_opened())
    panel.show_state(context.bridge.state)
    assert page.found is None and not page.use.isEnabled(), "what was found does not hold for another experiment"


def test_the_curves_of_the_training_panel_show_the_evidence(context, qtbot):
    made = TrainingCurves(context.theme)
    qtbot.addWidget(made)
    made.resize(600, 200)
    made.show()
    plot = made.plots["loss"]
    plot.set_data("train", np.arange(100.0), np.linspace(2, 1, 100))
    QTest.qWait(1)
    before_ = plot.grab().toImage()
    made.set_evidence((("loss", 20, 60, "flat"), ("accuracy", 1, 2, "low")))
    after = plot.grab().toImage()
    frame = plot.frame()
    y = int(frame.area.bottom()) - 5

    def differs(x):
        at = int(frame.to_x(x))
        return before_.pixelColor(at, y) != after.pixelColor(at, y)

    assert differs(40) and not differs(80)
    made.set_evidence(())
    assert plot.grab().toImage() == before_
