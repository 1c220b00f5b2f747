"""One linear classifier seen three ways: algebra (Wx + b), templates, and lines in a plane of pictures (T4 5.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset
from guiapp.interpret.atlas import Atlas, colour_atlas, make_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.layers import LayerInfo
from guiapp.interpret.options import LinearOptions, only_dense_layer
from guiapp.models.base import Preprocessing

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Algebra:
    """Scores of one picture, term by term: score = product + bias, and output = activation(score) where there is one.

    Attributes:
        products: float32 (C,), w_c · x.
        bias: float32 (C,).
        scores: float32 (C,).
        contributions: One signed image a class: weight times pixel, summed over colours; its sum is the product.
        activation: Name of the function that the scores pass through before the soft-max, such as ``"tanh"``; empty
            where they do not.
        outputs: float32 (C,), what comes out of it, which the soft-max is given; the scores where there is none.
    """

    products: _Floats
    bias: _Floats
    scores: _Floats
    contributions: Atlas
    activation: str = ""
    outputs: _Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        if not self.activation:
            object.__setattr__(self, "outputs", self.scores)


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
        extent: Least p, greatest p, least q, greatest q of the map; one unit of p is as long as one of q.
        regions: uint16 (rows, columns), winning class in the middle of each cell; row 0 is the least q.
        explained: Share of the variance of the samples along each axis.
        picture: Point of the current picture, or None.
        distance: Distance of the current picture from the plane, or None: its scores are not those of its point.
        borders: float32 (K, 4), lines p, q to p, q on which the two best classes are equal, cut at the extent.
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
    borders: _Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))


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
    """Show the three views, of the network as modified where channels are switched off.

    Switched-off pixels have no weights, a switched-off class has neither weights nor bias.

    Raises:
        UserError: If the network is not one dense layer on the pixels (an activation after it is allowed: it keeps
            the order of the scores).
    """
    options = options or LinearOptions()
    size = look.preprocessing.size
    found = only_dense_layer(look.layers, size)
    if found is None:
        raise UserError("these views are for a network of one dense layer on the pixels: open the linear classifier")
    layer = look.model.get_submodule(found.name)
    assert isinstance(layer.weight, torch.Tensor)
    weight = layer.weight.detach().float().cpu()
    bias = layer.bias.detach().float().cpu() if isinstance(layer.bias, torch.Tensor) else weight.new_zeros(len(weight))
    weight, bias = _as_modified(weight, bias, look, found, options)
    images = weight.reshape(-1, *size)
    if size[0] == 3:
        templates = colour_atlas(images, options.aspect)
    else:
        templates = make_atlas(images.mean(1), options.aspect, signed=True)
    pixels = None if look.input is None else look.input[0].detach().float().cpu().reshape(-1)
    algebra = None if pixels is None else _algebra(weight, bias, pixels, look, found, options)
    plane = None
    if look.dataset is not None and options.sample_limit > 1:
        plane = _plane(weight, bias, pixels, look.dataset, look.preprocessing, options)
    return LinearView(templates, algebra, plane, look.step)


def _as_modified(
    weight: torch.Tensor, bias: torch.Tensor, look: Look, dense: LayerInfo, options: LinearOptions
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and biases of the unmodified layer that gives what the network does with channels switched off.

    A class that is switched off after an activation gets zero there; so it does here, as activation(0) is 0 for tanh
    and ReLU. Of a class whose activation(0) is another number the layer is left as it is.
    """
    if not any(options.switched_off.values()):
        return weight, bias
    weight, bias = weight.clone(), bias.clone()
    shape, before = (len(weight), *look.preprocessing.size), True
    for layer in look.layers:
        off = sorted(options.switched_off.get(layer.name, ()))
        before = before and layer is not dense
        if not off:
            continue
        if before and layer.output_shape == shape[1:]:
            weight.view(shape)[:, off] = 0
        elif before and layer.output_shape == weight.shape[1:]:
            weight[:, off] = 0
        elif layer is dense or layer.type in ("Tanh", "ReLU"):
            weight[off], bias[off] = 0, 0
    return weight, bias


