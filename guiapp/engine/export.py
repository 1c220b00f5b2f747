"""Any network that is open, of the training room, the zoo or a person's own, made ready to be written as a file."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.core.notices import UserError
from guiapp.models.base import MODELS
from guiapp.models.own.feed import feed_of_preset
from guiapp.models.own.opened import OpenedOwn
from guiapp.models.own.save import Leaving, Written, own_record, save_network

if TYPE_CHECKING:
    from guiapp.engine.job import Step
    from guiapp.engine.state import Inspected
    from guiapp.engine.study import Study
    from guiapp.models.base import Preprocessing
    from guiapp.models.zoo.open import OpenedModel

_SIDE = (480, 640)


def leaving_trained(
    name: str, options: Any, title: str, preprocessing: Preprocessing, labels: tuple[str, ...], task: str, module: Any,
    dataset: str = "",
) -> Leaving:  # fmt: skip
    """A network that was trained here.

    Args:
        name: Its name among the networks to train.
        options: What it was built with beside the sizes.
        title: What a person reads.
        preprocessing: How samples become its input.
        labels: Class names.
        task: Its task.
        module: It, on the CPU.
        dataset: Data set that it was trained on.
    """
    record: dict[str, Any] = {"model": name, "options": dict(options)}
    if dataset:
        record["dataset"] = dataset
    picture = _noise(preprocessing.size[1:])
    return Leaving(module, task, title, labels, preprocessing(picture), preprocessing, record)


def leaving_opened(opened: OpenedModel) -> Leaving:
    """A network of the zoo, of timm, or a person's own.

    Raises:
        UserError: For an ONNX file and what has no weights: these are files already, or not networks.
    """
    import torch

    module: Any = opened.module
    if not isinstance(module, torch.nn.Module) or not list(module.state_dict()):
        raise UserError(f"{opened.entry.title} has no weights that could be written")
    module = _on_cpu(module)
    inputs = opened.prepare(_noise(_SIDE), "cpu")
    preset = opened.weights.preset
    if isinstance(opened, OpenedOwn):
        feed = opened.preprocessing or feed_of_preset(preset)
        name = opened.architecture
        settings = opened.settings.as_dict()
        if name in MODELS and not settings.keys() & {"activation", "pooling"} and opened.spec is not None:
            said = {"model": name, "options": dict(opened.spec.options)}
            assert feed is not None
            return Leaving(module, opened.entry.task, opened.entry.title, opened.labels, inputs, feed, said)
        if opened.spec is not None and opened.spec.options:
            settings["options"] = ", ".join(f"{key}={value}" for key, value in opened.spec.options.items())
    else:
        feed, name, settings = feed_of_preset(preset), opened.entry.name, {}
    record = own_record(name, feed, opened.labels, settings) if name else {}
    return Leaving(
        module, opened.entry.task, opened.entry.title, opened.labels, inputs, feed or preset, record
    )  # fmt: skip


def leaving_study(study: Study) -> Leaving:
    """The network of a study: of the open experiment, or of the live room."""
    if study.model.origin != "trained":
        return leaving_opened(study.model)
    about: Inspected = study.inspected
    dataset = study.dataset.name if study.dataset is not None else ""
    if about.model.name not in MODELS:
        return _of_run(study.model)
    return leaving_trained(
        about.model.name, _as_built(about.model_options, getattr(about, "recipe", None)), about.model.title,
        about.preprocessing, about.labels, about.model.task,
        _on_cpu(study.module), dataset,
    )  # fmt: skip


def _of_run(opened: OpenedModel) -> Leaving:
    """A run that stands in the live room: its folder says what it was built with."""
    if opened.path is None:
        raise UserError("the open experiment is written from the training room")
    from guiapp.training.load import load_run

    setup, _ = load_run(opened.path)
    return leaving_setup(setup, _on_cpu(opened.module))


def leaving_setup(setup: Any, module: Any) -> Leaving:
    """The network of a run, from its ``Setup``."""
    return leaving_trained(
        setup.entry.name, _as_built(setup.model_options, setup.recipe), setup.entry.title, setup.preprocessing,
        tuple(setup.classes),
        setup.experiment.task, module, setup.dataset_name,
    )  # fmt: skip


def _as_built(options: Any, recipe: Any) -> dict[str, Any]:
    """Options of the builder, and what the recipe changed in the layers, so that the file opens as the same network."""
    if recipe is None:
        return dict(options)
    from guiapp.training.network_changes import layer_changes

    changes = layer_changes(recipe)
    return {**options, "changes": changes.text()} if changes.any else dict(options)


def write(study: Study, path: Path) -> Generator[Step, None, Written]:
    """Write the network of a study as a file; work for ``Engine.study``.

    Raises:
        UserError: As ``save_network``.
    """
    yield 0.05, "preparing the network"
    leaving = leaving_study(study)
    yield 0.1, f"writing {path.name} and reading it back"
    return save_network(leaving, path)


def _noise(size: tuple[int, ...]) -> Any:
    """A picture on which two networks that differ answer differently; the same each time."""
    return np.random.default_rng(0).integers(0, 256, (size[0], size[1], 3), dtype=np.uint8)


def _on_cpu(module: Any) -> Any:
    """The network on the CPU; a copy where it lies elsewhere, because its weights may be shared."""
    import copy
    import itertools

    first = next(itertools.chain(module.parameters(), module.buffers()), None)
    if first is None or first.device.type == "cpu":
        return module
    return copy.deepcopy(module).cpu()
