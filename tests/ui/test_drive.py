"""Training by the driver ends where the run does, also before the steps that were asked for."""

from types import SimpleNamespace

import pytest

from guiapp.drive import Driver
from guiapp.engine.state import EngineState

OLD, NEW = object(), object()


class Scripted(Driver):
    """A driver whose window goes through given states, one a look."""

    def __init__(self, *states):
        self.coming = list(states)
        self.asked = []
        self.window = SimpleNamespace(engine=SimpleNamespace(start=self.asked.append))

    @property
    def state(self):
        return self.coming[0]

    def wait(self, condition, seconds, what):
        while not condition():
            self.coming.pop(0)


def at(phase, step, columns=NEW):
    return EngineState(phase=phase, step=step, columns=columns)


@pytest.mark.parametrize(
    ("states", "ends"),
    [
        ([at("ready", 0), at("running", 30), at("paused", 20), at("paused", 50)], ("paused", 50)),
        ([at("ready", 0), at("running", 30), at("finished", 40)], ("finished", 40)),
        ([at("finished", 90, OLD), at("running", 5), at("finished", 40)], ("finished", 40)),
    ],
    ids=["stands still at the step", "run is shorter", "an earlier run had finished"],
)
def test_training_ends_with_the_run_or_at_the_step(states, ends):
    driver = Scripted(*states)
    driver.train(50)
    assert driver.asked == [50] and (driver.state.phase, driver.state.step) == ends
