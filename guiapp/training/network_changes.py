"""What a recipe changes in a network after it is built: its layers, then its first weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    import torch

    from guiapp.models.base import Preprocessing
    from guiapp.models.changes import Changes
    from guiapp.training.recipe import Recipe
    from guiapp.training.setup import Setup

Change = Callable[["torch.nn.Module", "Setup"], "torch.nn.Module"]

GROUPS = ("preprocessing", "initialisation", "normalisation", "leave_out")
"""Groups of the recipe that make another network of the one that an experiment names."""


def layer_changes(recipe: Recipe) -> Changes:
    """What a recipe changes of the layers."""
    from guiapp.models.changes import Changes

    fed, out = recipe.preprocessing, recipe.leave_out
    wanted = fed.name if fed.name in ("mean-image", "pca", "whitening") else ""
    return Changes(
        normalisation=recipe.normalisation.name,
        groups=recipe.normalisation.groups,
        dropout=out.dropout,
        dropconnect=out.dropconnect,
        depth=out.depth,
        pooling=out.pooling,
        pool_share=out.pool_share,
        input=wanted,
        components=fed.components,
        back=fed.back,
    )


def change_layers(model: torch.nn.Module, setup: Setup) -> torch.nn.Module:
    """Normalisation, what is left out, and a layer that prepares the input, as the recipe wants them.

    Raises:
        SettingError: If the network has no place for one of them.
    """
    from guiapp.models.changes import changed

    if setup.recipe.normalisation.name == "batch" and setup.recipe.batch == 1:
        raise SettingError("a batch of one sample has no statistics to normalise with: set batch=2 or more")
    try:
        return changed(model, setup.preprocessing.size, layer_changes(setup.recipe))
    except UserError as error:
        raise SettingError(str(error)) from None


def first_weights(model: torch.nn.Module, setup: Setup) -> torch.nn.Module:
    """Weights of the hidden layers drawn by the rule of the recipe.

    Raises:
        SettingError: If the network has no hidden layer.
    """
    if setup.recipe.initialisation.name == "own":
        return model
    from guiapp.models.changed_places import weight_layers
    from guiapp.models.initial_weights import Rule, set_weights

    hidden = weight_layers(model, setup.preprocessing.size)[:-1]
    if not hidden:
        raise SettingError("initialisation has no place here: this network has no hidden layer")
    wanted = setup.recipe.initialisation
    set_weights([layer for _, layer in hidden], Rule(wanted.name, wanted.deviation, wanted.distribution))
    return model


CHANGES: tuple[Change, ...] = (change_layers, first_weights)
"""Each is called with a fresh network on the CPU and the setup, and gives the network to go on with. Weights that come
from elsewhere are loaded first, under the names of the network as it is built; then layers change, then first weights.
What is drawn comes from torch's global generator, which the run's seed has set."""


def change_network(model: torch.nn.Module, setup: Setup, fitted: bool = True) -> torch.nn.Module:
    """The network as the recipe wants it; the very same where the recipe changes nothing.

    Args:
        model: As its builder gives it, on the CPU.
        setup: The run.
        fitted: Whether a layer that prepares the input is fitted to the training part.

    Raises:
        SettingError: If a change has no place in this network; the line says why.
    """
    if setup.entry.trained_by == "memory":
        _refuse(setup)
        return model
    for change in CHANGES:
        model = change(model, setup)
    if fitted and layer_changes(setup.recipe).input:
        from guiapp.training.preparation import fit

        fit(model, setup)
    return model


def feed(
    preprocessing: Preprocessing, recipe: Recipe, mean: tuple[float, ...], std: tuple[float, ...]
) -> Preprocessing:
    """The preprocessing that a recipe asks for.

    Args:
        preprocessing: The network's own.
        recipe: What is asked for; the mean picture and principal axes are subtracted in the network.
        mean: Of the channels of the training part, scale 0 to 1.
        std: Their deviation.
    """
    name = recipe.preprocessing.name
    if name == "own":
        return preprocessing
    if len(mean) != preprocessing.size[0]:  # grey samples for a network that takes colour, or the other way round
        mean, std = ((sum(values) / len(values),) * preprocessing.size[0] for values in (mean, std))
    ones, zeros = (1.0,) * len(mean), (0.0,) * len(mean)
    found = {"centre": (mean, ones), "channels": (mean, std)}.get(name, (zeros, ones))
    return dataclasses.replace(preprocessing, mean=found[0], std=found[1])


def _refuse(setup: Setup) -> None:
    """A network that keeps the training part has no layers to change, nor first weights."""
    recipe = setup.recipe
    if layer_changes(recipe).any or recipe.initialisation.name != "own":
        raise SettingError(
            f"{setup.entry.title} only remembers the samples: its input is own, none, centre or channels, and it "
            "has no layers to change"
        )
    if recipe.average.name != "none" or recipe.members.name != "none" or recipe.distillation.teacher:
        raise SettingError(
            f"{setup.entry.title} only remembers the samples: there are no weights to average, to keep or to teach"
        )
