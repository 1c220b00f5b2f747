"""Panels on an engine that notes what is asked of it; states and looks are given by hand."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, Signal

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import NoticeBoard
from guiapp.core.workspace import Workspace
from guiapp.datasets.base import Dataset, Samples
from guiapp.datasets.drawing import to_mnist
from guiapp.engine.job import Job
from guiapp.engine.state import EngineState, LookResult, Opened
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.tasks.predictions import ClassScores
from guiapp.training.recipe import Recipe
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.live_scene import LiveScene
from guiapp.ui.theme import Theme


class Layer:
    """What panels read of a layer, without torch."""

    def __init__(self, name, kind, shape, weights=False, parent=""):
        self.name, self.type, self.output_shape, self.has_weights = name, kind, shape, weights
        self.parent, self.parameters, self.kind = parent, 0, "conv"
        self.depth = 1 if parent else 0
        self.receptive_field = None
        self.detail, self.channels_last = "", False


LAYERS = (
    Layer("conv1", "Conv2d", (6, 28, 28), True),
    Layer("pool1", "AvgPool2d", (6, 14, 14)),
    Layer("fc", "Linear", (10,), True),
)


def samples(count, shift=0):
    labels = (np.arange(count) + shift) % 10
    images = np.zeros((count, 28, 28, 1), np.uint8)
    for i, label in enumerate(labels):
        images[i, 4 : 6 + label, 10:18] = 200
    return Samples(images, labels.astype(np.int64))


def make_dataset(**changes):
    fields = {
        "name": "strokes",
        "title": "Strokes",
        "classes": tuple("0123456789"),
        "train": samples(40),
        "validation": samples(25, 3),
        "test": samples(12, 5),
        "mean": (0.1,),
        "std": (0.3,),
        "from_drawing": to_mnist,
    }
    return Dataset(**{**fields, **changes})


def make_opened(dataset=None, **changes):
    dataset = dataset or make_dataset()
    experiment = Experiment("lenet5", "architectures", "LeNet-5", ("lenet5",), "lenet5", dataset.name, "digits")
    model = ModelEntry("lenet5", "LeNet-5", lambda *a, **k: None)
    fields = {
        "experiment": experiment,
        "recipe": Recipe(),
        "dataset": dataset,
        "model": model,
        "model_options": {},
        "preprocessing": Preprocessing((1, 32, 32), (0.1,), (0.3,)),
        "labels": dataset.classes,
        "layers": LAYERS,
        "parameters": 61706,
        "device": "cpu",
        "pretrained": False,
        "settings": {},
    }
    return Opened(**{**fields, **changes})


class NotingEngine:
    """``asked`` holds every call in order."""

    def __init__(self):
        self.asked = []
        self.scores = None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *values: self.asked.append((name, *values))

    def submit(self, work, on_done=None, on_error=None, title=""):
        job = Job(work(), title)
        job.run()
        return job

    def predict_many(self, images, title="predictions", asked_of=None):
        self.asked.append(("predict_many", len(images), title))
        scores = self.scores(images)

        def work():
            yield None
            return scores

        job = Job(work(), title)
        job.run()
        return job


class Bridge(QObject):
    state_changed = Signal(object)
    looked = Signal(object)
    notice = Signal(object)
    panel_wanted = Signal(str)

    def __init__(self):
        super().__init__()
        self.engine = NotingEngine()
        self.state = EngineState()
        self.look = None
        self.live_scene = LiveScene(self)

    subject = "experiment"

    def seen_by(self, panel):
        return self.state

    def open_experiment(self, name):
        self.engine.open_experiment(name)

    def study(self, panel, work, done, title, partly=None, failed=None, of=None):
        """Note a study; a test runs its work itself and hands the result to ``done``."""
        job = Job(iter(()), title)
        self.engine.asked.append(("study", title))
        self.studied = work, done, failed
        return job

    def work(self, work, done, title, partly, failed):
        """Note work that takes no network, as ``study``."""
        self.worked = work, done, partly
        return Job(iter(()), title)

    def call(self, job, callback):
        if job.state == "done":
            callback(job.result)

    def give(self, panel=None, **changes):
        """Publish a changed state, as the engine does."""
        self.state = replace(self.state, **changes)
        self.state_changed.emit(self.state)
        if panel is not None:
            panel.show_state(self.state)


@pytest.fixture
def context(qapp, tmp_path):
    theme = Theme("light")
    theme.apply()
    holder = QObject()
    made = Context(
        Workspace(),
        Bridge(),
        Commands(holder),
        NoticeBoard(),
        theme,
        QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat),
    )
    made.holder = holder
    yield made
    # The panels of a test go with it: each theme that is applied would style them once more.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def scores(best, count=10, share=0.91, **more):
    p = np.full(count, (1 - share) / (count - 1), np.float32)
    p[best] = share
    return ClassScores(p, tuple(str(i) for i in range(count)), **more)


def look(context, picture, prediction, results=None, **changes):
    fields = {
        "opened": context.bridge.state.opened,
        "step": 5,
        "live": True,
        "modified": False,
        "picture": picture,
        "prediction": prediction,
        "plain": None,
        "results": results or {},
    }
    return LookResult(**{**fields, **changes})


class Kit:
    """The makers above, for tests."""

    make_dataset = staticmethod(make_dataset)
    make_opened = staticmethod(make_opened)
    scores = staticmethod(scores)
    look = staticmethod(look)
    Layer = Layer


@pytest.fixture
def kit():
    return Kit


@pytest.fixture
def opened(context):
    """The context's engine has LeNet-5 on a small data set open."""
    made = make_opened()
    context.bridge.give(phase="ready", opened=made)
    context.workspace.experiment, context.workspace.layer = "lenet5", "conv1"
    return made
