"""One study of a panel at a time: shown as it goes, overtaken by a newer one, stopped, failed; and its bar."""

import threading

import pytest
from PySide6.QtWidgets import QPushButton

from guiapp.core.notices import UserError
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.study import Study
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.theme import Theme


class Lender(Engine):
    """Lends a study without a network."""

    def _study(self):
        return Study(None, None, 7)


@pytest.fixture
def panel(application, qtbot, settings):
    engine = Lender()
    workspace = Workspace()
    bridge = EngineBridge(engine, workspace)
    context = Context(workspace, bridge, Commands(bridge), engine.notices, Theme(application), settings)
    made = Panel(context)
    qtbot.addWidget(made)
    yield made
    bridge.close()
    engine.shutdown(10)


def listen(run):
    heard = []
    for name in ("partly", "done", "failed"):
        getattr(run, name).connect(lambda value, name=name: heard.append((name, value)))
    run.stopped.connect(lambda: heard.append(("stopped", None)))
    return heard


def test_parts_come_while_it_runs_and_the_result_last(panel, qtbot):
    run, go = StudyRun(panel), threading.Event()
    heard = listen(run)

    def work(study, tell):
        tell(("half", study.step))
        yield 0.5, "counting"
        go.wait(20)
        return "all"

    run.start(work, "counting")
    qtbot.waitUntil(lambda: heard == [("partly", ("half", 7))])
    assert run.running and run.share == 0.5 and run.message.startswith("counting")
    go.set()
    qtbot.waitUntil(lambda: heard[-1] == ("done", "all"))
    assert not run.running and len(heard) == 2


def test_of_one_that_was_overtaken_or_stopped_nothing_is_heard(panel, qtbot):
    run, go = StudyRun(panel), threading.Event()
    heard = listen(run)
    ended, begun = [], threading.Event()

    def slow(study, tell):
        try:
            begun.set()
            go.wait(20)
            tell("late")
            yield 0.5, "slow"
            return "slow"
        finally:
            ended.append("slow")

    def quick(study, tell):
        yield None
        return "quick"

    run.start(slow, "slow")
    assert begun.wait(20)
    run.start(quick, "quick")
    qtbot.waitUntil(lambda: heard == [("done", "quick")])
    run.start(slow, "slow")
    run.stop()
    assert heard[-1] == ("stopped", None) and not run.running
    go.set()
    qtbot.waitUntil(lambda: bool(ended) and not panel.context.bridge.engine.jobs)
    qtbot.wait(20)
    assert [what for what, _ in heard] == ["done", "stopped"]


def test_the_bar_tells_why_it_failed_and_stops_on_a_click(panel, qtbot):
    run, go = StudyRun(panel), threading.Event()
    bar = StudyBar(run, "test", panel.context.theme)
    qtbot.addWidget(bar)
    bar.resize(300, 30)
    bar.show()
    heard = listen(run)

    def fails(study, tell):
        yield None
        raise UserError("this network has no gradients")

    run.start(fails, "failing")
    qtbot.waitUntil(lambda: heard == [("failed", "this network has no gradients")])
    assert bar.words.text() == "this network has no gradients" and bar.halt.isHidden()
    assert not panel.context.notices.notices

    def slow(study, tell):
        while not go.is_set():
            yield 0.25, "working"
        return "never"

    run.start(slow, "slow")
    qtbot.waitUntil(bar.halt.isVisible)
    assert bar.words.text().startswith("working") and bar.progress.value() == 250
    bar.findChild(QPushButton, "test.stop").click()
    assert heard[-1] == ("stopped", None) and bar.halt.isHidden() and bar.words.text() == "stopped"
    go.set()
