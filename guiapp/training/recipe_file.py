"""A recipe as one file, ``NAME.recipe.json``: an experiment with every setting that decides its curve.

    {"format": 1, "experiment": "lenet5", "dataset": "mnist", "model": "lenet5", "model_options": {}, "recipe": {…}}

What belongs to a machine (device, threads, time between checkpoints) is left out: the file means the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import guiapp
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError, UserError
from guiapp.models.backbones import find_entry
from guiapp.training.recipe import Recipe, as_dict, from_dict
from guiapp.training.setup import recipe_of

if TYPE_CHECKING:
    from guiapp.catalogue.entry import Experiment
    from guiapp.training.setup import Setup

FORMAT = 1
ENDING = ".recipe.json"
OF_THE_MACHINE = ("device", "threads", "checkpoint_seconds")


@dataclass(frozen=True)
class RecipeFile:
    """What a file says.

    Attributes:
        experiment: Id of the catalogue entry.
        settings: What ``setup.prepare`` takes: dotted fields of the recipe, data set, network and its options.
    """

    experiment: str
    settings: Mapping[str, Any]

    def for_experiment(self, experiment: Experiment) -> dict[str, Any]:
        """The settings that must be made to give an experiment this recipe: those in which it differs.

        For another experiment than its own they are those of the recipe alone, without network and data.

        Raises:
            SettingError: If a setting does not fit this version of the program.
        """
        wanted = dict(self.settings)
        if experiment.id != self.experiment:
            wanted = {name: v for name, v in wanted.items() if name.partition(".")[0] not in ("dataset", "model")}
        chosen = {name: v for name, v in wanted.items() if name in ("dataset", "model")}
        given = flat(as_dict(recipe_of(experiment, chosen)))
        if chosen.get("model", experiment.model) == experiment.model:
            built = {**(find_entry(experiment.model).options or {}), **experiment.model_options}
            given.update({f"model.{name}": value for name, value in built.items()})
        return {name: v for name, v in wanted.items() if name in chosen or name not in given or given[name] != v}


def content(setup: Setup) -> dict[str, Any]:
    """What the file of a run's recipe holds, as plain data."""
    return content_of(setup.experiment.id, setup.dataset_name, setup.entry.name, setup.model_options, setup.recipe)


def content_of(
    experiment: str, dataset: str, model: str, model_options: Mapping[str, Any], recipe: Recipe
) -> dict[str, Any]:
    """What the file holds, from its parts."""
    return {
        "format": FORMAT,
        "program": f"Vision Explorer {guiapp.__version__}",
        "experiment": experiment,
        "dataset": dataset,
        "model": model,
        "model_options": dict(model_options),
        "recipe": {name: value for name, value in as_dict(recipe).items() if name not in OF_THE_MACHINE},
    }


def write_recipe(path: Path, setup: Setup) -> None:
    """Write the recipe of a run or of an experiment; a file that is there is replaced."""
    write_atomic(path, (json.dumps(content(setup), indent=1) + "\n").encode())


def read_recipe(path: Path) -> RecipeFile:
    """Read a recipe, checking every field.

    Raises:
        UserError: If there is no such file, or it is no recipe, or from a newer version of the program.
        SettingError: For a field that this version does not have, or a value that does not fit.
    """
    try:
        data = json.loads(path.expanduser().read_text())
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a recipe: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("recipe"), dict) or "experiment" not in data:
        raise UserError(f"{path} is not a recipe: write one with guiapp recipe EXPERIMENT --out FILE{ENDING}")
    if not isinstance(data.get("format"), int) or data["format"] > FORMAT:
        raise UserError(f"{path} was written by a newer version of this program; update it to use the recipe")
    known = {name: value for name, value in data["recipe"].items() if name not in OF_THE_MACHINE}
    try:
        recipe = flat(as_dict(from_dict(known)))
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from None
    settings: dict[str, Any] = {name: data[name] for name in ("dataset", "model") if data.get(name)}
    settings.update({f"model.{name}": value for name, value in (data.get("model_options") or {}).items()})
    settings.update({name: recipe[name] for name in flat(known)})
    return RecipeFile(str(data["experiment"]), settings)


def flat(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain data with dotted names."""
    found: dict[str, Any] = {}
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{inner}": v for inner, v in value.items()})
        else:
            found[name] = value
    return found
