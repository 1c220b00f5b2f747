"""The network that a command asks about: a run, shipped weights, or a weight file."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.cli.exhibits import refuse_exhibit
from guiapp.core import paths
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import resolve
from guiapp.models.own.files import is_own, written_here

if TYPE_CHECKING:
    import torch

    from guiapp.core.picture import Picture
    from guiapp.datasets.base import Dataset, Part, Progress
    from guiapp.models.base import Preprocessing
    from guiapp.tasks.base import Task
    from guiapp.tasks.predictions import Prediction
    from guiapp.training.metrics.report import Report
    from guiapp.training.recipe import Recipe

_ENDING = ".safetensors"
FromDrawing = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]


@dataclass(eq=False)
class Subject:
    """A trained network with what is needed to ask it something, in evaluation mode; it is opened on the CPU.

    Attributes:
        name: What the person called it.
        model: The network.
        preprocessing: How pictures become its input.
        task_name: Name of the task.
        task: What the output means; holds the class names.
        dataset_name: Data set that it was trained on, or empty.
        step: Training step of the weights, or None.
        drawing_reference: ``"module:name"`` of what makes a sample of a drawing, where weights name it.
        built_as: Name and options of the network among those to train, where it came from a weight file.
        recipe: Of a run: which samples of the data set were its training and validation part.
        run: The folder of the run that it is, or None.
    """

    name: str
    model: torch.nn.Module
    preprocessing: Preprocessing
    task_name: str
    task: Task
    dataset_name: str = ""
    step: int | None = None
    drawing_reference: str | None = None
    built_as: tuple[str, Mapping[str, Any]] | None = None
    recipe: Recipe | None = None
    run: Path | None = None

    def open_dataset(self, name: str | None = None, progress: Progress | None = None) -> Dataset:
        """The data set called ``name``, or the one that it was trained on.

        Raises:
            SettingError: If there is none of that name, or it has other classes. Where both name the same ones, they
                are counted as the network does.
            UserError: If it cannot be read.
        """
        from guiapp.datasets import DATASETS, open_dataset
        from guiapp.datasets.order import in_order_of

        wanted = name or self.dataset_name
        if not wanted:
            raise SettingError(f"{self.name} does not say what it was trained on: name a data set with --dataset")
        if wanted not in DATASETS and not Path(wanted.removeprefix("folder:")).expanduser().exists():
            raise SettingError(f"there is no data set, folder or .zip {wanted}; data sets are: {', '.join(DATASETS)}")
        dataset = open_dataset(wanted, progress)
        if len(dataset.classes) != len(self.task.labels):
            raise SettingError(
                f"{dataset.title} has {len(dataset.classes)} classes, {self.name} tells {len(self.task.labels)} apart"
            )
        if self.recipe is not None and wanted == self.dataset_name:
            from guiapp.training.data_views import view

            return view(dataset, self.recipe)
        return in_order_of(dataset, self.task.labels)

    @cached_property
    def from_drawing(self) -> FromDrawing | None:
        """What makes a sample of a drawing, or None where that makes no sense or the data is not here."""
        return self._makers[0]

    @cached_property
    def _makers(self) -> tuple[FromDrawing | None, FromDrawing | None]:
        """What makes a sample of a drawing, and of a picture file that looks like one."""
        if self.drawing_reference:
            made: FromDrawing = resolve(self.drawing_reference)
            return made, made
        try:
            dataset = self.open_dataset()
        except UserError:
            return None, None
        return dataset.from_drawing, dataset.from_picture

    def input_of(self, picture: Picture, drawing: bool | None = None) -> tuple[npt.NDArray[np.uint8], str]:
        """What the network is fed for a picture file: the picture, or the sample made of the drawing on it.

        Args:
            picture: The picture.
            drawing: Whether it is a drawing; None decides by its look: a plain edge, and not of a sample's size.

        Returns:
            uint8 (H, W, C), and how it was read: ``"picture"``, ``"drawing"``, or ``"negative"`` for a sample with
            dark ink on light paper.

        Raises:
            SettingError: If it is to be a drawing and the data set knows none.
        """
        from guiapp.datasets.as_drawing import sample_of

        make = self._makers[0 if drawing else 1]
        if make is None and drawing:
            raise SettingError(f"drawings make no sense for {self.name}: leave --drawing out")
        return sample_of(picture.pixels, make, drawing)

    def predict(self, image: npt.NDArray[np.uint8]) -> Prediction:
        """Prediction for one uint8 (H, W, C)."""
        import torch

        own = next(itertools.chain(self.model.parameters(), self.model.buffers()), None)
        device = torch.device("cpu") if own is None else own.device
        from guiapp.models.finite import without_numbers

        with torch.no_grad():
            output = self.model(self.preprocessing(image).to(device))
        if without_numbers(output):
            raise UserError(f"{self.name} gives no answer to this picture: its weights or its output are NaN")
        return self.task.prediction(output)

    def report(self, dataset: Dataset, part: Part, progress: Progress) -> Report:
        """Probabilities of every sample of a part, with what follows from them."""
        from guiapp.training.evaluation import finish
        from guiapp.training.metrics.report import reporting
        from guiapp.training.scoring import scoring

        work = scoring(self.model, self.task, self.preprocessing, dataset, part, self.step or 0)
        scores = finish(work, lambda step: progress(step[0], "evaluating"))
        return finish(reporting(scores), lambda step: progress(step[0], step[1]))

    def evaluate(self, dataset: Dataset, part: Part, progress: Progress) -> dict[str, Any]:
        """Figures on a part of a data set: those of ``training.metrics.plain.summary``."""
        from guiapp.training.metrics.decision import decide
        from guiapp.training.metrics.plain import summary

        found = self.report(dataset, part, progress)
        return summary(found, decide(found.scores), dataset.part(part).paths)


def open_subject(target: str) -> Subject:
    """The network that ``target`` names.

    Args:
        target: A run's folder or its name, a .safetensors file, a file of a person's own, the name of shipped weights,
            of an experiment that opens with weights, or of a model for which weights are shipped.

    Raises:
        SettingError: If nothing has that name.
        UserError: If it is there and cannot be read.
    """
    path = Path(target).expanduser()
    if path.is_dir():
        return _run(path, target)
    if not path.exists():
        refuse_exhibit(target, "measured", "ask it with guiapp predict {} PICTURE")
    if path.is_file():
        if is_own(target) and not written_here(path):
            return _own(path, target)
        if path.suffix != _ENDING:
            raise UserError(f"{path} is neither a run folder nor a {_ENDING} file")
        return _weights(path, target)
    if path.suffix == _ENDING:
        raise SettingError(f"there is no weight file {path}")
    if (paths.runs() / target / "run.json").is_file():
        return _run(paths.runs() / target, target)
    return _weights(_shipped(target), target)


def is_trained(target: str) -> bool:
    """Whether ``target`` names something that was trained here, so that ``open_subject`` is the one to open it."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.models import MODELS

    path = Path(target).expanduser()
    if path.suffix.lower() == ".onnx":
        return False
    if path.is_file() and is_own(target):
        return written_here(path)
    if path.is_file() or path.suffix == _ENDING or (path / "run.json").is_file():
        return True
    shipped = paths.resources() / "weights" / f"{target}{_ENDING}"
    known = target in MODELS or (target in EXPERIMENTS and not EXPERIMENTS[target].live)
    return known or (paths.runs() / target / "run.json").is_file() or shipped.is_file()


