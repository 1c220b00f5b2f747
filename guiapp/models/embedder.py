"""One vector for a picture by a published network: what its head is given, of maps the mean over places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.models.head import features_of, find_head
from guiapp.models.zoo.fused import Fused, fuse

if TYPE_CHECKING:
    from guiapp.models.zoo.open import OpenedModel

Floats = npt.NDArray[np.float32]

_PLAIN = 40
"""Pictures before the network is fused, which takes about as long as it saves on so many."""
_WATCHED = 4
"""Pictures of the passes that are watched to fuse it."""


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
        self._seen = 0
        self._fused: Fused | None = None
        model.module.to(memory_format=torch.channels_last)

    def __call__(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Floats:
        """Vectors, float32 (N, D), of pictures, each uint8 (H, W, 3) of any size."""
        prepared = [self._prepared(pixels) for pixels in pictures]
        inputs = torch.cat(prepared).contiguous(memory_format=torch.channels_last)
        if self._seen < _PLAIN <= self._seen + len(inputs):
            self._fused = self._fuse(inputs[:_WATCHED])
        self._seen += len(inputs)
        if self._fused is None:
            vectors = self._vectors(inputs)
        else:
            with self._fused.running():
                vectors = self._vectors(inputs)
        self.width = vectors.shape[1]
        return np.asarray(vectors.cpu().numpy(), np.float32)

    def _vectors(self, inputs: torch.Tensor) -> torch.Tensor:
        features = features_of(self.model.module, self._head, inputs).float()
        return features.flatten(2).mean(2) if features.ndim > 2 else features

    def _fuse(self, inputs: torch.Tensor) -> Fused | None:
        """The network fused, where it then describes these pictures as it did before."""
        plain = self._vectors(inputs)
        try:
            fused = fuse(self.model.module, lambda: self._vectors(inputs))
            if fused is None:
                return None
            with fused.running():
                again = self._vectors(inputs)
        except UserError:  # the first layer of the head is fused, and no longer says what it is given
            return None
        return fused if torch.allclose(again, plain, rtol=1e-3, atol=1e-3 * float(plain.abs().max())) else None

    def _prepared(self, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        given = self.model.prepare(pixels, exact=False)
        assert isinstance(given, torch.Tensor)
        return given
