"""Units from the command line: patches of a folder or video, a grown picture, a response traced back."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.atlas import Atlas, colour_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.case import Case
from guiapp.interpret.score import run_through
from guiapp.interpret.targets import DETECTORS
from guiapp.interpret.units.grow import growing
from guiapp.interpret.units.options import GrowOptions, GrowProbeOptions, PatchProbeOptions, TraceOptions, unit_layers
from guiapp.interpret.units.passes import Inputs, LayerPass
from guiapp.interpret.units.patches import Patch, patch
from guiapp.interpret.units.pictures import FolderPictures, PartPictures, Pictures, VideoPictures, spread
from guiapp.interpret.units.project import project
from guiapp.interpret.units.scan import Scan, next_after, scanning


@dataclass(frozen=True, eq=False)
class TracedView:
    """A projection.

    Attributes:
        layer, unit, row, column, value: Where it began, and the response there.
        area: Left, top, width, height in pixels of the input of what the unit sees.
        other: Activations on the way that are no ReLU.
        projection: (C, H, W), signed.
    """

    layer: str
    unit: int
    row: int
    column: int
    value: float
    area: tuple[int, int, int, int]
    other: tuple[str, ...]
    projection: Atlas


@dataclass(frozen=True, eq=False)
class GrownView:
    """A grown picture: what it is called for, its response, that of each step, and itself."""

    layer: str
    unit: int
    value: float
    trace: npt.NDArray[np.float32]
    picture: Atlas


@dataclass(frozen=True, eq=False)
class PatchView:
    """The best patches of a unit.

    Attributes:
        layer, unit: What was asked for.
        pictures: Over how many pictures.
        best: ``from``, ``row``, ``column`` and ``response`` of each, best first.
        mean, zeros, dead: Of the unit's outputs; ``dead_units``: of the layer.
        patches: What it saw, side by side.
    """

    layer: str
    unit: int
    pictures: int
    best: list[dict[str, Any]]
    mean: float
    zeros: float
    dead: bool
    dead_units: int
    patches: Atlas


def trace(look: Look, options: TraceOptions) -> TracedView:
    """Trace the response of a unit to the picture back to its pixels.

    Raises:
        UserError: If there is no picture, the network takes no single one, or has no such unit.
    """
    name = _layer(look, options)
    place = None if options.row is None or options.column is None else (options.row, options.column)
    with _passed(look, name) as passed:
        try:
            found = project(passed, _input(look), options.unit, place, options.rule)
        except IndexError:
            raise UserError(f"layer {name!r} has no such unit or place: {options.unit}, {place}") from None
    values = torch.from_numpy(found.values)
    shown = colour_atlas(values[None]) if len(values) == 3 else _atlas(values)
    return TracedView(name, found.unit, found.row, found.column, found.value, found.area, found.other, shown)


def grow(look: Look, options: GrowProbeOptions) -> GrownView:
    """Grow a picture that excites a unit."""
    name = _layer(look, options)
    size, device = look.preprocessing.size, next(iter(look.model.parameters())).device
    boxes = look.task in DETECTORS  # which normalise themselves
    scale = ((0.0,), (1.0,)) if boxes else (look.preprocessing.mean, look.preprocessing.std)
    asked = GrowOptions(**{field: getattr(options, field) for field in GrowOptions.__dataclass_fields__})
    with _passed(look, name) as passed:
        try:
            listed = (lambda picture: [picture[0]]) if boxes else None
            found = _drained(growing(passed, options.unit, size, scale, asked, None, device, listed))
        except IndexError:
            raise UserError(f"layer {name!r} has no unit {options.unit}") from None
    return GrownView(name, options.unit, found.value, found.trace, _side_by_side([found.pixels]))


def patches(look: Look, options: PatchProbeOptions) -> PatchView:
    """The best patches of a unit in a folder or a recorded video, or in the validation part of the open data set."""
    name = _layer(look, options)
    pictures: Pictures
    if options.folder:
        source = Path(options.folder).expanduser()
        pictures = VideoPictures(source) if source.is_file() else FolderPictures(source)
    elif look.dataset is not None:
        pictures = PartPictures(look.dataset, "validation")
    else:
        raise UserError("a published network has no data set: say --set folder=PATH")
    indices = spread(len(pictures), options.most)
    with _passed(look, name) as passed:
        scan = Scan(passed, len(indices), len(pictures.classes), next_after(look.layers, name))
        found = _drained(scanning(scan, _each(look, pictures, indices)))
        if found is None:
            raise UserError(f"none of the pictures of {pictures.title} can be read")
        if options.unit >= found.units:
            raise UserError(f"layer {name!r} has units 0 to {found.units - 1}, not {options.unit}")
        scale = look.preprocessing.mean, look.preprocessing.std
        best: list[Patch] = []
        for number in range(min(options.count, found.samples.shape[1])):
            at = int(found.samples[options.unit, number])
            if at >= 0:
                place = int(found.rows[options.unit, number]), int(found.columns[options.unit, number])
                where = at, float(found.values[options.unit, number]), *place
                best.append(patch(passed, _prepared(look, pictures, at), where, options.unit, scale))
    rows = [
        {"from": pictures.picture(p.sample).origin.name, "row": p.row, "column": p.column, "response": p.value}
        for p in best
    ]
    unit = options.unit
    return PatchView(
        name, unit, found.pictures, rows, float(found.mean[unit]), float(found.zeros[unit]), bool(found.dead[unit]),
        int(found.dead.sum()), _side_by_side([p.pixels for p in best]),
    )  # fmt: skip


def _layer(look: Look, options: Any) -> str:
    name = next(iter(unit_layers(look.layers, options)), "")
    if not name:
        raise UserError("this network has no layers whose units can be looked at")
    return name


def _passed(look: Look, name: str) -> LayerPass:
    """A pass as far as a layer, whatever the network's task calls of it."""

    def run(inputs: Inputs) -> None:
        batch = inputs if isinstance(inputs, torch.Tensor) else inputs[0][None]
        run_through(Case(look.model, look.task, batch, frames=look.frames), batch)

    plain = look.task == "classification"
    return LayerPass(look.model, name, look.layers, look.preprocessing.size[1:], None if plain else run)


