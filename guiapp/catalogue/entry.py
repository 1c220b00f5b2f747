"""What a catalogue entry is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Experiment:
    """One exhibit of the course: plain data that names things.

    Most are networks that a person trains. With ``live`` it is a published network that is looked at in the live room,
    on a camera, a video or a picture: it has no data set and no recipe.

    Attributes:
        id: Name on the command line, such as ``"lenet5"``.
        chapter: Id of its chapter in ``CHAPTERS``.
        title: What a person reads.
        systems: Ids of the rows of the systems table that it shows.
        model: Name of a model entry; of a published network where ``live``.
        dataset: Name of a data-set entry; empty where ``live``.
        summary: One line for the catalogue's tip.
        recipe: Dotted fields of the recipe that differ from its defaults, such as ``{"optimiser.lr": 0.1}``.
        by_dataset: Further recipe fields for a data set that is not the default, ``{"mnist": {…}}``.
        model_options: Options of the model's builder.
        panels: Ids of the panels raised when it opens, most important last.
        layer: Layer first shown in filters and activations, or None for the first with weights.
        weights: Name of a file in ``resources/weights`` loaded at opening, or None for a fresh network.
        fallback: Data set opened instead, with a notice, where the files of ``dataset`` are not on this machine. Where
            the entry has weights, their file's metadata gives preprocessing and drawing, whatever data set is open.
        live: Whether it is a published network in the live room.
        begin: What is chosen first where that is not the usual: ``"class"``, whose first validation sample is
            shown, or an option of a panel as ``"<panel>.<option>"``.
        help: Name of the help text in ``resources/help`` (without ``.md``); the id by default.
    """

    id: str
    chapter: str
    title: str
    systems: tuple[str, ...]
    model: str
    dataset: str
    summary: str
    task: str = "classification"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    by_dataset: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    model_options: Mapping[str, Any] = field(default_factory=dict)
    panels: tuple[str, ...] = ("training", "filters", "activations")
    layer: str | None = None
    weights: str | None = None
    fallback: str = "digits"
    live: bool = False
    help: str | None = None
    begin: Mapping[str, Any] = field(default_factory=dict)
