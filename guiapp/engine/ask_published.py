"""A question to a published network outside of the live room: its layers, and one run on one picture."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from guiapp.engine.live_inside import covered, inspected_of, one_picture
from guiapp.tasks.live_options import LiveOptions, make_live_task

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.state import Inspected
    from guiapp.interpret.base import Look
    from guiapp.models.zoo.open import OpenedModel

_SIDE = 224


def inspect(opened: OpenedModel, picture: Picture | None = None) -> Inspected:
    """What panels and probes know of a network, found by running it on a picture; on a blank one by default.

    Raises:
        UserError: If it cannot be run on the picture.
    """
    from guiapp.interpret.layers import layers_of_run

    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    shown = picture if picture is not None else _blank()
    inputs = opened.prepare(shown.pixels, opened.device)

    def run() -> None:
        for _ in range(task.frames):
            task.run(opened.module, inputs, shown.size)

    layers, extent = layers_of_run(opened.module, run, one_picture(opened, inputs))
    return inspected_of(opened, layers, extent)


def look(
    opened: OpenedModel, inspected: Inspected, picture: Picture, wanted: Collection[str], options: LiveOptions
) -> Look:
    """Run the network on one picture, a clip or a pair of frames on that picture standing still.

    Args:
        opened: The network.
        inspected: What is known of it.
        picture: The picture.
        wanted: Layers whose outputs the probe reads, with ``()`` after those whose calls it reads.
        options: Thresholds by which objects are shown.
    """
    import torch

    from guiapp.interpret.base import Look
    from guiapp.interpret.listen import CALLS, listening

    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    inputs: Any = opened.prepare(picture.pixels, opened.device)
    names = {layer.name for layer in inspected.layers}
    there = [name for name in wanted if name.removesuffix(CALLS) in names]
    raw: Any = None
    with torch.no_grad(), listening(opened.module, there) as kept:
        for number in range(task.frames):
            if number == task.frames - 1:
                kept.clear()  # of a clip the run on all of its frames counts
            raw = task.run(opened.module, inputs, picture.size)
    found = Look(opened.module, inspected.layers, inspected.preprocessing, picture=picture)
    found.labels = inspected.labels
    found.area = covered(opened.weights.preset, picture.size, inspected.preprocessing.size[1:], raw)
    found.input = inputs if isinstance(inputs, torch.Tensor) else None
    found.output = raw if isinstance(raw, torch.Tensor) else None
    found.activations = {name: output[:1].float() for name, output in kept.items() if not name.endswith(CALLS)}
    found.calls = {name.removesuffix(CALLS): calls for name, calls in kept.items() if name.endswith(CALLS)}
    found.task, found.inputs, found.frames = opened.entry.task, inputs, task.frames
    found.prepare = lambda other: opened.prepare(other.pixels, opened.device)
    found.run, found.shown, found.shown_by = raw, task.drawn(raw, options), options
    return found


def _blank() -> Picture:
    import numpy as np

    from guiapp.core.picture import Origin, Picture

    return Picture(np.full((_SIDE, _SIDE, 3), 128, np.uint8), Origin("file", "nothing"))
