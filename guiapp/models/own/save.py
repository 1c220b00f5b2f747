"""Any open network as a file: safetensors, ONNX, torch.export; written beside, read back, compared, then put in place.

What belongs to a network, its preprocessing and class names, goes along: in the metadata of safetensors and of ONNX,
in a description beside the ONNX file, in an extra file inside a torch.export program.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from guiapp.core.compiler import load_whole
from guiapp.core.notices import SettingError, UserError
from guiapp.models.base import Preprocessing
from guiapp.models.own.feed import OwnPreprocessing
from guiapp.models.own.files import EXTRA
from guiapp.models.zoo.base import Preset

ENDINGS = (".safetensors", ".onnx", ".pt2")
TOLERANCE = 1e-3
"""Outputs may differ by so much of their largest size: other kernels add in another order."""
_TASKS = ("classification", "segmentation", "depth")
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Leaving:
    """A network that is to be written.

    Attributes:
        module: In evaluation mode; a copy, which may be moved to the CPU.
        task: Its task.
        title: What a person reads.
        labels: Class names.
        inputs: A prepared picture (1, C, H, W), or what else the network takes.
        feed: How pictures become its input; a ``Preset`` of the zoo or the program's own.
        record: What names it in this program: ``model`` and ``options`` of a network to train, or ``architecture``.
    """

    module: nn.Module
    task: str
    title: str
    labels: tuple[str, ...]
    inputs: Any
    feed: Preprocessing | Preset
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: The file.
        bytes: Its size.
        difference: Largest difference between the outputs of the network and of the file read back, on one picture and
            its negative.
        scale: Largest size of an output.
        beside: Another file that belongs to it, or None.
    """

    path: Path
    bytes: int
    difference: float
    scale: float
    beside: Path | None = None

    @property
    def words(self) -> str:
        """One line."""
        same = "the same output" if self.difference == 0 else f"outputs differ by at most {self.difference:.1e}"
        more = f"; {self.beside.name} beside it describes it" if self.beside is not None else ""
        return f"{self.path.name}, {self.bytes / 1e6:.1f} MB, read back: {same}{more}"


def save_network(leaving: Leaving, path: Path, progress: Progress | None = None) -> Written:
    """Write a network, read it back and compare.

    Args:
        leaving: The network.
        path: Its ending says the kind of file.
        progress: Told what is done; an exception that it raises stops it, and nothing is left.

    Raises:
        SettingError: For another ending, or a folder that is not there.
        UserError: If the network cannot be written so, or the file does not answer the same.
    """
    path = path.expanduser()
    suffix = path.suffix.lower()
    if suffix not in ENDINGS:
        raise SettingError(f"a network is written as one of {', '.join(ENDINGS)}, not as {path.name!r}")
    if not path.parent.is_dir():
        raise SettingError(f"there is no folder {path.parent}")
    if not isinstance(leaving.module, nn.Module) or not any(True for _ in leaving.module.state_dict()):
        raise UserError(f"{leaving.title} has no weights to write")
    if suffix != ".safetensors" and any(isinstance(part, torch.jit.ScriptModule) for part in leaving.module.modules()):
        raise UserError(
            f"{leaving.title} is TorchScript, which torch cannot turn into {suffix[1:]}: name its architecture first"
        )
    report = progress or (lambda share, text: None)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as name:
        temporary = Path(name) / path.name
        report(0.1, f"writing {path.name}")
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")  # exporters warn of what does not matter to a person
                expected = [_answer(leaving.module, one) for one in _questions(leaving.inputs)]
                write = {".safetensors": _safetensors, ".onnx": _onnx, ".pt2": _program}[suffix]
                answer, beside = write(leaving, temporary)
                report(0.7, f"reading {path.name} back")
                got = [answer(one) for one in _questions(leaving.inputs)]
        except (UserError, MemoryError):
            raise
        except Exception as error:
            if type(error).__module__.startswith("guiapp"):
                raise
            reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UserError(f"{leaving.title} cannot be written as {suffix[1:]}: {reason[:160]}") from None
        difference, scale = _compared(expected, got)
        if not difference <= TOLERANCE * max(scale, 1e-6):
            raise UserError(
                f"{path.name} was not written: read back it answers otherwise, by {difference:.2g} where outputs reach "
                f"{scale:.2g}"
            )
        size = temporary.stat().st_size
        if beside is not None:
            beside.replace(path.with_suffix(".toml"))
        temporary.replace(path)
    return Written(path, size, difference, scale, path.with_suffix(".toml") if beside is not None else None)


