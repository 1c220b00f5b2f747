"""The list of runs: figures, opening, renaming, deleting with undo."""

import datetime
import json

import pytest
from PySide6.QtCore import Qt

from guiapp.training.evaluation import wilson
from guiapp.training.search_record import Plan, SearchFolder, Trial
from guiapp.ui import run_summary
from guiapp.ui.panels.runs_table import COLUMNS, date, duration
from tests.ui.conftest import settle
from tests.ui.runs import write_run


@pytest.fixture
def runs(home):
    return home / "runs"


@pytest.fixture
def panel(window, runs, qtbot):
    """The panel with two runs."""
    write_run(runs, "older")
    write_run(runs, "newer", created="2024-03-02T10:20:30+00:00", state="done", recipe={"epochs": 2, "keep": "best"})
    panel = window.show_panel("runs")
    qtbot.waitUntil(lambda: len(panel.summaries) == 2)
    return panel


def cells(panel, row):
    model = panel.table.model()
    return {name: model.index(row, column).data() for column, name in enumerate(COLUMNS)}


def test_figures_of_a_run_newest_first_and_sorted_by_a_column(panel):
    assert cells(panel, 1) | {"date": ""} == {
        "name": "lenet5 · digits", "state": "stopped", "epochs": "2/5", "validation": "90.0 (82.6–94.5)",
        "train": "95.0", "test": "–", "baselines": "10.0 · 10.2", "time": "12 s", "date": "",
    }  # fmt: skip
    assert [panel._model.runs[panel._sorted.mapToSource(panel._sorted.index(r, 0)).row()].folder.name
            for r in (0, 1)] == ["newer", "older"]  # fmt: skip
    panel.table.sortByColumn(COLUMNS.index("epochs"), Qt.SortOrder.AscendingOrder)
    assert panel.table.model().rowCount() == 2


def test_the_interval_is_that_of_the_evaluation():
    assert run_summary.wilson(0.9, 100) == pytest.approx(wilson(90, 100))


def test_a_torn_or_foreign_folder_is_left_out(panel, runs, qtbot):
    (runs / "torn").mkdir()
    (runs / "torn" / "run.json").write_text('{"format": 1, "na')
    (runs / "new-format").mkdir()
    (runs / "new-format" / "run.json").write_text('{"format": 99}')
    write_run(runs, "third")
    panel.refresh()
    qtbot.waitUntil(lambda: len(panel.summaries) == 3)


def test_open_resume_and_pad(panel, window, runs):
    panel.choose({runs / "older"})
    window.commands["runs.open"].trigger()
    assert window.engine.asked[-1] == ("run", runs / "older")
    assert window.commands["runs.resume"].isEnabled()
    window.commands["runs.resume"].trigger()
    assert window.engine.asked[-2:] == [("run", runs / "older"), ("start",)]
    window.docks["source"].close()
    window.commands["runs.use-on-pad"].trigger()
    assert window.panel("source").mode == "draw" and not window.docks["source"].isHidden()
    assert window.workspace.picture.origin.kind == "drawing", "the viewer shows the pad, not the sample of before"
    panel.choose({runs / "newer"})
    assert not window.commands["runs.resume"].isEnabled(), "a run at its end has nothing to resume"


def test_compare_names_the_chosen_runs_and_takes_them_away_again(panel, window, runs):
    panel.choose({runs / "older", runs / "newer"})
    window.commands["runs.compare"].trigger()
    assert set(window.workspace.compared) == {runs / "older", runs / "newer"}
    panel.choose(set())
    window.commands["runs.compare"].trigger()
    assert window.workspace.compared == ()


def test_rename_changes_the_name_and_keeps_the_folder(panel, runs, qtbot):
    model = panel.table.model()
    row = next(r for r in range(2) if "stopped" in cells(panel, r)["state"])
    assert model.setData(model.index(row, 0), "my best")
    qtbot.waitUntil(lambda: panel.summaries[runs / "older"].name == "my best")
    assert json.loads((runs / "older" / "run.json").read_text())["name"] == "my best"
    assert not model.setData(model.index(row, 0), "   ")


