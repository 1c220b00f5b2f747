"""The evaluation panel: what is measured when, and what a click shows."""

import json
from dataclasses import replace

import numpy as np
import pytest

from guiapp.datasets.base import UNLABELLED
from guiapp.engine.evaluate import Evaluated
from guiapp.training.looks import add_look
from guiapp.training.metrics.report import report
from guiapp.training.metrics.scores import Scores
from guiapp.ui.panels import evaluation as module
from guiapp.ui.panels import evaluation_views as pages
from guiapp.ui.panels.evaluation import EvaluationPanel


def scores_of(samples, classes, sure=0.8, part="validation"):
    """Every third sample is taken for the next class, each with another confidence."""
    truth = np.asarray(samples.labels)
    shares = np.full((len(truth), len(classes)), 0.01, np.float32)
    answer = np.where(np.arange(len(truth)) % 3 == 0, (truth + 1) % len(classes), truth)
    shares[np.arange(len(truth)), answer] = np.linspace(0.3, sure, len(truth))
    shares /= shares.sum(1, keepdims=True)
    return Scores(shares, truth, tuple(classes), part, train_counts=np.bincount(truth, minlength=len(classes)))


def given(panel, part="validation", step=0, looks=(), **changes):
    """End the study that runs with figures."""
    opened = panel.seen.opened
    scores = scores_of(opened.dataset.part(part), opened.labels, part=part, **changes)
    panel.context.bridge.studied[1](Evaluated(opened, report(scores), part, step, list(looks)))
    return scores


def studies(context):
    return [call for call in context.bridge.engine.asked if call[0] == "study"]


@pytest.fixture
def panel(qtbot, context, opened):
    made = EvaluationPanel(context)
    qtbot.addWidget(made)
    made.resize(760, 420)
    made.show()
    qtbot.waitExposed(made)
    made.show_state(context.bridge.state)
    return made


def test_it_says_what_to_do_while_nothing_is_open(qtbot, context):
    made = EvaluationPanel(context)
    qtbot.addWidget(made)
    assert made._pages.currentWidget() is made.empty
    assert studies(context) == []


def test_of_pictures_that_nobody_has_labelled_it_says_how_they_are(panel, context, kit):
    dataset = context.bridge.state.opened.dataset
    unlabelled = replace(dataset, classes=(*dataset.classes[:-1], UNLABELLED))
    context.bridge.give(panel, opened=kit.make_opened(dataset=unlabelled))
    assert panel.empty.isVisible() and "dataset=FOLDER" in panel.empty.text.text()
    context.bridge.give(panel, opened=kit.make_opened(dataset=dataset))
    assert not panel.empty.isVisible()


def test_it_measures_validation_and_again_when_weights_are_others(panel, context):
    assert len(studies(context)) == 1 and panel.part == "validation"
    scores = given(panel)
    assert panel.outcome.matrix.sum() == 25
    assert f"accuracy {scores.right.mean():.4f}" in panel.bar.words.text()
    panel.show_state(context.bridge.state)
    assert len(studies(context)) == 1
    context.bridge.give(panel, step=7, phase="paused")
    assert len(studies(context)) == 2
    given(panel, step=7)
    assert "step 7" in panel.bar.words.text()


def test_at_its_end_a_run_has_its_best_weights_and_their_step_is_named(panel, context):
    rows = [
        {"step": step, "validation": {"accuracy": right, "loss": loss}}
        for step, right, loss in ((3, 0.5, 1.0), (6, 0.9, 0.4), (9, 0.9, 0.5))
    ]
    context.bridge.give(panel, step=9, phase="finished", epoch=3, epochs=3, epoch_rows=rows)
    given(panel, step=9)
    assert panel.bar.words.text().endswith("step 6 (best)")
    context.bridge.give(panel, step=8, phase="finished", epoch=2, epochs=3, epoch_rows=rows[:2])  # ended by hand
    given(panel, step=8)
    assert panel.bar.words.text().endswith("step 8")


def test_while_training_it_rests_between_two_evaluations(panel, context):
    given(panel)
    context.bridge.give(panel, step=5, phase="running")
    assert len(studies(context)) == 1 and panel.measuring._again.isActive()
    panel.measuring._again.stop()
    panel.measuring._ended_at -= 100
    context.bridge.give(panel, step=6)
    assert len(studies(context)) == 2


def test_hidden_it_measures_nothing(panel, context):
    given(panel)
    panel.hide()
    context.bridge.give(step=9, phase="paused")
    panel.measuring.refresh()
    assert len(studies(context)) == 1


