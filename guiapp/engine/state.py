"""What the engine tells the rest: immutable records that are put into slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.catalogue.entry import Experiment
    from guiapp.core.picture import Picture
    from guiapp.datasets.as_drawing import Reading
    from guiapp.datasets.base import Dataset
    from guiapp.interpret.layers import LayerInfo
    from guiapp.models.base import ModelEntry, Preprocessing
    from guiapp.tasks.predictions import Prediction
    from guiapp.training.columns import Columns
    from guiapp.training.recipe import Recipe

Phase = Literal["empty", "opening", "ready", "running", "paused", "finished", "failed"]
"""``ready``: open and untrained (or weights from a file); ``paused``: a run that can go on; ``finished``: ended."""


@dataclass(frozen=True, eq=False)
class Inspected:
    """A network that panels look into, whichever lane it is on.

    Attributes:
        model: The model entry; ``model_options`` are the options it was built with.
        preprocessing: How pictures become its input.
        labels: Class names.
        layers: Layers in the order of the forward pass.
        parameters: Number of its parameters: those that train, or of a published network all.
        device: Where it runs, such as ``"cpu"`` or ``"cuda"``.
    """

    model: ModelEntry
    model_options: Mapping[str, Any]
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    layers: Sequence[LayerInfo]
    parameters: int
    device: str


@dataclass(frozen=True, eq=False)
class Opened(Inspected):
    """The experiment that is open; a new object whenever it is opened, reset or changed.

    Attributes:
        experiment: The catalogue entry.
        recipe: The recipe that the next start uses.
        dataset: Its data set.
        pretrained: Whether the first weights come from a file.
        settings: The dotted settings that differ from the catalogue entry.
        runs: Whether the network can be asked about pictures; of some that are watched only the weights are known.
    """

    experiment: Experiment
    recipe: Recipe
    dataset: Dataset
    pretrained: bool
    settings: Mapping[str, Any]
    runs: bool = True


@dataclass(frozen=True, eq=False)
class EngineState:
    """Where the engine is; published at the rate of the display while something moves.

    Attributes:
        phase: See ``Phase``.
        opened: The open experiment.
        activity: What the learn lane does, in words: ``"training"``, ``"preparing"``, ``"evaluating"``, ``""``.
        share: Share done of what takes long (0 to 1), or None.
        step, total_steps, epoch, epochs: Where the run stands; ``step`` counts completed steps.
        steps_per_second: Over the last second of training.
        seconds_left: Estimate for the run.
        learning_rate: At the last step.
        columns: Per-step metrics (``loss``, ``accuracy``, ``lr``) of the open run, or None before the first start.
        epoch_rows: One mapping an epoch: ``epoch``, ``step``, ``train``, ``validation``, ``seconds``.
        events: Changes made by hand during the run: mappings with ``step``, ``what``, ``value``.
        snapshot_steps: Steps to which the time machine can go.
        run: Folder of the open run.
        initial_loss: Loss before the first step, or None.
        estimate: One line on the time and memory of a run, for beside Start; empty until known.
        refused: Why a start is refused, or empty.
        threads: Threads of the learn lane.
        may_stop: Whether the process that writes a watched run can be asked from here to stop.
        watched: Who writes the open run, where that is another process and this one only looks on; else empty.
    """

    phase: Phase = "empty"
    opened: Opened | None = None
    activity: str = ""
    share: float | None = None
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    epochs: int = 0
    steps_per_second: float = 0.0
    seconds_left: float | None = None
    learning_rate: float = 0.0
    columns: Columns | None = None
    epoch_rows: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    snapshot_steps: Sequence[int] = ()
    run: Path | None = None
    initial_loss: float | None = None
    estimate: str = ""
    refused: str = ""
    threads: int = 1
    watched: str = ""
    may_stop: bool = False


@dataclass(frozen=True)
class Request:
    """What one panel wants to know while it is visible.

    Attributes:
        probe: Name of a probe.
        options: Its options, the probe's own dataclass.
        pause: Least seconds between two answers to the same request while a network trains, for what changes slowly.
    """

    probe: str
    options: Any = None
    pause: float = 0.0


@dataclass(frozen=True, eq=False)
class LookResult:
    """One look at the network: newest picture, newest weights (or those of a chosen step).

    Attributes:
        opened: The network that was looked at: an ``Opened`` experiment, or the one on the live lane.
        step: Step of the weights; 0 for a published network.
        live: Whether these are the newest weights, not a step gone back to.
        modified: Whether channels are switched off.
        picture: The picture, or None.
        prediction: Typed prediction, or None without a picture.
        plain: Prediction of the network as it is, where ``modified``.
        results: Probe results by the panel that asked.
        milliseconds: Time of ``capture``, ``preprocess``, ``forward``, ``postprocess``.
        dropped: Pictures overwritten before they were looked at, so far.
        fed: What the network was fed, uint8 (H, W, C), or None without a picture.
        read_as: How the picture became that: as it is, as a drawing, or as a negative (``datasets.as_drawing``).
        area: Left, top, width and height, in pixels of the picture, of what the input shows of it; None where
            ``opened.preprocessing`` says it.
    """

    opened: Inspected
    step: int
    live: bool
    modified: bool
    picture: Picture | None
    prediction: Prediction | None
    plain: Prediction | None
    results: Mapping[str, Any] = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0
    fed: npt.NDArray[np.uint8] | None = None
    read_as: Reading = "picture"
    area: tuple[float, float, float, float] | None = None
