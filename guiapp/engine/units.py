"""Work on the units of a layer, for the work lane: scanning a data set, cutting patches out, growing, tracing back."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.engine.job import Step

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.units.grow import Grown
    from guiapp.interpret.units.options import GrowOptions, Rule
    from guiapp.interpret.units.passes import Inputs, LayerPass, Run
    from guiapp.interpret.units.patches import Patch
    from guiapp.interpret.units.pictures import Pictures, Source
    from guiapp.interpret.units.project import Projection
    from guiapp.interpret.units.scan import LayerScan

_BATCH_NUMBERS = 1_000_000  # numbers of the inputs of one batch: small pictures go many at a time
_TELL_S = 0.15
_PREVIEW_S = 0.7

Scale = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, eq=False)
class Traced:
    """A projection with what it is laid over.

    Attributes:
        projection: The response followed back.
        pixels: uint8 (H, W, 3): the input as the network saw it.
    """

    projection: Projection
    pixels: npt.NDArray[np.uint8]


def layer_pass(study: Study, layer: str) -> LayerPass:
    """A pass of the study's network as far as a layer, whatever its task calls of it."""
    from guiapp.interpret.units.passes import LayerPass

    inspected = study.inspected
    return LayerPass(study.module, layer, inspected.layers, inspected.preprocessing.size[1:], run_of(study))


def run_of(study: Study) -> Run:
    """How the study's network is run on prepared pictures: one that takes several in a row sees one standing still."""
    model = study.model
    if model.origin == "trained" or model.entry.task == "classification":
        return model.module
    import torch

    from guiapp.interpret.case import Case
    from guiapp.interpret.score import run_through
    from guiapp.tasks.live_options import LIVE_TASKS, make_live_task

    known = model.entry.task in LIVE_TASKS
    frames = make_live_task(model.entry.task, model.labels, model.entry).frames if known else 1

    def run(inputs: Inputs) -> None:
        batch = inputs if isinstance(inputs, torch.Tensor) else inputs[0][None]
        run_through(Case(model.module, model.entry.task, batch, frames=frames), batch)

    return run


def scale_of(study: Study) -> Scale:
    """Mean and deviation by which the input of the network is made a picture again."""
    return study.inspected.preprocessing.mean, study.inspected.preprocessing.std


def scan_layer(
    study: Study, tell: Callable[[LayerScan], None], layer: str, pictures: Pictures, most: int
) -> Generator[Step, None, LayerScan]:
    """Look at all units of a layer over pictures, or read what was found before.

    Args:
        study: The network.
        tell: Called with what is known so far.
        layer: Name of the layer.
        pictures: The pictures.
        most: At most so many of them, evenly spread.

    Raises:
        UserError: If none of the pictures can be read.
    """
    from guiapp.interpret.units import store
    from guiapp.interpret.units.pictures import spread
    from guiapp.interpret.units.scan import Scan, next_after, scanning

    yield 0.0, "looking for an earlier answer"
    task = study.model.entry.task
    key = store.key_of(
        store.weights_digest(study.module), task, layer, pictures.key(), most,
        study.inspected.preprocessing.as_dict(), getattr(study.model.weights, "preset", ""),
    )  # fmt: skip
    found = store.kept(key)
    if found is not None:
        return found
    indices = spread(len(pictures), most)
    with layer_pass(study, layer) as passed:
        scan = Scan(passed, len(indices), len(pictures.classes), next_after(study.inspected.layers, layer))
        told = _sometimes(tell)
        result = yield from scanning(scan, _batches(study, pictures, indices), told, 1)
    if result is None:
        raise UserError(f"none of the pictures of {pictures.title} can be read: choose others")
    store.keep(key, result)
    return result


def cut_patches(
    study: Study,
    tell: Callable[[list[Patch]], None],
    scan: LayerScan,
    pictures: Pictures,
    unit: int,
    count: int,
    rule: Rule | None,
) -> Generator[Step, None, list[Patch]]:
    """Cut out what a unit saw in the pictures that excite it most, best first.

    Args:
        study: The network that was scanned.
        tell: Called with those that are cut out so far.
        scan: What the scan found.
        pictures: The pictures that were scanned.
        unit: The unit.
        count: How many.
        rule: How responses are followed back to the pixels; not at all without.
    """
    from guiapp.interpret.units.patches import patch

    found: list[Patch] = []
    wanted = [number for number in range(min(count, scan.samples.shape[1])) if scan.samples[unit, number] >= 0]
    with layer_pass(study, scan.layer) as passed:
        told = _sometimes(tell)
        for done, number in enumerate(wanted):
            at = (
                int(scan.samples[unit, number]), float(scan.values[unit, number]),
                int(scan.rows[unit, number]), int(scan.columns[unit, number]),
            )  # fmt: skip
            try:
                inputs = study.inputs(pictures.picture(at[0]))
            except UserError:
                continue  # the file has gone since
            found.append(patch(passed, inputs, at, unit, scale_of(study), rule))
            told(list(found))
            yield (done + 1) / len(wanted), "cutting patches out"
    return found


def grow_unit(
    study: Study, tell: Callable[[Grown], None], layer: str, unit: int, options: GrowOptions
) -> Generator[Step, None, Grown]:
    """Grow a picture that excites a unit.

    Args:
        study: The network.
        tell: Called with the picture on its way.
        layer: Name of the layer.
        unit: The unit.
        options: How.
    """
    from guiapp.interpret.units.grow import growing

    boxes = study.model.entry.task in ("detection", "instances", "keypoints") and study.model.origin != "trained"
    size = study.inspected.preprocessing.size
    if not all(size):
        raise UserError("the size of this network's input is not known: show it a picture first")
    with layer_pass(study, layer) as passed:
        return (
            yield from growing(
                passed, unit, size, ((0.0,), (1.0,)) if boxes else scale_of(study), options, _sometimes(tell),
                study.model.device, (lambda normalised: [normalised[0]]) if boxes else None,
            )
        )  # fmt: skip