def test_delete_can_be_undone(panel, window, runs):
    panel.choose({runs / "older"})
    window.commands["runs.delete"].trigger()
    assert panel.table.model().rowCount() == 1
    assert not (runs / "older").exists()
    window.commands["runs.undo-delete"].trigger()
    assert (runs / "older" / "run.json").exists()
    assert panel.table.model().rowCount() == 2


def test_what_is_not_undone_leaves_the_disk(panel, window, runs, qtbot):
    panel.choose({runs / "older", runs / "newer"})
    window.commands["runs.delete"].trigger()
    panel.empty_bin()
    qtbot.waitUntil(lambda: list((runs / ".deleted").iterdir()) == [])
    assert panel.summaries == {} or not any(f.exists() for f in panel.summaries)


def test_the_open_run_is_not_deleted(panel, window, runs):
    import dataclasses

    panel.show_state(dataclasses.replace(window.bridge.state, run=runs / "older"))
    panel.choose({runs / "older"})
    window.commands["runs.delete"].trigger()
    settle()
    assert (runs / "older").exists()
    assert window.notices.shown.level == "warning"


def test_nothing_to_do_without_a_choice(panel, window):
    panel.choose(set())
    for name in ("open", "resume", "rename", "delete", "open-folder", "use-on-pad"):
        assert not window.commands[f"runs.{name}"].isEnabled(), name


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.24, "4.2 s"), (12.5, "12 s"), (59.96, "1:00 min"), (185, "3:05 min"), (7449, "2:04 h")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_dates_are_as_short_as_they_can_be():
    assert date("2019-03-01T10:20:30+00:00") == "Mar 2019"
    today = datetime.datetime.now().astimezone().replace(hour=9, minute=31)
    assert date(today.isoformat()) == "09:31"
    assert date("nonsense") == "nonsense"


def test_runs_of_a_search_are_listed_under_it_by_what_was_tried(panel, window, home, qtbot):
    plan = Plan("lenet5", {}, [{"optimiser.lr": 0.01}, {"optimiser.lr": 0.125}], [5], repeats=[{"seed": 0}])
    search = SearchFolder.create(home / "searches" / "s", plan)
    search.trials = [Trial(1, 0, 0), Trial(2, 1, 0)]
    search.save("stopped")
    search.release()
    for number in (1, 2):
        write_run(search.path / "runs", f"{number:04d}")
        info = search.path / "runs" / f"{number:04d}" / "run.json"
        info.write_text(info.read_text().replace(f'"{number:04d}"', f'"lenet5 {number}"'))  # as a search calls its runs
    panel.refresh()
    qtbot.waitUntil(panel.scope.isVisible)
    assert len(panel.summaries) == 2 and panel.scope.currentData() == "own", "the list stays what it was"
    assert panel.scope.itemText(2).startswith("Search of ") and panel.scope.itemText(2).endswith("LeNet-5 (2)")
    panel.scope.setCurrentIndex(2)
    panel.scope.activated.emit(2)
    qtbot.waitUntil(lambda: set(panel.summaries) == {search.path / "runs" / name for name in ("0001", "0002")})
    assert sorted(run.name for run in panel.summaries.values()) == ["1: lr 0.01", "2: lr 0.125"]
    panel.choose({search.path / "runs" / "0002"})
    assert not window.commands["runs.resume"].isEnabled(), "the search itself goes on with it"
    window.commands["runs.open"].trigger()
    assert window.engine.asked[-1] == ("run", search.path / "runs" / "0002")
    window.commands["runs.delete"].trigger()
    assert (search.path / "runs" / "0002").is_dir(), "a search counts on its runs"
    panel.scope.setCurrentIndex(1)
    panel.scope.activated.emit(1)
    qtbot.waitUntil(lambda: len(panel.summaries) == 4)
