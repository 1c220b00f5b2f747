"""Outputs of detectors to boxes in pixels of the input: grids, rows, or boxes and scores apart. NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.models.zoo.onnx.description import Answer

Floats = npt.NDArray[np.float32]
FLOOR = 0.01  # lower scores are noise


class Found:
    """Boxes of one picture whose score is above the floor, in any order.

    Attributes:
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels of the input.
        scores: float32 (N,).
        classes: int64 (N,).
        cells: float32 (N, 4): the cell of the grid that each came from, or None.
    """

    def __init__(self, boxes: Floats, scores: Floats, classes: npt.NDArray[np.int64], cells: Floats | None = None):
        self.boxes, self.scores, self.classes, self.cells = boxes, scores, classes, cells


def decoded(outputs: Mapping[str, Floats], answer: Answer, room: tuple[int, int], count: int, name: str) -> Found:
    """What the outputs say.

    Args:
        outputs: By name, each with a batch of one.
        answer: What they mean.
        room: Height and width of the input.
        count: Number of classes.
        name: What messages call the file.

    Raises:
        UserError: If the outputs are not what the description says.
    """
    if answer.decode == "yolox":
        return _grids(_single(outputs, answer, name), answer, room, count, name)
    if answer.decode == "rows":
        return _rows(_single(outputs, answer, name), answer, room, count, name)
    return _apart(outputs, answer, room, count, name)


def _single(outputs: Mapping[str, Floats], answer: Answer, name: str) -> Floats:
    """The one output, without its batch."""
    if answer.output:
        if answer.output not in outputs:
            raise UserError(f"{name} has no output {answer.output}; there are {', '.join(outputs)}")
        values = outputs[answer.output]
    elif len(outputs) == 1:
        values = next(iter(outputs.values()))
    else:
        raise UserError(f"{name} has several outputs: say which with output.output: {', '.join(outputs)}")
    return values[0] if values.ndim == 3 else values


def _grids(rows: Floats, answer: Answer, room: tuple[int, int], count: int, name: str) -> Found:
    """Rows of YOLOX (Ge et al. 2021): (x + column) · stride, (y + row) · stride, exp(w) · stride, exp(h) · stride."""
    cells = np.concatenate([_cells(room, stride) for stride in answer.strides])
    if rows.shape != (len(cells), 5 + count):
        raise UserError(
            f"{name} gives {_size(rows)} numbers, and an input of {room[1]}x{room[0]} with strides "
            f"{', '.join(map(str, answer.strides))} and {count} classes {len(cells)}x{5 + count}"
        )
    scores, classes = _best(_activated(rows[:, 4:], answer.activation), objectness=True)
    above = np.flatnonzero(scores > FLOOR)
    cell, row = cells[above], rows[above]
    stride = cell[:, 2:] - cell[:, :2]
    middle = row[:, :2] * stride + cell[:, :2]
    half = np.exp(np.minimum(row[:, 2:4], 20)) * stride / 2
    return Found(np.concatenate([middle - half, middle + half], 1), scores[above], classes[above], cell)


def _cells(room: tuple[int, int], stride: int) -> Floats:
    """Borders (n, 4) of the cells of one grid, line by line."""
    y, x = np.mgrid[: room[0] // stride, : room[1] // stride]
    corner = np.stack([x, y], -1).reshape(-1, 2) * stride
    return np.concatenate([corner, corner + stride], 1).astype(np.float32)


def _rows(values: Floats, answer: Answer, room: tuple[int, int], count: int, name: str) -> Found:
    """A box and its scores in a row (YOLOv5), or in a column (YOLOv8)."""
    wide = 4 + answer.objectness + count
    if values.ndim == 2 and values.shape[1] != wide and values.shape[0] == wide:
        values = values.T
    if values.ndim != 2 or values.shape[1] != wide:
        raise UserError(f"{name} gives {_size(values)} numbers, and rows of a box with {count} classes have {wide}")
    scores, classes = _best(_activated(values[:, 4:], answer.activation), answer.objectness)
    above = np.flatnonzero(scores > FLOOR)
    return Found(_corners(values[above, :4], answer, room), scores[above], classes[above])


def _apart(outputs: Mapping[str, Floats], answer: Answer, room: tuple[int, int], count: int, name: str) -> Found:
    """Boxes in one output and scores in another: of each class, or of the best one with its index in a third."""
    for wanted in filter(None, (answer.boxes, answer.scores, answer.classes)):
        if wanted not in outputs:
            raise UserError(f"{name} has no output {wanted}; there are {', '.join(outputs)}")
    boxes = outputs[answer.boxes].reshape(-1, 4)
    scores = _activated(outputs[answer.scores], answer.activation)
    if answer.classes:
        values, classes = scores.reshape(-1), outputs[answer.classes].reshape(-1).astype(np.int64)
    else:
        wide = count + (answer.background >= 0)
        if scores.size != len(boxes) * wide:
            raise UserError(f"{name} gives {len(boxes)} boxes and {scores.size} scores, and there are {wide} classes")
        scores = scores.reshape(-1, wide)
        if answer.background >= 0:
            scores = np.delete(scores, answer.background, 1)
        values, classes = _best(scores, objectness=False)
    if not len(boxes) == len(values) == len(classes):
        raise UserError(f"{name} gives {len(boxes)} boxes, {len(values)} scores and {len(classes)} classes")
    above = np.flatnonzero((values > FLOOR) & (classes >= 0) & (classes < count))
    return Found(_corners(boxes[above], answer, room), values[above], classes[above])


def _best(scores: Floats, objectness: bool) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Score and index of each row's best class."""
    if objectness:
        scores = scores[:, 1:] * scores[:, :1]
    classes = scores.argmax(1) if scores.shape[1] else np.zeros(len(scores), np.int64)
    return scores[np.arange(len(scores)), classes], classes.astype(np.int64)


def _activated(scores: Floats, activation: str) -> Floats:
    if activation == "sigmoid":
        return sigmoid(scores)
    if activation == "softmax":
        raised = np.exp(scores - scores.max(-1, keepdims=True))
        return np.asarray(raised / raised.sum(-1, keepdims=True))
    return scores


def sigmoid(scores: Floats) -> Floats:
    """1 / (1 + exp(-x)), float32."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -80, 80))), np.float32)


def _corners(boxes: Floats, answer: Answer, room: tuple[int, int]) -> Floats:
    """Two corners in pixels of the input."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if answer.format == "cxcywh":
        half = second * np.float32(0.5)
        first, second = first - half, first + half
    elif answer.format == "xywh":
        second = first + second
    corners = np.concatenate([first, second], 1)
    return corners * np.array([room[1], room[0]] * 2, np.float32) if answer.units == "share" else corners


def _size(values: Floats) -> str:
    return "x".join(map(str, values.shape))
