"""Opening a file of a person's own as a network that every part of the program can be asked with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError, UserError
from guiapp.models.own.feed import Learnt, OwnPreprocessing, Sampled
from guiapp.models.own.files import Kind
from guiapp.models.own.settings import OwnSettings, recall
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.open import OpenedModel

if TYPE_CHECKING:
    import torch

    from guiapp.models.own.architectures import Spec
    from guiapp.models.own.match import Match

FAMILY = "Your own"
OPENER = "guiapp.engine.open_own:open_own"
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class OwnModel(ZooModel):
    """A file of a person's own as an entry among networks.

    Attributes:
        path: The file.
    """

    path: Path = Path()


@dataclass(frozen=True, eq=False)
class OpenedOwn(OpenedModel):
    """A network of a person's own, ready to be asked.

    Attributes:
        settings: As they were when it was opened.
        preprocessing: How pictures become its input; None for detectors, which take any size.
        architecture: Name of its architecture; empty for programs.
        spec: What the architecture was built with; None for programs.
        match: How the file fits; None for programs.
        sampled: What makes a sample of a picture with a drawing on it, or None.
    """

    settings: OwnSettings = field(default_factory=OwnSettings)
    preprocessing: OwnPreprocessing | None = None
    architecture: str = ""
    spec: Spec | None = None
    match: Match | None = None
    sampled: Sampled | None = None

    def prepare(
        self, pixels: npt.NDArray[np.uint8], device: torch.device | str | None = None, exact: bool = True
    ) -> torch.Tensor | list[torch.Tensor]:
        """A picture as the network takes it; see ``OpenedModel.prepare``."""
        feed = self.preprocessing
        if feed is None:
            return super().prepare(pixels, device, exact)
        if feed.size[0] == 3 and feed.fit != "pad" and self.sampled is None:
            return super().prepare(pixels, device, exact)
        image = np.asarray(pixels)
        if self.sampled is not None:
            image = self.sampled(image)
        return feed(image, self.device if device is None else device)


def entry_of(path: Path) -> OwnModel:
    """The entry for a file, by its name and what is remembered of it; it is looked into when it is opened.

    Raises:
        UserError: If it is not there.
    """
    path = path.expanduser().absolute()
    if not path.is_file():
        raise UserError(f"{path} is a folder: choose a file in it" if path.is_dir() else f"there is no file {path}")
    task = recall(path).settings.task
    return make_entry(path, "classification" if task == "auto" else task, Preset("classification"), 0, "")


def make_entry(path: Path, task: str, preset: Preset, parameters: int, about: str) -> OwnModel:
    """An entry; ``about`` says what the file is."""
    weights = ZooWeights(
        name=path.name, enum="", url="", bytes=path.stat().st_size, parameters=parameters, gflops=0.0,
        licence="your own", trained_on="", labels="", metrics={}, measured_on="", smallest=(1, 1), frames=1,
        preset=preset, saved_as=path.name,
    )  # fmt: skip
    return OwnModel(
        str(path), path.stem, FAMILY, task, "", (weights,), about or "a file of your own", (), OPENER, False, path
    )


def described(kind: Kind) -> str:
    """What a kind of file is, in words."""
    return {
        "weights": "weights of a network",
        "script": "a TorchScript program",
        "program": "a torch.export program",
        "python": "a Python file",
    }[kind]


def finish(
    path: Path,
    module: torch.nn.Module,
    task: str,
    labels: Sequence[str],
    note: str,
    feed: OwnPreprocessing | None,
    preset: Preset,
    settings: OwnSettings,
    device: torch.device | str,
    about: str,
    learnt: Learnt | None = None,
    **more: Any,
) -> OpenedOwn:
    """Put together what was opened."""
    import torch

    from guiapp.models.finite import flaws

    wrong = flaws(module)
    note = f"{note}; {wrong}" if wrong else note
    place = torch.device(device)
    module = module.to(place)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    used = dataclasses.replace(feed.preset, kind=preset.kind) if feed is not None else preset
    entry = make_entry(path, task, used, parameters, about)
    return OpenedOwn(
        entry, entry.best, module, tuple(labels), "file", path, note, place,
        settings=settings, preprocessing=feed, sampled=learnt.sampled if learnt is not None else None,
        flaws=wrong, **more,
    )  # fmt: skip


def said_by(about: Mapping[str, Any], settings: OwnSettings) -> tuple[OwnSettings, Mapping[str, Any]]:
    """Settings with what a file written by this program says where the person says nothing, and that record."""
    from guiapp.models.own.settings import from_dict

    record = about.get("own")
    if not isinstance(record, Mapping):
        return settings, {}
    try:
        inside = from_dict(record)
    except SettingError:
        return settings, record
    changes = {
        item.name: getattr(settings, item.name) if getattr(settings, item.name) != item.default
        else getattr(inside, item.name)
        for item in dataclasses.fields(OwnSettings)
    }  # fmt: skip
    return OwnSettings(**changes), record
