"""Programs as networks: TorchScript, torch.export, Python. What they take and give is found by running them once."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import SettingError, UserError
from guiapp.models.base import Preprocessing
from guiapp.models.own.feed import Learnt, feed_from, feed_of, feed_of_preset, labels_of
from guiapp.models.own.files import EXTRA, Kind, read_weights
from guiapp.models.own.guess import Progress
from guiapp.models.own.match import load, match, shapes_of
from guiapp.models.own.opened import OpenedOwn, described, finish
from guiapp.models.own.programs import load_program, load_script, run_python
from guiapp.models.own.settings import AS_BUILT, OwnSettings
from guiapp.models.zoo.base import Preset
from guiapp.models.zoo.candidates import Candidates

_IMAGENET = Preset("classification", (256,), (224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_SIDES = (224, 32, 28, 64, 128, 256, 299, 96, 512, 416, 640)


class AsLogits(nn.Module):
    """A network that gives probabilities, with their logarithms as logits: the soft-max of those are they again."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes)."""
        return torch.log(torch.clamp(self.network(pictures), min=1e-12))


class OneOfBatch(nn.Module):
    """A program for batches of a fixed size, asked about one picture: it is repeated."""

    def __init__(self, network: nn.Module, batch: int) -> None:
        super().__init__()
        self.network, self.batch = network, batch

    def forward(self, pictures: torch.Tensor) -> Any:
        """The first of the batch."""
        output = self.network(pictures.expand(self.batch, *pictures.shape[1:]).contiguous())
        return {name: value[:1] for name, value in output.items()} if isinstance(output, dict) else output[:1]


class Finder(nn.Module):
    """A detector that gives boxes, labels and scores of each picture, as torchvision's do."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Any) -> Any:
        """What the network gives."""
        return self.network(pictures)

    def candidates(self, inputs: Sequence[torch.Tensor], keep: int) -> Candidates:
        """Its boxes, best first; it has suppressed and thresholded them already."""
        output = self.network(list(inputs))
        found = (output[-1] if isinstance(output, tuple) else output)[0]
        scores, order = found["scores"].detach().float().cpu().sort(descending=True)
        boxes = found["boxes"].detach().float().cpu()[order][:keep]
        classes = found["labels"].detach().long().cpu()[order][:keep]
        height, width = inputs[0].shape[-2:]
        return Candidates(boxes, scores[:keep], classes, (int(height), int(width)))


def open_program(
    path: Path,
    kind: Kind,
    settings: OwnSettings,
    learnt: Learnt | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> OpenedOwn:
    """Open a program; see ``opened.open_own``.

    Raises:
        UserError: If it cannot be loaded, takes no picture, or gives what nothing here understands.
    """
    report = progress or (lambda share, text: None)
    report(0.2, f"loading {path.name}")
    notes = [f"{described(kind)}, {path.name}"]
    shape: tuple[int, ...] | None = None
    if kind == "program":
        module, shape = load_program(path)
    elif kind == "script":
        module = load_script(path)
        notes.append("its layers cannot be looked into; name its architecture to open it with layers")
    else:
        module = run_python(path, settings.function)
        notes += _weights(module, settings, path)
    if settings.activation != AS_BUILT or settings.pooling != AS_BUILT:
        notes += _altered(module, settings, kind)
    if shape is not None and len(shape) == 4 and shape[0] > 1:
        module = OneOfBatch(module, shape[0])
    report(0.6, "asking it about a blank picture")
    size, output = _try(module, settings, shape, path)
    task, classes = _task(output, settings, path)
    if task == "classification" and _probabilities(output, settings):
        module = AsLogits(module)
        notes.append("it gives probabilities")
    if task in ("detection", "instances"):
        return finish(
            path, Finder(module), "detection", labels_of(settings, path, _named(settings, path), ()), "; ".join(notes),
            None, Preset("detection"), settings, device, described(kind),
        )  # fmt: skip
    colour = size[0] == 3
    base = _IMAGENET if colour and learnt is None and (min(size[1:]) >= 96 or classes == 1000) else None
    said = Preprocessing(size, learnt.mean, learnt.std, "pad") if learnt is not None else None
    record = written_beside(path) if kind == "program" else {}
    inside = record.get("preprocessing") or _of_preset(record.get("preset"))
    feed = feed_from(settings, inside) if isinstance(inside, Mapping) else feed_of(settings, size, base, said)
    if inside:
        base = None
    if base is not None and not settings.mean:
        notes.append("scale of ImageNet is assumed")
    names = tuple(learnt.labels) if learnt is not None else tuple(record.get("classes") or _usual(classes))
    labels = () if task == "depth" else labels_of(settings, path, classes, names)
    kind_of_input = "segmentation" if task == "segmentation" else "classification"
    return finish(
        path, module, task, labels, "; ".join(notes), feed, Preset(kind_of_input), settings, device, described(kind),
        learnt,
    )  # fmt: skip


def written_beside(path: Path) -> Mapping[str, Any]:
    """What this program wrote into a ``torch.export`` program beside the graph; nothing for those of others."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((one for one in archive.namelist() if one.endswith(f"extra/{EXTRA}")), "")
            found = json.loads(archive.read(name)) if name else {}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}
    return found if isinstance(found, dict) else {}


def _of_preset(said: Any) -> Mapping[str, Any] | None:
    if not isinstance(said, Mapping):
        return None
    try:
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
        }
        feed = feed_of_preset(Preset(**plain))
    except (TypeError, ValueError):
        return None
    return feed.as_dict() if feed is not None else None