def _algebra(
    weight: torch.Tensor, bias: torch.Tensor, pixels: torch.Tensor, look: Look, dense: LayerInfo, options: LinearOptions
) -> Algebra:
    products = weight @ pixels
    contributions = (weight * pixels).reshape(-1, *look.preprocessing.size).sum(1)
    scores = outputs = products + bias
    activation = ""
    after = look.layers[[layer is dense for layer in look.layers].index(True) + 1 :]
    for layer in after:
        if layer.kind == "activation":
            activation = layer.type.lower()
            outputs = look.model.get_submodule(layer.name)(outputs[None])[0]
            outputs[sorted(options.switched_off.get(layer.name, ()))] = 0
    atlas = make_atlas(contributions, signed=True)
    return Algebra(products.numpy(), bias.numpy(), scores.numpy(), atlas, activation, outputs.numpy())


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
    extent = _extent(low, high, options.aspect)
    cell = max(extent[1] - extent[0], extent[3] - extent[2]) / options.resolution
    p, q = (_centres(*ends, cell) for ends in (extent[:2], extent[2:]))
    regions = _winners(offsets.numpy(), slopes.numpy(), p, q)
    return Plane(
        axes.points.numpy(),
        dataset.train.labels[axes.indices],
        axes.indices,
        offsets.numpy(),
        slopes.numpy(),
        extent,
        regions,
        axes.explained,
        point,
        distance,
        _borders(offsets.double().numpy(), slopes.double().numpy(), extent, np.unique(regions)),
    )


def _extent(low: torch.Tensor, high: torch.Tensor, aspect: float) -> tuple[float, float, float, float]:
    """A rectangle of width / height ``aspect`` around what is shown, with a little room."""
    middle = (low + high) / 2
    half = (high - low).clamp_min(1e-6) * 0.55
    across = max(float(half[0]), float(half[1]) * aspect)
    up = across / aspect
    return float(middle[0]) - across, float(middle[0]) + across, float(middle[1]) - up, float(middle[1]) + up


def _centres(low: float, high: float, cell: float) -> _Floats:
    count = max(1, round((high - low) / cell))
    return (low + (np.arange(count, dtype=np.float32) + 0.5) * ((high - low) / count)).astype(np.float32)


def _winners(offsets: _Floats, slopes: _Floats, p: _Floats, q: _Floats) -> npt.NDArray[np.uint16]:
    """Class of the greatest score at each (q, p); five times as fast as argmax over all scores."""
    across, up = offsets[:, None] + slopes[:, :1] * p, slopes[:, 1:] * q
    best = across[0] + up[0][:, None]
    winners = np.zeros(best.shape, np.uint16)
    for index in range(1, len(offsets)):
        scores = across[index] + up[index][:, None]
        np.putmask(winners, scores > best, index)
        np.maximum(best, scores, out=best)
    return winners


def _borders(
    offsets: npt.NDArray[np.float64],
    slopes: npt.NDArray[np.float64],
    extent: tuple[float, float, float, float],
    winners: npt.NDArray[np.integer],
) -> _Floats:
    """Where two of the ``winners`` share the best score: exact lines, not edges of cells.

    On the line where classes i and j are equal, a place is x + t d. Every other class k, and every side of the
    rectangle, says of t that a + b t >= 0; what is left of the line is the part between the greatest lower bound
    and the least upper one.
    """
    i, j = winners[np.array(np.triu_indices(len(winners), 1))]
    normal, shift = slopes[i] - slopes[j], offsets[i] - offsets[j]
    square = (normal**2).sum(1)
    crossing = square > 1e-18
    i, j, normal, shift, square = i[crossing], j[crossing], normal[crossing], shift[crossing], square[crossing]
    x = -normal * (shift / square)[:, None]
    d = np.stack([-normal[:, 1], normal[:, 0]], 1) / np.sqrt(square)[:, None]
    others = slopes[i][:, None] - slopes
    a = offsets[i][:, None] - offsets + (others * x[:, None]).sum(2)
    b = (others * d[:, None]).sum(2)
    rows = np.arange(len(i))
    for own in (i, j):  # a class says nothing of its own line
        a[rows, own], b[rows, own] = 1.0, 0.0
    left, right, bottom, top = extent
    a = np.column_stack([a, x[:, 0] - left, right - x[:, 0], x[:, 1] - bottom, top - x[:, 1]])
    b = np.column_stack([b, d[:, 0], -d[:, 0], d[:, 1], -d[:, 1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = -a / b
    first = np.where(b > 0, bound, -np.inf).max(1)
    last = np.where(b < 0, bound, np.inf).min(1)
    there = (first < last) & ~((b == 0) & (a < 0)).any(1)
    ends = [x[there] + t[there][:, None] * d[there] for t in (first, last)]
    return np.concatenate(ends, 1).astype(np.float32)


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