def _input(look: Look) -> Inputs:
    if look.input is not None:
        return look.input.clone()
    if isinstance(look.inputs, torch.Tensor | list):
        return look.inputs
    raise UserError("there is no picture to trace a response back to: name one")


def _prepared(look: Look, pictures: Pictures, index: int) -> Inputs:
    picture = pictures.picture(index)
    if look.prepare is not None:
        found: Inputs = look.prepare(picture)
        return found
    return look.preprocessing(picture.network_pixels, next(iter(look.model.parameters())).device)


def _each(
    look: Look, pictures: Pictures, indices: Sequence[int]
) -> Iterator[tuple[Sequence[int], Inputs, Sequence[int] | None]]:
    labelled = bool(pictures.classes)
    for index in indices:
        try:
            inputs = _prepared(look, pictures, index)
        except UserError:
            continue
        yield [index], inputs, [pictures.label(index)] if labelled else None


def _drained(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _atlas(values: torch.Tensor) -> Atlas:
    from guiapp.interpret.atlas import make_atlas

    return make_atlas(values, signed=True)


def _side_by_side(pictures: Sequence[npt.NDArray[np.uint8]]) -> Atlas:
    """Pictures (h, w, 3) of any sizes as one atlas, in the middle of tiles as large as the largest."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    tiles = torch.full((len(pictures), 3, height, width), torch.nan)
    for tile, picture in zip(tiles, pictures, strict=True):
        top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
        values = torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1
        tile[:, top : top + picture.shape[0], left : left + picture.shape[1]] = values
    return colour_atlas(tiles)
