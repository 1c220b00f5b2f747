"""Which panels there are: to add one, write its file in ``panels/`` and one line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Area = Literal["left", "top", "bottom", "right"]


@dataclass(frozen=True)
class PanelEntry:
    """How a panel is found and where it stands in the default arrangement.

    Attributes:
        id: Panel id of interface.md; the dock is named ``<id>-panel``.
        title: Title of the dock and of its line in the View menu.
        reference: ``"module:Class"`` of the ``Panel``, imported when it is first needed.
        area: Side of the window; ``"top"`` and ``"bottom"`` are the middle column.
        row: Place in that area from above; panels of one row share it as tabs, in the order of the table.
        layouts: Names of the layouts that show it.
        early: Whether it is built before the first paint (it must be light).
        shortcut: Key sequence that shows and hides it.
        pins: Whether what it shows can be pinned.
    """

    id: str
    title: str
    reference: str
    area: Area
    row: int
    layouts: tuple[str, ...] = ("train", "look-inside", "lab")
    early: bool = False
    shortcut: str = ""
    pins: bool = True


_PANELS = "guiapp.ui.panels"
_INSIDE = ("train", "look-inside", "live-inside")

PANELS: tuple[PanelEntry, ...] = (
    PanelEntry(
        "catalogue",
        "Catalogue",
        f"{_PANELS}.catalogue:CataloguePanel",
        "left",
        0,
        (*_INSIDE, "lab"),
        early=True,
        pins=False,
    ),
    PanelEntry("source", "Source", f"{_PANELS}.source:SourcePanel", "left", 1, pins=False),
    PanelEntry("viewer", "Viewer", f"{_PANELS}.viewer:ViewerPanel", "top", 0),
    PanelEntry("playground", "Playground", f"{_PANELS}.playground:PlaygroundPanel", "top", 0, ()),
    PanelEntry("live", "Live", f"{_PANELS}.live:LivePanel", "top", 0, ("live", "live-inside")),
    PanelEntry("training", "Training", f"{_PANELS}.training:TrainingPanel", "bottom", 0),
    PanelEntry("events", "Event files", f"{_PANELS}.events:EventsPanel", "bottom", 0, ()),
    PanelEntry("runs", "Runs", f"{_PANELS}.runs:RunsPanel", "bottom", 0, ("train", "lab")),
    PanelEntry("evaluation", "Evaluation", f"{_PANELS}.evaluation:EvaluationPanel", "bottom", 0, ("lab",)),
    PanelEntry("compare", "Compare", f"{_PANELS}.compare:ComparePanel", "bottom", 0, ("lab",)),
    PanelEntry("storage", "Storage", f"{_PANELS}.storage:StoragePanel", "bottom", 0, (), pins=False),
    PanelEntry("pinned", "Pinned", f"{_PANELS}.pinned:PinnedPanel", "bottom", 0, (), pins=False),
    PanelEntry("filters", "Filters", f"{_PANELS}.filters:FiltersPanel", "right", 0, _INSIDE),
    PanelEntry("model", "Model", f"{_PANELS}.model:ModelPanel", "right", 0, _INSIDE),
    PanelEntry("activations", "Activations", f"{_PANELS}.activations:ActivationsPanel", "right", 1, _INSIDE),
    PanelEntry("attribution", "Attribution", f"{_PANELS}.attribution:AttributionPanel", "right", 1, ("look-inside",)),
    PanelEntry("units", "Units", f"{_PANELS}.units:UnitsPanel", "right", 1, ("look-inside",)),
    PanelEntry("embedding", "Embedding", f"{_PANELS}.embedding:EmbeddingPanel", "right", 1, ("look-inside",)),
    PanelEntry("attack", "Attack", f"{_PANELS}.attack:AttackPanel", "right", 1, ("look-inside",)),
    PanelEntry("linear", "Linear views", f"{_PANELS}.linear:LinearPanel", "right", 1, ()),
    PanelEntry("cascade", "Cascade", f"{_PANELS}.cascade:CascadePanel", "right", 1, ()),
    PanelEntry("boosting", "Boosting", f"{_PANELS}.boosting:BoostingPanel", "right", 1, ()),
    PanelEntry("gradients", "Gradients", f"{_PANELS}.gradients:GradientsPanel", "right", 1, ()),
    PanelEntry("detector", "Detector", f"{_PANELS}.detector:DetectorPanel", "right", 1, ()),
    PanelEntry("connections", "Connections", f"{_PANELS}.connections:ConnectionsPanel", "right", 1, ()),
    PanelEntry("attention", "Attention", f"{_PANELS}.attention:AttentionPanel", "right", 1, ()),
    PanelEntry("excitation", "Excitation", f"{_PANELS}.excitation:ExcitationPanel", "right", 1, ()),
    PanelEntry("groups", "Groups", f"{_PANELS}.groups:GroupsPanel", "right", 1, ()),
    PanelEntry("places", "Places", f"{_PANELS}.places:PlacesPanel", "right", 1, ()),
    PanelEntry("recipe", "Recipe", f"{_PANELS}.recipe:RecipePanel", "right", 1, ("lab",)),
    PanelEntry("diagnosis", "Diagnosis", f"{_PANELS}.diagnosis:DiagnosisPanel", "right", 1, ("lab",)),
    PanelEntry("sizes", "Sizes", f"{_PANELS}.sizes:SizesPanel", "right", 1, ()),
    PanelEntry("augmentation", "Augmentation", f"{_PANELS}.augmentation:AugmentationPanel", "right", 1, ("lab",)),
    PanelEntry("first-weights", "First weights", f"{_PANELS}.first_weights:FirstWeightsPanel", "right", 1, ()),
    PanelEntry("normalisation", "Normalisation", f"{_PANELS}.normalisation:NormalisationPanel", "right", 1, ()),
    PanelEntry("preparation", "Input", f"{_PANELS}.preparation:PreparationPanel", "right", 1, ()),
    PanelEntry("left-out", "Left out", f"{_PANELS}.left_out:LeftOutPanel", "right", 1, ()),
    PanelEntry("ensemble", "Ensemble", f"{_PANELS}.ensemble:EnsemblePanel", "right", 1, ()),
    PanelEntry("distillation", "Distillation", f"{_PANELS}.distillation:DistillationPanel", "right", 1, ()),
    PanelEntry("search", "Search", f"{_PANELS}.search:SearchPanel", "right", 1, ("lab",), pins=False),
    PanelEntry("teach", "Teach", f"{_PANELS}.teach:TeachPanel", "right", 1, (), pins=False),
    PanelEntry("own", "Your network", f"{_PANELS}.own:OwnPanel", "right", 1, ()),
    PanelEntry("samples", "Samples", f"{_PANELS}.samples:SamplesPanel", "bottom", 0, ("look-inside",)),
)


def entry(panel: str) -> PanelEntry:
    """The entry of panel ``panel``.

    Raises:
        LookupError: If there is no such panel.
    """
    for candidate in PANELS:
        if candidate.id == panel:
            return candidate
    raise LookupError(f"no panel is named {panel!r}; there are: {', '.join(p.id for p in PANELS)}")
