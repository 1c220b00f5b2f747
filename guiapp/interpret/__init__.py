"""Probes: questions put to a network about a picture or a data set, one kind a file.

Importing this room registers the probes without loading torch.
"""

from guiapp.core.registry import Lazy
from guiapp.interpret.attack.options import AttackOptions, PatchOptions, RobustOptions
from guiapp.interpret.attention_options import AttentionOptions, PositionOptions, attention_layers
from guiapp.interpret.attribution.options import AttributionOptions, CurveProbeOptions, SanityProbeOptions
from guiapp.interpret.base import PROBES, Probe
from guiapp.interpret.classic_options import CascadeOptions, GradientOptions
from guiapp.interpret.cost_options import CostOptions
from guiapp.interpret.detector_options import DetectorOptions, detector_layers
from guiapp.interpret.embedding.options import EmbeddingOptions, embedding_layers
from guiapp.interpret.excitation import ExcitationOptions, excitation_layers
from guiapp.interpret.groups import GroupOptions
from guiapp.interpret.options import (
    ActivationOptions,
    ConnectionOptions,
    FilterOptions,
    InformationOptions,
    LinearOptions,
    activation_layers,
)
from guiapp.interpret.places_options import PlacesOptions
from guiapp.interpret.units.options import (
    GrowProbeOptions,
    PatchProbeOptions,
    TraceOptions,
    UnitOptions,
    unit_layers,
)

__all__ = ["PROBES", "Probe"]


def _add(probe: Probe) -> None:
    PROBES.add(probe.name, probe)


_add(Probe("filters", "Filters", FilterOptions, Lazy("guiapp.interpret.filters:run"), needs_picture=False))
_add(
    Probe(
        "activations", "Activation maps", ActivationOptions, Lazy("guiapp.interpret.activations:run"), activation_layers
    )
)
_add(
    Probe(
        "linear-views",
        "Three views of a linear classifier",
        LinearOptions,
        Lazy("guiapp.interpret.linear_views:run"),
        needs_picture=False,
    )
)
_add(
    Probe(
        "information",
        "Information of a prediction",
        InformationOptions,
        Lazy("guiapp.interpret.information:run"),
    )
)
_add(
    Probe(
        "connections",
        "Connections of a dense block",
        ConnectionOptions,
        Lazy("guiapp.interpret.connections:run"),
        needs_picture=False,
    )
)
_add(Probe("cascade", "Face cascade", CascadeOptions, Lazy("guiapp.interpret.cascade:run"), shows="haar-face"))
_add(
    Probe(
        "gradients",
        "Histograms of oriented gradients",
        GradientOptions,
        Lazy("guiapp.interpret.gradients:run"),
        shows="hog-person",
    )
)
_add(Probe("detector", "Inside a detector", DetectorOptions, Lazy("guiapp.interpret.detector:run"), detector_layers))
_add(Probe("attack", "Adversarial attack", AttackOptions, Lazy("guiapp.interpret.attack.run:run")))
_add(
    Probe(
        "robustness",
        "Accuracy under attack",
        RobustOptions,
        Lazy("guiapp.interpret.attack.robust:run"),
        needs_picture=False,
    )
)
_add(Probe("patch", "Adversarial patch on a picture", PatchOptions, Lazy("guiapp.interpret.attack.patch:run")))
_add(
    Probe(
        "attention",
        "Attention of every head",
        AttentionOptions,
        Lazy("guiapp.interpret.attention:run"),
        attention_layers,
    )
)
_add(
    Probe(
        "positions",
        "Learned positions",
        PositionOptions,
        Lazy("guiapp.interpret.attention:positions"),
        needs_picture=False,
    )
)
_add(Probe("unit", "One unit", UnitOptions, Lazy("guiapp.interpret.units.probe:run"), unit_layers))
_add(Probe("unit-trace", "A response traced back", TraceOptions, Lazy("guiapp.interpret.units.ask:trace")))
_add(
    Probe(
        "unit-grow",
        "A picture grown for a unit",
        GrowProbeOptions,
        Lazy("guiapp.interpret.units.ask:grow"),
        needs_picture=False,
    )
)
_add(
    Probe(
        "unit-patches",
        "Best patches of a unit",
        PatchProbeOptions,
        Lazy("guiapp.interpret.units.ask:patches"),
        needs_picture=False,
    )
)
_add(Probe("cost", "Cost of every layer", CostOptions, Lazy("guiapp.interpret.cost:run"), needs_picture=False))
_add(Probe("embedding", "Embedding", EmbeddingOptions, Lazy("guiapp.interpret.embedding.probe:run"), embedding_layers))
_add(
    Probe(
        "attribution",
        "Attribution",
        AttributionOptions,
        Lazy("guiapp.interpret.attribution.probe:run"),
        each_picture=True,
    )
)
_add(
    Probe(
        "attribution-curves",
        "Insertion and deletion",
        CurveProbeOptions,
        Lazy("guiapp.interpret.attribution.probe:run_curves"),
    )
)
_add(
    Probe(
        "attribution-sanity",
        "Randomisation test",
        SanityProbeOptions,
        Lazy("guiapp.interpret.attribution.probe:run_sanity"),
    )
)
_add(
    Probe(
        "excitation",
        "Weights of channels",
        ExcitationOptions,
        Lazy("guiapp.interpret.excitation:run"),
        excitation_layers,
    )
)
_add(Probe("groups", "Grouped convolutions", GroupOptions, Lazy("guiapp.interpret.groups:run"), needs_picture=False))
_add(Probe("places", "A class for every place", PlacesOptions, Lazy("guiapp.interpret.places:run")))