def trace_unit(
    study: Study, tell: Callable[[Traced], None], layer: str, unit: int, place: tuple[int, int] | None, rule: Rule
) -> Generator[Step, None, Traced]:
    """Follow a unit's response to the picture back to its pixels.

    Args:
        study: The network with its picture.
        tell: Not called: it is one pass.
        layer: Name of the layer.
        unit: The unit.
        place: Row and column in its map; the strongest without.
        rule: How the signal goes back through a ReLU.

    Raises:
        UserError: If there is no picture.
    """
    import torch

    from guiapp.interpret.units.patches import shown
    from guiapp.interpret.units.project import project

    if study.picture is None:
        raise UserError("no picture: choose a sample, draw one, or open a picture")
    inputs = study.inputs(study.picture)
    yield 0.1, "following the response back"
    with layer_pass(study, layer) as passed:
        projection = project(passed, inputs, unit, place, rule)
        seen: Any = inputs
        if not isinstance(inputs, torch.Tensor):
            with torch.no_grad():
                seen = passed(inputs)[1]
    return Traced(projection, shown(seen[0], *scale_of(study)))


def _batches(
    study: Study, pictures: Pictures, indices: Sequence[int]
) -> Iterator[tuple[Sequence[int], Inputs, Sequence[int] | None]]:
    """Pictures as the network takes them, many at a time where it takes batches; what cannot be read is left out."""
    import torch

    from guiapp.interpret.alone import takes_one

    size = max(1, min(256, _BATCH_NUMBERS // max(1, int(np.prod(study.inspected.preprocessing.size)))))
    labelled = bool(pictures.classes)
    tried = study.model.origin == "trained" or study.model.entry.task not in ("classification", "segmentation")
    found: list[int] = []
    waiting: list[torch.Tensor] = []

    def batch() -> tuple[Sequence[int], Inputs, Sequence[int] | None]:
        labels = [pictures.label(index) for index in found] if labelled else None
        full = list(found), torch.cat(waiting), labels
        found.clear()
        waiting.clear()
        return full

    for index in indices:
        try:
            inputs = study.inputs(pictures.picture(index))
        except UserError:
            continue
        if not isinstance(inputs, torch.Tensor):
            yield [index], inputs, [pictures.label(index)] if labelled else None
            continue
        if waiting and inputs.shape != waiting[0].shape:
            yield batch()
        if not tried:
            tried = True
            size = 1 if takes_one(study.module, inputs) else size
        found.append(index)
        waiting.append(inputs)
        if len(waiting) >= size:
            yield batch()
    if waiting:
        yield batch()


def _sometimes(tell: Callable[[Any], None]) -> Callable[[Any], None]:
    """``tell`` a few times a second at most, the first time at once."""
    last = 0.0

    def told(found: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _TELL_S:
            last = now
            tell(found)

    return told


@dataclass(frozen=True, eq=False)
class Found:
    """A layer over pictures, and the best patches of one unit.

    Attributes:
        scan: What was found so far.
        pictures: Where it was looked for.
        unit: The unit.
        patches: Its best patches, best first.
        step: Training step of the weights.
    """

    scan: LayerScan
    pictures: Pictures
    unit: int
    patches: Sequence[Patch]
    step: int


def find_patches(
    study: Study,
    tell: Callable[[Found], None],
    layer: str,
    unit: Callable[[], int],
    source: Source,
    most: int,
    count: int,
    rule: Rule | None,
) -> Generator[Step, None, Found]:
    """Look at a layer over pictures, and cut out what one unit responds to most; the best so far are told.

    Args:
        study: The network.
        tell: Called with what is known so far.
        layer: Name of the layer.
        unit: Says which unit is wanted; it may be another one while this goes on.
        source: Where the pictures are.
        most: At most so many of them.
        count: How many patches.
        rule: How responses are followed back to the pixels; not at all without.
    """
    yield 0.0, "opening the pictures"
    pictures = source.open(study.dataset)
    last = 0.0

    def partly(scan: LayerScan) -> None:
        nonlocal last
        if time.monotonic() - last >= _PREVIEW_S:
            wanted = min(unit(), scan.units - 1)
            patches = _drained(cut_patches(study, lambda _found: None, scan, pictures, wanted, count, None))
            last = time.monotonic()
            tell(Found(scan, pictures, wanted, patches, study.step))

    scan = yield from scan_layer(study, partly, layer, pictures, most)
    wanted = min(unit(), scan.units - 1)
    found = yield from more_patches(study, tell, Found(scan, pictures, wanted, (), study.step), wanted, count, rule)
    return found


def more_patches(
    study: Study, tell: Callable[[Found], None], found: Found, unit: int, count: int, rule: Rule | None
) -> Generator[Step, None, Found]:
    """Patches of another unit of a layer that was looked at."""

    def told(patches: list[Patch]) -> None:
        tell(Found(found.scan, found.pictures, unit, patches, found.step))

    patches = yield from cut_patches(study, told, found.scan, found.pictures, unit, count, rule)
    return Found(found.scan, found.pictures, unit, patches, found.step)


def _drained(steps: Generator[Step, None, list[Patch]]) -> list[Patch]:
    """What a generator returns, all at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: list[Patch] = end.value
            return result
