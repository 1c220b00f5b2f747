"""Opening a network of the zoo: its weights found, fetched or drawn at random, its preprocessing, its class names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.core.downloads import Progress
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import resolve
from guiapp.models.zoo.base import ZooModel, ZooWeights
from guiapp.models.zoo.labels import keypoint_names, labels
from guiapp.models.zoo.table import find_model
from guiapp.models.zoo.weights import check, fetch_weights, find, folder, read_state, stand_ins

if TYPE_CHECKING:
    import torch

BEST, RANDOM = "best", "random"
LASTING = ("published", "file", "random")
"""Origins of networks whose weights stay as they were opened; those that are trained here change under way."""


@dataclass(frozen=True, eq=False)
class OpenedModel:
    """A network that is ready to be asked.

    Attributes:
        entry: Its entry in the zoo.
        weights: The published weights that it has, or stands in for; preprocessing and labels are theirs.
        module: The network in evaluation mode, without gradients of its parameters, on ``device``.
        labels: Class names in the order of its outputs; empty for optical flow.
        origin: ``"published"``, ``"file"`` (another file that fits) or ``"random"``.
        path: The weight file, or None.
        note: One line on which weights these are.
        device: Where it lies.
        flaws: Which of its weights are NaN or infinite, in one line; empty where none is.
    """

    entry: ZooModel
    weights: ZooWeights
    module: torch.nn.Module
    labels: tuple[str, ...]
    origin: str
    path: Path | None
    note: str
    device: torch.device
    flaws: str = field(default="", kw_only=True)

    @property
    def keypoints(self) -> tuple[str, ...]:
        """Names of its key points, or empty."""
        return keypoint_names() if self.entry.task == "keypoints" else ()

    def prepare(
        self, pixels: npt.NDArray[np.uint8], device: torch.device | str | None = None, exact: bool = True
    ) -> torch.Tensor | list[torch.Tensor]:
        """A picture as the network takes it: ``zoo.prepare.prepare`` with the preset of its weights.

        Args:
            pixels: uint8 (H, W, 3).
            device: Where it is done and where the result lies; the network's own by default.
            exact: False resizes in whole numbers on the CPU, twenty times as fast, as ``zoo.prepare.prepare`` says.

        Returns:
            float32 (1, 3, h, w), or a list of one (3, H, W) for detection.
        """
        from guiapp.models.zoo.prepare import prepare

        return prepare(self.weights.preset, pixels, self.device if device is None else device, exact)


def open_model(
    name: str,
    weights: str | Path = BEST,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    may_fetch: bool = True,
) -> OpenedModel:
    """Open a network of the zoo.

    Args:
        name: Its name, or a shorter one that means it alone (see ``find_model``).
        weights: ``"best"``: the recommended weights where they are here, else other published ones that are here,
            else a file by the network's name that fits, else the recommended ones are fetched. ``"random"``: the same
            random weights each time. A published name such as ``"IMAGENET1K_V1"``: those. A ``Path``: that file.
        device: Where it goes.
        progress: For downloads; an exception that it raises stops them.
        may_fetch: Whether weights that are not here are fetched.

    Raises:
        UnknownName: If there is no such network.
        SettingError: If there are no such weights.
        UserError: If the weights cannot be fetched or read, or are of another network; in one line.
    """
    entry = find_model(name)
    if entry.opener:
        opened: OpenedModel = resolve(entry.opener)(entry, weights, device, progress, may_fetch)
        return opened
    if entry.best.shipped:
        return _shipped(entry, weights)
    if isinstance(weights, Path):
        return _from_file(entry, weights, device)
    if weights == RANDOM:
        return _random(entry, device)
    if weights == BEST:
        return _best(entry, device, progress, may_fetch)
    return _published(entry, published(entry, weights), device, progress, may_fetch)


def published(entry: ZooModel, name: str) -> ZooWeights:
    """The published weights of that name, ``"best"`` for the recommended ones.

    Raises:
        SettingError: If there are none; the message names those that there are.
    """
    if name == BEST:
        return entry.best
    for weights in entry.weights:
        if weights.name.lower() == name.lower():
            return weights
    known = ", ".join(weights.name for weights in entry.weights)
    raise SettingError(f"{entry.name} has no weights {name}; there are {known}")


def _best(entry: ZooModel, device: torch.device | str, progress: Progress | None, may_fetch: bool) -> OpenedModel:
    for weights in entry.weights:
        if find(weights) is not None:
            return _published(entry, weights, device, progress, may_fetch)
    refused = []
    for path in stand_ins(entry):
        try:
            return _from_file(entry, path, device)
        except UserError as error:
            refused.append(str(error))
    try:
        return _published(entry, entry.best, device, progress, may_fetch)
    except UserError as error:
        # What lies there under the network's name was tried: without a word the person would wonder.
        raise UserError("; ".join([str(error), *refused])) from None


def _published(
    entry: ZooModel, weights: ZooWeights, device: torch.device | str, progress: Progress | None, may_fetch: bool
) -> OpenedModel:
    if find(weights) is None and not may_fetch:
        raise UserError(
            f"{weights.file} ({weights.bytes / 1e6:.0f} MB) is not on this machine: "
            f"get it from {weights.url} and put it in {folder()}, or run: guiapp fetch {entry.name}"
        )
    path = fetch_weights(weights, progress)
    return _opened(entry, weights, path, "published", f"{weights.name}, {weights.accuracy}", device)


def _from_file(entry: ZooModel, path: Path, device: torch.device | str) -> OpenedModel:
    """A file that a person names: published weights of the network by its name, else any that fit."""
    for weights in entry.weights:
        if path.name == weights.file:
            if path.is_file():
                check(path, weights)
            return _opened(entry, weights, path, "published", f"{weights.name}, {weights.accuracy}", device)
    note = f"{path.name}: fits, and is not among the published weights"
    # Others train and convert with the first recipe, whose short side is 256 pixels; that of IMAGENET1K_V2 has its own.
    first = next((weights for weights in entry.weights if weights.name == "IMAGENET1K_V1"), entry.best)
    return _opened(entry, first, path, "file", note, device)


def _opened(
    entry: ZooModel, weights: ZooWeights, path: Path, origin: str, note: str, device: torch.device | str
) -> OpenedModel:
    from guiapp.models.zoo.build import build_trained

    module = build_trained(entry, weights, read_state(path), str(path))
    return _finished(entry, weights, module, origin, path, note, device)


def _shipped(entry: ZooModel, weights: str | Path) -> OpenedModel:
    """What comes with a package and runs on the CPU."""
    if isinstance(weights, Path) or weights == RANDOM:
        raise SettingError(f"{entry.name} comes with OpenCV as it is and takes no other weights")
    chosen = published(entry, weights)
    path = fetch_weights(chosen)
    module = resolve(entry.build)().eval()
    return _finished(entry, chosen, module, "published", path, "comes with OpenCV, runs on the CPU", "cpu")


def _random(entry: ZooModel, device: torch.device | str) -> OpenedModel:
    from guiapp.models.zoo.build import build_random

    note = "random weights: the network runs and knows nothing"
    return _finished(entry, entry.best, build_random(entry), RANDOM, None, note, device)


def _finished(
    entry: ZooModel,
    weights: ZooWeights,
    module: torch.nn.Module,
    origin: str,
    path: Path | None,
    note: str,
    device: torch.device | str,
) -> OpenedModel:
    import torch

    from guiapp.models.finite import flaws

    if getattr(module, "aux_classifier", None) is not None:
        # A second output that only training uses; torchvision computes it for every picture all the same.
        setattr(module, "aux_classifier", None)  # noqa: B010 - an attribute that modules in general do not have
    place = torch.device(device)
    wrong = "" if origin == "published" else flaws(module)  # the digest of a published file was checked
    note = f"{note}; {wrong}" if wrong else note
    return OpenedModel(entry, weights, module.to(place), labels(weights.labels), origin, path, note, place, flaws=wrong)
