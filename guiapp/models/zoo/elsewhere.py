"""Networks that are not in the table: files of a person's own, ONNX files that a person describes, timm's by name."""

from __future__ import annotations

from pathlib import Path

from guiapp.models.own.files import is_own
from guiapp.models.zoo.base import ZooModel
from guiapp.models.zoo.onnx import described_files, of_file
from guiapp.models.zoo.timm_names import TIMM, entry_of
from guiapp.models.zoo.weights import folders


def elsewhere(name: str) -> ZooModel | None:
    """The network that a name means which the table does not hold; None where it means none.

    Args:
        name: ``"timm:NAME"``, the path of a person's own network or of an ONNX file, or its name in a folder of
            weights, or what a description in such a folder calls its file.

    Raises:
        UserError: For a file that is not there, or an ONNX file that has no description.
        UnknownName: If timm knows no such network.
    """
    if name.startswith(TIMM):
        return entry_of(name.removeprefix(TIMM))
    if is_own(name):
        from guiapp.models.own.opened import entry_of as entry_of_file

        path = Path(name).expanduser()
        inside = (place / path.name for place in folders() if path.name == name)
        return entry_of_file(path if path.is_file() else next((one for one in inside if one.is_file()), path))
    if name.lower().endswith(".onnx"):
        path = Path(name).expanduser()
        inside = (place / path.name for place in folders() if path.name == name)
        return of_file(path if path.is_file() else next((one for one in inside if one.is_file()), path))
    return described().get(name)


def described() -> dict[str, ZooModel]:
    """The ONNX files in the folders of weights that a person has described, by name."""
    found: dict[str, ZooModel] = {}
    for entry in described_files(folders()):
        found.setdefault(entry.name, entry)
    return found
