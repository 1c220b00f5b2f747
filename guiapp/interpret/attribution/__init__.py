"""Attribution: which parts of a picture a network's answer rests on, by every method of this room.

Nothing here loads torch. A panel lists ``METHODS``, makes a form of ``method.options``, and runs in a study::

    case = study.case(picture, switched_off)
    found = yield from attribute(case, ClassTarget(3), "integrated-gradients", options, tell)

A target alone, as a function of pictures, is ``guiapp.interpret.score.make_score(case, target)`` (that loads torch).
Methods with ``live`` also answer at each look, as the probe ``"attribution"``.
"""

from __future__ import annotations

from guiapp.interpret.attribution.method import Attribution, Method
from guiapp.interpret.attribution.methods import METHODS
from guiapp.interpret.attribution.options import AttributionOptions, CurveOptions, SanityOptions
from guiapp.interpret.attribution.run import attribute, curves, default_layer, reasons_against, sanity

__all__ = [
    "METHODS",
    "Attribution",
    "AttributionOptions",
    "CurveOptions",
    "Method",
    "SanityOptions",
    "attribute",
    "curves",
    "default_layer",
    "reasons_against",
    "sanity",
]
