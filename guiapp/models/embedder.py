"""One vector for a picture by a published network: what its head is given, of maps the mean over places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.models.head import features_of, find_head

if TYPE_CHECKING:
    from guiapp.models.zoo.open import OpenedModel

Floats = npt.NDArray[np.float32]


class Embedder:
    """A frozen network that describes pictures.

    Attributes:
        model: The network.
        name: Its name in the zoo.
        width: Length of a vector; 0 before the first picture.
    """

    def __init__(self, model: OpenedModel) -> None:
        self.model, self.name, self.width = model, model.entry.name, 0
        self._head = find_head(model.module)
        model.module.to(memory_format=torch.channels_last)

    def __call__(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Floats:
        """Vectors, float32 (N, D), of pictures, each uint8 (H, W, 3) of any size."""
        prepared = [self._prepared(pixels) for pixels in pictures]
        inputs = torch.cat(prepared).contiguous(memory_format=torch.channels_last)
        features = features_of(self.model.module, self._head, inputs).float()
        vectors = features.flatten(2).mean(2) if features.ndim > 2 else features
        self.width = vectors.shape[1]
        return np.asarray(vectors.cpu().numpy(), np.float32)

    def _prepared(self, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        given = self.model.prepare(pixels, exact=False)
        assert isinstance(given, torch.Tensor)
        return given
