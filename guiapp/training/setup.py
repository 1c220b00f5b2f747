"""Everything a run needs, put together from a catalogue entry and the person's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.catalogue.entry import Experiment
from guiapp.core import paths
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName, resolve
from guiapp.models.backbones import Backbone, find_entry, weights_here, with_side, without_weights
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.training.network_changes import GROUPS
from guiapp.training.recipe import Recipe, as_dict, change, convert, from_dict

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Dataset, Progress
    from guiapp.tasks.base import Task


@dataclass(frozen=True, eq=False)
class Setup:
    """A run before it starts: what ``train`` trains, on what, and how.

    Attributes:
        experiment: The catalogue entry.
        recipe: Optimiser, schedule, epochs, seed and the like.
        dataset_name: Registry name or folder of the data set.
        entry: The network's entry.
        preprocessing: How pictures become its input.
        classes: Class names by index.
        task: What the output means.
        model_options: Options of the network's builder that differ from the entry's.
        settings: What the person set, as given.
        notices: What the person should know about the choice, one line each.
    """

    experiment: Experiment
    recipe: Recipe
    dataset_name: str
    entry: ModelEntry
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    task: Task
    model_options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    open_data: Callable[[], Dataset] | None = None

    @cached_property
    def whole(self) -> Dataset:
        """The data set in its own parts; opened when first asked for where the setup comes from a run folder."""
        if self.open_data is None:
            raise UserError(f"the data set {self.dataset_name} was not given")
        return self.open_data()

    @cached_property
    def dataset(self) -> Dataset:
        """The data set in the parts that the recipe asks for, see ``data_views``."""
        from guiapp.training.data_views import view

        return view(self.whole, self.recipe)

    def build_model(self, fitted: bool = True) -> torch.nn.Module:
        """The network with the fresh weights that the recipe's seed gives, on the CPU, in training mode.

        Args:
            fitted: Whether a layer that prepares the input is fitted to the training part; not needed where weights
                are loaded afterwards.

        Raises:
            SettingError: If the recipe changes what this network does not have.
        """
        import torch

        import guiapp.models  # noqa: F401 - fills the registry
        from guiapp.training.network_changes import change_network
        from guiapp.training.transfer import freeze

        torch.manual_seed(self.recipe.seed)
        options = self.model_options if fitted else without_weights(self.entry, self.model_options)
        model = self.entry.make(self.preprocessing, len(self.classes), **options)
        return freeze(change_network(model, self, fitted), self)

    def initial_weights(self) -> dict[str, torch.Tensor] | None:
        """The trained weights that the experiment opens with, for looking; training starts from fresh ones.

        None where the entry names none, or where the settings choose another network or data set.

        Raises:
            UserError: If the file cannot be read or does not fit.
        """
        path = _weight_file(self.experiment, self.settings)
        if path is None:
            return None
        from guiapp.models.weights import load_weights

        return load_weights(path)[0]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``run.json``."""
        return {
            "experiment": dataclasses.asdict(self.experiment),
            "recipe": as_dict(self.recipe),
            "dataset": self.dataset_name,
            "model": self.entry.name,
            "model_options": dict(self.model_options),
            "preprocessing": self.preprocessing.as_dict(),
            "classes": list(self.classes),
            "task": self.experiment.task,
            "settings": {name: _plain(value) for name, value in self.settings.items()},
            "seed": self.recipe.seed,
        }

    def with_recipe(self, recipe: Recipe) -> Setup:
        """The same with another recipe; the opened data set is shared."""
        return dataclasses.replace(self, recipe=recipe, open_data=lambda: self.whole)


