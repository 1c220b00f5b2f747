"""What a model entry is, and the preprocessing that travels with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.registry import Registry

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Dataset
    from guiapp.models.counting import Count


@dataclass(frozen=True)
class Preprocessing:
    """How pictures become the input of a network.

    Attributes:
        size: Channels, height, width that the network takes.
        mean, std: Per channel on the scale 0 to 1; (x / 255 - mean) / std is fed.
        fit: How a picture of another size is brought to ``size``: ``"pad"`` with black where at most a quarter is
            missing on each axis, else stretched; ``"stretch"``; ``"crop"`` resizes the short side and cuts the middle.
    """

    size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: str = "pad"

    def __call__(
        self, images: npt.NDArray[np.uint8] | torch.Tensor, device: torch.device | str = "cpu"
    ) -> torch.Tensor:
        """Prepare uint8 (N, H, W, C) or (H, W, C) as float32 (N, channels, height, width) on ``device``."""
        from guiapp.models.prepare import prepare

        return prepare(self, images, device)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a run folder or the metadata of a weight file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessing:
        """The inverse of ``as_dict``, also after a round through JSON."""
        return cls(tuple(data["size"]), tuple(data["mean"]), tuple(data["std"]), data.get("fit", "pad"))


@dataclass(frozen=True)
class ModelEntry:
    """How a network is listed and built.

    Attributes:
        name: Registry name, such as ``"lenet5"``.
        title: What a person reads.
        build: Makes the network: ``build(channels, height, width, classes, **options)`` gives an ``nn.Module`` that
            maps (N, channels, height, width) to logits (N, classes). Weights come from torch's global generator.
        input_size: Height and width that the network takes, or None for the data set's own.
        options: Names and defaults of the builder's options.
        choices: What the options that are words can be.
        trained_by: ``"gradient"``; ``"memory"`` for networks that keep the training part (``fit(images, labels)``).
        source: Paper, or course text and section.
        description: One or two sentences.
        counts: Gives the parameter counts of the course with the numbers put in, or None: called as ``build`` is.
    """

    name: str
    title: str
    build: Callable[..., torch.nn.Module]
    input_size: tuple[int, int] | None = None
    options: Mapping[str, Any] | None = None
    choices: Mapping[str, tuple[str, ...]] | None = None
    trained_by: str = "gradient"
    source: str = ""
    description: str = ""
    task: str = "classification"
    counts: Callable[..., Sequence[Count]] | None = None

    def preprocessing(self, dataset: Dataset) -> Preprocessing:
        """The preprocessing of this network on this data set."""
        channels, height, width = dataset.sample_shape
        height, width = self.input_size or (height, width)
        return Preprocessing((channels, height, width), dataset.mean, dataset.std)

    def make(self, preprocessing: Preprocessing, classes: int, **options: Any) -> torch.nn.Module:
        """Build the network for an input and a number of classes."""
        return self.assemble(preprocessing.size, classes, {**(self.options or {}), **options})

    def assemble(self, size: tuple[int, int, int], classes: int, options: Mapping[str, Any]) -> torch.nn.Module:
        """Build the network with exactly these options, and with changed layers where ``"changes"`` names some.

        Args:
            size: Channels, height, width of the input.
            classes: Number of classes.
            options: Of the builder; ``"changes"`` is a text of ``models.changes.Changes``.
        """
        own = {name: value for name, value in options.items() if name != "changes"}
        model = self.build(*size, classes, **own)
        if "changes" not in options:
            return model
        from guiapp.models.changes import Changes, changed

        return changed(model, size, Changes.from_text(options["changes"]))

    def count(self, preprocessing: Preprocessing, classes: int, **options: Any) -> Sequence[Count]:
        """The parameter counts of the course for this network; none where it has no formula."""
        if self.counts is None:
            return ()
        return self.counts(*preprocessing.size, classes, **{**(self.options or {}), **options})


MODELS: Registry[ModelEntry] = Registry("model")
