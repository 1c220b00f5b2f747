"""What opening another experiment changes in the shared selection."""

from __future__ import annotations

from guiapp.core.workspace import Workspace
from guiapp.engine.state import Opened


def follow(workspace: Workspace, old: Opened | None, new: Opened, layer: str = "") -> None:
    """Bring the selection to a newly opened network.

    What still makes sense is kept: the layer where the new network has one of that name, the picture unless it is a
    sample of another data set. Without a picture the first validation sample is shown.

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
    if old is not None and old.experiment.id != new.experiment.id:
        kept = new.experiment.layer or ""
    if kept not in names:
        kept = new.experiment.layer if new.experiment.layer in names else (names[0] if names else "")
    workspace.layer = kept or None
    if old is None or old.labels != new.labels:
        workspace.class_index = None
    if old is None or old.dataset.name != new.dataset.name:
        picture = workspace.picture
        if picture is None or picture.origin.kind == "sample":
            workspace.sample = ("validation", 0)
            workspace.picture = new.dataset.picture("validation", 0) if len(new.dataset.validation) else None
        elif picture.label is not None:
            workspace.sample = None