def test_a_click_on_a_cell_moves_the_other_panels(panel, context):
    scores = given(panel)
    plot, workspace = panel.matrix, context.workspace
    row, column = 3, 4
    wanted = np.flatnonzero((scores.truth == row) & (scores.top == column))
    assert len(wanted)
    place = plot.cell_rect(row, column).center()
    assert plot.item_at(place) == row * 10 + column
    plot.clicked.emit(plot.item_at(place))
    assert sorted(workspace.samples) == [("validation", int(i)) for i in wanted]
    assert workspace.sample == workspace.samples[0] and workspace.class_index == row
    assert workspace.picture.origin.index == workspace.sample[1]
    assert panel.grid.shown.tolist() == [i for _, i in workspace.samples]
    assert panel.title_of_grid.text() == f"3 → 4 ({len(wanted)})"
    assert plot.csv_text().splitlines()[4].startswith("3,0,0,0,")


def test_every_row_and_bin_shows_its_samples(panel, context):
    scores = given(panel)
    wrong = set(np.flatnonzero(~scores.right).tolist())
    panel.tabs.setCurrentIndex(pages.PAIRS)
    panel.pairs.chosen.emit(panel.pairs.table.keys[0])
    assert {i for _, i in context.workspace.samples} <= wrong
    panel.tabs.setCurrentIndex(pages.CLASSES)
    panel.classes.chosen.emit("5")
    assert {scores.truth[i] for _, i in context.workspace.samples} == {5} and context.workspace.class_index == 5
    panel.tabs.setCurrentIndex(pages.NUMBERS)
    panel.numbers.chosen.emit("accuracy")
    assert {i for _, i in context.workspace.samples} == wrong
    panel.tabs.setCurrentIndex(pages.CALIBRATION)
    bin_ = int(np.flatnonzero(panel.views.calibration.counts)[0])
    panel.bins.clicked.emit(bin_)
    assert len(context.workspace.samples) == panel.views.calibration.counts[bin_]
    panel.tabs.setCurrentIndex(module.MISTAKES)
    assert set(panel.grid.shown.tolist()) == wrong
    order = scores.surprise[panel.grid.shown]
    assert (np.diff(order) <= 0).all()
    panel.tabs.setCurrentIndex(module.LABELS)
    assert "perhaps wrong" in panel.title_of_grid.text()


def test_everything_follows_the_threshold(panel, context, qtbot):
    scores = given(panel)
    panel.row.class_chosen.emit(2)
    assert panel.decision.positive == 2 and panel.decision.threshold == 0.5 and context.workspace.class_index == 2
    assert panel.outcome.names == ("not 2", "2")
    panel.tabs.setCurrentIndex(pages.NUMBERS)
    panel.numbers.chosen.emit("recall")
    before = len(context.workspace.samples)
    panel.row.slider.setValue(990)
    assert panel.decision.threshold == pytest.approx(0.99) and panel.row.value.value() == pytest.approx(0.99)
    assert panel.outcome.tp[1] == 0
    assert len(panel.grid.shown) == (scores.truth == 2).sum() >= before
    qtbot.waitUntil(lambda: len(context.workspace.samples) == len(panel.grid.shown))
    panel.row.value.setValue(0.0)
    assert panel.outcome.fp[1] == (scores.truth != 2).sum() and not len(panel.grid.shown)
    texts = {row[0].text: row[1].text for row in panel.numbers.table.rows}
    assert texts["Recall (sensitivity, TPR)"] == "1.0000" and texts["Negative predictive value"] == "–"
    context.workspace.class_index = 7
    assert panel.decision.positive == 7 and panel.decision.threshold == 0.5
    panel.tabs.setCurrentIndex(pages.CLASSES)
    panel.classes.chosen.emit("4")
    assert panel.decision.positive == 4 and {scores.truth[i] for _, i in context.workspace.samples} == {4}
    panel.row.class_chosen.emit(-1)
    assert panel.decision.positive is None and panel.outcome.unanswered == 0
    panel.row.slider.setValue(500)
    assert panel.outcome.unanswered == (scores.confidence < 0.5).sum()


def test_a_point_of_a_curve_is_a_threshold(panel, context):
    given(panel)
    panel.tabs.setCurrentIndex(pages.CURVES)
    point = panel.views.curves[4]
    panel.roc.picked.emit(4, 3)
    assert panel.decision.positive == 4 and panel.decision.threshold == pytest.approx(point.thresholds[3])
    assert panel.roc.mark == 3 and panel.outcome.tp[1] == point.tp[3] and panel.outcome.fp[1] == point.fp[3]
    assert "threshold" in panel.precision.csv_text().splitlines()[0]


