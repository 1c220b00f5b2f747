"""The tables of course text 1, section 7, beside the same figures of the live network, and why some rows differ.

The text's tables of AlexNet, VGG-16 and Inception v1 are for a batch of 128. Their totals leave the input out. What
they count where is ``interpret.cost``'s convention ``"text"``. All rows of AlexNet and VGG-16 follow it, and so do the
activations and the layers before and after the inception modules. The modules' own rows do not, in two ways, which the
text's totals (6,992 thousand parameters, 389,996 million flops, with the ninth module that is not printed) confirm:

- their parameters are weights alone, and one figure (602 for 605) is a slip that the total does not contain;
- in their flops each 1x1 that narrows counts the channels of the *next* layer in the place of its own input's,
  K_narrow · K_wide for C_in · K_narrow, and the pooling counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guiapp.interpret.cost import Cost, LayerCost

BATCH = 128
_MEGA = 2**20
_MODULES = {
    "inception3a": "incep1", "inception3b": "incep2", "inception4a": "incep3", "inception4b": "incep4",
    "inception4c": "incep5", "inception4d": "incep6", "inception4e": "incep7", "inception5a": "incep8",
}  # fmt: skip
_VGG = {
    "features.0": "conv1", "features.2": "conv2", "features.4": "pool1", "features.5": "conv3", "features.7": "conv4",
    "features.9": "pool2", "features.10": "conv5", "features.12": "conv6", "features.14": "conv7",
    "features.16": "pool3", "features.17": "conv8", "features.19": "conv9", "features.21": "conv10",
    "features.23": "pool4", "features.24": "conv11", "features.26": "conv12", "features.28": "conv13",
    "features.30": "pool5", "classifier.0": "fc14", "classifier.3": "fc15", "classifier.6": "fc16",
}  # fmt: skip
# Row of the text: height and width, channels, parameters in thousands, flops in millions, memory of activations and of
# parameters in MB, as printed.
_ALEXNET_ROWS = """
conv1 55 96 35 26986.3 283.6 0.4
pool1 27 96 0 80.6 68.3 0.0
conv2 27 256 615 114661.8 182.3 7.0
pool2 13 256 0 49.8 42.3 0.0
conv3 13 384 885 38277.2 63.4 10.1
conv4 13 384 1327 57415.8 63.4 15.2
conv5 13 256 885 38277.2 42.3 10.1
pool3 6 256 0 10.6 9.0 0.0
fc6 1 4096 37758 9663.7 4.0 432.1
fc7 1 4096 16781 4295.0 4.0 192.0
fc8 1 1000 4100 1048.6 1.0 46.9
total 0 0 62386.56 290766.6 763.4 714.0
"""
_VGG_ROWS = """
conv1 224 64 2 22196.3 3136.0 0.0
conv2 224 64 37 473520.1 3136.0 0.4
pool1 112 64 0 411.0 784.0 0.0
conv3 112 128 74 236760.1 1568.0 0.8
conv4 112 128 148 473520.1 1568.0 1.7
pool2 56 128 0 205.5 392.0 0.0
conv5 56 256 295 236760.1 784.0 3.4
conv6 56 256 590 473520.1 784.0 6.8
conv7 56 256 590 473520.1 784.0 6.8
pool3 28 256 0 102.8 196.0 0.0
conv8 28 512 1180 236760.1 392.0 13.5
conv9 28 512 2360 473520.1 392.0 27.0
conv10 28 512 2360 473520.1 392.0 27.0
pool4 14 512 0 51.4 98.0 0.0
conv11 14 512 2360 118380.0 98.0 27.0
conv12 14 512 2360 118380.0 98.0 27.0
conv13 14 512 2360 118380.0 98.0 27.0
pool5 7 512 0 12.8 24.5 0.0
fc14 1 4096 102786 26306.7 4.0 1176.3
fc15 1 4096 16781 4295.0 4.0 192.0
fc16 1 1000 4100 1048.6 1.0 46.9
total 0 0 138382 3961171 14733 1584
"""
_INCEPTION_ROWS = """
conv1 112 64 9 30211.6 784.0 0.1
pool1 56 64 0 231.2 196.0 0.0
conv2 56 64 4 3288.3 196.0 0.0
conv3 56 192 111 88785.0 588.0 1.3
pool2 28 192 0 173.4 147.0 0.0
incep1 28 256 163 31380.5 196.0 1.9
incep2 28 480 388 75683.1 367.5 4.4
pool3 14 480 0 108.4 91.9 0.0
incep3 14 512 376 17403.4 98.0 4.3
incep4 14 512 449 20577.8 98.0 5.1
incep5 14 512 509 23609.2 98.0 5.8
incep6 14 528 602 28233.4 101.1 6.9
incep7 14 832 867 41445.4 159.3 9.9
pool4 7 832 0 47.0 39.8 0.0
incep8 7 832 1042 11860.0 39.8 11.9
avgpool 1 1024 0 6.4 1.0 0.0
fc1 1 1000 1025 262.1 1.0 11.7
total 0 0 6992 389996 3251 80
"""


@dataclass(frozen=True)
class Printed:
    """A row of the text, as printed.

    Attributes:
        name: The text's name of the layer.
        output: Channels, height, width; empty for the total.
        parameters: In thousands; ``flops`` in millions; ``activation_memory`` and ``parameter_memory`` in MB of 2²⁰.
        digits: Decimals of the four figures.
    """

    name: str
    output: tuple[int, ...]
    parameters: float
    flops: float
    activation_memory: float
    parameter_memory: float
    digits: tuple[int, int, int, int]


@dataclass(frozen=True)
class Row:
    """A row of the text beside the live network's.

    Attributes:
        printed: The text's.
        layer: Name of the layer in the network, ``""`` for the total.
        ours: The four figures of the network in the text's units, by the text's convention.
        differs: Names of those that are not as printed, to the printed decimals.
        why: What explains the differences; empty where there are none, or none is known.
    """

    printed: Printed
    layer: str
    ours: Mapping[str, float]
    differs: tuple[str, ...]
    why: str = ""


FIGURES = ("parameters", "flops", "activation_memory", "parameter_memory")
_SCALES = {"parameters": 1e3, "flops": 1e6, "activation_memory": _MEGA, "parameter_memory": _MEGA}


@dataclass(frozen=True)
class TextTable:
    """One table of the text.

    Attributes:
        title: What it is a table of.
        model: The network of the zoo that is built so.
        names: The text's names by the network's.
        rows: As printed.
    """

    title: str
    model: str
    names: Mapping[str, str]
    rows: tuple[Printed, ...]


def _printed(text: str) -> tuple[Printed, ...]:
    return tuple(_row(line.split()) for line in text.strip().splitlines())


def _row(words: list[str]) -> Printed:
    name, side, channels, *figures = words
    size = int(side)
    output = () if not size else (int(channels),) if size == 1 else (int(channels), size, size)
    digits = tuple(len(word.partition(".")[2]) for word in figures)
    parameters, flops, activations, memory = map(float, figures)
    return Printed(name, output, parameters, flops, activations, memory, (digits[0], digits[1], digits[2], digits[3]))


_SAME = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3", "fc6", "fc7", "fc8")
_AROUND = ("conv1", "pool1", "conv2", "conv3", "pool2", "pool3", "pool4", "avgpool", "fc1")

TABLES: dict[str, TextTable] = {
    table.model: table
    for table in (
        TextTable("AlexNet", "alexnet-paper", {name: name for name in _SAME}, _printed(_ALEXNET_ROWS)),
        TextTable("VGG-16", "vgg16", _VGG, _printed(_VGG_ROWS)),
        TextTable(
            "Inception v1", "googlenet-paper", {name: name for name in _AROUND} | _MODULES, _printed(_INCEPTION_ROWS)
        ),
    )
}
"""By name of the network."""


def compare(cost: Cost, table: TextTable) -> tuple[Row, ...]:
    """The text's rows beside those of a network counted for 128 pictures by the text's convention.

    Args:
        cost: Of the network that the table is of.
        table: The table.

    Raises:
        ValueError: If the network was counted in another way.
    """
    if cost.batch != BATCH or cost.convention != "text":
        raise ValueError(f"the tables are for {BATCH} pictures by the text's convention")
    layers = {known: layer for layer, known in table.names.items()}
    rows = []
    for printed in table.rows:
        layer = layers.get(printed.name, "")
        found = cost.of(layer) if layer else cost.total
        if found is None:
            continue
        ours = {key: getattr(found, key) / _SCALES[key] for key in FIGURES}
        differs = tuple(
            key for key, digits in zip(FIGURES, printed.digits, strict=True)
            if not _as_printed(ours[key], getattr(printed, key), digits)
        )  # fmt: skip
        if printed.output and not _same_shape(printed.output, found.output):
            differs = ("output", *differs)
        rows.append(Row(printed, layer, ours, differs, _why(cost, found, printed, differs)))
    return tuple(rows)


def _same_shape(printed: tuple[int, ...], found: tuple[int, ...]) -> bool:
    """Whether the sizes are the same; one place is written with or without its height and width."""
    return tuple(size for size in found if size > 1) == tuple(size for size in printed if size > 1)


def _as_printed(ours: float, printed: float, digits: int) -> bool:
    """Whether it is the printed figure, rounded either way where it lies in the middle."""
    return abs(ours - printed) <= 0.5000001 * 10.0**-digits


def _why(cost: Cost, found: LayerCost, printed: Printed, differs: tuple[str, ...]) -> str:
    if not differs:
        return ""
    if found is cost.total:
        known = [cost.of(name) for name in _MODULES if cost.of(name) is not None]
        return "the sum of what differs in the inception modules" if known else ""
    module = _module(cost, found.name)
    if module is None:
        return ""
    reasons: list[str] = []
    checks: tuple[tuple[str, Callable[[], float], str], ...] = (
        ("parameters", lambda: module.weights / 1e3, "printed without biases"),
        (
            "flops",
            lambda: module.text_flops / 1e6,
            "printed with the next layer's channels for the input's in each 1×1 that narrows, and pooling twice",
        ),
    )
    for key, value, reason in checks:
        if key in differs:
            digits = printed.digits[FIGURES.index(key)]
            slip = "a slip in print: the total holds the right one"
            reasons.append(reason if _as_printed(value(), getattr(printed, key), digits) else slip)
    return "; ".join(reasons)


@dataclass(frozen=True)
class _Module:
    """An inception module as the text counts it: weights without biases, and its flops in the text's way."""

    weights: int
    text_flops: int


def _module(cost: Cost, name: str) -> _Module | None:
    parts: dict[str, Any] = {}
    for branch, layer in (
        ("branch1", "conv"), ("branch2", "reduce"), ("branch2", "conv"), ("branch3", "reduce"), ("branch3", "conv"),
        ("branch4", "pool"), ("branch4", "project"),
    ):  # fmt: skip
        parts[f"{branch}.{layer}"] = cost.of(f"{name}.{branch}.{layer}")
    if any(part is None for part in parts.values()):
        return None
    weights = sum(part.parameters - part.output[0] for key, part in parts.items() if not key.endswith("pool"))
    flops = sum(parts[key].flops for key in ("branch1.conv", "branch2.conv", "branch3.conv", "branch4.project"))
    rows, columns = parts["branch1.conv"].output[1:]
    for branch in ("branch2", "branch3"):
        narrow, wide = parts[f"{branch}.reduce"].output[0], parts[f"{branch}.conv"].output[0]
        flops += 2 * narrow * wide * rows * columns * cost.batch
    return _Module(weights, flops + 2 * parts["branch4.pool"].flops)
