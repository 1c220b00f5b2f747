"""Opening an ONNX file: found or fetched, its class names read, its session made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.core.downloads import Progress
from guiapp.core.notices import SettingError, UserError
from guiapp.models.zoo.labels import KEYS, labels
from guiapp.models.zoo.onnx.listing import OnnxModel
from guiapp.models.zoo.open import BEST, OpenedModel, published
from guiapp.models.zoo.weights import fetch_weights, find, folder

if TYPE_CHECKING:
    import torch

    from guiapp.models.zoo.onnx.network import Placed


class OpenedOnnx(OpenedModel):
    """An ONNX file that is ready to be asked; it prepares pictures as its description says, without torch."""

    def prepare(
        self, pixels: npt.NDArray[np.uint8], device: torch.device | str | None = None, exact: bool = True
    ) -> Placed:
        """A picture as the file takes it; there is one way, whatever ``exact`` says."""
        prepared: Placed = self.module.prepare(pixels)  # type: ignore[operator]
        return prepared


def open_onnx(
    entry: OnnxModel,
    weights: str | Path = BEST,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    may_fetch: bool = True,
) -> OpenedOnnx:
    """Open a file; arguments and errors as for ``zoo.open.open_model``.

    It runs on the CPU on as many threads as torch, and on a GPU where the installed onnxruntime can.
    """
    import torch

    from guiapp.models.zoo.onnx.network import OnnxNetwork
    from guiapp.models.zoo.onnx.session import open_session

    path = _file(entry, weights, progress, may_fetch)
    names = class_names(entry)
    session = open_session(path, torch.get_num_threads(), torch.device(device).type == "cuda")
    network = OnnxNetwork(session, entry.description, len(names), path.name).eval()
    on_gpu = session.get_providers()[0] == "CUDAExecutionProvider"
    note = f"{path.name}, by onnxruntime"
    if torch.device(device).type != "cpu" and not on_gpu:
        note += " on the CPU; install onnxruntime-gpu to use the GPU"
    origin = "file" if isinstance(weights, Path) or entry.path is not None else "published"
    return OpenedOnnx(entry, entry.best, network, names, origin, path, note, torch.device("cuda" if on_gpu else "cpu"))


def class_names(entry: OnnxModel) -> tuple[str, ...]:
    """The class names that a description gives, lists, or keeps in a file.

    Raises:
        UserError: If the set or file that it names is not there.
    """
    said = entry.description.labels
    if not isinstance(said, str):
        return said
    if said in KEYS:
        return labels(said)
    path = entry.place / said
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        known = ", ".join(KEYS)
        raise UserError(
            f"labels {said!r} of {entry.name} is neither a known set ({known}) nor a text file in {entry.place}"
        ) from None
    return tuple(line.strip() for line in lines if line.strip())


def _file(entry: OnnxModel, weights: str | Path, progress: Progress | None, may_fetch: bool) -> Path:
    if isinstance(weights, Path):
        if weights.suffix.lower() != ".onnx":
            raise SettingError(f"{entry.name} is an ONNX file: {weights.name} cannot take its place")
        return weights
    if weights == "random":
        raise SettingError(f"{entry.name} is an ONNX file and has its weights inside: there are no random ones")
    if entry.path is not None:
        return entry.path
    chosen = published(entry, weights)
    if find(chosen) is None and not may_fetch:
        raise UserError(f"{chosen.file} is not on this machine: get it from {chosen.url} and put it in {folder()}")
    return fetch_weights(chosen, progress)