# ---------------------------------------------------------------------- kinds of files


def _safetensors(leaving: Leaving, path: Path) -> tuple[Callable[[Any], list[torch.Tensor]], None]:
    """Weights with what the network is; read back into a copy whose weights were wiped out."""
    import copy

    from guiapp.models.weights import load_weights, save_weights

    save_weights(path, leaving.module, {**_about(leaving), **leaving.record})
    state, _ = load_weights(path)
    again = copy.deepcopy(leaving.module)
    for tensor in again.state_dict().values():
        tensor.zero_()
    again.load_state_dict(state)
    return lambda one: _answer(again, one), None


def _onnx(leaving: Leaving, path: Path) -> tuple[Callable[[Any], list[torch.Tensor]], Path | None]:
    """By ``torch.onnx.export``; read back by onnxruntime."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - the exporter needs it and says so in a page of text
    except ImportError:
        raise UserError("ONNX files need onnxruntime and onnxscript: pip install 'guiapp[onnx]'") from None
    program = torch.onnx.export(
        _exported(leaving), input_names=["input"], output_names=["output"], dynamo=True, verbose=False
    )
    assert program is not None
    program.model.metadata_props.update({"guiapp": json.dumps(_about(leaving))})
    program.save(str(path), external_data=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def answer(one: Any) -> list[torch.Tensor]:
        return [torch.from_numpy(np.asarray(found)) for found in session.run(None, {given.name: one.numpy()})]

    return answer, _describe(leaving, path)


def _program(leaving: Leaving, path: Path) -> tuple[Callable[[Any], list[torch.Tensor]], None]:
    """By ``torch.export``; read back as a person's own program is, which refuses what could run code."""
    from guiapp.models.own.programs import load_program

    program = _exported(leaving)
    torch.export.save(program, str(path), extra_files={EXTRA: json.dumps(_about(leaving))})
    module, _ = load_program(path)
    return lambda one: _answer(module, one), None


def _exported(leaving: Leaving) -> torch.export.ExportedProgram:
    """The network as a graph, for any number of pictures where it can be."""
    load_whole()
    inputs, plain = _tensor(leaving), _Plain(leaving.module).eval()
    try:
        some = torch.cat([inputs, -inputs])
        return torch.export.export(plain, (some,), dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},))
    except Exception:  # noqa: BLE001 - some networks count with the number of pictures: one at a time then
        return torch.export.export(plain, (inputs,))


