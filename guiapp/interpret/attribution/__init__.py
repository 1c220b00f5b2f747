"""Attribution: which parts of a picture a network's answer rests on, by every method of this room.

Nothing here loads torch. A panel lists ``METHODS``, makes a form of ``method.options``, and runs in a study::

    inputs = study.inputs(picture)
    score = make_score(study.module, study.model.entry.task, target, inputs, study.inspected.labels, study.inputs)
    found = yield from attribute(score, inputs, "integrated-gradients", options, layers=study.inspected.layers,
                                 area=study.area(picture, inputs), tell=tell)

``make_score`` is in ``guiapp.interpret.score`` (it loads torch). Methods with ``live`` also answer at each look, as the
probe ``"attribution"``.
"""

from __future__ import annotations

from guiapp.interpret.attribution.method import METHODS, Attribution, Method
from guiapp.interpret.attribution.options import AttributionOptions
from guiapp.interpret.attribution.run import attribute, default_layer, reasons_against

__all__ = [
    "METHODS",
    "Attribution",
    "AttributionOptions",
    "Method",
    "attribute",
    "default_layer",
    "reasons_against",
]
