"""Other parts of the same data set, as a recipe asks for them: folds of a cross-validation, draws of the training part.

Every view leaves the test part alone and takes the mean and deviation of the channels anew from its own training part:
what is validated or tested says nothing about how samples are prepared.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError
from guiapp.datasets.base import SPLIT_SEED, Dataset, Samples, channel_statistics
from guiapp.datasets.reading import opened, portable
from guiapp.datasets.splits import stratified

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe

View = Callable[[Dataset, "Recipe"], Dataset]


def view(dataset: Dataset, recipe: Recipe) -> Dataset:
    """The data set as the recipe wants it; the very same where the recipe changes nothing."""
    for change in VIEWS:
        dataset = change(dataset, recipe)
    return dataset


def fold_view(dataset: Dataset, recipe: Recipe) -> Dataset:
    """One fold of a k-fold cross-validation (T4 5.2) over the training and validation part together.

    The folds are stratified and fixed: fold i of k holds the same samples in every run. Fold ``data.fold`` is
    validated, the others are the training part; the test part takes no part.

    Raises:
        SettingError: If there are fewer samples than folds.
    """
    count, held = recipe.data.folds, recipe.data.fold
    if not count:
        return dataset
    pool = _together(dataset.train, dataset.validation)
    if count > len(pool):
        raise SettingError(f"data.folds={count}, but there are {len(pool)} samples to divide: choose fewer folds")
    folds = fold_indices(pool.labels, count)
    rest = np.sort(np.concatenate([fold for number, fold in enumerate(folds, 1) if number != held]))
    return _with_parts(dataset, _chosen(pool, rest), _chosen(pool, folds[held - 1]))


def draw_view(dataset: Dataset, recipe: Recipe) -> Dataset:
    """A part of the training part, or as many samples drawn from it anew: how fits differ if the data had been others.

    With ``data.share`` below 1 every draw is that share without repetition; with the whole share, draw 0 is the
    training part itself and every other one a bootstrap sample, drawn with repetition (Efron 1979). Classes keep
    their shares in both. The same number gives the same samples in every run.
    """
    share, number = recipe.data.share, recipe.data.draw
    if share == 1.0 and not number:
        return dataset
    train, seed = dataset.train, [SPLIT_SEED, number]
    if share < 1.0:
        taken = max(round(share * len(train)), 1)
        chosen = stratified(train.labels, (taken, len(train) - taken), cast(int, seed))[0]
    else:
        random = np.random.default_rng(seed)
        classes = [np.flatnonzero(train.labels == c) for c in np.unique(train.labels)]
        chosen = np.sort(np.concatenate([random.choice(members, len(members)) for members in classes]))
    return _with_parts(dataset, _chosen(train, chosen), dataset.validation)


VIEWS: tuple[View, ...] = (fold_view, draw_view)
"""Each is called with a data set and the recipe, and gives the data set to go on with, or the very same."""


def fold_indices(labels: npt.NDArray[np.int64], count: int) -> list[npt.NDArray[np.int64]]:
    """Divide sample indices into ``count`` stratified folds whose sizes differ by one at most."""
    sizes = [len(labels) // count + (number < len(labels) % count) for number in range(count)]
    return stratified(labels, sizes)


class Rows:
    """Rows of other arrays in a new order, read when they are asked for: memory maps stay on the disk.

    Attributes:
        shape, dtype: As of an array.
    """

    def __init__(self, arrays: Sequence[Any], rows: npt.NDArray[np.int64]) -> None:
        self._arrays, self._rows = tuple(arrays), rows
        self._starts = np.cumsum([0, *(len(array) for array in arrays)])
        self.shape = (len(rows), *arrays[0].shape[1:])
        self.dtype = arrays[0].dtype
        self.ndim = len(self.shape)

    @property
    def decodes(self) -> bool:
        """Whether some rows have to be decoded (see ``datasets.on_demand``)."""
        return any(getattr(array, "decodes", False) for array in self._arrays)

    def portable(self) -> Rows:
        """The same for another process (see ``datasets.reading``)."""
        made = copy.copy(self)
        made._arrays = tuple(portable(array) for array in self._arrays)
        return made

    def open(self) -> Rows:
        """The inverse of ``portable``."""
        made = copy.copy(self)
        made._arrays = tuple(opened(array) for array in self._arrays)
        return made

    def __len__(self) -> int:
        return len(self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype)

    def __getitem__(self, place: Any) -> npt.NDArray[Any]:
        """The rows at ``place``: a number, a slice or an array of numbers; further indices hold inside them."""
        inner: tuple[Any, ...] = ()
        if isinstance(place, tuple):
            place, inner = place[0], (slice(None), *place[1:])
        rows = self._rows[place]
        wanted = np.atleast_1d(rows)
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        of = np.searchsorted(self._starts, wanted, "right") - 1
        for number in np.unique(of):
            here = of == number
            found[here] = self._arrays[number][wanted[here] - self._starts[number]]
        found = found if np.ndim(rows) else found[0]
        if inner:
            found = found[inner if np.ndim(rows) else inner[1:]]
        return found


def _together(first: Samples, second: Samples) -> Samples:
    """Two parts behind each other."""
    labels = np.concatenate([first.labels, second.labels])
    paths = (*first.paths, *second.paths) if len(first.paths) and len(second.paths) else ()
    if _in_memory(first) and _in_memory(second):
        return Samples(np.concatenate([first.images, second.images]), labels, paths)
    both = Rows([first.images, second.images], np.arange(len(labels)))
    return Samples(cast("npt.NDArray[np.uint8]", both), labels, paths)


def _chosen(samples: Samples, rows: npt.NDArray[np.int64]) -> Samples:
    """Some of the samples, in this order."""
    paths = tuple(samples.paths[row] for row in rows) if len(samples.paths) else ()
    images = samples.images[rows] if _in_memory(samples) else cast(Any, Rows([samples.images], rows))
    return Samples(images, samples.labels[rows], paths)


def _in_memory(samples: Samples) -> bool:
    return type(samples.images) is np.ndarray


def _with_parts(dataset: Dataset, train: Samples, validation: Samples) -> Dataset:
    """The data set with another training and validation part, and the statistics of that training part."""
    mean, std = channel_statistics(train.images)
    return dataclasses.replace(dataset, train=train, validation=validation, mean=mean, std=std)
