"""Class activation maps: the maps of a layer, weighted by what the score's gradient says of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.gradients import guided
from guiapp.interpret.attribution.layer import ranked_layers
from guiapp.interpret.attribution.options import CamOptions, GuidedCamOptions
from guiapp.interpret.attribution.work import Asked, Found, Step
from guiapp.interpret.capture import module_of
from guiapp.interpret.case import Case
from guiapp.interpret.layers import first_tensor
from guiapp.interpret.maps import as_maps
from guiapp.interpret.targets import DETECTORS

Run = Generator[Step, None, Found]
_TRIES = 8
AGAINST = "nothing in this layer speaks for it: every value is negative, and those are left out"
FLAT = "the gradient is 0 in every place of this layer: nothing there changes the score"


class Leaf:
    """Where gradients stop: where nothing before it needs any, that part of the network runs as it does without.

    Attributes:
        tensor: The output of the layer's last call, to which gradients go; None before it is run.
    """

    def __init__(self) -> None:
        self.tensor: torch.Tensor | None = None

    def put(self, _module: Any, _arguments: Any, output: Any) -> Any:
        """The forward hook: goes on with a copy of the leaf, because a later layer may work in place."""
        found = first_tensor(output)
        if found is None or not found.is_floating_point():
            return output
        self.tensor = found if found.requires_grad else found.detach().requires_grad_()
        return _exchanged(output, found, self.tensor.clone())


@contextmanager
def leaf_at(module: torch.nn.Module, layer: str) -> Iterator[Leaf]:
    """Make the output of a layer a leaf for as long as it is entered."""
    leaf = Leaf()
    handle = module_of(module, layer).register_forward_hook(leaf.put)
    try:
        yield leaf
    finally:
        handle.remove()


def _exchanged(output: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    if output is old:
        return new
    if isinstance(output, dict):
        return type(output)((name, _exchanged(value, old, new)) for name, value in output.items())
    if isinstance(output, (tuple, list)):
        parts = [_exchanged(value, old, new) for value in output]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    return output


def weighted(kind: str, maps: torch.Tensor, gradients: torch.Tensor, positive: bool) -> torch.Tensor:
    """One map of the maps of a layer.

    Grad-CAM (Selvaraju et al. 2017) weights each map by the mean of its gradient; Layer-CAM (Jiang et al. 2021) each
    number by its own gradient where that is positive.

    Args:
        kind: ``"grad-cam"`` or ``"layer-cam"``.
        maps: Output of the layer, (1, C, h, w), or clips (1, C, T, h, w), of which the mean over time is taken.
        gradients: Of the score by that; as large.
        positive: Whether negative values become 0.

    Returns:
        (h, w).
    """
    if kind == "grad-cam":
        gradients = gradients.flatten(2).mean(2).reshape(*gradients.shape[:2], *(1,) * (gradients.ndim - 2))
    else:
        gradients = gradients.relu()
    found = (gradients * maps).sum(1)[0]
    if positive:
        found = found.relu()
    return found.mean(0) if found.ndim == 3 else found


def map_of(case: Case, layer: str, leaf: torch.Tensor, gradient: torch.Tensor, kind: str, positive: bool) -> Any:
    """The map (h, w) of a layer's output and its gradient, or None where these have no places."""
    info = next((known for known in case.layers if known.name == layer), None)
    extent = case.batch.shape[-2:]
    maps, gradients = (as_maps(value[:1].detach(), info, case.layers, extent)[0] for value in (leaf, gradient))
    return weighted(kind, maps, gradients, positive) if maps.ndim in (4, 5) else None


def cam(asked: Asked) -> Run:
    """Grad-CAM or Layer-CAM of the asked layer, or of the last with places that the score depends on."""
    options: CamOptions = asked.options
    yield 0.0, "forward and backward"
    return _cam(asked, options.layer, options.positive, asked.method.name)


def _cam(asked: Asked, layer: str, positive: bool, kind: str) -> Found:
    case = asked.case
    names = [layer] if layer else ranked_layers(case.layers)[:_TRIES]
    without: Found | None = None
    for name in names:
        leaf, gradient = _gradient_at(asked, name)
        if leaf is None or gradient is None:
            continue
        found = map_of(case, name, leaf, gradient, kind, positive)
        if found is None or found.numel() == 1:
            if layer:
                raise UserError(f"the output of {layer!r} has no places: choose a layer with maps")
            continue
        if bool(gradient.any()):
            return Found(map=found, layer=name, cover=cover_of(case), note="" if bool(found.any()) else AGAINST)
        without = without or Found(map=found, layer=name, cover=cover_of(case), note=FLAT)
    if without is not None:
        return without
    if layer:
        raise UserError(f"the target does not depend on layer {layer!r}: choose another layer")
    raise UserError("the target depends on no layer with maps")


def _gradient_at(asked: Asked, layer: str) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    with leaf_at(asked.case.module, layer) as leaf, torch.inference_mode(False), torch.enable_grad():
        value = asked.score(asked.batch.detach())
        asked.value = float(value[0].detach())
        if leaf.tensor is None or not value.requires_grad:
            return None, None
        (gradient,) = torch.autograd.grad(value[0], leaf.tensor, allow_unused=True)
    return leaf.tensor, gradient


def cover_of(case: Case) -> tuple[float, float]:
    """Height and width that maps of a layer lie over, for one of the input: a detector pads its scaled picture."""
    transform = getattr(case.module, "transform", None)
    if case.task not in DETECTORS or not callable(transform):
        return 1.0, 1.0
    with torch.no_grad():
        images, _ = transform([case.batch[0]])
    (height, width), padded = images.image_sizes[0], images.tensors.shape[-2:]
    return padded[0] / height, padded[1] / width


def guided_cam(asked: Asked) -> Run:
    """Guided backpropagation times Grad-CAM (Selvaraju et al. 2017), enlarged to the nearest as Captum does."""
    options: GuidedCamOptions = asked.options
    yield 0.0, "forward and backward"
    weights = _cam(asked, options.layer, True, "grad-cam")
    assert weights.map is not None
    steps = guided(asked)
    try:
        while True:
            yield next(steps) and (0.5, "guided backpropagation")
    except StopIteration as end:
        fine: Found = end.value
    finally:
        steps.close()
    assert fine.values is not None
    height, width = fine.values.shape[-2:]
    size = round(height * weights.cover[0]), round(width * weights.cover[1])
    large = torch.nn.functional.interpolate(weights.map[None, None], size, mode="nearest")[..., :height, :width]
    return Found(fine.values * large, layer=weights.layer, note=weights.note or fine.note)
