"""The output of a layer for many pictures: one vector for each, with what the network says of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret import capture
from guiapp.interpret.alone import takes_one
from guiapp.interpret.embedding.options import INPUT, OUTPUT
from guiapp.interpret.embedding.pictures import DataPictures, Pictures
from guiapp.interpret.layers import LayerInfo, first_tensor

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing
    from guiapp.models.zoo.open import OpenedModel

Floats = npt.NDArray[np.float32]
Pool = Literal["mean", "max", "class token", "all"]

_MOST_DIMENSIONS = 16_384
_MOST_BYTES = 4_000_000_000
_BATCH_NUMBERS = 1 << 20
"""Numbers of the inputs that go through the network at a time: between two batches the work can be stopped."""
_MOST_BATCH = 256


@dataclass(frozen=True, eq=False)
class Features:
    """What one layer gives for some pictures.

    Attributes:
        pictures: The pictures.
        layer: Name of the layer.
        step: Training step of the weights.
        vectors: float32 (N, D); rows of pictures that could not be read are left out, see ``kept``.
        kept: int64 (N,), which of the pictures they are of.
        truth: int64 (N,), class of each among ``labels``, -1 where it has none or the network does not know it.
        predicted: int64 (N,), class that the network names, -1 where it names none.
        confidence: float32 (N,), probability that it gives that class, NaN where it names none.
        labels: Names of the classes that the network knows.
    """

    pictures: Pictures
    layer: str
    step: int
    vectors: Floats
    kept: npt.NDArray[np.int64]
    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    confidence: Floats
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.vectors)


def pooled(output: torch.Tensor, count: int, pool: Pool, layer: LayerInfo | None = None) -> torch.Tensor:
    """One vector for each of ``count`` pictures out of a layer's output.

    Args:
        output: (N, D); maps (N, C, h, w), or (N, h, w, C) where ``layer`` says so; clips (N, C, t, h, w); tokens
            (N, T, C), the class token first. Where the first dimension is not ``count`` and that is 1, it is taken for
            places of the one picture.
        count: Number of pictures.
        pool: Mean or largest value over the places, the class token alone (of maps: the mean), or every number.
        layer: What is known of the layer.

    Returns:
        float32 (count, D).

    Raises:
        UserError: If the output is not one of these.
    """
    if output.ndim == 0 or (len(output) != count and count != 1):
        raise UserError("this layer gives nothing for each picture: choose another")
    found = output.float()
    if len(found) != count:
        found = found[None]
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim == 2:
        return found
    if found.ndim == 4 and layer is not None and layer.channels_last:
        found = found.permute(0, 3, 1, 2)
    if pool == "all":
        return found.flatten(1)
    tokens = found.ndim == 3
    if tokens:
        if pool == "class token":
            return found[:, 0]
        found = found.transpose(1, 2)
    places = found.flatten(2)
    return places.amax(2) if pool == "max" else places.mean(2)


def dimensions(output_shape: Sequence[int], pool: Pool, channels_last: bool = False) -> int:
    """How many numbers ``pooled`` gives for an output of this shape (without the batch)."""
    if pool == "all" or len(output_shape) < 2:
        return int(np.prod(output_shape)) if output_shape else 1
    return int(output_shape[-1] if len(output_shape) == 2 else output_shape[0])


def truth_of(pictures: Pictures, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Classes of pictures (N,) as indices among what a network knows, -1 for those that it does not know.

    Classes that are named alike are the same, whatever case, hyphens and underscores.
    """
    if tuple(pictures.classes) == tuple(labels):
        return pictures.labels.copy()

    def plain(name: str) -> str:
        return name.casefold().replace("_", " ").replace("-", " ").strip()

    known = {plain(name): index for index, name in reversed(list(enumerate(labels)))}
    table = np.array([*(known.get(plain(name), -1) for name in pictures.classes), -1], np.int64)
    return np.asarray(table[pictures.labels], np.int64)