def _weights(module: nn.Module, settings: OwnSettings, path: Path) -> list[str]:
    """Load the weight file that belongs to a Python file."""
    if not settings.weights:
        return []
    file = Path(settings.weights).expanduser()
    file = file if file.is_absolute() else path.parent / file
    tensors = read_weights(file).tensors
    found = match(shapes_of(tensors), shapes_of(module.state_dict()))
    return [f"weights of {file.name}: {load(module, tensors, found, file.name, settings.partial)}"]


def _altered(module: nn.Module, settings: OwnSettings, kind: Kind) -> list[str]:
    if kind != "python":
        raise SettingError(f"activation and pooling are part of {described(kind)} and cannot be exchanged")
    from guiapp.models.own.from_weights import altered

    return altered(module, settings)


def _try(
    module: nn.Module, settings: OwnSettings, shape: tuple[int, ...] | None, path: Path
) -> tuple[tuple[int, int, int], Any]:
    """Find the input that a program takes by running it; its size and what it gave."""
    error: Exception | None = None
    for size in _sizes(module, settings, shape):
        try:
            with torch.inference_mode():
                blank = torch.zeros(1, *size)
                if settings.task in ("detection", "instances"):
                    return size, module([blank[0]])
                return size, module(blank)
        except Exception as failed:  # noqa: BLE001 - a program fails in any way for what it does not take
            error = error or failed
    try:
        with torch.inference_mode():  # detectors take lists
            return (3, 224, 224), module([torch.zeros(3, 224, 224)])
    except Exception:  # noqa: BLE001 - the first failure says more
        reason = _reason(error)
        if re.search(r"missing (a )?value for argument|missing \d+ required positional", reason):
            raise UserError(f"{path.name} takes several inputs: a network of pictures takes one tensor") from None
        raise UserError(
            f"{path.name} takes none of the usual pictures ({reason}): set height and width of its input"
        ) from None


def _reason(error: BaseException | None) -> str:
    """Why a program failed: of TorchScript's many lines the last one that says something."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    if "TorchScript interpreter" in (lines[0] if lines else ""):
        lines = [lines[-1].removeprefix("builtins.")]
    return " ".join(lines)[:140] or type(error).__name__


def _sizes(module: nn.Module, settings: OwnSettings, shape: tuple[int, ...] | None) -> list[tuple[int, int, int]]:
    first = next((value for value in module.state_dict().values() if getattr(value, "ndim", 0) >= 2), None)
    channels = [first.shape[1]] if first is not None and first.ndim == 4 and first.shape[1] in (1, 3) else [3, 1]
    sides = list(_SIDES)
    if first is not None and first.ndim == 2:
        sides = [round((first.shape[1] / c) ** 0.5) for c in (1, 3)] + sides
    known = [(side, side) for side in sides]
    if settings.height and settings.width:
        known = [(settings.height, settings.width)]
    if shape is not None and len(shape) == 4:
        channels = [shape[1]] if shape[1] else channels
        if shape[2] and shape[3]:
            known = [(shape[2], shape[3])]
    return [(channel, height, width) for channel in channels for height, width in known if height and width]


def _task(output: Any, settings: OwnSettings, path: Path) -> tuple[str, int]:
    """What an output means, and how many classes it tells apart."""
    if isinstance(output, tuple) and output and isinstance(output[-1], list):
        output = output[-1]  # a scripted detector gives losses first
    if isinstance(output, list) and output and isinstance(output[0], Mapping) and {"boxes", "scores"} <= set(output[0]):
        return _agreed("detection", settings, path), 0
    if isinstance(output, Mapping) and isinstance(output.get("out"), torch.Tensor):
        output = output["out"]
        return _agreed("segmentation", settings, path), int(output.shape[1])
    if not isinstance(output, torch.Tensor):
        raise UserError(f"{path.name} gives {type(output).__name__}: class scores, label maps or boxes are understood")
    if settings.task == "depth" and (output.ndim == 3 or (output.ndim == 4 and output.shape[1] == 1)):
        return "depth", 0
    if output.ndim == 4 and output.shape[1] > 1 and output.shape[2] * output.shape[3] > 1:
        return _agreed("segmentation", settings, path), int(output.shape[1])
    if output.ndim == 2 and output.shape[0] == 1 and output.shape[1] > 0:
        return _agreed("classification", settings, path), int(output.shape[1])
    raise UserError(
        f"{path.name} gives {'x'.join(map(str, output.shape))} numbers for one picture: scores (1, classes) or a map "
        "(1, classes, height, width) are understood"
    )


def _agreed(task: str, settings: OwnSettings, path: Path) -> str:
    if settings.task not in ("auto", task):
        raise SettingError(f"the output of {path.name} is one of {task}, not of {settings.task}")
    return task


def _probabilities(output: torch.Tensor, settings: OwnSettings) -> bool:
    if settings.scores != "auto":
        return settings.scores == "probabilities"
    values = output.float()
    return bool((values >= 0).all()) and abs(float(values.sum()) - 1) < 1e-3 and output.shape[1] > 1


def _named(settings: OwnSettings, path: Path) -> int:
    """How many names a detector has: those that are set, else COCO's."""
    from guiapp.models.own.feed import read_labels

    return len(read_labels(settings.labels, path.parent)) if settings.labels else 91


def _usual(classes: int) -> tuple[str, ...]:
    """Class names that go by their number."""
    from guiapp.models.zoo.labels import labels

    return {1000: labels("imagenet"), 21: labels("voc"), 91: labels("coco")}.get(classes, ())
