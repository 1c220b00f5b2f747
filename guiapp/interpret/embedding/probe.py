"""The embedding probe: the vector of one picture, and its place and neighbours in a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.interpret.embedding.features import pooled
from guiapp.interpret.embedding.options import INPUT, OUTPUT, EmbeddingOptions, asked_layer
from guiapp.interpret.layers import first_tensor

if TYPE_CHECKING:
    from guiapp.interpret.base import Look
    from guiapp.interpret.embedding.distance import Metric, Neighbours
    from guiapp.interpret.embedding.place import Map


@dataclass(frozen=True, eq=False)
class Embedded:
    """Where one picture lies.

    Attributes:
        layer: Name of the layer.
        vector: float32 (D,).
        place: float32 (2,) in the map that was asked about, or None without one or where it does not fit any more.
        neighbours: The nearest pictures of the map under each distance.
    """

    layer: str
    vector: npt.NDArray[np.float32]
    place: npt.NDArray[np.float32] | None = None
    neighbours: dict[Metric, Neighbours] | None = None


def run(look: Look, options: EmbeddingOptions | None = None) -> Embedded:
    """The vector of the picture that is looked at.

    Raises:
        UserError: If the layer gives none.
    """
    options = options or EmbeddingOptions()
    name = asked_layer(look.layers, options)
    if name == INPUT:
        if look.input is None:
            raise UserError("there is no picture to look at")
        given = first_tensor(look.input)  # detectors take a list
        assert given is not None
        vector = given.flatten().float()
    else:
        found = first_tensor(look.output) if name == OUTPUT else look.activations.get(name)
        if found is None:
            raise UserError(f"{name} gives nothing for this picture: choose another layer")
        info = next((layer for layer in look.layers if layer.name == name), None)
        vector = pooled(found, 1, options.pool, info)[0]
    numbers = np.nan_to_num(vector.detach().cpu().numpy().astype(np.float32))
    where: Map | None = options.placed_in
    if where is None or where.features.layer != name or len(numbers) != where.features.vectors.shape[1]:
        return Embedded(name, numbers)
    return Embedded(name, numbers, where.place(numbers), where.neighbours(numbers, options.count))