def collect(
    model: OpenedModel,
    preprocessing: Preprocessing,
    layers: Sequence[LayerInfo],
    labels: tuple[str, ...],
    pictures: Pictures,
    layer: str,
    pool: Pool = "mean",
    step: int = 0,
) -> Generator[tuple[float, str], None, Features]:
    """Run a network on all pictures and keep one vector of each; yields share and words after every batch.

    Args:
        model: The network, in evaluation mode. No hook and no flag stays behind.
        preprocessing: How samples become its input, where it was trained here.
        layers: Its layers.
        labels: Its class names.
        pictures: The pictures.
        layer: Name of a layer, ``INPUT`` for the prepared picture itself, ``OUTPUT`` for what the network gives.
        pool: See ``pooled``.
        step: Training step of the weights.

    Raises:
        UserError: If the layer gives no vectors, too long ones, or no picture can be read.
    """
    if not len(pictures):
        raise UserError("there are no pictures to lay out: choose others")
    info = next((found for found in layers if found.name == layer), None)
    runner = _Runner(model, layer, pool, info, labels)
    samples = isinstance(pictures, DataPictures) and model.origin == "trained"
    batches = _of_samples(model, preprocessing, pictures) if samples else _of_files(model, pictures)
    vectors: Floats | None = None
    kept = np.empty(len(pictures), np.int64)
    predicted = np.full(len(pictures), -1, np.int64)
    confidence = np.full(len(pictures), np.nan, np.float32)
    done = 0
    for inputs, indices, read in batches:
        if len(indices):
            with torch.no_grad():
                found, scores = runner.run(inputs, len(indices))
            if vectors is None:
                _check_room(len(pictures), found.shape[1])
                vectors = np.empty((len(pictures), found.shape[1]), np.float32)
            if found.shape[1] != vectors.shape[1]:
                raise UserError(
                    "pictures of other sizes give vectors of other lengths here: choose the mean or maximum"
                )
            rows = slice(done, done + len(indices))
            vectors[rows], kept[rows] = found.cpu().numpy(), indices
            if scores is not None:
                best = scores.max(1)
                predicted[rows], confidence[rows] = best.indices.cpu().numpy(), best.values.cpu().numpy()
            done += len(indices)
        yield read / len(pictures), f"looking at picture {read:,} of {len(pictures):,}"
    if vectors is None:
        raise UserError("none of the pictures could be read: choose others")
    truth = truth_of(pictures, labels)[kept[:done]]
    vectors = np.nan_to_num(vectors[:done])
    return Features(pictures, layer, step, vectors, kept[:done], truth, predicted[:done], confidence[:done], labels)


class _Runner:
    """One forward pass: vectors of a layer, and probabilities where the network tells classes."""

    def __init__(
        self, model: OpenedModel, layer: str, pool: Pool, info: LayerInfo | None, labels: tuple[str, ...]
    ) -> None:
        self._module, self._layer, self._pool, self._info = model.module, layer, pool, info
        self._tells = model.entry.task == "classification"
        self._labels = labels

    def run(self, inputs: Any, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Vectors (count, D) and probabilities (count, C) or None."""
        wanted = () if self._layer in (INPUT, OUTPUT) else (self._layer,)
        output, kept = capture.run(self._module, inputs, wanted)
        if self._layer == INPUT:
            given = inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs))
            vectors = given.flatten(1).float()
        else:
            found = first_tensor(output) if self._layer == OUTPUT else kept.get(self._layer)
            if found is None:
                raise UserError(f"{self._layer or 'the network'} gives nothing here: choose another layer")
            vectors = pooled(found, count, self._pool, self._info)
        tells = (
            self._tells
            and isinstance(output, torch.Tensor)
            and output.ndim == 2
            and tuple(output.shape) == (count, len(self._labels))
        )
        return vectors, probabilities(output) if tells else None


def probabilities(output: torch.Tensor) -> torch.Tensor:
    """Soft-max of logits (N, C); rows that are probabilities already stay as they are."""
    output = output.float()
    done = bool((output >= 0).all()) and bool(((output.sum(1) - 1).abs() < 1e-3).all())
    return output if done else output.softmax(1)


_Batches = Generator[tuple[Any, npt.NDArray[np.int64], int], None, None]


def _of_samples(model: OpenedModel, preprocessing: Preprocessing, pictures: Pictures) -> _Batches:
    """Batches of samples as the network was trained on them."""
    assert isinstance(pictures, DataPictures)
    size = max(1, min(_MOST_BATCH, _BATCH_NUMBERS // int(np.prod(preprocessing.size))))
    for start in range(0, len(pictures), size):
        stop = min(start + size, len(pictures))
        yield preprocessing(pictures.arrays(start, stop), model.device), np.arange(start, stop), stop


def _of_files(model: OpenedModel, pictures: Pictures) -> _Batches:
    """Batches of prepared pictures of one size; what a network takes as a list goes alone."""
    waiting: list[torch.Tensor] = []
    indices: list[int] = []
    alone: bool | None = None
    for index, picture in enumerate(pictures.each()):
        if picture is not None:
            try:
                given = model.prepare(picture.pixels, model.device)
            except UserError:
                continue
            if isinstance(given, list):
                yield [one.clone() for one in given], np.array([index]), index + 1
                continue
            if waiting and waiting[0].shape != given.shape:
                yield torch.cat(waiting), np.array(indices), index
                waiting, indices = [], []
            if alone is None:
                alone = model.origin != "trained" and takes_one(model.module, given)
            waiting.append(given.clone())
            indices.append(index)
        if waiting and (alone or (len(waiting) + 1) * waiting[0].numel() > _BATCH_NUMBERS):
            yield torch.cat(waiting), np.array(indices), index + 1
            waiting, indices = [], []
        elif not waiting:
            yield None, np.empty(0, np.int64), index + 1
    if waiting:
        yield torch.cat(waiting), np.array(indices), len(pictures)


def _check_room(count: int, width: int) -> None:
    """Refuse what cannot fit.

    Raises:
        UserError: If it cannot.
    """
    if width > _MOST_DIMENSIONS:
        raise UserError(
            f"this layer gives {width:,} numbers a picture: take the mean or the maximum over places "
            f"(up to {_MOST_DIMENSIONS:,} are compared)"
        )
    if 4 * count * width > _MOST_BYTES:
        fits = _MOST_BYTES // (4 * width)
        raise UserError(f"{count:,} vectors of {width:,} numbers need more than 4 GB: take at most {fits:,} pictures")
