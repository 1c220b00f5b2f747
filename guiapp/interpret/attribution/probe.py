"""The attribution probe: a map of the picture that is looked at, at each look or from the command line."""

from __future__ import annotations

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.insertion import Curves, curves
from guiapp.interpret.attribution.method import Attribution
from guiapp.interpret.attribution.methods import METHODS
from guiapp.interpret.attribution.options import AttributionOptions, CurveProbeOptions, SanityProbeOptions
from guiapp.interpret.attribution.randomised import Sanity, sanity
from guiapp.interpret.attribution.work import attribute, run_through
from guiapp.interpret.base import Look
from guiapp.interpret.case import Case
from guiapp.interpret.targets import DETECTORS


def run(look: Look, options: AttributionOptions | None = None) -> Attribution:
    """Explain the look.

    A map that came out of the run of the network itself (``attribution.live``) is taken; else the network is run once
    more, with gradients.

    Raises:
        UserError: If the method does not apply, or is a slow one at a look.
    """
    options = options or AttributionOptions()
    known = look.explained.get(options)
    if isinstance(known, UserError):
        raise known
    if known is not None:
        found: Attribution = known
        return found
    method = METHODS[options.method]
    if not method.live and not look.patient:
        raise UserError(f"{method.title} takes many passes: it is not computed at each look")
    case = case_of(look)
    return run_through(attribute(case, options.subject(), options.method, options.own(), None))


def run_curves(look: Look, options: CurveProbeOptions | None = None) -> Curves:
    """Insertion and deletion curves of the map that is asked for."""
    options = options or CurveProbeOptions()
    case = case_of(look)
    return run_through(curves(case, options.subject(), run(look, options), options.curve))


def run_sanity(look: Look, options: SanityProbeOptions | None = None) -> Sanity:
    """The map that is asked for while weights are randomised from the output down."""
    options = options or SanityProbeOptions()
    return run_through(sanity(case_of(look), options.subject(), options.method, options.own(), options.how))


def case_of(look: Look) -> Case:
    """The network and the picture of a look.

    Raises:
        UserError: If the look has no picture.
    """
    inputs = look.inputs if look.inputs is not None else look.input
    if inputs is None:
        raise UserError("attribution explains a picture: open one")
    return Case(
        look.model,
        look.task,
        inputs,
        look.labels,
        look.layers,
        look.picture,
        None if look.task in DETECTORS else look.area,  # the area of a detector's look has its padding in it
        look.prepare,
        look.frames,
        look.switched_off,
    )
