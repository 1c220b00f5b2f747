"""The unit probe: the map of one unit for the picture, where it responds most, and what its change does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.atlas import Atlas, make_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.maps import as_maps
from guiapp.interpret.units.options import UnitOptions, unit_layers
from guiapp.tasks.predictions import ClassScores


@dataclass(frozen=True, eq=False)
class UnitView:
    """Result of the unit probe.

    Attributes:
        layer, unit: What was asked for; the unit is the last one where there are fewer.
        units: Number of units of the layer.
        atlas: The unit's map as one tile; of clips the largest of all moments.
        peak: Row and column of the largest value.
        value: That value.
        flat: Whether the map has one value everywhere, so that no place is the strongest.
        plain: Probabilities of the network as it is, where that was asked for and it knows classes.
        step: Training step of the weights.
    """

    layer: str
    unit: int
    units: int
    atlas: Atlas
    peak: tuple[int, int]
    value: float
    flat: bool
    plain: npt.NDArray[np.float32] | None
    step: int | None


def run(look: Look, options: UnitOptions) -> UnitView | None:
    """Show one unit of the kept output of a layer; None where the layer gave nothing.

    Args:
        look: Its ``activations`` hold the layer.
        options: The unit.
    """
    name = next(iter(unit_layers(look.layers, options)), "")
    output = look.activations.get(name)
    if output is None:
        return None
    known = next((layer for layer in look.layers if layer.name == name), None)
    maps, _ = as_maps(output[:1], known, look.layers, look.preprocessing.size[1:])
    if maps.ndim == 5:
        maps = maps.amax(2)
    elif maps.ndim == 3:
        maps = maps.transpose(1, 2)[..., None]
    elif maps.ndim == 2:
        maps = maps[..., None, None]
    units = maps.shape[1]
    unit = min(options.unit, units - 1)
    own = maps[0, unit].float()
    peak = divmod(int(own.argmax()), own.shape[1])
    flat = own.numel() > 1 and bool((own == own[0, 0]).all())
    return UnitView(
        name, unit, units, make_atlas(own[None]), peak, float(own[peak]), flat, _plain(look, options.compare), look.step
    )


def _plain(look: Look, wanted: bool) -> npt.NDArray[np.float32] | None:
    """Probabilities without any change: the hooks that change channels have gone when probes are asked."""
    if not wanted or look.input is None or not isinstance(look.shown, ClassScores):
        return None
    output = look.model(look.input)
    if not isinstance(output, torch.Tensor) or output.shape[-1] != len(look.shown.probabilities):
        return None
    found: npt.NDArray[np.float32] = torch.softmax(output[0].float(), -1).cpu().numpy()
    return found
