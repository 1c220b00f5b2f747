"""The places probe: a class for every place, by a network that ends in the mean of its maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret import capture
from guiapp.interpret.places_options import PlacesOptions

if TYPE_CHECKING:
    from guiapp.interpret.base import Look
    from guiapp.interpret.layers import LayerInfo

_MOST_PIXELS = 1024 * 1024


@dataclass(frozen=True, eq=False)
class PlacesView:
    """Result of the places probe.

    Attributes:
        classes: int16 (h, w), the most probable class of each place.
        confidence: float32 (h, w), its probability.
        whole: float32 (C,), probabilities of the mean over all places: the prediction for the enlarged picture.
        fed: Height and width of what the network was fed.
        area: Left, top, width, height, in pixels of the picture, of what the places cover; None for all of it.
        labels: Class names.
        step: Training step of the weights, or None.
        reason: Why there are no places, or ``""``; the arrays are empty then.
    """

    classes: npt.NDArray[np.int16]
    confidence: npt.NDArray[np.float32]
    whole: npt.NDArray[np.float32]
    fed: tuple[int, int]
    area: tuple[float, float, float, float] | None
    labels: tuple[str, ...]
    step: int | None
    reason: str = ""


def head_of(model: nn.Module, layers: Sequence[LayerInfo]) -> tuple[str, nn.Linear | None] | None:
    """The layer with the last maps, and the dense layer that reads their means; None for that where there is none.

    Returns:
        None where the network does not end so: its last maps are not as many as its logits or its dense layer's inputs.
    """
    with_maps = [layer for layer in layers if len(layer.output_shape) == 3 and max(layer.output_shape[1:]) > 1]
    if not with_maps or not layers[-1].output_shape:
        return None
    leaves = {layer.name for layer in layers} - {layer.parent for layer in layers}
    dense = [layer.name for layer in layers if layer.name in leaves and layer.kind == "dense"]
    last = next((layer for layer in reversed(with_maps) if layer.name in leaves), with_maps[-1])
    found = model.get_submodule(dense[-1]) if len(dense) == 1 else None
    head = found if isinstance(found, nn.Linear) else None
    if dense and head is None:
        return None
    wanted = head.in_features if head is not None else layers[-1].output_shape[0]
    # A block that joins or adds is no leaf: its maps are those of the outermost module around the last leaf that fits.
    around = [layer for layer in with_maps if layer.name == last.name or last.name.startswith(f"{layer.name}.")]
    fitting = [layer for layer in around if layer.output_shape[0] == wanted]
    return (min(fitting, key=lambda layer: layer.depth).name, head) if fitting else None


def _fed(look: Look, times: int) -> torch.Tensor:
    """The picture so many times larger than the network's input: with its own detail where it has more."""
    channels, height, width = look.preprocessing.size
    assert look.picture is not None
    pixels = look.picture.network_pixels
    if look.input is not None and (pixels.shape[0] < 2 * height or pixels.shape[1] < 2 * width):
        return nn.functional.interpolate(look.input, scale_factor=times, mode="bilinear", align_corners=False)
    larger = dataclasses.replace(look.preprocessing, size=(channels, times * height, times * width))
    return larger(pixels, next(look.model.parameters()).device)


def run(look: Look, options: PlacesOptions | None = None) -> PlacesView:
    """``classes_of_places``; where nobody waits for the answer, a reason stands in the place of an error."""
    try:
        return classes_of_places(look, options)
    except UserError as error:
        if look.patient:
            raise
        nothing = np.empty((0, 0), np.float32)
        return PlacesView(
            nothing.astype(np.int16), nothing, nothing[0:0].ravel(), (0, 0), None, (), look.step, str(error)
        )


def classes_of_places(look: Look, options: PlacesOptions | None = None) -> PlacesView:
    """Scores of the classes for each place: the network without its mean over places (Lin et al. 2013, section 3.2).

    A dense layer after the mean is linear, so it may as well read each place (Zhou et al. 2015, arXiv 1512.04150): the
    mean of its scores is the score of the mean.

    Raises:
        UserError: If the network does not end in the mean of its maps, or does not take a larger picture.
    """
    options = options or PlacesOptions()
    head = head_of(look.model, look.layers)
    if head is None or look.picture is None:
        raise UserError("this network does not end in the mean of its maps: it has no prediction for a place")
    _, height, width = look.preprocessing.size
    times = max(1, options.enlarge)
    while times > 1 and times * height * times * width > _MOST_PIXELS:
        times -= 1
    inputs = _fed(look, times)
    name, dense = head
    try:
        output, kept = capture.run(look.model, inputs, (name,))
    except RuntimeError as error:
        raise UserError(f"this network takes pictures of {width}x{height} alone") from error
    maps = kept[name].float()
    scores = maps if dense is None else torch.einsum("nchw,kc->nkhw", maps, dense.weight.float())
    if dense is not None and dense.bias is not None:
        scores = scores + dense.bias.float()[:, None, None]
    if not torch.allclose(scores.mean((2, 3)), output.float(), rtol=1e-3, atol=1e-3):
        raise UserError("this network does more with its last maps than their mean: it has no prediction for a place")
    confidence, classes = torch.softmax(scores[0], 0).max(0)
    return PlacesView(
        classes.cpu().numpy().astype(np.int16),
        confidence.cpu().numpy().astype(np.float32),
        torch.softmax(output[0].float(), 0).cpu().numpy().astype(np.float32),
        (times * height, times * width),
        look.area,
        tuple(look.labels),
        look.step,
    )
