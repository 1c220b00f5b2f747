"""Networks that were trained here as networks of the live lane: those of a run folder, and the one that is open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.notices import UserError
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.open import OpenedModel

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.as_drawing import FromDrawing
    from guiapp.engine.twin import Twin
    from guiapp.models.base import Preprocessing
    from guiapp.training.setup import Setup

OPEN = "experiment:"
"""Name of the network of the open experiment, with its newest weights."""
FAMILY = "Trained here"


@dataclass(frozen=True, eq=False)
class OpenedTrained(OpenedModel):
    """A network that was trained here, ready to be asked about pictures of any size.

    Attributes:
        preprocessing: How its samples become its input.
        from_picture: What makes a sample of a picture with a drawing on it, or None where the data set knows none.
        twin: Where newer weights come from while it trains, or None.
    """

    preprocessing: Preprocessing | None = None
    from_picture: FromDrawing | None = None
    twin: Twin | None = None

    def prepare(
        self, pixels: npt.NDArray[np.uint8], device: torch.device | str | None = None, exact: bool = True
    ) -> torch.Tensor:
        """A picture as the network takes it, float32 (1, C, h, w), read as ``guiapp predict`` reads it.

        Of a drawing, a sample is made as the data set's own were; everything else is brought to size. While the
        network trains, this takes its newest weights.
        """
        from guiapp.datasets.as_drawing import sample_of

        assert self.preprocessing is not None
        if self.twin is not None:
            self.twin.live()
        image, _ = sample_of(np.asarray(pixels), self.from_picture)
        return self.preprocessing(image, self.device if device is None else device)


def run_folder(name: str) -> Path | None:
    """The run that a name means: a folder with a run in it, or what such a folder in the folder of runs is called."""
    path = Path(name).expanduser()
    for folder in (path, paths.runs() / name):
        if name and (folder / "run.json").is_file():
            return folder.absolute()
    return None


def run_entry(folder: Path) -> ZooModel:
    """What the list of networks says of a run, read without torch.

    Raises:
        UserError: If the run cannot be read.
    """
    from guiapp.training.run_folder import RunFolder

    run = RunFolder.open(folder)
    info: dict[str, Any] = run.info
    rows = run.epochs()
    best = max((float((row.get("validation") or {}).get("accuracy") or 0.0) for row in rows), default=0.0)
    experiment = info.get("experiment") or {}
    title = str(experiment.get("title") or experiment.get("id") or folder.name)
    called = str(info.get("name") or "")
    size = (info.get("preprocessing") or {}).get("size") or (3, 0, 0)
    return _entry(
        str(folder), called if called and called != folder.name else title, str(experiment.get("task", "")),
        Path(str(info.get("dataset", ""))).name, (int(size[1]), int(size[2])), best, folder.name,
    )  # fmt: skip


def open_entry() -> ZooModel:
    """The place of the open experiment's network in the list."""
    return _entry(OPEN, "The open experiment", "classification", "", (0, 0), 0.0, "newest weights")


def open_run(folder: Path, device: torch.device | str) -> OpenedTrained:
    """The network of a run with its best weights, or the last ones, as the recipe says.

    Raises:
        UserError: If the run has no weights yet or cannot be read.
    """
    from guiapp.training.load import load_run

    setup, module = load_run(folder)
    return _opened(run_entry(folder), setup, module, device, f"trained here, {folder.name}", folder)


def open_open(setup: Setup, twin: Twin) -> OpenedTrained:
    """The network of the open experiment; its weights go on as it trains."""
    import itertools

    import torch

    about = setup.experiment
    accuracy = 0.0
    entry = _entry(
        OPEN, f"{about.title} (open)", about.task, setup.dataset_name, setup.preprocessing.size[1:], accuracy, "open"
    )
    tensor = next(itertools.chain(twin.model.parameters(), twin.model.buffers()), None)
    device = torch.device("cpu") if tensor is None else tensor.device
    return _opened(entry, setup, twin.model, device, "the open experiment with its newest weights", None, twin)


def _opened(
    entry: ZooModel, setup: Setup, module: torch.nn.Module, device: torch.device | str, note: str,
    path: Path | None, twin: Twin | None = None,
) -> OpenedTrained:  # fmt: skip
    import torch

    if entry.task != "classification":
        raise UserError(f"{entry.title} is trained for {entry.task or 'nothing that is known'}: it tells no classes")
    place = torch.device(device)
    try:
        make = setup.dataset.from_picture
    except UserError:  # the data is not here any more: pictures are fed as they are
        make = None
    return OpenedTrained(
        entry, entry.best, module.to(place).eval(), tuple(setup.classes), "trained", path, note, place,
        preprocessing=setup.preprocessing, from_picture=make, twin=twin,
    )  # fmt: skip


def _entry(
    name: str, title: str, task: str, dataset: str, size: tuple[int, ...], accuracy: float, weights: str
) -> ZooModel:
    shape = (size[0], size[1]) if size[0] else None
    metrics = {"acc@1": 100 * accuracy} if accuracy else {}
    trained = ZooWeights(
        name=weights, enum="", url="", bytes=0, parameters=0, gflops=0.0, licence="your own", trained_on=dataset,
        labels="", metrics=metrics, measured_on="validation part", smallest=(1, 1), frames=1,
        preset=Preset("classification", shape, shape),
    )  # fmt: skip
    return ZooModel(name, title, FAMILY, task, "", (trained,), "trained with this program", opener="", draws=False)
