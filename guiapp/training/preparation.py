"""What a prepared input is made of: the mean picture and the principal axes of the training part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from guiapp.models.changed_input import INPUT
from guiapp.models.changed_layers import MeanImage, PrincipalAxes

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing
    from guiapp.training.setup import Setup

T = TypeVar("T")

MOST_SAMPLES = 5_000
"""Samples, evenly taken from the training part, from which the axes are found."""
_BLOCK = 500
_SMALL, _SPARE, _ROUNDS = 1100, 64, 16
_KEPT: dict[tuple[Any, ...], Axes] = {}
_MOST_KEPT = 3


@dataclass(frozen=True, eq=False)
class Axes:
    """The directions in which pictures vary most.

    Attributes:
        mean: Mean picture, float32 (D,).
        axes: float32 (D, K), orthonormal columns, that of the largest variance first.
        variances: float32 (K,), along them.
        total: Sum of the variances along all D axes.
        count: Samples that they were found from.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    variances: torch.Tensor
    total: float
    count: int


def inputs_of(images: Any, rows: Any, preprocessing: Preprocessing) -> torch.Tensor:
    """Prepared samples (N, C, H, W) of some rows of a part."""
    return preprocessing(np.asarray(images[rows]))


def mean_picture(images: Any, preprocessing: Preprocessing) -> torch.Tensor:
    """The mean over a part as the network is fed, float32 (C, H, W)."""
    total = torch.zeros(preprocessing.size, dtype=torch.float64)
    for start in range(0, len(images), _BLOCK):
        total += inputs_of(images, slice(start, start + _BLOCK), preprocessing).double().sum(0)
    return (total / max(len(images), 1)).float()


def principal_axes(images: Any, preprocessing: Preprocessing, components: int) -> Axes:
    """Principal axes of a part as the network is fed, found from up to ``MOST_SAMPLES`` of its samples.

    The covariance is the mean of (x - m)(x - m)^T over those samples (T4 8.2).
    """
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST_SAMPLES)).astype(np.int64))
    numbers = int(np.prod(preprocessing.size))
    total = torch.zeros(numbers, dtype=torch.float64)
    products = torch.zeros(numbers, numbers, dtype=torch.float64)
    shift: torch.Tensor | None = None
    for start in range(0, len(rows), _BLOCK):
        values = inputs_of(images, rows[start : start + _BLOCK], preprocessing).flatten(1)
        shift = values.mean(0) if shift is None else shift  # products of small numbers keep their digits
        values = values - shift
        products += (values.T @ values).double()
        total += values.double().sum(0)
    assert shift is not None
    mean = total / len(rows)
    covariance = products / len(rows) - torch.outer(mean, mean)
    variances, axes = largest(covariance, min(components, numbers))
    return Axes(
        (mean + shift.double()).float(), axes.float(), variances.float().clamp_min(0),
        float(covariance.trace()), len(rows),
    )  # fmt: skip


def largest(matrix: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest eigenvalues (K,) of a symmetric matrix (D, D), descending, and their vectors (D, K).

    Large matrices by subspace iteration with more vectors than are wanted (Halko, Martinsson, Tropp 2011, 4.4): all
    3,072 vectors of colour pictures would take ten times as long.
    """
    numbers = len(matrix)
    if numbers <= _SMALL or count + _SPARE >= numbers:
        values, vectors = torch.linalg.eigh(matrix)
    else:
        single = matrix.float()
        draw = torch.Generator().manual_seed(0)
        basis = torch.randn(numbers, count + _SPARE, generator=draw)
        for _ in range(_ROUNDS):
            basis = torch.linalg.qr(single @ basis)[0]
        values, turned = torch.linalg.eigh(basis.T @ (single @ basis))
        vectors = basis @ turned
    return values.flip(0)[:count], vectors.flip(1)[:, :count].contiguous()


def fill(layer: torch.nn.Module, axes: Axes, whiten: bool, epsilon: float) -> None:
    """Put mean, axes and scales into a layer ``PrincipalAxes``."""
    assert isinstance(layer, PrincipalAxes)
    layer.mean.copy_(axes.mean)
    layer.axes.copy_(axes.axes)
    layer.scale.copy_((axes.variances + epsilon).rsqrt() if whiten else torch.ones_like(axes.variances))


def fit(model: torch.nn.Module, setup: Setup) -> None:
    """Fit the layer that prepares the input, if there is one, to the training part of a run; draws nothing."""
    layer = model._modules.get(INPUT)
    wanted, images = setup.recipe.preprocessing, setup.dataset.train.images
    with torch.no_grad():
        if isinstance(layer, MeanImage):
            layer.mean.copy_(mean_picture(images, setup.preprocessing))
        elif isinstance(layer, PrincipalAxes):
            threads = threads_of_fit(setup)
            axes = _known(
                setup, lambda: in_threads(threads, principal_axes, images, setup.preprocessing, layer.components)
            )
            fill(layer, axes, wanted.name == "whitening", wanted.epsilon)


def threads_of_fit(setup: Setup) -> int:
    """Threads of an operation while axes are found: fixed, so that window and command line find the same last bits."""
    from guiapp.training.threads import physical_cores

    return setup.recipe.threads or physical_cores()


def in_threads(threads: int, work: Callable[..., T], *given: Any) -> T:
    """What ``work`` gives with so many threads of an operation; their number is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return work(*given)
    finally:
        torch.set_num_threads(before)


def _known(setup: Setup, find: Callable[[], Axes]) -> Axes:
    """Axes are found once for a training part: it takes seconds for pictures of 3,072 numbers."""
    data, size = setup.dataset, setup.preprocessing.size
    key = (
        data.name,
        len(data.train),
        data.mean,
        data.std,
        setup.recipe.data,
        size,
        setup.recipe.preprocessing.components,
        setup.recipe.threads,
    )
    if key not in _KEPT:
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = find()
    return _KEPT[key]
