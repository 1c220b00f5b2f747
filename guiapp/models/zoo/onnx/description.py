"""The description of an ONNX file: what its inputs and outputs mean, as plain data read from TOML or JSON."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError

TASKS = ("classification", "detection", "depth")
_CHOICES = {
    "task": TASKS,
    "layout": ("NCHW", "NHWC"),
    "colour": ("RGB", "BGR", "GREY"),
    "fit": ("stretch", "letterbox", "crop"),
    "position": ("centre", "corner"),
    "interpolation": ("bilinear", "bicubic", "area", "nearest", "antialias", "antialias-bicubic"),
    "decode": ("scores", "yolox", "rows", "boxes+scores", "depth"),
    "format": ("xyxy", "cxcywh", "xywh"),
    "units": ("pixels", "share"),
    "activation": ("none", "sigmoid", "softmax"),
    "means": ("far", "near"),
}
_DECODES = {"classification": ("scores",), "detection": ("yolox", "rows", "boxes+scores"), "depth": ("depth",)}
ENDINGS = (".toml", ".json")


@dataclass(frozen=True)
class Feed:
    """How a picture becomes the input: (pixel · scale - mean) / std, placed as ``fit`` says.

    Attributes:
        name: The input's name; may be left out where the file has one.
        size: Height and width; may be left out where the file fixes them.
        layout: ``"NCHW"`` or ``"NHWC"``.
        colour: Order of the channels, or ``"GREY"`` for one.
        scale: What pixels of 0 to 255 are multiplied by first.
        mean, std: Per channel (or one for all), on the scale after that.
        fit: ``"stretch"``; ``"letterbox"`` keeps the proportions and fills the rest; ``"crop"`` fills the input with
            the middle of the picture, for classification.
        fill: Value of the rest, 0 to 255.
        position: Where a letterboxed picture lies.
        resize: For ``"crop"``: length of the short side before the middle is cut out; 0 takes the input's own.
        interpolation: How pixels are resampled: as OpenCV does, or with ``"antialias"`` (bilinear) and
            ``"antialias-bicubic"`` as Pillow, torchvision and timm do.
    """

    name: str = ""
    size: tuple[int, ...] = ()
    layout: str = "NCHW"
    colour: str = "RGB"
    scale: float = 1 / 255
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    fit: str = "stretch"
    fill: float = 114.0
    position: str = "centre"
    resize: int = 0
    interpolation: str = "bilinear"


@dataclass(frozen=True)
class Answer:
    """What the outputs mean.

    Attributes:
        decode: ``"scores"``: one number a class. ``"yolox"``: rows of centre and size in cells, objectness, classes,
            for grids of ``strides``. ``"rows"``: rows (or columns) of a box, with ``objectness`` its score, and a
            score for each class. ``"boxes+scores"``: two outputs. ``"depth"``: one number a pixel.
        output: Name of the output; may be left out where the file has one.
        activation: What the scores still lack: ``"none"``, ``"sigmoid"`` or ``"softmax"``. For classification
            ``"softmax"`` where the output are logits, ``"none"`` where it sums to one.
        strides: Of the grids.
        boxes, scores, classes: Names of outputs; ``classes`` where they hold indices and ``scores`` one number a box.
        format: Of boxes: two corners, centre and size, or corner and size.
        units: Of boxes: pixels of the input, or shares of it.
        objectness: Whether a row's fifth number says how sure it is that there is anything.
        background: Index of the class that is nothing, or -1.
        means: Of depth: whether larger numbers are ``"far"`` away or ``"near"`` (inverse depth).
        unit: Of depth: ``"m"`` for metres; empty for relative values.
    """

    decode: str = "scores"
    output: str = ""
    activation: str = ""
    strides: tuple[int, ...] = (8, 16, 32)
    boxes: str = "boxes"
    scores: str = "scores"
    classes: str = ""
    format: str = "xyxy"
    units: str = "pixels"
    objectness: bool = False
    background: int = -1
    means: str = "far"
    unit: str = ""


@dataclass(frozen=True)
class Published:
    """Where the file can be had; empty for files of one's own."""

    name: str = ""
    url: str = ""
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Description:
    """What stands beside an ONNX file.

    Attributes:
        task: One of ``TASKS``.
        labels: Class names, or the key of a known set such as ``"coco-80"`` or ``"imagenet"``, or the name of a text
            file beside the description with one name a line.
        name, title, family: What it is called; the file's name where left out.
        licence, trained_on, source: On what terms, from what, by whom.
        parameters, gflops, metrics, measured_on: Published figures, as for ``ZooWeights``.
        systems: Rows of the systems table.
        input, output, file: The tables of the same names.
    """

    task: str
    labels: tuple[str, ...] | str = ()
    name: str = ""
    title: str = ""
    family: str = "ONNX file"
    licence: str = "not stated"
    trained_on: str = "not stated"
    source: str = ""
    parameters: int = 0
    gflops: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    measured_on: str = ""
    systems: tuple[str, ...] = ()
    input: Feed = field(default_factory=Feed)
    output: Answer = field(default_factory=Answer)
    file: Published = field(default_factory=Published)


