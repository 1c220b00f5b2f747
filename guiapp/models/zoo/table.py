"""The table of the zoo: torchvision's metadata (``table.json``, printed by ``tools/zoo_table.py``) with the families.

What OpenCV ships stands behind it, then networks as their papers describe them, then the ONNX files that the project
describes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guiapp.core.registry import Registry, UnknownName
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.elsewhere import described, elsewhere
from guiapp.models.zoo.families import FAMILIES
from guiapp.models.zoo.onnx import BUILT_IN
from guiapp.models.zoo.papers import PAPERS
from guiapp.models.zoo.shipped import SHIPPED

_FILE = Path(__file__).with_name("table.json")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _weights(row: Mapping[str, Any]) -> ZooWeights:
    preset = Preset(**{name: _tuple(value) for name, value in row["preset"].items()})
    return ZooWeights(**{**{name: _tuple(value) for name, value in row.items()}, "preset": preset})


def _read() -> Registry[ZooModel]:
    """Join what torchvision says with what the families say, in the order of the families."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))
    zoo: Registry[ZooModel] = Registry("model")
    for family in FAMILIES:
        for name, title in family.members.items():
            row = rows[name]
            weights = tuple(_weights(inner) for inner in row["weights"])
            zoo.add(
                name,
                ZooModel(name, title, family.title, family.task, row["build"], weights, family.source, family.systems),
            )
    for entry in (*SHIPPED, *PAPERS, *BUILT_IN):
        zoo.add(entry.name, entry)
    return zoo


ZOO: Registry[ZooModel] = _read()


def listed() -> dict[str, ZooModel]:
    """The zoo, and the ONNX files that a person has described: looks into folders."""
    return {**described(), **ZOO}


def find_model(name: str) -> ZooModel:
    """The network of that name, or the one that a shorter name means: ``"ssdlite320"``, ``"maskrcnn"``, ``"vit-b-16"``.

    ``"timm:NAME"`` and ONNX files, by path or by name, are found as well: see ``elsewhere``.

    Raises:
        UnknownName: If none is meant, or several are; the message names them.
        UserError: For an ONNX file that is not there or has no description.
    """
    wanted = name.strip().lower().replace("-", "_")
    names = {found.replace("-", "_"): found for found in ZOO}
    if wanted in names:
        return ZOO[names[wanted]]
    other = elsewhere(name.strip())
    if other is not None:
        return other
    meant = [found for plain, found in names.items() if wanted and plain.startswith(f"{wanted}_")]
    if meant and all(found.startswith(meant[0]) for found in meant):
        return ZOO[meant[0]]
    if meant:
        raise UnknownName(f"{name!r} may be {', '.join(meant)}: which?")
    return ZOO[name]