def prepare(
    experiment: Experiment, settings: Mapping[str, Any] | None = None, progress: Progress | None = None
) -> Setup:
    """Open the data set and put the run together.

    The recipe is the default one, changed by the experiment's ``recipe``, then by its ``by_dataset`` entry where
    another data set is chosen, then by the settings.

    Args:
        experiment: The catalogue entry.
        settings: Dotted fields of the recipe, ``"dataset"``, ``"model"`` and ``"model.<option>"``.
        progress: Told about the opening of the data set.

    Raises:
        SettingError: For a setting that does not exist or fit.
        UserError: For data that cannot be opened.
    """
    from guiapp.datasets import open_dataset
    from guiapp.datasets.check import glance
    from guiapp.tasks.base import make_task
    from guiapp.training.augmenter import check_augmentation
    from guiapp.training.data_views import view
    from guiapp.training.network_changes import feed
    from guiapp.training.transfer import check as check_transfer
    from guiapp.training.transfer import default_augmentation

    settings = dict(settings or {})
    dataset_name, entry, options, recipe, notices = _choose(experiment, settings)
    dataset = open_dataset(dataset_name, progress)
    seen = view(dataset, recipe)
    preprocessing = feed(entry.preprocessing(seen), recipe, seen.mean, seen.std)
    path = _weight_file(experiment, settings)
    if path is not None:
        preprocessing, dataset = _as_trained(path, dataset)
    check_augmentation(recipe.augmentation, preprocessing.size[0], experiment.task)
    made = Setup(
        experiment=experiment,
        recipe=recipe,
        dataset_name=dataset_name,
        entry=entry,
        preprocessing=preprocessing,
        classes=tuple(dataset.classes),
        task=make_task(experiment.task, tuple(dataset.classes)),
        model_options=options,
        settings=settings,
        notices=(*notices, *(glance(dataset) if len(dataset.train.paths) else ())),
        open_data=lambda: dataset,
    )
    if recipe.augmentation.name == "default":
        made = made.with_recipe(change(recipe, {"augmentation.name": default_augmentation(made)}))
    check_transfer(made)
    return made


