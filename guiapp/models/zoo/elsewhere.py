"""Networks that are not in the table: ONNX files that a person describes, and timm's by name."""

from __future__ import annotations

from pathlib import Path

from guiapp.models.zoo.base import ZooModel
from guiapp.models.zoo.onnx import described_files, of_file
from guiapp.models.zoo.timm_names import TIMM, entry_of
from guiapp.models.zoo.weights import folders


def elsewhere(name: str) -> ZooModel | None:
    """The network that a name means which the table does not hold; None where it means none.

    Args:
        name: ``"timm:NAME"``, the path of an ONNX file or its name in a folder of weights, or what a description in
            such a folder calls its file.

    Raises:
        UserError: For an ONNX file that is not there or has no description.
        UnknownName: If timm knows no such network.
    """
    if name.startswith(TIMM):
        return entry_of(name.removeprefix(TIMM))
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
