"""Panels built five times die five times, with all that they subscribed to."""

import gc
import weakref

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from guiapp.ui.commands import Commands
from guiapp.ui.panels.activations import ActivationsPanel
from guiapp.ui.panels.attribution import AttributionPanel
from guiapp.ui.panels.cascade import CascadePanel
from guiapp.ui.panels.filters import FiltersPanel
from guiapp.ui.panels.gradients import GradientsPanel
from guiapp.ui.panels.playground import PlaygroundPanel
from guiapp.ui.panels.recipe import RecipePanel
from guiapp.ui.panels.samples import SamplesPanel
from guiapp.ui.panels.training import TrainingPanel
from guiapp.ui.panels.viewer import ViewerPanel
from guiapp.ui.widgets.drawing_pad import DrawingPad


def settle():
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()


@pytest.mark.parametrize(
    "kind",
    [
        ViewerPanel,
        TrainingPanel,
        FiltersPanel,
        ActivationsPanel,
        AttributionPanel,
        SamplesPanel,
        DrawingPad,
        CascadePanel,
        GradientsPanel,
        PlaygroundPanel,
        RecipePanel,
    ],
)
def test_panels_die_with_their_window(kind, context, opened, kit):
    context.bridge.engine.scores = lambda images: None
    alive = []
    for _ in range(5):
        holder = QObject()
        context.commands = Commands(holder)  # a window has its own
        panel = kind(context)
        alive.append(weakref.ref(panel))
        panel.show()
        panel.grab()
        panel.close()
        panel.deleteLater()
        assert shiboken6.isValid(panel)
        del panel
        context.commands = Commands(QObject())
        holder.deleteLater()
        del holder
    settle()
    assert [ref() for ref in alive] == [None] * 5
    # Nobody answers a selection any more.
    assert sum(len(listeners) for listeners in context.workspace._listeners.values()) == 0
    context.workspace.picture = opened.dataset.picture("test", 0)
    context.bridge.give(phase="running")
