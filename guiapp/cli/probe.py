"""``guiapp probe``: one question to a network, answered as numbers or as a picture."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import network_of
from guiapp.cli.inputs import check_input, read_input
from guiapp.cli.subject import Subject, is_trained, open_subject
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.base import Probe
    from guiapp.interpret.layers import LayerInfo
    from guiapp.models.zoo.open import OpenedModel

_ENDINGS = (".png", ".csv", ".json")


def run(options: argparse.Namespace) -> int:
    """Run one probe, print what it found, and save it where a file is named."""
    from guiapp.cli.screenshot import check_folder
    from guiapp.interpret import PROBES

    probe = PROBES[options.probe]
    if options.out is not None:
        if options.out.suffix.lower() not in _ENDINGS:
            raise SettingError(f"--out ends in one of {', '.join(_ENDINGS)}, not {options.out.name!r}")
        check_folder(options.out)
    if probe.needs_picture and options.input is None:
        raise SettingError(f"{probe.name} looks at a picture: name one after the network")
    if options.input is not None:
        check_input(options.input)
    asked = _options(probe, options)
    if probe.name == "cost":  # the architecture is enough: weights need not be here
        from guiapp.cli import cost

        return cost.run(options, asked)
    name, result = _ask(probe, asked, options)
    from guiapp.cli.findings import save, summary

    if options.out is not None:
        save(result, options.out, f"{probe.title} of {name}")
    found = summary(result)
    if options.json:
        output.give_json(
            {"probe": probe.name, "model": name, "input": options.input, "result": found, "out": options.out}
        )
    else:
        for name, value in found.items():
            output.give(f"{name:<20}{_words(value)}")
    return 0


def _ask(probe: Probe, asked: Any, options: argparse.Namespace) -> tuple[str, Any]:
    """Open what is asked; what it is called, and what the probe finds."""
    shown = _shown(probe, options.target)
    opened = None if shown or is_trained(options.target) else _published(options)
    subject = None if shown or opened is not None else open_subject(options.target)
    if opened is None and options.weights is not None:
        raise SettingError(f"--weights is for published networks: {options.target} has its own")
    if options.class_name is not None:
        labels = opened.labels if opened is not None else subject.task.labels if subject is not None else ()
        asked = _with_class(probe, asked, options.class_name, labels)
    picture = None
    if options.input is not None:
        picture = read_input(options.input)
    if opened is not None:
        return opened.entry.name, answer_published(probe, asked, opened, picture)
    if subject is not None:
        return subject.name, answer(probe, asked, subject, picture)
    return probe.shows, answer_of(probe, asked, picture)


def answer(probe: Probe, asked: Any, subject: Subject, picture: Picture | None) -> Any:
    """What the probe finds.

    Raises:
        SettingError: If the network has no layer of that name.
    """
    import torch

    from guiapp.interpret import capture
    from guiapp.interpret.base import Look
    from guiapp.interpret.layers import layer_list
    from guiapp.interpret.listen import CALLS, listening

    layers = layer_list(subject.model, subject.preprocessing.size)
    _check_layer(asked, layers)
    look = Look(subject.model, layers, subject.preprocessing, subject.step, picture, labels=subject.task.labels)
    try:
        look.dataset = subject.open_dataset()
    except UserError:  # most probes need none; those that do say so
        look.dataset = None
    with torch.no_grad():
        if picture is not None:
            image, _ = subject.input_of(picture)
            look.input = subject.preprocessing(image)
            look.task, look.patient = subject.task_name, True
            if picture.sample is None and image is not picture.pixels:
                look.picture = dataclasses.replace(picture, sample=image)
            look.prepare = lambda other: subject.preprocessing(other.network_pixels)
            wanted = set(probe.layers(layers, asked))
            calls = {name for name in wanted if name.endswith(CALLS)}
            with listening(subject.model, calls) as heard:
                look.output, look.activations = capture.run(subject.model, look.input, wanted - calls)
            look.calls = {name.removesuffix(CALLS): found for name, found in heard.items()}
        return probe.run(look, asked)


def answer_published(probe: Probe, asked: Any, opened: OpenedModel, picture: Picture | None) -> Any:
    """What the probe finds in a published network.

    Raises:
        SettingError: If the network has no layer of that name.
    """
    import torch

    from guiapp.engine import ask_published
    from guiapp.interpret.base import Look
    from guiapp.tasks.live_options import LiveOptions

    inspected = ask_published.inspect(opened, picture)
    _check_layer(asked, inspected.layers)
    if picture is None:
        look = Look(opened.module, inspected.layers, inspected.preprocessing, task=opened.entry.task)
        look.prepare, look.patient = lambda other: opened.prepare(other.pixels, opened.device), True
    else:
        wanted = probe.layers(inspected.layers, asked)
        look = ask_published.look(opened, inspected, picture, wanted, LiveOptions())
        look.patient = True
    with torch.no_grad():
        return probe.run(look, asked)


def _check_layer(asked: Any, layers: Sequence[LayerInfo]) -> None:
    name = getattr(asked, "layer", "")
    if name and name not in {layer.name for layer in layers}:
        raise SettingError(f"there is no layer {name!r}; there are: {', '.join(layer.name for layer in layers)}")


def _published(options: argparse.Namespace) -> OpenedModel | None:
    """The published network, ONNX file or network of timm that ``target`` names; None where it names none.

    Raises:
        UnknownName: If it could mean several.
        UserError: If it cannot be opened.
    """
    from guiapp.models.zoo import find_model

    name = network_of(options.target)
    try:
        find_model(name)
    except UnknownName as error:
        if "which?" in str(error):
            raise
        return None  # what is trained here is looked for, and the message says what there is
    from guiapp.engine.open_any import open_any

    progress = output.Progress()
    weights = options.weights or "best"
    if Path(weights).expanduser().is_file():
        weights = Path(weights).expanduser()
    try:
        opened = open_any(name, weights, options.device or "cpu", progress.share)
    finally:
        progress.clear()
    output.say(f"{opened.entry.title}: {opened.note}")
    return opened


def answer_of(probe: Probe, asked: Any, picture: Picture | None) -> Any:
    """What a probe finds that shows the working of one published network, which is opened for it."""
    from guiapp.interpret.base import Look
    from guiapp.models import Preprocessing
    from guiapp.models.zoo.open import open_model

    opened = open_model(probe.shows)
    size = (3, *picture.pixels.shape[:2]) if picture is not None else (3, 1, 1)
    prepared = Preprocessing(size, (0.0,) * 3, (1.0,) * 3, "stretch")
    return probe.run(Look(opened.module, (), prepared, picture=picture), asked)


def _shown(probe: Probe, target: str) -> bool:
    """Whether the probe shows the working of one published network; then ``target`` has to be that.

    Raises:
        SettingError: If it is another one.
    """
    if not probe.shows:
        return False
    from guiapp.models.zoo import find_model

    try:
        named = find_model(network_of(target)).name
    except UnknownName:
        named = ""
    if named != probe.shows:
        raise SettingError(f"{probe.name} shows how {probe.shows} works: name that in the place of {target}")
    return True


def _options(probe: Probe, options: argparse.Namespace) -> Any:
    """The probe's options, changed by ``--set`` and ``--layer``."""
    from guiapp.training.recipe import change

    changes = dict(options.set)
    if options.layer is not None:
        if "layer" not in _names(probe):
            raise SettingError(f"{probe.name} looks at no single layer: leave --layer out")
        changes["layer"] = options.layer
    return change(probe.options(), changes)


def _with_class(probe: Probe, asked: Any, name: str, labels: tuple[str, ...]) -> Any:
    field = next((known for known in ("class_index", "label") if known in _names(probe)), None)
    if field is None:
        raise SettingError(f"{probe.name} asks about no class: leave --class out")
    if name in labels:
        index = labels.index(name)
    elif name.isdigit() and int(name) < len(labels):
        index = int(name)
    else:
        raise SettingError(f"there is no class {name!r}; there are: {', '.join(labels)}")
    return dataclasses.replace(asked, **{field: index})


def _names(probe: Probe) -> set[str]:
    return {found.name for found in dataclasses.fields(probe.options)}


def _words(value: Any) -> str:
    """A value for a person: numbers short, nested data as JSON."""
    import json

    if isinstance(value, float):
        return f"{value:.5g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:200]
