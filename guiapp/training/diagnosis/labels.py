"""Signs of wrong labels: mistakes that are as sure as right answers, and equal pictures with different labels."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from guiapp.datasets.base import Samples

_KEPT = 50


def confident_mistakes(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], confidence: npt.NDArray[np.float32]
) -> dict[str, Any]:
    """Mistakes on samples that the network did not learn from, at least as sure as its right answers are on average.

    Where labels are right a mistake is mostly a doubtful answer. A sample with a wrong label is answered as any other,
    so about half of such mistakes are as sure as the mean right answer for the class that is given: the threshold of
    confident learning (Northcutt et al. 2021, JAIR 70), which takes the mean probability of each class.

    Args:
        truth: Labels, (N,).
        predicted: Most probable classes, (N,).
        confidence: Their probabilities, (N,).

    Returns:
        Plain data: ``count``, ``errors``, ``suspects`` (their number), ``samples`` (indices of the surest, at most 50)
        and ``pairs`` (``[label, prediction, number]`` of the suspects, commonest first, at most 5).
    """
    right = truth == predicted
    classes = int(max(truth.max(initial=0), predicted.max(initial=0))) + 1
    sums = np.bincount(predicted[right], confidence[right], minlength=classes)
    numbers = np.bincount(predicted[right], minlength=classes)
    thresholds = np.where(numbers > 0, sums / np.maximum(numbers, 1), np.inf)
    suspects = np.flatnonzero(~right & (confidence >= thresholds[predicted]))
    suspects = suspects[np.argsort(-confidence[suspects], kind="stable")]
    pairs = Counter(zip(truth[suspects].tolist(), predicted[suspects].tolist(), strict=True)).most_common(5)
    return {
        "count": len(truth),
        "errors": int((~right).sum()),
        "suspects": len(suspects),
        "samples": suspects[:_KEPT].tolist(),
        "pairs": [[*pair, number] for pair, number in pairs],
    }


def contradictions(samples: Samples, limit: int = 100_000) -> list[list[int]]:
    """Groups of samples that are equal in every pixel and have different labels, as lists of indices.

    Args:
        samples: A part of a data set.
        limit: Samples that are looked at, from the first on.
    """
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for index in range(min(len(samples), limit)):
        pixels = np.ascontiguousarray(samples.images[index])
        groups[hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()].append(index)
    labels = samples.labels
    return [found for found in groups.values() if len(found) > 1 and len({int(labels[i]) for i in found}) > 1]
