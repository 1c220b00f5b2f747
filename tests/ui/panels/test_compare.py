"""Runs against each other: columns, filter, choice, pages, bias and variance; searches begun, watched, refined."""

import pytest
from PySide6.QtCore import Qt

from guiapp.core import paths
from guiapp.training.search_plan import make_plan
from guiapp.training.search_record import SearchFolder, Trial, searches
from guiapp.training.search_space import parse_axis
from guiapp.ui.panels import search_work
from guiapp.ui.panels.compare import ComparePanel
from guiapp.ui.panels.compare_table import cell_text
from guiapp.ui.panels.search import SearchPanel
from tests.training.test_run_records import write


def plan_of(search):
    """The plan as it is read: without the places where a line may end."""
    return search.new.plan.text().replace("\u200b", "")


@pytest.fixture
def compare(context, qtbot, home):
    for seed, value in enumerate((0.8, 0.9)):
        write(paths.runs(), f"a{seed}", 0.1, (value,), seed=seed)
    write(paths.runs(), "bbb", 0.01, (0.5,))
    write(searches() / "s1" / "runs", "0001", 0.2, (0.7,), _search={"folder": str(searches() / "s1")})
    panel = ComparePanel(context)
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    return panel


def names(panel):
    return [record.name for record in panel._model.records]


def test_runs_of_all_folders_with_the_columns_that_differ(compare):
    assert sorted(names(compare)) == ["0001", "a0", "a1", "bbb"]
    assert compare._model.columns[2:4] == ["optimiser.lr", "seed"]
    compare.set_column("best.epoch", True)
    compare.set_column("seed", False)
    assert compare._model.columns[-1] == "best.epoch" and "seed" not in compare._model.columns
    again = ComparePanel.columns(compare, compare.records)
    assert again == compare._model.columns and compare.csv_text().splitlines()[0].endswith("best.epoch")
    compare.set_automatic()
    assert "seed" in compare._model.columns


def test_filter_search_and_sorting_keep_what_is_chosen(compare):
    compare.choose({paths.runs() / "bbb"})
    compare.filter.setText("lr<=0.1")
    assert sorted(names(compare)) == ["a0", "a1", "bbb"] and [r.name for r in compare.chosen()] == ["bbb"]
    compare.filter.clear()
    column = compare._model.columns.index("validation.accuracy")
    compare.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    assert names(compare) == ["a1", "a0", "0001", "bbb"]
    compare.context.workspace.search = searches() / "s1"
    assert names(compare) == ["0001"] and compare.of.currentText() == "Search s1"
    compare.of.setCurrentIndex(1)
    assert sorted(names(compare)) == ["a0", "a1", "bbb"]


def test_a_line_opens_its_run_and_a_brush_chooses(compare):
    compare.tabs.setCurrentIndex(1)
    plot = compare.parallel.plot
    assert [scale.title for scale in plot.scales] == ["lr", "seed", "gap", "validation accuracy"]
    plot.clicked.emit(plot._rows.index("a1"))
    assert compare.context.bridge.engine.asked[-1] == ("open_run", paths.runs() / "a1")
    plot.set_brush(3, 0.7, 1.0)
    assert compare.parallel.keep.isVisible() and "2 of 4" in compare.parallel.hint.text()
    compare.parallel.keep.click()
    assert sorted(r.name for r in compare.chosen()) == ["a0", "a1"]
    compare.draw_curves()
    assert set(compare.context.workspace.compared) == {paths.runs() / "a0", paths.runs() / "a1"}


def test_differences_mark_what_is_other_than_in_the_first(compare):
    compare.tabs.setCurrentIndex(2)
    assert compare.differences.table is None
    compare.choose({paths.runs() / "a0", paths.runs() / "bbb"})
    compare._follow()
    model = compare.differences.model
    rows = {row[0].text: row for row in model.rows}
    assert model.keys[0] == "optimiser.lr" and [cell.mark for cell in rows["optimiser.lr"]] == [False, False, True]
    assert "seed" not in rows and {cell.text for cell in rows["validation.accuracy"][1:]} == {"0.8000", "0.5000"}


def test_spread_over_seeds(compare):
    compare.tabs.setCurrentIndex(3)
    best = compare.spread.model.rows[0]
    assert [cell.text for cell in best[:5]] == ["lr 0.1", "2", "seed", "0.8500", "0.0707"]
    assert compare.spread.plot.rows[0].values in ((0.8, 0.9), (0.9, 0.8))
    compare.tabs.setCurrentIndex(4)
    assert "1 groups of repeated fits, 2 runs" in compare.bias.hint.text() and compare.bias.button.isEnabled()
    compare.bias.measure()  # these runs are figures alone: the reason stands there
    assert compare.bias.bar.words.text() and not compare.bias.run.running


