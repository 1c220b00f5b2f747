"""Brings the classes of a data set into the order of a network's outputs, where both name the same ones.

A folder's classes stand in the order of its sub-folders; a script, or a file of weights, may count them otherwise.
Compared by number, a network that is always right would then be called wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from guiapp.core.notices import SettingError
from guiapp.datasets.base import Dataset, Samples


def in_order_of(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The data set with its classes as a network counts them.

    Args:
        dataset: The data set.
        names: What the network calls its outputs, by number; names that the data set does not know leave it as it is.

    Returns:
        ``dataset`` itself where the order is the same, or where the names do not tell it.

    Raises:
        SettingError: If some names are the same, but at other places, and the rest does not say which is which.
    """
    own, wanted = [_plain(name) for name in dataset.classes], [_plain(name) for name in names]
    if own == wanted or len(set(own)) < len(own) or len(set(wanted)) < len(wanted):
        return dataset
    if set(own) != set(wanted):
        moved = [name for name in own if name in wanted and wanted.index(name) != own.index(name)]
        if moved:
            place, output = own.index(moved[0]), wanted.index(moved[0])
            raise SettingError(
                f"class {place} of {dataset.title} is {dataset.classes[place]}, which is output {output} of "
                f"the network, and not all names are the same ({', '.join(names[:8])}): give both the same names"
            )
        return dataset
    number = np.array([wanted.index(name) for name in own], np.int64)
    first = sorted(range(len(own)), key=lambda place: int(number[place]))

    def renumbered(samples: Samples) -> Samples:
        return dataclasses.replace(samples, labels=number[np.asarray(samples.labels, np.int64)])

    return dataclasses.replace(
        dataset,
        classes=tuple(dataset.classes[place] for place in first),
        train=renumbered(dataset.train),
        validation=renumbered(dataset.validation),
        test=renumbered(dataset.test),
    )


def _plain(name: str) -> str:
    return name.strip().casefold()