def beside(model: Path) -> Path | None:
    """The description of an ONNX file: ``NAME.toml`` or ``NAME.json`` beside ``NAME.onnx``; None without one."""
    return next((path for ending in ENDINGS if (path := model.with_suffix(ending)).is_file()), None)


def read_description(path: Path) -> Description:
    """Read a description.

    Raises:
        UserError: If it cannot be read, or says something that has no meaning; in one line with file and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # both formats' errors, and text that is not UTF-8
        raise UserError(f"{path} is not a valid description: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} is not a valid description: names with values are needed")
    found: Description = _table(Description, data, str(path), "")
    _check(found, path)
    return found


def _table(kind: Any, data: Mapping[str, Any], path: str, within: str) -> Any:
    """A dataclass from a table, every key and type checked."""
    fields = {item.name: item for item in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{within}{key}"
        if key not in fields:
            raise UserError(f"{path}: {name} is not known; there are {', '.join(f'{within}{one}' for one in fields)}")
        values[key] = _value(key, value, path, name)
    if "task" in fields and "task" not in values:
        raise UserError(f"{path} does not say its task: one of {', '.join(TASKS)}")
    return kind(**values)


def _value(key: str, value: Any, path: str, name: str) -> Any:
    tables = {"input": Feed, "output": Answer, "file": Published}
    if key in tables and name == key:
        if not isinstance(value, dict):
            raise UserError(f"{path}: {name} is a table: write [{name}]")
        return _table(tables[key], value, path, f"{name}.")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise UserError(f"{path}: {name} is one of {', '.join(_CHOICES[key])}, not {value!r}")
    wanted, test = _KINDS[key]
    if not test(value):
        raise UserError(f"{path}: {name} is {wanted}, not {value!r}")
    return tuple(value) if isinstance(value, list) else float(value) if key in ("scale", "fill") else value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _listed(test: Any, least: int = 0, most: int = 100_000) -> Any:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(test, value))


def _text(value: Any) -> bool:
    return isinstance(value, str)


_TEXT = ("a text", _text)
_KINDS: Mapping[str, tuple[str, Any]] = {
    **dict.fromkeys(
        ("task", "name", "title", "family", "licence", "trained_on", "source", "measured_on", "layout", "colour", "fit",
         "position", "interpolation", "decode", "output", "activation", "boxes", "scores", "classes", "format", "units",
         "means", "unit", "url", "sha256"),
        _TEXT,
    ),
    "labels": ("a list of names, or the name of a known set or text file", lambda v: _text(v) or _listed(_text, 1)(v)),
    "systems": ("a list of names", _listed(_text)),
    "metrics": ("names with numbers", lambda v: isinstance(v, dict) and all(map(_number, v.values()))),
    "parameters": ("a whole number", lambda v: _whole(v) and v >= 0),
    "gflops": ("a number", _number),
    "bytes": ("a whole number", lambda v: _whole(v) and v >= 0),
    "size": ("height and width in pixels", _listed(lambda v: _whole(v) and 1 <= v <= 8192, 2, 2)),
    "scale": ("a number above 0", lambda v: _number(v) and v > 0),
    "mean": ("a number for each channel", _listed(_number, 1, 3)),
    "std": ("a number above 0 for each channel", _listed(lambda v: _number(v) and v > 0, 1, 3)),
    "fill": ("a value of 0 to 255", lambda v: _number(v) and 0 <= v <= 255),
    "resize": ("a length in pixels", lambda v: _whole(v) and 0 <= v <= 8192),
    "strides": ("whole numbers above 0", _listed(lambda v: _whole(v) and v > 0, 1)),
    "objectness": ("true or false", lambda v: isinstance(v, bool)),
    "background": ("the index of a class, or -1", lambda v: _whole(v) and v >= -1),
}  # fmt: skip


def _check(found: Description, path: Path) -> None:
    """What must fit together."""
    if found.output.decode not in _DECODES[found.task]:
        known = " or ".join(_DECODES[found.task])
        raise UserError(f"{path}: for {found.task} output.decode is {known}, not {found.output.decode!r}")
    if found.input.fit == "crop" and found.task != "classification":
        raise UserError(f"{path}: input.fit crop loses parts of the picture: {found.task} needs stretch or letterbox")
    channels = 1 if found.input.colour == "GREY" else 3
    for name in ("mean", "std"):
        if len(getattr(found.input, name)) not in (0, 1, channels):
            raise UserError(f"{path}: input.{name} has a number for each of {channels} channels, or one for all")
    if found.task != "depth" and not found.labels:
        raise UserError(f'{path} does not name its classes: labels is a list of names, or such as "coco-80"')
