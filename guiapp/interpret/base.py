"""What a probe is: a question put to a network about a picture, answered on the inspection twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guiapp.core.registry import Registry

if TYPE_CHECKING:
    import torch

    from guiapp.core.picture import Picture
    from guiapp.datasets.base import Dataset
    from guiapp.interpret.layers import LayerInfo
    from guiapp.models.base import Preprocessing


@dataclass
class Look:
    """What a probe may read; it changes none of it.

    Attributes:
        model: The inspection twin in evaluation mode, with the weights of ``step``.
        layers: Its layers in the order of the forward pass.
        preprocessing: How pictures become its input.
        step: Training step of the weights, or None for weights from a file.
        picture: The picture, or None.
        input: float32 (1, C, H, W), the prepared picture, or None.
        output: Output of the network for ``input``, or None.
        activations: Outputs of the layers that the probe asked for, by layer name, batch of one.
        dataset: The open data set, or None.
        area: Left, top, width and height, in pixels of the picture, of what the input shows of it; None for all.
        calls: Calls of the modules that the probe asked for with ``()`` after the name, as ``listen.Call``.
        run: What the task of a published network keeps of the run, such as the boxes before suppression; or None.
        shown: What is drawn of that, and ``shown_by`` the thresholds (``LiveOptions``); None without.
        labels: Class names, where they are known.
        task: What the network is for; ``inputs`` is what it is fed where that is no tensor, of detectors a list.
        frames: How many pictures in a row the network takes.
        prepare: Makes inputs of another picture; None where that is not known.
        switched_off: Channels that are set to zero or multiplied in this look, by layer.
        explained: Maps that came out of the run itself, by the ``AttributionOptions`` that asked for them.
        patient: Whether somebody waits, so that a probe may take its time.
    """

    model: torch.nn.Module
    layers: Sequence[LayerInfo]
    preprocessing: Preprocessing
    step: int | None = None
    picture: Picture | None = None
    input: torch.Tensor | None = None
    output: torch.Tensor | None = None
    activations: Mapping[str, torch.Tensor] = field(default_factory=dict)
    dataset: Dataset | None = None
    area: tuple[float, float, float, float] | None = None
    calls: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    run: Any = None
    shown: Any = None
    shown_by: Any = None
    labels: tuple[str, ...] = ()
    task: str = "classification"
    inputs: Any = None
    frames: int = 1
    prepare: Callable[[Picture], Any] | None = None
    switched_off: Mapping[str, Any] = field(default_factory=dict)
    explained: Mapping[Any, Any] = field(default_factory=dict)
    patient: bool = False


def no_layers(layers: Sequence[LayerInfo], options: Any) -> tuple[str, ...]:
    """For probes that need no layer outputs."""
    return ()


@dataclass(frozen=True)
class Probe:
    """How a probe is listed and run.

    Attributes:
        name: Registry name, such as ``"filters"``.
        title: What a person reads.
        options: Dataclass (without torch) of its options, from which the form is made; every field has a default.
        run: ``run(look, options)`` gives the result, plain arrays ready to draw. It uses no global random state,
            leaves no hook and no changed flag behind, and runs under ``torch.no_grad`` unless it enables gradients.
        layers: ``layers(look.layers, options)`` names the layers whose outputs the shared forward pass keeps for it;
            ``()`` after a name asks for the calls of that module, which the live lane alone keeps.
        needs_picture: Whether it is skipped while there is no picture.
        each_picture: Whether the live lane asks it about every picture, not ten times a second.
        shows: The published network whose working it shows, without a forward pass of any network; empty for those
            that ask the network that is open.
    """

    name: str
    title: str
    options: type[Any]
    run: Callable[[Look, Any], Any]
    layers: Callable[[Sequence[LayerInfo], Any], tuple[str, ...]] = no_layers
    needs_picture: bool = True
    shows: str = ""
    each_picture: bool = False


PROBES: Registry[Probe] = Registry("probe")
