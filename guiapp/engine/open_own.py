"""Opening a network of a person's own by the path of its file, with what the data set that it knows says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError, UserError
from guiapp.models.own.feed import Learnt, NeedsTrust, Sampled
from guiapp.models.own.files import Kind, kind_of
from guiapp.models.own.opened import OpenedOwn, OwnModel, entry_of
from guiapp.models.own.settings import OwnSettings, recall
from guiapp.models.zoo.open import BEST

if TYPE_CHECKING:
    import torch

    from guiapp.models.own.match import Match

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
                f"{path.name} is Python code, which can do anything on this machine that you can: "
                f"allow it in the panel Your network, or with guiapp inspect {path.name} --trust"
            )
        from guiapp.models.own.from_program import open_program

        return open_program(path, kind, settings, learnt_of(settings.dataset), device, report)
    except RuntimeError as error:
        if isinstance(error, UserError) or "allocate memory" not in str(error):
            raise
        raise UserError(f"{path.name} needs more memory than there is") from None
    except MemoryError:
        raise UserError(f"{path.name} needs more memory than there is") from None


@dataclass(frozen=True, eq=False)
class Examined:
    """What is known of a file before or after it is opened.

    Attributes:
        path: The file.
        kind: What it is.
        settings: What it was looked at with.
        about: Texts and numbers that stand beside the weights.
        opened: The network, or None.
        reason: Why it cannot be opened, in one line; empty where it can.
        title: Title of the architecture, or empty.
        architectures: Names of those that it fits, the chosen one first.
        classes: Outputs that the architecture has for it, 0 where that is not known.
        match: How its tensors fit, or None.
        functions: Of a Python file: those that may give a network.
        needs_trust: Whether it is code that the person has not allowed to run.
    """

    path: Path
    kind: Kind
    settings: OwnSettings
    about: Mapping[str, Any] = field(default_factory=dict)
    opened: OpenedOwn | None = None
    reason: str = ""
    title: str = ""
    architectures: tuple[str, ...] = ()
    classes: int = 0
    match: Match | None = None
    functions: tuple[str, ...] = ()
    needs_trust: bool = False


def examine(
    path: Path, settings: OwnSettings | None = None, progress: Progress | None = None, trusted: bool | None = None
) -> Examined:
    """Look into a file and try to open it on the CPU; what is wrong with it is part of the answer.

    Args:
        path: The file.
        settings: In the place of those that are remembered.
        progress: Told what is done; an exception that it raises stops it.
        trusted: As for ``open_own``.

    Raises:
        UserError: If there is no such file.
    """
    entry = entry_of(path)
    settings = settings or recall(path).settings
    kind = kind_of(entry.path)
    known: dict[str, Any] = {}
    try:
        if kind == "python":
            from guiapp.models.own.programs import functions_of

            known["functions"] = tuple(functions_of(entry.path))
        if kind == "weights" or settings.architecture:
            known |= _planned(entry.path, settings, progress)
        opened = open_own(entry, progress=progress, settings=settings, trusted=trusted)
        return Examined(entry.path, kind, settings, opened=opened, **known)
    except NeedsTrust as error:
        return Examined(entry.path, kind, settings, reason=str(error), needs_trust=True, **known)
    except UserError as error:
        return Examined(entry.path, kind, settings, reason=str(error), **known)


def examining(path: Path, settings: OwnSettings | None = None) -> Generator[tuple[float, str], None, Examined]:
    """``examine`` in steps, for the work lane."""
    yield 0.0, f"reading {path.name}"
    entry = entry_of(path)
    settings = settings or recall(path).settings
    from guiapp.models.own.from_weights import search

    with contextlib.suppress(UserError):  # told by ``examine``
        yield from search(entry.path, settings)
    yield 0.95, "putting the network together"
    return examine(path, settings)


def _planned(path: Path, settings: OwnSettings, progress: Progress | None) -> dict[str, Any]:
    from guiapp.models.own.from_weights import plan

    found = plan(path, settings, progress)
    known: dict[str, Any] = {"about": {name: value for name, value in found.weights.about.items() if name != "own"}}
    if found.guesses:
        best = found.guesses[0]
        known |= {"title": best.architecture.title, "classes": best.spec.classes, "match": best.match}
        known["architectures"] = tuple(one.architecture.name for one in found.guesses)
    return known


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
