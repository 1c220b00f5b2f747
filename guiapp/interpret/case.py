"""A network on a picture about which something is asked: what attributions, grown pictures and attacks begin with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from guiapp.core.picture import Picture
    from guiapp.interpret.layers import LayerInfo


@dataclass(frozen=True, eq=False)
class Case:
    """A network with one prepared picture. ``engine.study.Study.case`` makes one.

    Attributes:
        module: The network in evaluation mode; its parameters ask for no gradients.
        task: ``"classification"``, ``"detection"``, ``"instances"``, ``"keypoints"``, ``"segmentation"``, ``"clip"``, …
        inputs: float32 (1, C, H, W), or for detectors a list of one (3, H, W).
        labels: Class names by index.
        layers: Its layers in the order of the forward pass.
        picture: The picture, or None.
        area: Left, top, width and height, in pixels of the picture, of what the input shows; None for all of it.
        prepare: Makes inputs of another picture; None where there is no other.
        frames: How many pictures in a row the network takes; a single one is shown to it so many times.
        switched_off: Channels that are zero, by layer.
    """

    module: torch.nn.Module
    task: str
    inputs: torch.Tensor | list[torch.Tensor]
    labels: tuple[str, ...] = ()
    layers: Sequence[LayerInfo] = ()
    picture: Picture | None = None
    area: tuple[float, float, float, float] | None = None
    prepare: Callable[[Picture], torch.Tensor | list[torch.Tensor]] | None = None
    frames: int = 1
    switched_off: Mapping[str, Collection[int]] = field(default_factory=dict)

    @property
    def batch(self) -> torch.Tensor:
        """The inputs as one float32 (1, C, H, W), detached."""
        return as_batch(self.inputs)

    def batch_of(self, picture: Picture) -> torch.Tensor:
        """Another picture as ``batch``.

        Raises:
            UserError: If no other picture can be prepared, or it becomes an input of another shape.
        """
        from guiapp.core.notices import UserError

        if self.prepare is None:
            raise UserError("this network's preprocessing is not known, so no other picture can be shown to it")
        return as_batch(self.prepare(picture))

    def label(self, index: int) -> str:
        """Name of a class, or its number where it has none."""
        return self.labels[index] if 0 <= index < len(self.labels) else f"class {index}"


def as_batch(inputs: Any) -> torch.Tensor:
    """One float32 (1, C, H, W) of a prepared picture, whether it stands in a list or not; detached."""
    one: torch.Tensor = inputs[0].unsqueeze(0) if isinstance(inputs, (list, tuple)) else inputs
    return one.detach()