class _Plain(nn.Module):
    """A network whose answer is one tensor: of a segmentation network the map without what only training uses."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """What the network says of pictures (N, C, H, W)."""
        return _answer(self.network, pictures)[0]


# ---------------------------------------------------------------------- comparison


def _questions(inputs: Any) -> list[Any]:
    """A picture and its negative: an exporter that keeps the answer to one picture as a constant fails on the other."""
    if isinstance(inputs, torch.Tensor):
        return [inputs.cpu(), -inputs.cpu()]
    return [[one.cpu() for one in inputs], [1 - one.cpu() for one in inputs]]


def _answer(module: nn.Module, one: Any) -> list[torch.Tensor]:
    output = module(one)
    if isinstance(output, Mapping):
        output = output["out"] if "out" in output else list(output.values())
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, list) and output and isinstance(output[0], Mapping):
        return [value for found in output for value in found.values()]
    return [value for value in output if isinstance(value, torch.Tensor)]


def _compared(expected: list[list[torch.Tensor]], got: list[list[torch.Tensor]]) -> tuple[float, float]:
    """Largest difference and largest size; infinite where they cannot be compared."""
    difference = scale = 0.0
    for one, other in zip(expected, got, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            if ours.shape != theirs.shape:
                return float("inf"), scale
            if ours.numel():
                scale = max(scale, float(ours.float().abs().max()))
                gap = (ours.float() - theirs.float()).abs()
                gap[ours == theirs] = 0.0  # two infinities
                difference = max(difference, float(gap.nan_to_num(torch.inf).max()))
    return difference, scale


def _tensor(leaving: Leaving) -> torch.Tensor:
    if not isinstance(leaving.inputs, torch.Tensor) or leaving.task not in _TASKS:
        raise UserError(
            f"{leaving.title} is for {leaving.task}, whose program follows from the picture: write it as safetensors"
        )
    return leaving.inputs.cpu()


# ---------------------------------------------------------------------- what goes along


def _about(leaving: Leaving) -> dict[str, Any]:
    """What belongs to a network, as plain data."""
    feed = leaving.feed
    about: dict[str, Any] = {"title": leaving.title, "task": leaving.task, "classes": list(leaving.labels)}
    if isinstance(feed, Preprocessing):
        about["preprocessing"] = feed.as_dict()
    else:
        about["preset"] = dataclasses.asdict(feed)
    return about


def own_record(
    architecture: str, feed: Preprocessing | None, labels: tuple[str, ...], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What a safetensors file of a network of the zoo, or of a person's own, says so that it opens by itself again."""
    kept = ("activation", "pooling", "options", "height", "width")
    record: dict[str, Any] = {name: settings[name] for name in kept if name in settings}
    record["architecture"] = architecture
    if feed is not None:
        record["feed"] = feed.as_dict()
    return {"own": {**record, "names": list(labels)}}


def _describe(leaving: Leaving, path: Path) -> Path | None:
    """The description with which this program opens the ONNX file; None for what has no words in it."""
    feed = leaving.feed
    if leaving.task != "classification":
        return None
    preset = feed.preset if isinstance(feed, OwnPreprocessing) else feed if isinstance(feed, Preset) else None
    plain = feed if isinstance(feed, Preprocessing) else None
    height, width = leaving.inputs.shape[-2:]
    channels = leaving.inputs.shape[1]
    mean, std = (preset.mean, preset.std) if preset is not None else (plain.mean, plain.std) if plain else ((), ())
    cut = (preset is not None and preset.crop is not None and preset.resize != preset.crop) or (
        plain is not None and plain.fit == "crop"
    )
    lines = [
        'task = "classification"',
        f"title = {json.dumps(leaving.title)}",
        f"labels = {json.dumps(list(leaving.labels), ensure_ascii=False)}",
        "",
        "[input]",
        f"size = [{height}, {width}]",
        f'colour = "{"GREY" if channels == 1 else "RGB"}"',
        f"scale = {1 / 255!r}",
        f"mean = {[float(value) for value in mean[:channels]]}",
        f"std = {[float(value) for value in std[:channels]]}",
        f'fit = "{"crop" if cut else "stretch"}"',
        f'interpolation = "{_interpolation(preset)}"',
    ]
    if cut and preset is not None and preset.resize and len(preset.resize) == 1:
        lines.append(f"resize = {preset.resize[0]}")
    lines += ["", "[output]", 'decode = "scores"', 'activation = "softmax"', ""]
    beside = path.with_suffix(".toml")
    beside.write_text("\n".join(lines), encoding="utf-8")
    return beside


def _interpolation(preset: Preset | None) -> str:
    if preset is not None and preset.interpolation == "bicubic":
        return "antialias-bicubic" if preset.antialias else "bicubic"
    return "antialias" if preset is None or preset.antialias else "bilinear"
