"""The result of any probe as plain data, as a table and as a picture."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.cli.output import plain
from guiapp.core.notices import UserError
from guiapp.interpret.atlas import Atlas

_LONGEST = 32
"""Arrays up to this many numbers are written out in a summary; of longer ones the shape is told."""
_SIDE = 560
"""Pixels that the longer side of small maps measures about in a picture."""


def summary(result: Any, full: bool = False) -> dict[str, Any]:
    """The fields of a result as plain data; names with an underscore before them are its own affair.

    Args:
        result: What a probe gave, a dataclass of numbers, arrays and atlases.
        full: Whether every number is written out; else long arrays are told by their shape.
    """
    if result is None:
        raise UserError("there is nothing to tell: this network has no such layer or unit")
    names = [field.name for field in dataclasses.fields(result) if not field.name.startswith("_")]
    return {name: _value(getattr(result, name), full) for name in names}


def atlases(result: Any, name: str = "") -> Iterator[tuple[str, Atlas]]:
    """Every atlas in a result with the path of names that leads to it."""
    if isinstance(result, Atlas):
        yield name, result
    elif callable(getattr(result, "atlases", None)):
        yield from result.atlases()
    elif isinstance(result, Mapping):
        for key, value in result.items():
            yield from atlases(value, f"{name}.{key}".strip("."))
    elif dataclasses.is_dataclass(result):
        for field in dataclasses.fields(result):
            if not field.name.startswith("_"):
                yield from atlases(getattr(result, field.name), f"{name}.{field.name}".strip("."))


def save(result: Any, path: Path, title: str) -> None:
    """Write a result as .json (every number), .csv (every number of its maps, or its fields) or .png (its maps).

    Raises:
        UserError: If there is nothing to draw, or the file cannot be written.
    """
    found = list(atlases(result))
    try:
        ending = path.suffix.lower()
        if ending == ".json":
            path.write_text(json.dumps(plain(summary(result, full=True)), ensure_ascii=False) + "\n")
        elif ending == ".csv" and callable(getattr(result, "csv_text", None)):
            path.write_text(result.csv_text())
        elif ending == ".csv":
            with path.open("w", newline="") as stream:
                csv.writer(stream).writerows(_map_rows(found) if found else _field_rows(summary(result, full=True)))
        elif not found:
            raise UserError("this probe gives numbers, no maps: name a .csv or .json file")
        else:
            _draw(found, title).save(path)
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}") from None


def _value(value: Any, full: bool) -> Any:
    if isinstance(value, Atlas):
        about = {
            "shape": list(value.values.shape),
            "low": float(value.values.min(initial=np.inf)),
            "high": float(value.values.max(initial=-np.inf)),
        }
        return {**about, "values": value.values} if full else about
    if isinstance(value, np.ndarray):
        return value.tolist() if full or value.size <= _LONGEST else {"shape": list(value.shape)}
    if isinstance(value, Mapping):
        return {str(key): _value(inner, full) for key, inner in value.items()}
    if dataclasses.is_dataclass(value):
        return summary(value, full)
    if isinstance(value, (list, tuple)):
        return [_value(inner, full) for inner in value]
    return value


def _map_rows(found: list[tuple[str, Atlas]]) -> Iterator[list[Any]]:
    yield ["maps", "map", "row", "column", "value"]
    for name, atlas in found:
        values = atlas.values
        if values.ndim == 1:
            values = values[:, None, None]
        for place in np.ndindex(*values.shape):
            *outer, row, column = place
            yield [name, ".".join(map(str, outer)), row, column, repr(float(values[place]))]


def _field_rows(fields: Mapping[str, Any]) -> Iterator[list[Any]]:
    yield ["name", "index", "value"]
    for name, value in fields.items():
        for index, single in enumerate(value) if isinstance(value, list) else [("", value)]:
            yield [name, index, single]


def _draw(found: list[tuple[str, Atlas]], title: str) -> Any:
    """All atlases below one another, each with its name, its range and its shape."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(13)
    pictures = [(name, atlas, Image.fromarray(_coloured(atlas))) for name, atlas in found]
    pictures = [(name, atlas, _enlarged(picture)) for name, atlas, picture in pictures]
    heading, line = 34, 24
    width = max(*(picture.width for _, _, picture in pictures), 420) + 16
    height = heading + sum(picture.height + line + 12 for _, _, picture in pictures)
    canvas = Image.new("RGB", (width, height), "#1b1d21")
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 8), title, fill="#e8eaed", font=ImageFont.load_default(16))
    top = heading
    for name, atlas, picture in pictures:
        low, high = float(atlas.low.min()), float(atlas.high.max())
        shape = "x".join(map(str, atlas.values.shape))
        draw.text(
            (8, top), f"{name.removeprefix('atlases.')}   {shape}   {low:.3g} to {high:.3g}", fill="#a6adb8", font=font
        )
        canvas.paste(picture, (8, top + line), picture)
        top += picture.height + line + 12
    return canvas


def _coloured(atlas: Atlas) -> npt.NDArray[np.uint8]:
    from guiapp.ui.colour_maps import sequential, signed

    if atlas.pixels.ndim == 3:
        return atlas.pixels
    table = signed() if atlas.signed else sequential()
    return np.ascontiguousarray(table[atlas.pixels])


def _enlarged(picture: Any) -> Any:
    """Whole multiples, so that pixels stay pixels; large maps stay as they are."""
    from PIL import Image

    factor = max(1, _SIDE // max(picture.size))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
