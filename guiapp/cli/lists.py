"""``guiapp list``: what there is, without loading torch."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from guiapp.cli import output
from guiapp.core.notices import SettingError


def run(options: argparse.Namespace) -> int:
    """Print one list, as a table or as JSON."""
    if options.timm is not None and options.what != "models":
        raise SettingError("--timm is for guiapp list models")
    rows, columns = {
        "experiments": experiments,
        "models": models if options.timm is None else functools.partial(of_timm, options.timm),
        "datasets": datasets,
        "probes": probes,
        "systems": systems,
    }[options.what]()
    if options.json:
        output.give_json({options.what: rows})
    else:
        output.give_table(rows, columns)
    return 0


Listed = tuple[list[Mapping[str, Any]], tuple[str, ...]]
"""Rows, and the columns of the table that a person reads."""


def experiments() -> Listed:
    """The catalogue, in the order of the course; ``dataset`` of a published network is what it was trained on."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.models.zoo import ZOO

    rows: list[Mapping[str, Any]] = [
        {
            "id": entry.id,
            "chapter": entry.chapter,
            "title": entry.title,
            "systems": list(entry.systems),
            "task": entry.task,
            "model": entry.model,
            "dataset": _short(ZOO[entry.model].best.trained_on) if entry.live else entry.dataset,
            "published": entry.live,
            "summary": entry.summary,
        }
        for entry in EXPERIMENTS.values()
    ]
    return rows, ("id", "chapter", "title", "model", "dataset")


def _short(trained_on: str) -> str:
    """What weights were trained on, without terms and further words."""
    return trained_on.partition(" (")[0].partition(",")[0]


def models() -> Listed:
    """Networks by name: those to train, with weights that ship with the program, then those of the zoo."""
    from guiapp.core import paths
    from guiapp.models import MODELS

    weights = sorted(file.stem for file in (paths.resources() / "weights").glob("*.safetensors"))
    rows: list[Mapping[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "task": entry.task,
            "options": dict(entry.options or {}),
            "weights": [name for name in weights if name == entry.name or name.startswith(f"{entry.name}-")],
            "source": entry.source,
            "description": entry.description,
        }
        for entry in MODELS.values()
    ]
    columns = ("name", "title", "task", "parameters", "accuracy", "size", "licence", "weights")
    return rows + _zoo(), columns


def of_timm(words: Sequence[str]) -> Listed:
    """Networks of timm whose names hold every word; the others of timm give features, not classes.

    Raises:
        UserError: If timm is not installed.
    """
    from guiapp.models.zoo.timm_names import entry_of, names
    from guiapp.models.zoo.weights import here

    rows: list[Mapping[str, Any]] = []
    for entry in map(entry_of, names(" ".join(words))):
        found = here(entry)
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "task": entry.task,
                "classes": entry.best.trained_on,
                "licence": entry.best.licence,
                "weights": [*found.published, *(path.name for path in found.others)],
                "source": entry.source,
            }
        )
    return rows, ("name", "classes", "licence", "weights")


def _zoo() -> list[Mapping[str, Any]]:
    """Published networks: the figures are those of the recommended weights, ``weights`` are those that are here."""
    from guiapp.models.zoo import listed
    from guiapp.models.zoo.weights import find, here

    rows: list[Mapping[str, Any]] = []
    for entry in listed().values():
        found = here(entry)
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "task": entry.task,
                "parameters": entry.parameters or None,
                "accuracy": entry.best.accuracy,
                "size": _megabytes(entry.best.bytes),
                "licence": entry.best.licence,
                "weights": [*found.published, *(path.name for path in found.others)],
                "published": [
                    {
                        "name": weights.name,
                        "metrics": dict(weights.metrics),
                        "measured_on": weights.measured_on,
                        "parameters": weights.parameters,
                        "gflops": weights.gflops,
                        "bytes": weights.bytes,
                        "licence": weights.licence,
                        "trained_on": weights.trained_on,
                        "url": weights.url,
                        "path": find(weights),
                    }
                    for weights in entry.weights
                ],
                "family": entry.family,
                "systems": list(entry.systems),
                "source": entry.source,
            }
        )
    return rows


def _megabytes(size: int) -> str | None:
    return f"{size / 1e6:.{0 if size >= 10e6 else 1}f} MB" if size >= 50_000 else None


def datasets() -> Listed:
    """Data sets by name, and whether they open without a download."""
    from guiapp.datasets import DATASETS

    rows: list[Mapping[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "size": entry.size,
            "available": entry.available(),
            "description": entry.description,
        }
        for entry in DATASETS.values()
    ]
    return rows, ("name", "title", "size", "available")


def probes() -> Listed:
    """Questions to a network, with their options and defaults."""
    import dataclasses

    from guiapp.interpret import PROBES

    rows: list[Mapping[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "needs_picture": entry.needs_picture,
            "options": dataclasses.asdict(entry.options()),
        }
        for entry in PROBES.values()
    ]
    return rows, ("name", "title", "needs_picture")


def systems() -> Listed:
    """Systems of the course texts by chapter, each with the experiments that show it."""
    from guiapp.catalogue.systems import SYSTEMS, coverage

    shown = coverage()
    rows: list[Mapping[str, Any]] = [
        {"id": system, "chapter": chapter, "experiments": list(shown[system])}
        for chapter, systems in SYSTEMS.items()
        for system in systems
    ]
    return rows, ("id", "chapter", "experiments")
