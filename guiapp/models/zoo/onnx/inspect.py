"""What an ONNX file takes and gives, and the draft of a description for one that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError


class NoDescription(UserError):
    """An ONNX file without a description.

    Attributes:
        draft: What could be written beside it, as far as its inputs and outputs tell.
    """

    def __init__(self, text: str, draft: str) -> None:
        super().__init__(text)
        self.draft = draft


def undescribed(path: Path) -> NoDescription:
    """What to say of a file without a description.

    Raises:
        UserError: If the file cannot be read.
    """
    from guiapp.models.zoo.onnx.session import open_session

    session = open_session(path, threads=1)
    inputs, outputs = _told(session.get_inputs()), _told(session.get_outputs())
    text = (
        f"{path.name} has no description: write {path.with_suffix('.toml').name} beside it with task, labels, [input] "
        f"and [output] (CONTRIBUTING, An ONNX file); it takes {', '.join(inputs)} and gives {', '.join(outputs)}"
    )
    return NoDescription(text, draft(path, session))


def draft(path: Path, session: Any) -> str:
    """A description to start from; what the shapes of inputs and outputs suggest is filled in."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shape, size = list(inputs[0].shape), (0, 0)
    last = len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)
    sides = shape[1:3] if last else shape[2:4]
    if len(sides) == 2 and all(isinstance(side, int) for side in sides):
        size = (int(sides[0]), int(sides[1]))
    lines = [
        f"# {path.with_suffix('.toml').name}: a guess from the shapes; make it right and keep it beside {path.name}",
        *(f"# takes {one}" for one in _told(inputs)),
        *(f"# gives {one}" for one in _told(outputs)),
        *_guess(outputs),
        'licence = "…"',
        'source = "…"',
        "",
        "[input]",
        f"size = [{size[0] or 224}, {size[1] or 224}]  # height, width",
        f'layout = "{"NHWC" if last else "NCHW"}"',
        'colour = "RGB"  # or BGR, GREY',
        f"scale = {1 / 255!r}  # pixels of 0 to 255 are multiplied by it, then (x - mean) / std",
        "mean = [0.485, 0.456, 0.406]",
        "std = [0.229, 0.224, 0.225]",
        'fit = "stretch"  # or letterbox (fill = 114, position = "centre" or "corner"), crop',
        "",
        "[output]",
        *_decoding(outputs),
    ]
    return "\n".join(lines)


def _told(parts: Any) -> list[str]:
    return [f"{part.name} ({_kind(part.type)} {'x'.join(str(side or '?') for side in part.shape)})" for part in parts]


def _kind(kind: str) -> str:
    return kind.removeprefix("tensor(").removesuffix(")")


def _task(outputs: Any) -> str:
    shape = list(outputs[0].shape)
    if len(outputs) > 1 or (len(shape) == 3 and isinstance(shape[2], int) and shape[2] < 512):
        return "detection"
    return "classification" if len(shape) == 2 else "depth"


def _guess(outputs: Any) -> list[str]:
    task = _task(outputs)
    lines = [f'task = "{task}"  # or classification, detection, depth']
    if task != "depth":
        lines.append('labels = "coco-80"  # or imagenet, voc, a list of names, or a text file with a name a line')
    return lines


def _decoding(outputs: Any) -> list[str]:
    task = _task(outputs)
    if task == "classification":
        return ['decode = "scores"', 'activation = "softmax"  # none where the output sums to one']
    if task == "depth":
        return ['decode = "depth"', 'means = "near"  # what larger numbers say: near or far', 'unit = ""  # or "m"']
    if len(outputs) > 1:
        names = [part.name for part in outputs]
        return [
            'decode = "boxes+scores"',
            f'boxes = "{names[0]}"',
            f'scores = "{names[1]}"',
            *([f'classes = "{names[2]}"'] if len(names) > 2 else []),
            'format = "xyxy"  # or cxcywh, xywh',
            'units = "pixels"  # or share',
        ]
    return [
        'decode = "yolox"  # strides = [8, 16, 32]; or rows with format, units and objectness',
        "strides = [8, 16, 32]",
    ]
