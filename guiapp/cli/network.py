"""The network of ``guiapp predict``: one that was trained here, or a published one of the zoo, asked the same way."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from guiapp.cli import output
from guiapp.cli.exhibits import network_of
from guiapp.cli.subject import is_trained, open_subject
from guiapp.cli.votes import let_vote
from guiapp.core.notices import SettingError
from guiapp.core.registry import UnknownName

if TYPE_CHECKING:
    from guiapp.cli.subject import Subject
    from guiapp.core.picture import Picture
    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.tasks.live_options import LiveOptions
    from guiapp.tasks.predictions import Drawn


_SEVERAL = {"flow": "two", "clip": "several"}


class Network(Protocol):
    """A network that predicts one picture after another.

    Attributes:
        name: What it is called.
        task: Name of its task.
        frames: How many pictures in a row it takes: 1, 2 for flow, 16 for clips.
        published: Whether it is of the zoo.
        about: What ``--json`` says of it beside name and task.
    """

    name: str
    task: str
    frames: int
    published: bool
    about: dict[str, Any]

    def ask(self, picture: Picture) -> tuple[Drawn, dict[str, Any]]:
        """The prediction, and what ``--json`` says of how the picture was read."""
        ...


def open_network(options: argparse.Namespace, progress: output.Progress, alone: bool = False) -> Network:
    """The network that the arguments name, with weights that are fetched where they may be.

    Args:
        options: With ``target``, ``weights``, ``device``, ``score``, ``iou``, ``top`` and ``drawing``.
        progress: Shows the download.
        alone: Whether it is for a single picture.

    Raises:
        SettingError: If nothing has that name, an option makes no sense for it, or it needs several pictures.
        UserError: If its weights cannot be fetched or read.
    """
    shown = _shown(options)
    if is_trained(options.target):
        return _trained(options)
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.onnx.inspect import NoDescription
    from guiapp.models.zoo.timm_names import TIMM

    try:
        entry = find_model(network_of(options.target))
    except NoDescription as error:
        output.say(error.draft + "\n")
        raise
    except UnknownName as error:
        if "which?" in str(error) or options.target.startswith(TIMM):
            raise
        try:
            return _trained(options)  # which says what there is
        except SettingError as unknown:
            near = str(error).partition("; ")[2]
            hint = f"of the published networks: {near}" if near.startswith("did") else "see guiapp list models"
            raise SettingError(f"{unknown}; {hint}") from None
    if options.views or options.rule or options.draws:
        raise SettingError(f"--views is for networks that were trained here: leave it out for {entry.name}")
    if options.drawing:
        raise SettingError(f"drawings make no sense for {entry.name}: leave --drawing out")
    if alone and entry.task in _SEVERAL:
        raise SettingError(
            f"{entry.name} needs {_SEVERAL[entry.task]} pictures in a row: "
            "name a video, or a folder of pictures that follow one another"
        )
    return _published(entry, options, shown, progress)


def _shown(options: argparse.Namespace) -> LiveOptions:
    from guiapp.tasks.live_options import LiveOptions

    given = {name: getattr(options, name) for name in ("score", "iou", "top")}
    return LiveOptions(**{name: value for name, value in given.items() if value is not None})


def _trained(options: argparse.Namespace) -> Trained:
    subject = open_subject(options.target)
    if options.weights is not None:
        raise SettingError(f"--weights is for published networks: {options.target} has its own")
    voting = let_vote(subject, options)
    network = Trained(subject, options.device, options.drawing)
    network.about.update(voting)
    return network


def _published(
    entry: ZooModel, options: argparse.Namespace, shown: LiveOptions, progress: output.Progress
) -> Published:
    weights: str | Path = options.weights or "best"
    if Path(weights).expanduser().is_file():
        weights = Path(weights).expanduser()
    elif Path(weights).suffix or len(Path(weights).parts) > 1:
        raise SettingError(f"there is no weight file {weights}")
    from guiapp.models.zoo.open import open_model
    from guiapp.training.devices import choose

    device = choose(options.device or "auto")
    try:
        opened = open_model(entry.name, weights, device, progress.share)
    finally:
        progress.clear()
    output.say(f"{opened.entry.title}: {opened.note}")
    return Published(opened, shown)


class Trained:
    """A network that was trained here; on the CPU unless a device is named, because one small picture is quicker there.

    Attributes:
        subject: It, with what belongs to it.
    """

    published = False
    frames = 1

    def __init__(self, subject: Subject, device: str | None, drawing: bool | None) -> None:
        self.subject = subject
        self.name, self.task = subject.name, subject.task_name
        self._drawing = drawing
        self.about: dict[str, Any] = {}
        if device not in (None, "auto", "cpu"):
            from guiapp.training.devices import choose

            place = choose(device)
            subject.model.to(place)
            self.about["device"] = str(place)

    def ask(self, picture: Picture) -> tuple[Drawn, dict[str, Any]]:
        """Predict the picture, or what is drawn on it."""
        image, how = self.subject.input_of(picture, self._drawing)
        return self.subject.predict(image), {"read_as": how}


class Published:
    """A network of the zoo.

    Attributes:
        opened: It, with its weights.
    """

    published = True

    def __init__(self, opened: OpenedModel, options: LiveOptions) -> None:
        from guiapp.engine.annotate import Asker

        self.opened = opened
        self.name, self.task = opened.entry.name, opened.entry.task
        self._ask = Asker(opened, options)
        self.frames = self._ask.frames
        weights = opened.weights.name if opened.origin == "published" else opened.path or opened.origin
        self.about: dict[str, Any] = {"weights": weights, "device": str(opened.device)}

    def ask(self, picture: Picture) -> tuple[Drawn, dict[str, Any]]:
        """Predict the picture; clips and flow remember those before."""
        return self._ask(picture), {}
