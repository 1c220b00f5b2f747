"""What opening another network, or looking into another one, changes in the shared selection."""

from __future__ import annotations

from typing import Any

from guiapp.core.workspace import Workspace
from guiapp.engine.state import Inspected, Opened


def follow(workspace: Workspace, old: Opened | None, new: Opened, layer: str = "") -> None:
    """Bring the selection to a newly opened network.

    What still makes sense is kept: the layer where the new network has one of that name, the picture unless it is a
    sample of another data set, or the experiment begins with one of a class of its own. Without a picture the first
    validation sample is shown.

    Args:
        workspace: The selection, changed in place.
        old: What was open before.
        new: What is open now.
        layer: Layer of the last session, tried when nothing was open before.
    """
    workspace.experiment = new.experiment.id
    workspace.step = None
    names = [info.name for info in new.layers]
    kept = workspace.layer or layer
    if old is None or old.experiment.id != new.experiment.id or kept not in names:
        workspace.unit = None
        workspace.overlay = None
        workspace.switched_off = {}
        workspace.boosted = {}
    if old is not None and old.experiment.id != new.experiment.id:
        kept = new.experiment.layer or ""
    if kept not in names:
        kept = new.experiment.layer if new.experiment.layer in names else (names[0] if names else "")
    workspace.layer = kept or None
    if old is None or old.labels != new.labels:
        workspace.class_index = None
    other = old is None or old.dataset.name != new.dataset.name
    begins = "class" in new.experiment.begin and (old is None or old.experiment.id != new.experiment.id)
    if other or begins:
        picture = workspace.picture
        if picture is None or picture.origin.kind == "sample":
            part, index = "validation", _first(new)
            workspace.sample = (part, index)
            workspace.picture = new.dataset.picture(part, index) if len(new.dataset.part(part)) > index else None
        elif other and picture.label is not None:
            workspace.sample = None


def _first(new: Opened) -> int:
    """Number of the validation sample that the experiment begins with: the first, or the first of its class."""
    wanted = new.experiment.begin.get("class")
    labels = new.dataset.part("validation").labels.tolist() if wanted is not None else []
    return labels.index(wanted) if wanted in labels else 0


def follow_inside(workspace: Workspace, new: Inspected, layer: str = "") -> None:
    """Bring the selection to the network of the live room, whose layers have just become known.

    Args:
        workspace: The selection, changed in place.
        new: The network.
        layer: Layer to show first; one by that name that is chosen already stays.
    """
    names = [info.name for info in new.layers]
    if workspace.layer in names:
        return
    workspace.unit = workspace.overlay = None
    first = next((info.name for info in new.layers if info.has_weights), names[0] if names else None)
    workspace.layer = layer if layer in names else first


class Exchange:
    """Keeps for each of the two subjects what is chosen in it while the other one is looked at."""

    _FIELDS = ("layer", "unit", "overlay", "switched_off", "boosted", "class_index")

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._subject = "experiment"
        self._kept: dict[str, dict[str, Any]] = {}

    def to(self, subject: str) -> None:
        """Bring back what was chosen in ``subject``, nothing at first."""
        if subject == self._subject:
            return
        workspace = self._workspace
        self._kept[self._subject] = {name: getattr(workspace, name) for name in self._FIELDS}
        self._subject = subject
        workspace.place = None
        kept = self._kept.get(subject, {})
        for name in self._FIELDS:
            setattr(workspace, name, kept.get(name, {} if name in ("switched_off", "boosted") else None))
