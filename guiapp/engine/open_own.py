"""Opening a network of a person's own by the path of its file, with what the data set that it knows says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError, UserError
from guiapp.models.own.feed import Learnt, NeedsTrust, Sampled
from guiapp.models.own.files import kind_of
from guiapp.models.own.opened import OpenedOwn, OwnModel
from guiapp.models.own.settings import OwnSettings, recall
from guiapp.models.zoo.open import BEST

if TYPE_CHECKING:
    import torch

Progress = Callable[[float, str], None]


def open_own(
    entry: OwnModel,
    weights: str | Path = BEST,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    may_fetch: bool = True,
    settings: OwnSettings | None = None,
    trusted: bool | None = None,
) -> OpenedOwn:
    """Open a file; arguments and errors as for ``zoo.open.open_model``.

    Args:
        entry: From ``entry_of``.
        weights: Only ``"best"``: the file is the network.
        device: Where it goes.
        progress: Told what is done; an exception that it raises stops it.
        may_fetch: Nothing is fetched.
        settings: In the place of those that are remembered.
        trusted: Whether the code of a Python file may run, in the place of what is remembered.

    Raises:
        SettingError: If settings do not fit the file.
        NeedsTrust: For a Python file that the person has not allowed to run.
        UserError: If it cannot be read or fits no architecture; in one line.
    """
    if weights not in (BEST, entry.best.name):
        raise SettingError(f"{entry.path.name} is the network itself: no other weights can be chosen for it")
    path = entry.path
    kept = recall(path)
    settings = settings or kept.settings
    kind = kind_of(path)
    report = progress or (lambda share, text: None)
    report(0.0, f"reading {path.name}")
    try:
        if kind == "weights" or (kind == "script" and settings.architecture):
            from guiapp.models.own.from_weights import open_weights

            return open_weights(path, settings, learnt_of(settings.dataset), device, report)
        if kind == "python" and not (kept.trusted if trusted is None else trusted):
            raise NeedsTrust(
                f"{path.name} is Python code, which can do anything on this machine that you can: say that it may run"
            )
        from guiapp.models.own.from_program import open_program

        return open_program(path, kind, settings, learnt_of(settings.dataset), device, report)
    except MemoryError:
        raise UserError(f"{path.name} needs more memory than there is") from None


def learnt_of(name: str) -> Learnt | None:
    """What a data set says of networks that were trained on it; None for an empty name.

    Raises:
        SettingError: If there is no such data set.
        UserError: If it cannot be read.
    """
    if not name:
        return None
    from guiapp.datasets import open_dataset

    dataset = open_dataset(name)
    return Learnt(tuple(dataset.classes), dataset.mean, dataset.std, _sampled(dataset.from_picture))


def _sampled(make: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None) -> Sampled | None:
    if make is None:
        return None
    from guiapp.datasets.as_drawing import sample_of

    return lambda pixels: sample_of(pixels, make)[0]
