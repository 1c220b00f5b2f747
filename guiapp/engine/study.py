"""A network of one's own to work on: what is looked at, lent to a job on the work lane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch

    from guiapp.core.picture import Picture
    from guiapp.datasets.base import Dataset
    from guiapp.engine.state import Inspected
    from guiapp.interpret.case import Case
    from guiapp.models.zoo.open import OpenedModel

Area = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Study:
    """A network for one job alone: hooks and flags may be set, nothing that goes on elsewhere is touched.

    Its weights may be shared with the network that is looked at: a job that changes weights copies them first.

    Attributes:
        inspected: What the panels know of it: layers, labels, preprocessing.
        model: The network with its task and the way pictures become its input; ``model.module`` is in evaluation mode
            and its parameters ask for no gradients.
        step: Training step of the weights; 0 for a published network.
        picture: The picture that was looked at when the job began, or None.
        dataset: The data set of the open experiment, or None.
        average: Weights and buffers by name that the run validates in the place of its own, of the same step; None
            where it keeps no average, and at an earlier step, of which none is kept.
    """

    inspected: Inspected
    model: OpenedModel
    step: int = 0
    picture: Picture | None = None
    dataset: Dataset | None = None
    average: Mapping[str, torch.Tensor] | None = None

    @property
    def module(self) -> torch.nn.Module:
        """The network."""
        return self.model.module

    def inputs(self, picture: Picture) -> torch.Tensor | list[torch.Tensor]:
        """A picture as the network takes it, in memory of its own, ready for gradients to be asked for.

        Returns:
            float32 (1, C, H, W), or for detectors a list of one (3, H, W).
        """
        if picture.sample is not None and self.dataset is not None:
            return self.inspected.preprocessing(picture.sample, self.model.device)
        found = self.model.prepare(picture.pixels, self.model.device)
        return [one.clone() for one in found] if isinstance(found, list) else found.clone()

    def area(self, picture: Picture, inputs: torch.Tensor | list[torch.Tensor]) -> Area | None:
        """Left, top, width and height, in pixels of a picture, of what the input shows of it.

        None for a network that was trained here, where ``inspected.preprocessing`` says it.
        """
        from guiapp.engine.live_inside import covered

        if self.model.origin == "trained":
            return None
        one = inputs[0] if isinstance(inputs, list) else inputs
        return covered(self.model.weights.preset, picture.size, tuple(one.shape[-2:]))

    def case(self, picture: Picture | None = None, switched_off: Mapping[str, Collection[int]] | None = None) -> Case:
        """The network on a picture, as attributions and attacks take it.

        Args:
            picture: The picture; that of the study by default.
            switched_off: Channels that are set to zero, or multiplied, by layer.

        Raises:
            UserError: If there is no picture.
        """
        from guiapp.core.notices import UserError
        from guiapp.interpret.case import Case
        from guiapp.tasks.live_options import LIVE_TASKS, make_live_task

        picture = picture or self.picture
        if picture is None:
            raise UserError("there is no picture: open one")
        picture = self._read(picture)
        entry, inputs = self.model.entry, self._case_inputs(picture)
        frames = make_live_task(entry.task, self.model.labels, entry).frames if entry.task in LIVE_TASKS else 1
        return Case(
            self.module,
            entry.task,
            inputs,
            tuple(self.inspected.labels),
            self.inspected.layers,
            picture,
            self.area(picture, inputs),
            self._case_inputs,
            frames,
            dict(switched_off or {}),
        )

    def _read(self, picture: Picture) -> Picture:
        """A picture of a drawing with the sample made of it, so that a plain picture beside it is not read as paper."""
        maker = self.dataset.from_picture if self.dataset is not None else getattr(self.model, "from_picture", None)
        if picture.sample is not None or maker is None:
            return picture
        from guiapp.datasets.as_drawing import sample_of

        image, read_as = sample_of(picture.pixels, maker)
        return picture if read_as == "picture" else replace(picture, sample=image)

    def _case_inputs(self, picture: Picture) -> torch.Tensor | list[torch.Tensor]:
        if picture.sample is not None and self.model.origin == "trained":
            return self.inspected.preprocessing(picture.sample, self.model.device).clone()
        return self.inputs(picture)
