"""An ONNX file as the network of a live task: runs by onnxruntime, without a forward pass of torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.zoo.candidates import Candidates, best
from guiapp.models.zoo.onnx.decode import decoded, sigmoid
from guiapp.models.zoo.onnx.description import Description
from guiapp.models.zoo.onnx.fit import Floats, Place, fitted

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Placed(list[torch.Tensor]):
    """One prepared picture, float (C, h, w), that knows where in it the picture lies.

    Attributes:
        place: Where.
    """

    def __init__(self, values: Floats, place: Place) -> None:
        super().__init__([torch.from_numpy(values)])
        self.place = place


class OnnxNetwork(nn.Module):
    """Runs one picture at a time.

    Attributes:
        description: What the file's inputs and outputs mean.
        room: Height and width of the input.
        file: What messages call the file.
    """

    def __init__(self, session: Any, description: Description, count: int, file: str) -> None:
        super().__init__()
        self._session, self._count = session, count
        self.description, self.file = description, file
        self._input = _input(session, description, file)
        kind = self._input.type
        if kind not in _TYPES:
            raise UserError(f"{file} takes {kind}: float, float16 or uint8 are understood")
        self._type = _TYPES[kind]
        self.room = _room(self._input.shape, description, file)
        self._outputs = [part.name for part in session.get_outputs()]
        _check_outputs(session, description, count, self.room, file)

    def __deepcopy__(self, memo: Any) -> OnnxNetwork:
        return self  # a session keeps nothing between two runs, and cannot be copied

    def compile(self, *_args: Any, **_options: Any) -> None:
        """Nothing: onnxruntime has done so when the file was opened."""

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> Placed:
        """The input for a picture, uint8 (H, W, 3)."""
        return Placed(*fitted(pixels, self.description.input, self.room))

    def outputs(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> dict[str, Floats]:
        """The outputs by name, float32, each with a batch of one.

        Raises:
            UserError: If onnxruntime cannot run the file with these inputs.
        """
        values = inputs[0].detach().cpu().numpy()[None]
        if values.dtype != self._type:
            values = (np.rint(values.clip(0, 255)) if self._type is np.uint8 else values).astype(self._type)
        try:
            found = self._session.run(self._outputs, {self._input.name: values})
        except Exception as error:  # noqa: BLE001 - its exceptions have no common class but this
            reason = " ".join(str(error).rpartition(" : ")[2].split())[:160]
            raise UserError(f"{self.file} cannot run a picture of {self.room[1]}x{self.room[0]}: {reason}") from None
        return {
            name: value if value.dtype == np.float32 else value.astype(np.float32)
            for name, value in zip(self._outputs, found, strict=True)
        }

    def candidates(self, inputs: torch.Tensor | Sequence[torch.Tensor], keep: int) -> Candidates:
        """Boxes before suppression, for ``tasks.detection``.

        Args:
            inputs: From ``prepare``.
            keep: How many, at most.
        """
        place = inputs.place if isinstance(inputs, Placed) else Place(0, 0, self.room[1], self.room[0])
        found = decoded(self.outputs(inputs), self.description.output, self.room, self._count, self.file)
        values, order = best(torch.from_numpy(found.scores), keep)
        offset = np.array([place.left, place.top] * 2, np.float32)
        end = np.array([place.width, place.height] * 2, np.float32)
        boxes = torch.from_numpy(np.clip(found.boxes - offset, 0, end))[order]
        cells = None
        if found.cells is not None:
            cells = torch.from_numpy(np.clip(found.cells - offset, 0, end))[order]
        classes = torch.from_numpy(found.classes)[order]
        return Candidates(boxes, values, classes, (place.height, place.width), anchors=cells)

    def forward(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
        """Logits (1, C); where the file gives probabilities, their logarithms, whose soft-max they are."""
        answer = self.description.output
        scores: Floats = self._one(self.outputs(inputs)).reshape(1, -1)
        if scores.shape[1] != self._count:
            raise UserError(f"{self.file} gives {scores.shape[1]} scores, and its description names {self._count}")
        if answer.activation in ("none", "sigmoid"):
            shares = sigmoid(scores) if answer.activation == "sigmoid" else scores
            scores = np.log(np.maximum(shares, np.float32(1e-12)))
        return torch.from_numpy(scores)

    def depth(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> npt.NDArray[np.float32]:
        """One number a pixel, float32 (h, w), for ``tasks.depth``: of the picture, without what was filled."""
        values = self._one(self.outputs(inputs))
        values = values.reshape(values.shape[-2:]) if values.size == values.shape[-1] * values.shape[-2] else values
        if values.ndim != 2:
            raise UserError(f"{self.file} gives {'x'.join(map(str, values.shape))} numbers, and depth is one a pixel")
        place = inputs.place if isinstance(inputs, Placed) else Place(0, 0, self.room[1], self.room[0])
        down, across = values.shape[0] / self.room[0], values.shape[1] / self.room[1]
        top, left = round(place.top * down), round(place.left * across)
        bottom, right = round((place.top + place.height) * down), round((place.left + place.width) * across)
        return np.ascontiguousarray(values[top : max(bottom, top + 1), left : max(right, left + 1)])

    def _one(self, outputs: dict[str, Floats]) -> Floats:
        name = self.description.output.output or self._outputs[0]
        if name not in outputs:
            raise UserError(f"{self.file} has no output {name}; there are {', '.join(outputs)}")
        return outputs[name]


def _input(session: Any, about: Description, file: str) -> Any:
    """The one input that a picture goes to."""
    parts = session.get_inputs()
    if about.input.name:
        for part in parts:
            if part.name == about.input.name:
                return part
        raise UserError(f"{file} has no input {about.input.name}; there are {', '.join(part.name for part in parts)}")
    if len(parts) != 1:
        raise UserError(f"{file} takes {len(parts)} inputs, and a picture is one: export it with that alone")
    return parts[0]


def _room(shape: Sequence[Any], about: Description, file: str) -> tuple[int, int]:
    """Height and width of the input, from the description and the file."""
    if len(shape) not in (0, 4):
        raise UserError(f"{file} takes {'x'.join(map(str, shape))} numbers, and a batch of pictures has four sizes")
    channels = 1 if about.input.colour == "GREY" else 3
    first = about.input.layout == "NCHW"
    if len(shape) == 4:
        batch, found = shape[0], shape[1] if first else shape[3]
        if isinstance(found, int) and found != channels:
            raise UserError(
                f"{file} takes {'x'.join(map(str, shape))} numbers, and its description says {channels} channels "
                f"in {about.input.layout}"
            )
        if isinstance(batch, int) and batch > 1:
            raise UserError(f"{file} takes {batch} pictures at once: export it for one")
    sides = (shape[2:4] if first else shape[1:3]) if len(shape) == 4 else (None, None)
    room = []
    for number, (side, name) in enumerate(zip(sides, ("height", "width"), strict=True)):
        said = about.input.size[number] if about.input.size else None
        fixed = side if isinstance(side, int) and side > 0 else None
        if said is None and fixed is None:
            raise UserError(f"{file} takes pictures of any size: say which with input.size = [height, width]")
        if said is not None and fixed is not None and said != fixed:
            raise UserError(f"{file} takes a {name} of {fixed}, and its description says {said}")
        room.append(int(fixed if fixed is not None else said or 0))
    return room[0], room[1]


def _check_outputs(session: Any, about: Description, count: int, room: tuple[int, int], file: str) -> None:
    """Refuse at once what could never be decoded."""
    answer = about.output
    shapes = {part.name: list(part.shape) for part in session.get_outputs()}
    wanted = [answer.boxes, answer.scores, answer.classes] if answer.decode == "boxes+scores" else [answer.output]
    for name in filter(None, wanted):
        if name not in shapes:
            raise UserError(f"{file} has no output {name}; there are {', '.join(shapes)}")
    if all(isinstance(side, int) for shape in shapes.values() for side in shape) and about.task == "detection":
        empty = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        decoded(empty, answer, room, count, file)
