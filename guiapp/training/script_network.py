"""The networks of an exported script: the one that learns as it begins, and the teachers that it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from guiapp.core.notices import SettingError
from guiapp.core.registry import Lazy
from guiapp.models.backbones import Backbone, pretrained, without_weights
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.training.network_changes import layer_changes

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe
    from guiapp.training.script_code import Bundle
    from guiapp.training.setup import Setup
    from guiapp.training.teachers import Teacher

OWN = "network"
"""Name of the first weights in the file beside a script."""


def check_network(entry: ModelEntry) -> None:
    """Refuse a network whose code a script cannot bring.

    Raises:
        SettingError: With the reason.
    """
    if entry.trained_by != "gradient":
        raise SettingError(f"{entry.title} only remembers the samples: there is no training to write down")
    if not isinstance(entry, Backbone) and not isinstance(entry.build, Lazy):
        raise SettingError(f"{entry.title} is built by code outside of this program: a script cannot bring that")


def brought(setup: Setup, model: torch.nn.Module, teachers: list[Teacher]) -> dict[str, dict[str, torch.Tensor]]:
    """Weights that a script cannot draw by itself, by the name of their network in the file beside it.

    Args:
        setup: The run.
        model: Its fresh network.
        teachers: Whom it learns from.
    """
    found = {f"teacher{number}": dict(one.module.state_dict()) for number, one in enumerate(teachers)}
    if pretrained(setup.entry, setup.model_options):
        found[OWN] = dict(model.state_dict())
    return found


def weights_code(bundle: Bundle, file: str) -> str:
    """``weights_of``, which reads them."""
    bundle.imports.add("from pathlib import Path")
    return f'''def weights_of(name):
    """Weights of a network by name, from the file beside this script."""
    with np.load(Path(__file__).with_name({file!r})) as data:
        return {{key.partition("/")[2]: torch.from_numpy(data[key]) for key in data if key.startswith(name + "/")}}
'''


def network_code(bundle: Bundle, setup: Setup) -> str:
    """``build()``."""
    recipe, fed = setup.recipe, setup.preprocessing
    named = {**(setup.entry.options or {}), **setup.model_options}
    lines = ["torch.manual_seed(SEED)", *_built(bundle, setup.entry, named, fed, recipe)]
    if pretrained(setup.entry, setup.model_options):
        lines.append(f"model.load_state_dict(weights_of({OWN!r}))")
        return _function("build()", "The network with the weights that it begins with.", lines)
    first = recipe.initialisation
    if first.name != "own":
        layers, put = (
            bundle.add("guiapp.models.changed_places:weight_layers"),
            bundle.add("guiapp.models.initial_weights:set_weights"),
        )
        bundle.imports.add("import types")
        hidden = f"[layer for _, layer in {layers}(model, {fed.size!r})[:-1]]"
        lines.append(f"{put}({hidden}, types.SimpleNamespace({_fields(first)}))")
    lines += _prepared(bundle, setup)
    return _function("build()", "The network with the weights that the seed gives.", lines)


def teachers_code(bundle: Bundle, setup: Setup, teachers: list[Teacher]) -> str:
    """``teachers(device)``: who is asked."""
    made = bundle.add("guiapp.training.teachers:Teachers")
    bundle.imports.add("import types")
    lines = ["found = []"]
    for number, teacher in enumerate(teachers):
        if teacher.entry is None:
            raise SettingError(f"it is not known how {teacher.name} is built: a script cannot bring this teacher")
        check_network(teacher.entry)
        named = {**(teacher.entry.options or {}), **without_weights(teacher.entry, teacher.options)}
        recipe = None if teacher.setup is None else teacher.setup.recipe
        lines += _built(bundle, teacher.entry, named, teacher.preprocessing, recipe)
        lines.append(f'model.load_state_dict(weights_of("teacher{number}"))')
        fed = f"types.SimpleNamespace({_fields(teacher.preprocessing)})"
        lines.append("model.eval().requires_grad_(False)")
        lines.append(f"found.append(types.SimpleNamespace(module=model, preprocessing={fed}))")
    side = tuple(setup.dataset.sample_shape[1:])
    return _function(
        "teachers(device)", "The networks whose answers are learned.", lines,
        f"{made}(found, PREPARATION, device, {side!r})",
    )  # fmt: skip


def _built(
    bundle: Bundle, entry: ModelEntry, named: Mapping[str, Any], fed: Preprocessing, recipe: Recipe | None
) -> list[str]:
    """Lines that build a network and change its layers as a recipe, or its own options, say."""
    from guiapp.models.changes import Changes

    own = {name: value for name, value in named.items() if name != "changes"}
    if isinstance(entry, Backbone):
        lines = [f"model = {_torchvision(bundle, entry.name)}"]
    else:
        build: Any = entry.build
        given = ", ".join([*map(str, fed.size), "LABELS", *(f"{k}={v!r}" for k, v in own.items())])
        lines = [f"model = {bundle.add(build.reference)}({given})"]
    wanted = [Changes.from_text(named["changes"])] if "changes" in named else []
    wanted += [] if recipe is None else [layer_changes(recipe)]
    for changes in wanted:
        if changes.any:
            changed, kind = bundle.add("guiapp.models.changes:changed"), bundle.add("guiapp.models.changes:Changes")
            fields = ", ".join(f"{k}={v!r}" for k, v in vars(changes).items() if v != getattr(Changes(), k))
            lines.append(f"model = {changed}(model, {fed.size!r}, {kind}({fields}))")
    return lines


def _torchvision(bundle: Bundle, name: str) -> str:
    """The call that builds a published network with a new head, as ``models.backbones.build`` does."""
    from guiapp.models.zoo.table import ZOO

    module, _, function = ZOO[name].build.partition(":")
    bundle.imports.add(f"from {module} import {function}")
    more = ", init_weights=True, aux_logits=False" if name in ("googlenet", "inception_v3") else ""
    return f"{function}(weights=None, num_classes=LABELS{more})"


def _prepared(bundle: Bundle, setup: Setup) -> list[str]:
    """Lines that fit the layer which prepares the input to the training part."""
    wanted = setup.recipe.preprocessing
    if wanted.name not in ("mean-image", "pca", "whitening"):
        return []
    from guiapp.models.changed_input import INPUT
    from guiapp.training.preparation import threads_of_fit

    pictures = 'load()["train"][0], PREPARATION'
    if wanted.name == "mean-image":
        mean = bundle.add("guiapp.training.preparation:mean_picture")
        return [f"model.{INPUT}.mean.copy_({mean}({pictures}))"]
    names = ("in_threads", "principal_axes", "fill")
    threads, axes, fill = (bundle.add(f"guiapp.training.preparation:{name}") for name in names)
    return [
        f"axes = {threads}({threads_of_fit(setup)}, {axes}, {pictures}, model.{INPUT}.components)",
        f"{fill}(model.{INPUT}, axes, {wanted.name == 'whitening'}, {wanted.epsilon!r})",
    ]


def _fields(options: Any) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in vars(options).items())


def _function(head: str, words: str, lines: list[str], given: str = "model") -> str:
    body = "\n    ".join([*lines, f"return {given}"])
    return f'def {head}:\n    """{words}"""\n    {body}\n'
