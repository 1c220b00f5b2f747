"""What a live task is: a network on a picture after another, and what a person may change without running it again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from guiapp.core.notices import SettingError
from guiapp.core.registry import Registry, resolve

if TYPE_CHECKING:
    import torch

    from guiapp.tasks.predictions import Drawn


@dataclass(frozen=True)
class LiveOptions:
    """What of a network's answer is shown. Changing it needs no new run of the network.

    Attributes:
        score: Objects are shown whose score is above this, 0 to 1.
        iou: Of two boxes of one class that overlap by more than this intersection over union, the worse goes; 0 to 1.
        top: At most so many objects, the best.
        classes: Indices of the classes that are shown, or None for all. Pixels of other classes become background.
        proposals: Whether the regions, anchors or cells that a detector looked at closer come along.
        resolution: Of a label map: that of the network's input, or of the picture.
    """

    score: float = 0.5
    iou: float = 0.5
    top: int = 100
    classes: frozenset[int] | None = None
    proposals: bool = False
    resolution: Literal["network", "picture"] = "network"

    def __post_init__(self) -> None:
        for name, value in (("score", self.score), ("iou", self.iou)):
            if not 0 <= value <= 1:
                raise SettingError(f"{name} is between 0 and 1, not {value}")
        if self.top < 0:
            raise SettingError(f"top is the number of objects shown, not {self.top}")


class LiveTask(Protocol):
    """The meaning of a network's output for pictures that follow one another.

    One object serves one stream of pictures and is used by one thread at a time.

    Attributes:
        labels: Class names by index; empty for flow.
        frames: How many pictures in a row the network takes: 1, 2 for flow, 16 for clips.
    """

    labels: tuple[str, ...]
    frames: int

    def run(self, module: torch.nn.Module, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> Any:
        """Run the network.

        Args:
            module: In evaluation mode.
            inputs: One prepared picture, float (1, 3, h, w), or a list of one (3, h, w) for detectors.
            size: Width and height of the picture as it is shown; boxes and vectors are given in its pixels.

        Returns:
            What ``drawn`` takes. It may hold features of the network: keep one, not many.
        """
        ...

    def again(
        self, module: torch.nn.Module, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]
    ) -> Any:
        """Run the network once more on the same picture, without a step in time: ``run`` where it needs one only."""
        ...

    def drawn(self, raw: Any, options: LiveOptions, previous: Drawn | None = None) -> Drawn:
        """What is shown of a run.

        Args:
            raw: From ``run``.
            options: What of it.
            previous: What was drawn of the same run before; it says that the answer must come at once, so that no
                part of the network runs: an object that is new gets its mask or key points with the next call
                without it. Until then its mask is empty (0, 0) and its key points have the score -inf.
        """
        ...

    def reset(self) -> None:
        """Forget the pictures before: another source, or a jump in the same."""
        ...


@runtime_checkable
class SeriesTask(LiveTask, Protocol):
    """A live task whose network takes several pictures in a row (``frames`` above 1).

    Every picture of the source is fed with its time, those too that came while the network was busy: else a slow
    network would see a faster world than the one it was trained on.

    Attributes:
        rate: Pictures a second of what the network takes, as it was trained; 0 for each picture and the one before.
    """

    rate: float

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor], seconds: float | None = None) -> None:
        """Take a picture; ``run`` is then about it and those before. One that was not fed is fed by ``run``.

        Args:
            inputs: As for ``run``.
            seconds: When it was made, on any clock that goes forward; None for one step of ``rate`` after the last.
        """
        ...


def slot_of(seconds: float, rate: float) -> int:
    """Number of the place in time that a picture belongs to, where ``rate`` pictures a second are wanted.

    Of the pictures of one slot the first counts. Time stamps are rounded, so a hundredth of a slot is allowed for.
    """
    return math.floor(seconds * rate + 0.01)


LIVE_TASKS: Registry[str] = Registry("live task")
"""Task name to ``"module:class"``; the class is called with the class names and the entry of the model."""
LIVE_TASKS.add("classification", "guiapp.tasks.classification:LiveClassification")
LIVE_TASKS.add("detection", "guiapp.tasks.detection:DetectionTask")
LIVE_TASKS.add("instances", "guiapp.tasks.detection:DetectionTask")
LIVE_TASKS.add("keypoints", "guiapp.tasks.detection:DetectionTask")
LIVE_TASKS.add("segmentation", "guiapp.tasks.segmentation:SegmentationTask")
LIVE_TASKS.add("flow", "guiapp.tasks.flow:FlowTask")
LIVE_TASKS.add("depth", "guiapp.tasks.depth:DepthTask")
LIVE_TASKS.add("clip", "guiapp.tasks.clip:ClipTask")


def make_live_task(task_name: str, labels: Sequence[str] = (), entry: Any = None) -> LiveTask:
    """Make the live task called ``task_name``; imports torch.

    Args:
        task_name: One of ``LIVE_TASKS``.
        labels: Class names by index.
        entry: The model's entry; ``frames`` of it, where it has that, says how long a clip is, else at least as long as
            its ``weights`` need.

    Raises:
        UnknownName: If there is no such task.
    """
    task: LiveTask = resolve(LIVE_TASKS[task_name])(tuple(labels), entry)
    return task
