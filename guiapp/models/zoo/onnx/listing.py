"""ONNX files as entries of the zoo: those that the project describes, and those that a person describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from guiapp.core.notices import UserError
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.onnx.description import Description, beside, read_description

_CARDS = Path(__file__).with_name("cards")
_OPENER = "guiapp.models.zoo.onnx.open:open_onnx"


@dataclass(frozen=True)
class OnnxModel(ZooModel):
    """An ONNX file of the zoo.

    Attributes:
        description: What stands beside it.
        place: Folder of the description, for label files.
        path: The file where it was named by its path; None where it is looked for in the folders of weights.
    """

    description: Description = field(default_factory=lambda: Description("detection"))
    place: Path = _CARDS
    path: Path | None = None


def entry_of(about: Description, place: Path, name: str, path: Path | None = None) -> OnnxModel:
    """The entry for a description.

    Args:
        about: The description.
        place: Its folder.
        name: What it is called where it does not say.
        path: The file, where it is known.
    """
    size = about.file.bytes or (path.stat().st_size if path is not None else 0)
    shape = (about.input.size[0], about.input.size[1]) if about.input.size else None
    weights = ZooWeights(
        name="ONNX", enum="", url=about.file.url, bytes=size, parameters=about.parameters, gflops=about.gflops,
        licence=about.licence, trained_on=about.trained_on, labels="", metrics=about.metrics,
        measured_on=about.measured_on, smallest=(1, 1), frames=1, preset=Preset(about.task, shape, shape),
        saved_as=about.file.name or (path.name if path is not None else ""), digest=about.file.sha256,
    )  # fmt: skip
    called = about.name or name
    return OnnxModel(
        called, about.title or called, about.family, about.task, "", (weights,), about.source, about.systems, _OPENER,
        False, description=about, place=place, path=path,
    )  # fmt: skip


def of_file(path: Path) -> OnnxModel:
    """The entry for an ONNX file that is named by its path: with the description beside it, or the project's own.

    Raises:
        UserError: If there is no such file, or no description; then the message says what to write, as
            ``inspect.NoDescription``.
    """
    path = path.expanduser().absolute()
    if not path.is_file():
        raise UserError(f"there is no ONNX file {path}")
    card = beside(path)
    if card is not None:
        return _by_path(entry_of(read_description(card), card.parent, path.stem, path))
    for known in BUILT_IN:
        if path.name in (known.description.file.name, known.best.url.rpartition("/")[2]):
            return _by_path(entry_of(known.description, known.place, known.name, path))
    from guiapp.models.zoo.onnx.inspect import undescribed

    raise undescribed(path)


def _by_path(entry: OnnxModel) -> OnnxModel:
    """Named by its path, so that the name alone finds it again."""
    return replace(entry, name=str(entry.path))


def described_files(folders: list[Path]) -> Iterator[OnnxModel]:
    """The ONNX files in these folders that have a description beside them; one that cannot be read is passed over."""
    for folder in folders:
        try:
            inside = sorted(folder.glob("*.onnx"))
        except OSError:  # one that may not be read
            continue
        for path in inside:
            card = beside(path)
            if card is not None:
                try:
                    yield entry_of(read_description(card), folder, path.stem, path)
                except UserError:  # opening it by its path tells what is wrong
                    continue


def _built_in() -> tuple[OnnxModel, ...]:
    return tuple(entry_of(read_description(card), _CARDS, card.stem) for card in sorted(_CARDS.glob("*.toml")))


BUILT_IN: tuple[OnnxModel, ...] = _built_in()
"""Files that the project describes itself."""