def test_the_test_part_is_looked_at_only_after_a_question_and_counted(panel, context, tmp_path):
    given(panel)
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    add_look(tmp_path, "train", 0.9)
    context.bridge.give(panel, run=tmp_path, phase="finished", step=3)
    given(panel, step=3)
    number = len(studies(context))
    assert "1 look (1 train)" in panel.looks.text()
    assert panel.row.part.findData("test") < 0
    context.commands["evaluation.test"].trigger()
    assert panel.question.isVisible() and "Look 2 " in panel.question.words.text()
    panel.question.no.click()
    assert not panel.question.isVisible() and len(studies(context)) == number and panel.part == "validation"
    panel.test.click()
    panel.question.yes.click()
    assert panel.part == "test" and len(studies(context)) == number + 1
    given(panel, "test", 3, add_look(tmp_path, "window", 0.6))
    assert "2 looks (1 train, 1 window)" in panel.looks.text() and len(panel.outcome.truth) == 12
    assert panel.row.part.currentData() == "test"
    context.bridge.give(panel, step=4)
    assert len(studies(context)) == number + 1 and "now 4" in panel.bar.words.text()
    panel.choose_part("validation")
    assert len(studies(context)) == number + 2
    given(panel, step=4)
    panel.choose_part("test")
    assert len(studies(context)) == number + 2 and len(panel.outcome.truth) == 12


def test_a_look_without_a_run_is_counted_here(panel, context):
    given(panel)
    panel.ask_test()
    assert "Look 1 " in panel.question.words.text() and "no run" in panel.question.words.text()
    panel.question.yes.click()
    given(panel, "test")
    assert "1 look, no run" in panel.looks.text()


@pytest.mark.parametrize("classes", [2, 1000])
def test_two_classes_and_a_thousand(qtbot, context, kit, classes):
    from guiapp.datasets.base import Samples

    rng = np.random.default_rng(0)
    few = Samples(np.zeros((300, 8, 8, 1), np.uint8), rng.integers(0, classes, 300))
    names = tuple(f"class number {i}" for i in range(classes))
    dataset = kit.make_dataset(classes=names, train=few, validation=few, test=few)
    context.bridge.give(phase="ready", opened=kit.make_opened(dataset))
    made = EvaluationPanel(context)
    qtbot.addWidget(made)
    made.resize(720, 400)
    made.show()
    qtbot.waitExposed(made)
    made.show_state(context.bridge.state)
    given(made)
    for page in range(len(module.PAGES)):
        made.tabs.setCurrentIndex(page)
        made.grab()
    made.tabs.setCurrentIndex(pages.MATRIX)
    plot = made.matrix
    assert sum(plot.count(row, column) for row in range(len(plot.rows)) for column in range(len(plot.columns))) == 300
    if classes == 2:
        assert len(plot.rows) == 2
        return
    assert len(plot.rows) < 40 and plot.title_of(len(plot.rows) - 1).endswith("others")
    others = len(plot.rows) - 1
    made.views._choose_cell(others * len(plot.columns) + others)
    assert len(context.workspace.samples) == plot.count(others, others) and context.workspace.class_index is None
    assert len(made.classes.table.rows) == 1000


def test_answers_that_are_no_numbers(panel, context):
    opened = panel.seen.opened
    scores = scores_of(opened.dataset.validation, opened.labels)
    shares = scores.probabilities.copy()
    shares[:5] = np.nan
    broken = Scores(shares, scores.truth, scores.classes)
    context.bridge.studied[1](Evaluated(opened, report(broken), "validation", 0, []))
    assert panel.outcome.unanswered == 5 and len(panel.matrix.columns) == 11
    for page in range(len(module.PAGES)):
        panel.tabs.setCurrentIndex(page)
        panel.grab()
    assert "5 without answer" in panel.bar.words.text()


def test_another_network_forgets_the_one_before(panel, context, kit):
    given(panel)
    panel.row.class_chosen.emit(1)
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.found is None and panel.decision.positive is None and not len(panel.grid.shown)
    assert len(studies(context)) == 2


def test_the_wheel_goes_into_a_corner_of_the_curves(panel):
    given(panel)
    panel.tabs.setCurrentIndex(pages.CURVES)
    plot = panel.roc
    corner = plot.place(0, 1)
    plot.zoom(corner, 0.1)
    assert plot.shown.x() == pytest.approx(0) and plot.shown.y() == pytest.approx(0.9)
    assert plot.place(0, 1) == corner
    plot.grab()
    plot.zoom(corner, 100)
    assert plot.shown.width() == 1 and plot.shown.y() == 0