@pytest.fixture
def search(context, qtbot, opened, home, monkeypatch):
    """The panel; processes are noted, not begun."""
    panel = SearchPanel(context)
    panel.begun = []

    class Process:
        def poll(self):
            return None

    def begin(folder):
        folder.release()
        panel.begun.append(folder)
        return Process()

    monkeypatch.setattr(search_work, "begin", begin)
    qtbot.addWidget(panel)
    panel.resize(420, 500)
    panel.show()
    return panel


def experiment(context, kit, name="linear-classifier"):
    """A real entry of the catalogue as what is open."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.models import MODELS
    from guiapp.training.recipe import Recipe, change

    entry = EXPERIMENTS[name]
    made = kit.make_opened(kit.make_dataset(name="digits"), experiment=entry, model=MODELS[entry.model],
                           recipe=change(Recipe(), {"epochs": 6}))  # fmt: skip
    context.bridge.give(opened=made)
    return made


def test_a_search_is_planned_in_words_and_begun_as_a_process(search, context, kit):
    experiment(context, kit)
    search.show_state(context.bridge.state)
    search.new.check()
    assert plan_of(search) == "12 configurations (optimiser.lr 0.0001..1:log): 12 runs, 72 epochs"
    search.new.form.set_choices(folds=3, halving=3)
    search.new.check()
    assert plan_of(search).endswith("3 folds · halving by 3 at 2, 6 epochs: 36 runs, 120 epochs")
    search.new.form._lines[0].values.setText("0.1..")
    search.new.check()
    assert "neither values" in plan_of(search) and not search._start.isEnabled()
    search.new.form._lines[0].values.setText("0.1,0.2")
    search.new.form._lines[0].way.setCurrentText("grid")
    search.new.form.set_choices(folds=0, halving=0, budget="5runs")
    search.new.check()
    search.start()
    (folder,) = search.begun
    assert (
        folder.plan.configurations == [{"optimiser.lr": 0.1}, {"optimiser.lr": 0.2}] and folder.plan.budget == "5runs"
    )
    assert folder.plan.settings["dataset"] == "digits" and folder.plan.settings["epochs"] == 6
    assert search.tabs.currentIndex() == 1 and search.shown.path == folder.path == context.workspace.search


def test_an_exhibit_says_what_to_search(search, context, kit):
    experiment(context, kit, "model-selection")
    search.show_state(context.bridge.state)
    search.new.check()
    assert "12 configurations (model.k 1,3,5,9,15,25, model.metric L1,L2) · 5 folds: 60 runs" in plan_of(search)


def test_a_search_is_watched_stopped_resumed_and_refined(search, context, kit):
    made = experiment(context, kit)
    search.show_state(context.bridge.state)
    axes = [parse_axis("optimiser.lr", "1e-3..1")]
    plan = make_plan(made.experiment, {"dataset": "digits", "epochs": 4}, varied=axes, trials=3, budget="9epochs")
    folder = SearchFolder.create(searches() / "s2", plan)
    folder.trials = [Trial(n + 1, n, 0, "done", 4, {"4": (0.5 + 0.1 * n, 1.0)}) for n in range(2)]
    folder.epochs = 8
    folder.save("running")
    search.look_at(folder.path)
    assert search.shown.state == "running" and [c.text for c in search.found.model.rows[0]][1:4] == ["4", "1", "0.6000"]
    assert (
        "2 of 3 runs begun, 2 to the end, 8 of 12 epochs" in search.found.words.text()
        and len(search.found.plot.dots) == 2
    )
    context.commands["search.stop"].trigger()
    assert (folder.path / "stop").exists()
    search.found.plot.clicked.emit(0)
    assert context.bridge.engine.asked[-1] == ("open_run", folder.path / "runs" / "0002")
    folder.save("spent", "the budget of 9epochs is spent")
    folder.release()
    search.refresh()
    assert context.commands["search.resume"].isEnabled()
    context.commands["search.resume"].trigger()
    assert search.begun[0].plan.budget == ""  # what was spent does not hold it up again
    wanted = []
    context.bridge.panel_wanted.connect(wanted.append)
    context.commands["search.compare"].trigger()
    assert wanted == ["compare"]
    context.commands["search.finer"].trigger()
    best = plan.configurations[1]["optimiser.lr"]
    (axis,) = search.new.form.axes()[1]
    assert axis.low < best < axis.high and axis.high / axis.low == pytest.approx(10, rel=0.01)
    search.found.delete.click()
    assert folder.path.exists() and search.found.delete.text() == "Delete all?"
    search.found.delete.click()
    assert not folder.path.exists() and search.shown is None


def test_runs_that_nobody_has_named_begin_with_what_tells_them_apart():
    assert cell_text("name", "20261123-003412-mlp-digits") == "00:34 mlp-digits"
    assert cell_text("name", "with dropout") == "with dropout"
