"""One linear classifier seen three ways: algebra (Wx + b), templates, and lines in a plane of pictures (T4 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset
from guiapp.interpret.atlas import Atlas, colour_atlas, make_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.layers import LayerInfo
from guiapp.interpret.options import LinearOptions
from guiapp.models.base import Preprocessing

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Algebra:
    """Scores of one picture, term by term: score = product + bias.

    Attributes:
        products: float32 (C,), w_c · x.
        bias: float32 (C,).
        scores: float32 (C,).
        contributions: One signed image a class: weight times pixel, summed over colours; its sum is the product.
    """

    products: _Floats
    bias: _Floats
    scores: _Floats
    contributions: Atlas


@dataclass(frozen=True, eq=False)
class Plane:
    """The classifier restricted to the plane of the two main directions of the training pictures.

    A point (p, q) stands for the input mean + p axis₁ + q axis₂, whose scores are ``offsets + slopes @ (p, q)``
    exactly. Two classes are equal on the line where their scores are.

    Attributes:
        points: float32 (N, 2), training samples projected onto the plane.
        labels: int64 (N,), their classes.
        indices: int64 (N,), their positions in the training part.
        offsets: float32 (C,), scores at the mean picture.
        slopes: float32 (C, 2).
        extent: Least p, greatest p, least q, greatest q of the map.
        regions: uint16 (R, R), winning class; row 0 is the least q.
        explained: Share of the variance of the samples along each axis.
        picture: Point of the current picture, or None.
        distance: Distance of the current picture from the plane, or None: its scores are not those of its point.
    """

    points: _Floats
    labels: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    offsets: _Floats
    slopes: _Floats
    extent: tuple[float, float, float, float]
    regions: npt.NDArray[np.uint16]
    explained: tuple[float, float]
    picture: tuple[float, float] | None
    distance: float | None


@dataclass(frozen=True, eq=False)
class LinearView:
    """Result of the linear-views probe; ``algebra`` needs a picture, ``plane`` a data set."""

    templates: Atlas
    algebra: Algebra | None
    plane: Plane | None
    step: int | None


@dataclass(frozen=True, eq=False)
class _Axes:
    key: tuple[Preprocessing, int]
    mean: torch.Tensor
    axes: torch.Tensor
    points: torch.Tensor
    indices: npt.NDArray[np.int64]
    explained: tuple[float, float]


_known: WeakKeyDictionary[Dataset, _Axes] = WeakKeyDictionary()


def run(look: Look, options: LinearOptions | None = None) -> LinearView:
    """Show the three views.

    Raises:
        UserError: If the network is not one dense layer on the pixels (an activation after it is allowed: it keeps
            the order of the scores).
    """
    options = options or LinearOptions()
    layer = look.model.get_submodule(_only_dense(look.layers))
    assert isinstance(layer.weight, torch.Tensor)
    weight = layer.weight.detach().float().cpu()
    bias = layer.bias.detach().float().cpu() if isinstance(layer.bias, torch.Tensor) else weight.new_zeros(len(weight))
    size = look.preprocessing.size
    if weight.shape[1] != size[0] * size[1] * size[2]:
        raise UserError("these views need a dense layer that sees the pixels themselves")
    images = weight.reshape(-1, *size)
    templates = colour_atlas(images) if size[0] == 3 else make_atlas(images.mean(1), signed=True)
    pixels = None if look.input is None else look.input[0].detach().float().cpu().reshape(-1)
    algebra = None if pixels is None else _algebra(weight, bias, pixels, size)
    plane = None
    if look.dataset is not None and options.sample_limit > 1:
        plane = _plane(weight, bias, pixels, look.dataset, look.preprocessing, options)
    return LinearView(templates, algebra, plane, look.step)


def _only_dense(layers: Sequence[LayerInfo]) -> str:
    found = [layer for layer in layers if layer.has_weights]
    if len(found) != 1 or found[0].kind != "dense":
        raise UserError("these views are for a network of one dense layer: open the linear classifier")
    return found[0].name


def _algebra(weight: torch.Tensor, bias: torch.Tensor, pixels: torch.Tensor, size: tuple[int, int, int]) -> Algebra:
    products = weight @ pixels
    contributions = (weight * pixels).reshape(-1, *size).sum(1)
    return Algebra(products.numpy(), bias.numpy(), (products + bias).numpy(), make_atlas(contributions, signed=True))


def _plane(
    weight: torch.Tensor,
    bias: torch.Tensor,
    pixels: torch.Tensor | None,
    dataset: Dataset,
    preprocessing: Preprocessing,
    options: LinearOptions,
) -> Plane:
    axes = _known.get(dataset)
    if axes is None or axes.key != (preprocessing, options.sample_limit):
        axes = _known[dataset] = _main_axes(dataset, preprocessing, options.sample_limit)
    offsets, slopes = weight @ axes.mean + bias, weight @ axes.axes
    point = distance = None
    low, high = axes.points.amin(0), axes.points.amax(0)
    if pixels is not None:
        away = pixels - axes.mean
        projected = away @ axes.axes
        point = (float(projected[0]), float(projected[1]))
        distance = float((away - axes.axes @ projected).norm())
        low, high = torch.minimum(low, projected), torch.maximum(high, projected)
    margin = 0.05 * (high - low).clamp_min(1e-6)
    low, high = low - margin, high + margin
    p, q = (torch.linspace(float(low[i]), float(high[i]), options.resolution) for i in (0, 1))
    scores = offsets[:, None, None] + slopes[:, 0, None, None] * p + slopes[:, 1, None, None] * q[:, None]
    return Plane(
        axes.points.numpy(),
        dataset.train.labels[axes.indices],
        axes.indices,
        offsets.numpy(),
        slopes.numpy(),
        (float(low[0]), float(high[0]), float(low[1]), float(high[1])),
        scores.argmax(0).numpy().astype(np.uint16),
        axes.explained,
        point,
        distance,
    )


def _main_axes(dataset: Dataset, preprocessing: Preprocessing, limit: int) -> _Axes:
    """The first two principal components of evenly spread training samples; no randomness."""
    count = min(limit, len(dataset.train))
    indices = np.linspace(0, len(dataset.train) - 1, count).round().astype(np.int64)
    flat = preprocessing(dataset.train.images[indices]).reshape(count, -1)
    mean = flat.mean(0)
    centred = flat - mean
    if flat.shape[1] <= count:
        variances, vectors = torch.linalg.eigh(centred.T @ centred)
        axes = vectors[:, -2:].flip(1)
    else:  # the smaller matrix of products between samples has the same variances
        variances, vectors = torch.linalg.eigh(centred @ centred.T)
        axes = centred.T @ vectors[:, -2:].flip(1)
        axes = axes / axes.norm(dim=0).clamp_min(1e-12)
    largest = axes.abs().argmax(0)
    axes = axes * torch.where(axes.gather(0, largest[None]) < 0, -1.0, 1.0)  # each axis points one way, always
    total = float(variances.sum()) or 1.0
    explained = float(variances[-1]) / total, float(variances[-2]) / total
    return _Axes((preprocessing, limit), mean, axes, centred @ axes, indices, explained)
