"""What a network's file cannot say by itself: as a person sets it, remembered by the content of the file."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from guiapp.core import paths
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError, UserError
from guiapp.models.own.published import PUBLISHED

AS_BUILT = "as built"
Task = Literal["auto", "classification", "segmentation", "detection", "instances", "keypoints", "depth"]
Activation = Literal["as built", "relu", "tanh", "sigmoid", "gelu", "silu", "leaky relu", "elu", "hardswish"]
_MOST_PIXELS = 4096


@dataclass(frozen=True)
class OwnSettings:
    """How a file becomes a network, and a picture its input. What is left empty or 0 is found, or the architecture's.

    Attributes:
        architecture: A network to train, one of the zoo, or ``timm:NAME``; empty finds it from the weights. Programs
            (TorchScript, torch.export, Python) need none.
        options: Options of the architecture as ``name=value``, separated by commas, where the shapes do not tell.
        task: What the output means.
        labels: A known set of names (``imagenet``, ``coco``, …), a text file with one name a line, or the names
            separated by commas.
        dataset: Data set that it was trained on: gives class names and scale where these are left empty, and drawings
            are read as its samples.
        height, width: Size of the input.
        fit: ``"crop"`` cuts the middle, ``"stretch"`` changes proportions, ``"pad"`` puts black around what is a
            little too small.
        resize: Length of the short side before the middle is cut out; 0 for that of the input.
        mean, std: One number, or one a channel, on the scale 0 to 1.
        activation, pooling: In the place of all activations and poolings that the architecture has.
        scores: Whether the output is logits or already probabilities.
        partial: Open it though some tensors are missing or do not fit: those are random.
        function: Of a Python file: the function that gives the network.
        weights: Of a Python file: a weight file for it.
    """

    architecture: str = field(default="", metadata={"help": "the network that the weights belong to; empty finds it"})
    options: str = field(
        default="", metadata={"help": "options of the architecture, such as hidden=64, where shapes do not tell them"}
    )
    task: Task = field(default="auto", metadata={"help": "what the output means"})
    labels: str = field(
        default="", metadata={"help": "imagenet, coco, voc, …; a text file with a name a line; or names with commas"}
    )
    dataset: str = field(
        default="", metadata={"help": "data set it was trained on: gives class names, scale, and how drawings are read"}
    )
    height: int = field(
        default=0, metadata={"help": "height of the input; empty or 0 finds it", "unit": "px", "zero": "found"}
    )
    width: int = field(
        default=0, metadata={"help": "width of the input; empty or 0 finds it", "unit": "px", "zero": "found"}
    )
    fit: Literal["auto", "crop", "stretch", "pad"] = field(
        default="auto", metadata={"help": "how a picture is brought to the size of the input"}
    )
    resize: int = field(
        default=0,
        metadata={
            "help": "short side before the middle is cut out; empty or 0 for what the network was published with",
            "unit": "px",
            "zero": "as published",
        },
    )
    mean: str = field(default="", metadata={"help": "subtracted from pixels of 0 to 1: one number, or one a channel"})
    std: str = field(default="", metadata={"help": "what they are divided by after that"})
    activation: Activation = field(
        default="as built", metadata={"help": "in the place of every activation; weights do not tell which it was"}
    )
    pooling: Literal["as built", "max", "average"] = field(
        default="as built", metadata={"help": "in the place of every pooling by windows"}
    )
    scores: Literal["auto", "logits", "probabilities"] = field(
        default="auto", metadata={"help": "whether the output still has to pass through the soft-max"}
    )
    partial: bool = field(
        default=False, metadata={"help": "open it though tensors are missing or do not fit: those are random"}
    )
    function: str = field(default="", metadata={"help": "of a Python file: the function that gives the network"})
    weights: str = field(default="", metadata={"help": "of a Python file: a weight file for the network"})

    def __post_init__(self) -> None:
        for name in ("height", "width", "resize"):
            if not 0 <= getattr(self, name) <= _MOST_PIXELS:
                raise SettingError(f"{name} is between 0 and {_MOST_PIXELS}, not {getattr(self, name)}")
        for name in ("mean", "std"):
            numbers(getattr(self, name), name)
        if any(number <= 0 for number in numbers(self.std, "std")):
            raise SettingError("std is above 0")
        option_values(self.options)

    def as_dict(self) -> dict[str, Any]:
        """What differs from the defaults."""
        return {
            item.name: getattr(self, item.name)
            for item in dataclasses.fields(self)
            if getattr(self, item.name) != item.default
        }


def numbers(text: str, name: str = "numbers") -> tuple[float, ...]:
    """The numbers of a text such as ``"0.485, 0.456, 0.406"``; none of an empty one.

    Raises:
        SettingError: If there is something else, or more than four of them.
    """
    words = text.replace(",", " ").replace("(", " ").replace(")", " ").split()
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        raise SettingError(
            f"{name} is one number or one a channel, such as 0.485, 0.456, 0.406, not {text!r}"
        ) from None
    if len(found) > 4 or not all(abs(number) < 1e6 for number in found):
        raise SettingError(f"{name} is one number or one a channel, not {text!r}")
    return found


def option_values(text: str) -> dict[str, str]:
    """``"hidden=64, activation=relu"`` as a mapping.

    Raises:
        SettingError: If it is not of this form.
    """
    found = {}
    for part in filter(None, (word.strip() for word in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip().isidentifier() or not value.strip():
            raise SettingError(f"options are name=value, separated by commas, not {part!r}")
        found[name.strip()] = value.strip()
    return found


@dataclass(frozen=True)
class Kept:
    """What is remembered of a file.

    Attributes:
        settings: As the person set them.
        trusted: Whether the person let the code of this very file run.
    """

    settings: OwnSettings = OwnSettings()
    trusted: bool = False


def digest(path: Path) -> str:
    """SHA-256 of a file, read once while it stays as it is.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        about = path.stat()
        return _digest(path, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder() -> Path:
    """Where settings are kept, one small file for each network's file."""
    return paths.user_data() / "own"


def recall(path: Path) -> Kept:
    """What is remembered of a file by its content, else what its authors published of it.

    A record that cannot be read counts as none.
    """
    try:
        content = digest(path)
    except UserError:
        return Kept()
    try:
        found = json.loads((folder() / f"{content}.json").read_text(encoding="utf-8"))
        return Kept(from_dict(found.get("settings", {})), found.get("trusted") is True)
    except (OSError, ValueError, AttributeError, SettingError):
        return Kept(from_dict(PUBLISHED.get(content, {})))


def remember(path: Path, settings: OwnSettings, trusted: bool | None = None) -> None:
    """Keep settings of a file for the next time; what was said about running its code stays, where nothing is said."""
    known = recall(path)
    kept = {
        "path": str(path.absolute()),
        "settings": settings.as_dict(),
        "trusted": known.trusted if trusted is None else trusted,
    }
    folder().mkdir(parents=True, exist_ok=True)
    write_atomic(folder() / f"{digest(path)}.json", json.dumps(kept, indent=1))


def remembered() -> list[Path]:
    """Files that something is remembered of and that are still there, the newest first."""
    try:
        records = sorted(folder().glob("*.json"), key=lambda record: record.stat().st_mtime, reverse=True)
    except OSError:  # one that is removed meanwhile
        return []
    found: dict[Path, None] = {}
    for record in records:
        try:
            path = Path(json.loads(record.read_text(encoding="utf-8"))["path"])
            if path.is_file():
                found[path] = None
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return list(found)


def forget(path: Path) -> None:
    """Remember nothing of a file any more."""
    (folder() / f"{digest(path)}.json").unlink(missing_ok=True)


def from_dict(data: Mapping[str, Any]) -> OwnSettings:
    """Settings from plain data; names that are not known and values of another type are left out.

    Raises:
        SettingError: For values that cannot be.
    """
    allowed = _choices()
    taken: dict[str, Any] = {}
    for item in dataclasses.fields(OwnSettings):
        value = data.get(item.name)
        fits = type(value) is type(item.default)
        if fits and value in allowed.get(item.name, (value,)):
            taken[item.name] = value
    return OwnSettings(**taken)


def _choices() -> dict[str, tuple[Any, ...]]:
    import typing

    hints = typing.get_type_hints(OwnSettings)
    return {name: typing.get_args(hint) for name, hint in hints.items() if typing.get_origin(hint) is Literal}