def recipe_of(experiment: Experiment, settings: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe that ``prepare`` would give, without opening data; augmentation may still be ``"default"``.

    Raises:
        SettingError: For a setting that does not exist or fit.
    """
    return _choose(experiment, dict(settings or {}))[3]


def entry_recipe(experiment: Experiment, dataset: str) -> Recipe:
    """The recipe that a catalogue entry brings for a data set, before a person changes it."""
    fields = {**experiment.recipe, **_by_dataset(experiment, dataset)}
    recipe: Recipe = change(Recipe(), {name: value for name, value in fields.items() if "model." not in name})
    return recipe


def _by_dataset(experiment: Experiment, dataset: str) -> Mapping[str, Any]:
    return experiment.by_dataset.get(dataset, {}) if dataset != experiment.dataset else {}


def _choose(
    experiment: Experiment, settings: Mapping[str, Any]
) -> tuple[str, ModelEntry, dict[str, Any], Recipe, tuple[str, ...]]:
    """Data set, network, its options, recipe, and what the person should know."""
    from guiapp.datasets import DATASETS

    if experiment.live:
        raise SettingError(f"{experiment.title} is a published network that is not trained here: look into it in Live")
    others = dict(settings)
    notices: tuple[str, ...] = ()
    dataset_name = str(others.pop("dataset", experiment.dataset))
    if "dataset" not in settings and not DATASETS[dataset_name].available():
        notices = (
            f"the files of {DATASETS[dataset_name].title} are not on this machine: opened with "
            f"{DATASETS[experiment.fallback].title} instead; choose the data set itself to fetch it",
        )
        dataset_name = experiment.fallback
    model_name = str(others.pop("model", experiment.model))
    try:
        entry = find_entry(model_name)
    except UnknownName as error:
        raise SettingError(str(error)) from None
    same_model = model_name == experiment.model
    options = {name: value for name, value in experiment.model_options.items() if same_model}
    for dotted in [name for name in others if name.startswith("model.")]:
        name, value = dotted.removeprefix("model."), others.pop(dotted)
        options[name] = _option(entry, name, value)
    by_dataset = _by_dataset(experiment, dataset_name)
    options.update(
        {k.removeprefix("model."): v for k, v in by_dataset.items() if k.startswith("model.")} if same_model else {}
    )
    if same_model and "weights" not in options and isinstance(entry, Backbone) and not weights_here(model_name):
        options["weights"] = "random"
        lacking = f"the weights of {entry.title} are not on this machine: it begins with random ones, of which little"
        notices = (*notices, f"{lacking} is learned; run guiapp fetch {model_name}")
    recipe = change(entry_recipe(experiment, dataset_name), others)
    _check(recipe)
    return with_side(dataset_name, entry, DATASETS), entry, options, recipe, notices


def from_run(path: Path | str, progress: Progress | None = None, settings: Mapping[str, Any] | None = None) -> Setup:
    """The setup that a run folder was made with; the data set is opened when first asked for.

    Args:
        path: The run folder.
        progress: Told about the opening of the data set.
        settings: Fields of the recipe to change, such as more epochs.

    Raises:
        SettingError: For a setting that does not exist or fit.
        UserError: If there is no run, or its network is not known to this version of the program.
    """
    from guiapp.training.run_folder import RunFolder

    folder = RunFolder.open(path)
    if "watch" in folder.info:
        from guiapp.training.watched_setup import setup_of_watch

        return setup_of_watch(folder.path, folder.info, progress)
    return from_info(folder.info, progress, settings)


def from_info(
    data: Mapping[str, Any], progress: Progress | None = None, settings: Mapping[str, Any] | None = None
) -> Setup:
    """The setup that ``Setup.as_dict`` was made of, also after a round through JSON; see ``from_run``."""
    from guiapp.datasets import open_dataset
    from guiapp.tasks.base import make_task

    known = {f.name for f in dataclasses.fields(Experiment)}
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data["experiment"].items() if k in known
    }
    try:
        entry = find_entry(data["model"])
    except UnknownName as error:
        raise UserError(f"this run's network is not part of this version: {error}") from None
    fixed = next((name for name in settings or {} if name.startswith(GROUPS)), None)
    if fixed is not None:
        raise SettingError(f"{fixed} makes another network: a run keeps the one it began with")
    recipe: Recipe = change(from_dict(data["recipe"]), settings or {})
    _check(recipe)
    classes = tuple(data["classes"])
    experiment = Experiment(**fields)
    path_of_weights = _weight_file(experiment, data.get("settings", {}))

    def open_data() -> Dataset:
        dataset = open_dataset(data["dataset"], progress)
        return dataset if path_of_weights is None else _as_trained(path_of_weights, dataset)[1]

    return Setup(
        experiment=experiment,
        recipe=recipe,
        dataset_name=data["dataset"],
        entry=entry,
        preprocessing=Preprocessing.from_dict(data["preprocessing"]),
        classes=classes,
        task=make_task(data.get("task", "classification"), classes),
        model_options=data["model_options"],
        settings={**data.get("settings", {}), **(settings or {})},
        open_data=open_data,
    )


def _weight_file(experiment: Experiment, settings: Mapping[str, Any]) -> Path | None:
    """The weights that the entry opens with; none where the settings choose another network or other data."""
    if experiment.weights is None:
        return None
    wanted = {"model": experiment.model, "dataset": experiment.dataset}
    if any(
        setting.startswith(("model.", "data.", *GROUPS)) or wanted.get(setting, value) != value
        for setting, value in settings.items()
    ):
        return None
    return paths.resources() / "weights" / experiment.weights


def _as_trained(path: Path, dataset: Dataset) -> tuple[Preprocessing, Dataset]:
    """Pictures and drawings are fed to weights from a file the way that these were trained."""
    from guiapp.models.weights import load_weights

    metadata = load_weights(path)[1]
    drawn = dataclasses.replace(dataset, from_drawing=resolve(metadata["from_drawing"]))
    return Preprocessing.from_dict(metadata["preprocessing"]), drawn


def _option(entry: ModelEntry, name: str, value: Any) -> Any:
    known = entry.options or {}
    if name not in known:
        has = f"it has: {', '.join(known)}" if known else "it has none"
        raise SettingError(f"{entry.name} has no option {name!r}; {has}")
    default = known[name]
    return value if default is None else convert(value, type(default), f"model.{name}")


def _check(recipe: Recipe) -> None:
    from guiapp.training.augmentation import AUGMENTATIONS
    from guiapp.training.recipe_check import check_recipe

    check_recipe(recipe)
    name = recipe.augmentation.name
    if name != "default" and name not in AUGMENTATIONS:
        raise SettingError(f"augmentation is one of default, {', '.join(AUGMENTATIONS)}, not {name!r}")
    data = recipe.data
    if data.folds == 1:
        raise SettingError("data.folds is 0 or at least 2: one fold leaves nothing to learn from")
    if data.fold > max(data.folds, 1):
        raise SettingError(
            f"data.fold={data.fold}: there are {data.folds} folds" if data.folds else "data.fold needs data.folds"
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
