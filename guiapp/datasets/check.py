"""The check of a data set: counts, unreadable files, duplicates across parts, mean and deviation, and what is wrong."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from guiapp.datasets.base import PARTS, Dataset, Part, Progress

_IMBALANCE = 3.0  # largest class over smallest, beyond which a warning is due
_SHOWN = 3


@dataclass(frozen=True)
class Duplicate:
    """The same pixels twice, in two parts.

    Attributes:
        first: Part and index of one sample; the part that comes first in train, validation, test.
        second: Part and index of the other.
        same_label: Whether both have the same class.
    """

    first: tuple[Part, int]
    second: tuple[Part, int]
    same_label: bool


@dataclass(frozen=True)
class DatasetReport:
    """What the check found.

    Attributes:
        title: The set's title.
        classes: Class names.
        counts: Samples of each class, by part.
        unreadable: Files left out, each with the reason.
        duplicates: Samples whose pixels stand in an earlier part too, each once, with the first such sample.
        repeats: Samples whose pixels stand earlier in the same part, by part: their number.
        mean, std: Per channel of the training part, scale 0 to 1.
        shape: Channels, height, width of a sample.
        smallest, largest: Width and height of the files, where samples come from files.
        warnings: What a person should know before trusting figures, in words.
    """

    title: str
    classes: tuple[str, ...]
    counts: dict[Part, tuple[int, ...]]
    unreadable: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    repeats: dict[Part, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    shape: tuple[int, int, int]
    smallest: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    warnings: tuple[str, ...] = field(default=())

    def total(self, part: Part) -> int:
        """Number of samples in a part."""
        return sum(self.counts[part])


def check(dataset: Dataset, progress: Progress | None = None) -> DatasetReport:
    """Check a data set; reads every sample once.

    Args:
        dataset: The set.
        progress: Called with the share done and what is being done; an exception that it raises stops the check.
    """
    report = progress or (lambda share, text: None)
    counts: dict[Part, tuple[int, ...]] = {}
    for part in PARTS:
        found = np.bincount(dataset.part(part).labels, minlength=len(dataset.classes))
        counts[part] = tuple(int(n) for n in found)
    duplicates, repeats, contradictions = _repeated(dataset, report)
    warnings = [
        *_count_warnings(dataset, counts),
        *_duplicate_warnings(dataset, duplicates, contradictions),
        *_other_warnings(dataset),
    ]
    report(1.0, "checked")
    smallest, largest = dataset.original_sizes or (None, None)
    return DatasetReport(
        title=dataset.title,
        classes=dataset.classes,
        counts=counts,
        unreadable=dataset.unreadable,
        duplicates=tuple(duplicates),
        repeats=repeats,
        mean=dataset.mean,
        std=dataset.std,
        shape=dataset.sample_shape,
        smallest=smallest,
        largest=largest,
        warnings=tuple(warnings),
    )


def glance(dataset: Dataset) -> tuple[str, ...]:
    """What a person should know at once of files of their own, found without reading a sample: broken, unbalanced."""
    counts: dict[Part, tuple[int, ...]] = {}
    for part in PARTS:
        found = np.bincount(dataset.part(part).labels, minlength=len(dataset.classes))
        counts[part] = tuple(int(n) for n in found)
    return (*_count_warnings(dataset, counts), *_other_warnings(dataset))


def _repeated(dataset: Dataset, report: Progress) -> tuple[list[Duplicate], dict[Part, int], int]:
    """Duplicates across parts, repeats within each, and how many equal pictures have different classes."""
    seen: dict[bytes, tuple[Part, int, int]] = {}
    duplicates: list[Duplicate] = []
    repeats: dict[Part, int] = {}
    contradictions = 0
    total = max(sum(len(dataset.part(part)) for part in PARTS), 1)
    done = 0
    for part in PARTS:
        samples = dataset.part(part)
        repeats[part] = 0
        for index, digest in enumerate(_digests(samples.images)):
            if index % 4096 == 0:
                report((done + index) / total, f"comparing the {part} part")
            label = int(samples.labels[index])
            first = seen.setdefault(digest, (part, index, label))
            if first[:2] == (part, index):
                continue
            contradictions += first[2] != label
            if first[0] == part:
                repeats[part] += 1
            else:
                duplicates.append(Duplicate(first[:2], (part, index), first[2] == label))
        done += len(samples)
    return duplicates, repeats, contradictions


def _digests(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Iterator[bytes]:
    for image in images:
        yield hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def _count_warnings(dataset: Dataset, counts: dict[Part, tuple[int, ...]]) -> Iterator[str]:
    for part in PARTS:
        if not sum(counts[part]):
            yield f"the {part} part is empty"
            continue
        empty = [dataset.classes[c] for c, n in enumerate(counts[part]) if n == 0]
        if empty:
            yield f"no sample in the {part} part of: {_some(empty)}"
    train = [n for n in counts["train"] if n]
    if train and max(train) > _IMBALANCE * min(train):
        most, least = counts["train"].index(max(train)), counts["train"].index(min(train))
        yield (
            f"classes are unbalanced: {max(train):,} training samples of {dataset.classes[most]}, {min(train):,} of "
            f"{dataset.classes[least]}; compare accuracy with the majority baseline"
        )


def _duplicate_warnings(dataset: Dataset, duplicates: list[Duplicate], contradictions: int) -> Iterator[str]:
    pairs: dict[tuple[Part, Part], int] = {}
    for duplicate in duplicates:
        pair = (duplicate.first[0], duplicate.second[0])
        pairs[pair] = pairs.get(pair, 0) + 1
    for (first, second), number in pairs.items():
        share = number / max(len(dataset.part(second)), 1)
        are = "is" if number == 1 else "are"
        yield (
            f"{_count(number, 'sample')} of the {second} part ({100 * share:.1f} %) {are} also in the {first} part: "
            f"accuracy on {second} is too good by up to as much"
        )
    if contradictions:
        yield f"{_count(contradictions, 'sample')} with the same pixels as another of a different class"


def _other_warnings(dataset: Dataset) -> Iterator[str]:
    if dataset.unreadable:
        yield f"{_count(len(dataset.unreadable), 'file')} could not be read: {_some(list(dataset.unreadable), '; ')}"
    if all(value < 1e-6 for value in dataset.std):
        yield "all pixels of the training part are equal: there is nothing to learn"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _some(items: list[str], separator: str = ", ") -> str:
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return separator.join(items[:_SHOWN]) + more