def _shipped(target: str) -> Path:
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.models import MODELS

    folder = paths.resources() / "weights"
    files = {file.stem: file for file in sorted(folder.glob(f"*{_ENDING}"))}
    if target in files:
        return files[target]
    if target in EXPERIMENTS and (weights := EXPERIMENTS[target].weights):
        return folder / weights
    for name, file in files.items():
        if target in MODELS and name.startswith(f"{target}-"):
            return file
    if target in MODELS or target in EXPERIMENTS:
        raise SettingError(f"no weights are shipped for {target}: train it, and name the run instead")
    runs = [file.parent.name for file in paths.runs().glob("*/run.json")]
    known = [*files, *runs]
    near = difflib.get_close_matches(target, known, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"shipped weights are: {', '.join(files) or 'none'}"
    raise SettingError(f"there is no run, weight file or model {target}; {hint}")


def _run(folder: Path, name: str) -> Subject:
    from guiapp.training.load import load_run
    from guiapp.training.watched_setup import STAND_IN

    setup, model = load_run(folder)
    known = setup.dataset_name if setup.dataset_name != STAND_IN else ""
    return Subject(
        name, model.eval(), setup.preprocessing, setup.experiment.task, setup.task, dataset_name=known,
        recipe=setup.recipe, run=folder,
    )  # fmt: skip


def _own(file: Path, name: str) -> Subject:
    """A person's own network that tells classes apart, as it is set up.

    Raises:
        UserError: If it cannot be opened, or is for something else.
    """
    from guiapp.engine.open_own import open_own
    from guiapp.models.own.opened import entry_of
    from guiapp.tasks.base import make_task

    opened = open_own(entry_of(file))
    if opened.preprocessing is None or opened.entry.task != "classification":
        raise UserError(f"{name} is for {opened.entry.task}: there are no classes of pictures to count")
    return Subject(
        name, opened.module, opened.preprocessing, "classification", make_task("classification", opened.labels),
        dataset_name=opened.settings.dataset,
    )  # fmt: skip


def _weights(file: Path, name: str) -> Subject:
    from guiapp.models.of_file import network_of
    from guiapp.tasks.base import make_task

    found = network_of(file)
    return Subject(
        name,
        found.module.eval(),
        found.preprocessing,
        found.entry.task,
        make_task(found.entry.task, found.classes),
        dataset_name=found.about.get("dataset", ""),
        drawing_reference=found.about.get("from_drawing"),
        built_as=(found.entry.name, found.about.get("options", {})),
    )
