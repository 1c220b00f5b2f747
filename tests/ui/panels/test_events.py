"""The panel of event files, and the Training panel on a run that another process writes."""

import numpy as np
import pytest
import torch
from tensorboardX import SummaryWriter

import guiapp
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.training import watched
from guiapp.training.columns import Columns
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.open_files import kind_of
from guiapp.ui.panels.events import EventsPanel, thinned
from guiapp.ui.panels.training import TrainingPanel
from guiapp.ui.panels.training_status import status_text


def write(folder, steps, **figures):
    with SummaryWriter(str(folder), filename_suffix=f".{steps.start}") as writer:
        for step in steps:
            for name, at in figures.items():
                writer.add_scalar(name, at(step), step)


def test_a_folder_of_events_opens_as_a_plot_a_tag_and_grows(context, qtbot, tmp_path):
    write(tmp_path / "one", range(10), loss=float, rate=lambda s: 0.1)
    write(tmp_path / "two", range(5), loss=lambda s: 2.0 * s)
    panel = EventsPanel(context)
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    assert kind_of(tmp_path) == "events" and not panel.empty.isHidden()
    panel.open(tmp_path)
    assert list(panel.plots) == ["loss", "rate"] and panel.legend.names == ("one", "two")
    assert panel.plots["loss"].series["two"].y.tolist() == [0, 2, 4, 6, 8]
    write(tmp_path / "two", range(5, 8), loss=lambda s: 2.0 * s)
    panel._timer.setInterval(20)  # two seconds else
    qtbot.waitUntil(lambda: len(panel.plots["loss"].series["two"].x) == 8)
    panel.words.setText("two lo")
    assert list(panel.plots) == ["loss"] and list(panel.plots["loss"].series) == ["two"]
    panel.words.setText("nothing like it")
    assert not panel.plots and "no run or tag" in panel.status.text()


def test_thinned_curves_keep_their_peaks():
    y = np.zeros(100_000)
    y[[123, 77_777]] = 5, -5
    x, shown = thinned(np.arange(100_000.0), y, 1000)
    assert len(x) <= 1002 and shown.max() == 5 and shown.min() == -5
    assert x[shown == 5] == 123 and (np.diff(x) > 0).all()


def test_a_watched_run_is_shown_and_not_steered(context, opened, qtbot):
    panel = TrainingPanel(context)
    qtbot.addWidget(panel)
    panel.resize(1000, 360)
    panel.show()
    made = Columns(("loss", "accuracy", "lr"))
    made.append({name: np.linspace(1, 0, 50) for name in made.names})
    words = "watched: gpu7 writes it"
    context.bridge.give(panel, phase="running", watched=words, step=50, columns=made, activity="training")
    assert words in status_text(context.bridge.state) and "step 50" in status_text(context.bridge.state)
    run = panel.run
    assert not any(a.isEnabled() for a in (run.start, run.pause, run.step, run.epoch, run.stop, run.reset, run.apart))
    context.bridge.give(panel, may_stop=True, step=51)
    panel.run.follow(context.bridge.state)
    assert run.stop.isEnabled() and not run.apart.isEnabled()
    context.bridge.give(panel, phase="paused", watched="", may_stop=False)
    assert run.start.isEnabled() and run.apart.isEnabled()
    context.bridge.engine.asked.clear()
    run.apart.trigger()
    assert ("go_on_apart",) in context.bridge.engine.asked


@pytest.fixture
def bridge(home, qapp):
    engine = Engine()
    made = EngineBridge(engine, Workspace())
    yield made
    made.close()
    engine.shutdown(30)


def test_a_run_that_grows_while_it_is_watched_shows_its_new_steps(bridge, context, qtbot, monkeypatch, tmp_path):
    engine, board = bridge.engine, bridge.engine.notices
    panel = TrainingPanel(Context(bridge._workspace, bridge, Commands(bridge), board, context.theme, context.settings))
    qtbot.addWidget(panel)
    panel.resize(1000, 360)
    panel.show()
    bridge.add_panel(panel)
    folder = tmp_path / "run"
    with guiapp.watch(torch.nn.Linear(4, 2), folder, program=False) as writer:
        monkeypatch.setattr(watched, "writer", lambda: {"host": "another", "pid": 1})
        for step in range(10):
            writer.step(loss=10.0 - step)
        writer._drain()
        engine.open_run(folder)
        loss = panel.curves.plots["loss"].series["train"]
        qtbot.waitUntil(lambda: len(loss.x) == 10 and "step 10" in panel.status.text())
        assert "writes it" in panel.status.text() and not panel.run.start.isEnabled()
        for step in range(10, 25):
            writer.step(loss=10.0 - step)
        writer._drain()
        qtbot.waitUntil(lambda: len(loss.x) == 25 and "step 25" in panel.status.text())
        assert loss.y[-1] == 10 - 14.5, "the mean of the last twenty steps, 5 to 24"
        qtbot.waitUntil(lambda: all(len(plot.series["train"].x) == 25 for plot in panel.curves.plots.values()))
        assert bridge.state.phase == "running"
    qtbot.waitUntil(lambda: bridge.state.phase == "finished")
