"""What another experiment changes in the selection."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from guiapp.core.picture import Origin, Picture
from guiapp.core.workspace import Workspace
from guiapp.ui.selection import follow


@dataclass
class Named:
    name: str


@dataclass
class Experiment:
    id: str
    layer: str | None = None
    begin: dict = field(default_factory=dict)


@dataclass(eq=False)
class Part:
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)


@dataclass(eq=False)
class Dataset:
    name: str
    classes: tuple = (7, 4)

    def part(self, name):
        return Part(np.array(self.classes))

    def picture(self, part, index):
        return Picture(np.zeros((2, 2, 3), np.uint8), Origin("sample", f"{self.name} {part} {index}"))


@dataclass
class Opened:
    experiment: Experiment
    dataset: Dataset = field(default_factory=lambda: Dataset("digits"))
    layers: tuple = (Named("conv1"), Named("conv2"))
    labels: tuple = ("a", "b")


@pytest.fixture
def workspace():
    return Workspace()


def test_first_opening_shows_a_sample_and_the_experiments_layer(workspace):
    follow(workspace, None, Opened(Experiment("lenet5", "conv2")))
    assert workspace.experiment == "lenet5"
    assert workspace.layer == "conv2"
    assert workspace.picture.origin.name == "digits validation 0"
    assert workspace.sample == ("validation", 0)


def test_the_layer_of_the_last_session_comes_back(workspace):
    follow(workspace, None, Opened(Experiment("lenet5", "conv2")), layer="conv1")
    assert workspace.layer == "conv1"


def test_reset_keeps_what_is_looked_at(workspace):
    old = Opened(Experiment("lenet5"))
    follow(workspace, None, old)
    workspace.layer, workspace.unit, workspace.step = "conv2", 3, 17
    picture = workspace.picture
    follow(workspace, old, Opened(old.experiment, old.dataset))
    assert (workspace.layer, workspace.unit, workspace.step) == ("conv2", 3, None)
    assert workspace.picture is picture


def test_another_experiment_forgets_units_and_switches(workspace):
    old = Opened(Experiment("lenet5"))
    follow(workspace, None, old)
    workspace.unit, workspace.switched_off, workspace.overlay = 3, {"conv1": frozenset({1})}, ("conv1", 2)
    follow(workspace, old, Opened(Experiment("other", "conv2")))
    assert (workspace.unit, workspace.switched_off, workspace.overlay) == (None, {}, None)
    assert workspace.layer == "conv2"


def test_a_drawing_stays_and_a_sample_of_another_data_set_goes(workspace):
    old = Opened(Experiment("lenet5"))
    follow(workspace, None, old)
    follow(workspace, old, Opened(Experiment("cifar"), Dataset("cifar10")))
    assert workspace.picture.origin.name == "cifar10 validation 0"
    drawing = Picture(np.zeros((2, 2, 3), np.uint8), Origin("drawing", "Drawing"))
    workspace.picture = drawing
    follow(workspace, Opened(Experiment("cifar"), Dataset("cifar10")), old)
    assert workspace.picture is drawing


def test_an_experiment_on_a_class_begins_with_a_sample_of_it_also_on_the_data_set_that_is_open(workspace):
    before, four = Opened(Experiment("lenet5")), Opened(Experiment("why", begin={"class": 4}))
    follow(workspace, None, before)
    follow(workspace, before, four)
    assert (workspace.sample, workspace.picture.origin.name) == (("validation", 1), "digits validation 1")
    workspace.picture = before.dataset.picture("validation", 0)
    follow(workspace, four, Opened(four.experiment))  # put back to its start: what is looked at stays
    assert workspace.picture.origin.name == "digits validation 0"
    drawing = workspace.picture = Picture(np.zeros((2, 2, 3), np.uint8), Origin("drawing", "Drawing"))
    follow(workspace, before, four)
    assert workspace.picture is drawing
    follow(workspace, None, Opened(Experiment("why", begin={"class": 9}), Dataset("none of it")))
    assert workspace.picture is drawing
