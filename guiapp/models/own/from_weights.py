"""Weights put into an architecture: the one that is named, or the one that they are found to belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import SettingError, UserError
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.models.own.alter import set_activation, set_pooling
from guiapp.models.own.architectures import Architecture, Spec, find
from guiapp.models.own.feed import Learnt, OwnPreprocessing, feed_from, feed_of, labels_of
from guiapp.models.own.files import Weights, kind_of, read_weights
from guiapp.models.own.guess import Guess, Progress, first_spec, guess, looking
from guiapp.models.own.match import load, shapes_of
from guiapp.models.own.opened import OpenedOwn, finish, said_by
from guiapp.models.own.settings import AS_BUILT, OwnSettings, digest, option_values
from guiapp.models.own.solve import solve
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.timm_names import TIMM

_MOST_SIDE = 16384
_guessed: dict[str, tuple[Guess, ...]] = {}  # by the content of files: looking through the zoo takes seconds


@dataclass(frozen=True, eq=False)
class Plan:
    """What a file of weights is to become.

    Attributes:
        weights: The file.
        settings: With what the file says itself.
        guesses: Architectures that it fits, the chosen one first; empty where none does.
        record: What a file written by this program says.
    """

    weights: Weights
    settings: OwnSettings
    guesses: tuple[Guess, ...]
    record: Mapping[str, Any]


def search(path: Path, settings: OwnSettings) -> Generator[tuple[float, str], None, None]:
    """Look for the architecture of a file, so that ``plan`` knows it at once; steps for a job.

    Raises:
        UserError: If the file cannot be read.
    """
    if settings.architecture or kind_of(path) != "weights" or digest(path) in _guessed:
        return
    weights = _read(path)
    said, _ = said_by(weights.about, settings)
    if not said.architecture and not _written(weights.about):
        _guessed[digest(path)] = tuple((yield from looking(shapes_of(weights.tensors), path)))


def plan(path: Path, settings: OwnSettings, progress: Progress | None = None) -> Plan:
    """Find the architecture and what it is built with; nothing is loaded into it yet.

    Raises:
        SettingError: If the settings name an architecture or option that there is not.
        UserError: If the file cannot be read.
    """
    weights = _read(path)
    settings, record = said_by(weights.about, settings)
    file = shapes_of(weights.tensors)
    name = settings.architecture or _written(weights.about)
    if not name:
        key = digest(path)
        if key not in _guessed:
            _guessed[key] = tuple(guess(file, path, progress))
        return Plan(weights, settings, _guessed[key], record)
    architecture = find(name)
    start, fixed = _start(architecture, file, settings, weights.about)
    return Plan(weights, settings, (Guess(architecture, *solve(architecture, file, start, fixed)),), record)


def open_weights(
    path: Path,
    settings: OwnSettings,
    learnt: Learnt | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    found: Plan | None = None,
) -> OpenedOwn:
    """Open a file of weights; see ``engine.open_own.open_own``.

    Args:
        path: The file.
        settings: How.
        learnt: What the data set that it was trained on says.
        device: Where it goes.
        progress: Told what is done.
        found: From ``plan`` of the same file and settings, where that was asked before.

    Raises:
        UserError: If no architecture fits, or not wholly and that is not allowed.
    """
    found = found or plan(path, settings, progress)
    settings = found.settings
    if not found.guesses:
        raise UserError(
            f"the weights in {path.name} belong to no architecture that is known here: "
            "name one (architecture), or open a Python file that gives the network and name these weights there"
        )
    best = found.guesses[0]
    if not best.match.filled and not settings.partial and not settings.architecture:
        raise UserError(
            f"the weights in {path.name} belong to no architecture that is known here; "
            f"{best.architecture.title} is nearest: {best.match.words}"
        )
    module, base = _built(best, found.weights, settings, path)
    notes = [f"{best.architecture.title}, {path.name}", *altered(module, settings)]
    loaded = load(module, found.weights.tensors, best.match, path.name, settings.partial)
    if best.match.how != "name" or not best.match.complete:
        notes.append(loaded)
    _unloaded(module, best)
    also = [one.architecture.title for one in found.guesses[1:] if one.match.complete]
    if also:
        notes.append(f"would fit {', '.join(also)} as well")
    feed = _feed(best, settings, base, learnt, found)
    labels = labels_of(settings, path, best.spec.classes, _known_labels(best, base, learnt, found))
    preset = base.preset if base is not None else Preset("classification")
    return finish(
        path, module.requires_grad_(False), _task(best.architecture, settings), labels, "; ".join(notes), feed, preset,
        settings, device, best.architecture.entry.source, learnt, architecture=best.architecture.name, spec=best.spec,
        match=best.match,
    )  # fmt: skip


def _read(path: Path) -> Weights:
    if kind_of(path) == "script":
        from guiapp.models.own.programs import load_script

        return Weights(dict(load_script(path).state_dict()))
    return read_weights(path)


def _written(about: Mapping[str, Any]) -> str:
    """The network to train that this program wrote the file for."""
    name = about.get("model")
    return name if isinstance(name, str) and "preprocessing" in about else ""


def _start(
    architecture: Architecture, file: Mapping[str, tuple[int, ...]], settings: OwnSettings, about: Mapping[str, Any]
) -> tuple[Spec, frozenset[str]]:
    """What is known of how it was built, and which of that is not to be looked for."""
    spec, fixed = first_spec(architecture, file), set()
    if not architecture.ours:
        if settings.options:
            raise SettingError(f"{architecture.title} has no options")
        return spec, frozenset()
    if _written(about):
        said, classes, options = _said(about)
        spec = Spec(classes, *said.size, {**spec.options, **options})
        fixed |= {"size", "channels", "classes", *spec.options}
    if settings.height and settings.width:
        spec = dataclasses.replace(spec, height=settings.height, width=settings.width)
        fixed.add("size")
    for name, text in option_values(settings.options).items():
        spec = dataclasses.replace(spec, options={**spec.options, name: _option(architecture, spec, name, text)})
        fixed.add(name)
    return spec, frozenset(fixed)


def _said(about: Mapping[str, Any]) -> tuple[Preprocessing, int, Mapping[str, Any]]:
    """Preprocessing, number of classes and options that a file written by this program says."""
    try:
        found = Preprocessing.from_dict(about["preprocessing"])
        sizes = tuple(found.size)
        if len(sizes) != 3 or not all(type(size) is int and 0 < size <= _MOST_SIDE for size in sizes):
            raise ValueError
        if not all(isinstance(value, int | float) for value in (*found.mean, *found.std)):
            raise ValueError
        return found, len(about["classes"]), dict(about.get("options", {}))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError("what the file says of its network is damaged: name its architecture and its size") from None


def _option(architecture: Architecture, spec: Spec, name: str, text: str) -> Any:
    if name not in spec.options:
        known = ", ".join(spec.options) or "none"
        raise SettingError(f"{architecture.title} has no option {name}; there are: {known}")
    kind = type(spec.options[name])
    choices = (architecture.entry.choices or {}).get(name, ()) if isinstance(architecture.entry, ModelEntry) else ()
    if choices and text not in choices:
        raise SettingError(f"{name} is one of {', '.join(choices)}, not {text}")
    try:
        return text.lower() in ("1", "true", "yes") if kind is bool else kind(text)
    except ValueError:
        raise SettingError(f"{name} of {architecture.title} is a number, not {text}") from None


def _built(found: Guess, weights: Weights, settings: OwnSettings, path: Path) -> tuple[nn.Module, ZooWeights | None]:
    """The network before its weights, and the published weights whose preprocessing it takes."""
    architecture, spec, entry = found.architecture, found.spec, found.architecture.entry
    seed = None if found.match.filled else 0
    if isinstance(entry, ModelEntry):
        return architecture.build(spec, seed), None
    base = next((one for one in entry.weights if one.name == "IMAGENET1K_V1"), entry.best)
    if architecture.name.startswith(TIMM) or spec.classes != architecture.classes or not found.match.filled:
        return architecture.build(spec, seed), base
    # With as many classes as were published torchvision's builder does more than build: see ``zoo.build``.
    from guiapp.models.zoo.build import build_trained

    state = {row.name: weights.tensors[row.file_name] for row in found.match.rows if row.status == "fits"}
    try:
        return build_trained(entry, base, state, path.name), base
    except UserError:  # it has auxiliary parts, or lacks counters: built plainly
        return architecture.build(spec, seed), base


def _unloaded(module: nn.Module, found: Guess) -> None:
    """Take off what only training uses, as torchvision's published networks have it taken off."""
    for name in ("aux_classifier", "aux1", "aux2", "AuxLogits"):
        if isinstance(getattr(module, name, None), nn.Module):
            setattr(module, name, None)
    if "aux_logits" in vars(module):
        setattr(module, "aux_logits", False)  # noqa: B010 - an attribute that modules in general do not have


