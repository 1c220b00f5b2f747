"""What the list of networks holds: the zoo, described ONNX files, runs of this program, timm's networks by search."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.weights import Here

FAMILY = "Trained here"  # as ``engine.open_trained`` says it; that is not imported before the list is read
MOST_RUNS = 30
MOST_OF_TIMM = 60

Listed = tuple["Mapping[str, ZooModel]", "dict[str, Here]"]


_SHORTER = (
    ("MobileNet v3 FPN", "MNv3"), (" MobileNet v3", " MNv3"), ("ResNet-50 FPN", "R50"), (" ResNet-", " R"),
    ("as in the paper", "(paper)"), ("Dense flow, ", "Flow, "),
)  # fmt: skip


def short_title(title: str) -> str:
    """The name of a network for a narrow list, in the field's own abbreviations, where whole ones would look alike."""
    for long, short in _SHORTER if not title.startswith("Wide") else ():
        title = title.replace(long, short)
    return title


def list_zoo() -> Generator[None, None, Listed]:
    """Every network that can be opened, and what of each is on this machine.

    Reads tables and looks into folders: work for another thread than the window's. No torch.
    """
    yield
    from guiapp.models.zoo import listed
    from guiapp.models.zoo.weights import here

    models, found = listed(), {}
    for name, model in models.items():
        found[name] = here(model)
        yield
    trained = yield from _trained()
    for entry in trained:
        found[entry.name] = as_opened(entry)
    for entry in (own := _own()):
        found[entry.name] = as_opened(entry)
    return {**models, **{entry.name: entry for entry in (*trained, *own)}}, found


def list_timm(words: str) -> Generator[None, None, Listed]:
    """Networks of timm that hold every word, at most ``MOST_OF_TIMM``. Imports timm, and torch with it.

    Raises:
        UserError: If timm is not installed.
    """
    yield
    from guiapp.models.zoo.timm_names import entry_of, names
    from guiapp.models.zoo.weights import here

    models = {}
    for name in names(words)[:MOST_OF_TIMM]:
        entry = entry_of(name)
        models[entry.name] = entry
        yield
    return models, {name: here(entry) for name, entry in models.items()}


def as_opened(entry: ZooModel) -> Here:
    """What is on this machine for a network that is or can be opened as it is."""
    from guiapp.models.zoo.weights import Here

    return Here((entry.best.name,), (), True)


def _own() -> list[ZooModel]:
    """Networks of a person's own that were opened before."""
    from guiapp.core.notices import UserError
    from guiapp.models.own.opened import entry_of
    from guiapp.models.own.settings import remembered

    found = []
    for path in remembered()[:MOST_RUNS]:
        try:
            found.append(entry_of(path))
        except UserError:  # gone meanwhile
            continue
    return found


def _trained() -> Generator[None, None, list[ZooModel]]:
    """The open experiment, then the newest runs that have weights."""
    from guiapp.core import paths
    from guiapp.core.notices import UserError
    from guiapp.engine.open_trained import open_entry, run_entry

    found = [open_entry()]
    try:
        folders = [file.parent for file in paths.runs().glob("*/run.json") if (file.parent / "checkpoints").is_dir()]
        folders.sort(key=lambda folder: (folder / "run.json").stat().st_mtime, reverse=True)
    except OSError:  # a run that is deleted meanwhile
        folders = []
    for folder in folders[:MOST_RUNS]:
        try:
            entry = run_entry(folder)
        except (UserError, OSError, ValueError):
            continue
        if entry.task == "classification":
            found.append(entry)
        yield
    return found