def altered(module: nn.Module, settings: OwnSettings) -> list[str]:
    """Exchange activations and poolings as settings ask; what was done, in words."""
    notes = []
    if settings.activation != AS_BUILT:
        count = set_activation(module, settings.activation)
        notes.append(f"{count} activation{'s' * (count != 1)} set to {settings.activation}")
    if settings.pooling != AS_BUILT:
        count = set_pooling(module, settings.pooling)
        notes.append(f"{count} pooling{'s' * (count != 1)} set to {settings.pooling}")
    return notes


def _feed(
    found: Guess, settings: OwnSettings, base: ZooWeights | None, learnt: Learnt | None, planned: Plan
) -> OwnPreprocessing | None:
    spec, task = found.spec, _task(found.architecture, settings)
    said = planned.record.get("feed")
    written = planned.weights.about.get("preprocessing")
    if task in ("detection", "instances", "keypoints"):
        return None
    if isinstance(said, Mapping):
        return feed_from(settings, said)
    inside = Preprocessing.from_dict(written) if isinstance(written, Mapping) else None
    if inside is None and learnt is not None:
        inside = Preprocessing((spec.channels, spec.height, spec.width), learnt.mean, learnt.std, "pad")
    if isinstance(found.architecture.entry, ZooModel):
        assert base is not None
        if task == "segmentation" and not (settings.height and settings.width):
            return None if not (settings.mean or settings.std) else feed_of(settings, (3, 520, 520), base.preset)
        height, width = base.preset.crop or (224, 224)
        return feed_of(settings, (spec.channels, height, width), base.preset, None)
    return feed_of(
        dataclasses.replace(settings, height=0, width=0), (spec.channels, spec.height, spec.width), None, inside
    )


def _known_labels(found: Guess, base: ZooWeights | None, learnt: Learnt | None, planned: Plan) -> tuple[str, ...]:
    written = planned.record.get("names") or planned.weights.about.get("classes")
    if isinstance(written, list) and all(isinstance(name, str) for name in written):
        return tuple(written)
    if learnt is not None:
        return tuple(learnt.labels)
    if base is None:
        return ()
    if found.architecture.name.startswith(TIMM):
        from guiapp.models.zoo.timm_names import class_names

        return class_names(found.architecture.name.removeprefix(TIMM))
    from guiapp.models.zoo.labels import labels

    return labels(base.labels)


def _task(architecture: Architecture, settings: OwnSettings) -> str:
    if settings.task not in ("auto", architecture.task):
        raise SettingError(f"{architecture.title} is for {architecture.task}, not for {settings.task}")
    return architecture.task
