"""AdaBoost over Haar features: weak classifiers of a face detector, each chosen for what is still wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SIDE = 20  # pixels of a window, as in OpenCV's cascades
_STEP = 2  # pixels between places and sizes of the features that are tried
_KINDS = ((2, 1), (1, 2), (3, 1), (1, 3), (2, 2))  # cells across and down
_CHUNK = 512  # features whose sorted weights are summed at once: they stay in the cache


@dataclass(frozen=True, eq=False)
class Round:
    """One weak classifier and what it leaves behind.

    Attributes:
        feature: Its row in the table of features.
        threshold: Of the feature, between two neighbouring values of the samples.
        sign: 1 where a face has at least the threshold, -1 where it has less.
        error: Weighted share of the samples that it gets wrong, 0 to 0.5.
        alpha: Its weight ``ln((1 - error) / error)``.
        weights: float64 (N,): those of the samples after it; their sum is 1.
        sums: float64 (M,): votes ``±alpha`` so far of every patch, also of those that are not learned from.
    """

    feature: int
    threshold: float
    sign: int
    error: float
    alpha: float
    weights: Numbers
    sums: Numbers


@cache
def haar_features() -> Numbers:
    """Features of two, three and four rectangles inside a window, float64 (F, 3, 5), on every second pixel.

    Left, top, width, height and weight of up to three rectangles, as OpenCV writes them: the whole with -1, the light
    part over it with 2 or 3. Viola and Jones (2001) have 180,000 in a window of 24 pixels, on every pixel.
    """
    found: list[list[tuple[int, int, int, int, float]]] = []
    for across, down in _KINDS:
        for wide in range(_STEP, SIDE // across + 1, _STEP):
            for high in range(_STEP, SIDE // down + 1, _STEP):
                for left in range(0, SIDE - across * wide + 1, _STEP):
                    for top in range(0, SIDE - down * high + 1, _STEP):
                        found.append(_rectangles(left, top, wide, high, across, down))
    return np.array(found)


def _rectangles(
    left: int, top: int, wide: int, high: int, across: int, down: int
) -> list[tuple[int, int, int, int, float]]:
    whole = (left, top, wide * across, high * down, -1.0)
    if (across, down) == (2, 2):
        return [whole, (left, top, wide, high, 2.0), (left + wide, top + high, wide, high, 2.0)]
    middle = (left + wide * (across > 1), top + high * (down > 1), wide, high, float(across * down))
    return [whole, middle, (0, 0, 0, 0, 0.0)]


def responses(patches: npt.NDArray[np.uint8], features: Numbers) -> npt.NDArray[np.float32]:
    """Every feature of every patch, divided by area times deviation of the patch, float32 (F, N).

    Args:
        patches: uint8 (N, 20, 20).
        features: From ``haar_features``.
    """
    count = len(patches)
    integral = np.zeros((SIDE + 1, SIDE + 1, count), np.float32)  # no sum exceeds 102,000: float32 has it exactly
    integral[1:, 1:] = patches.transpose(1, 2, 0).astype(np.float32).cumsum(0).cumsum(1)
    inner = patches[:, 1:-1, 1:-1].reshape(count, -1).astype(np.float64)
    norm = np.maximum(inner.std(1) * inner.shape[1], 1.0).astype(np.float32)
    found = np.zeros((len(features), count), np.float32)
    left, top, wide, high = np.moveaxis(features[..., :4].astype(np.intp), -1, 0)
    weights = features[..., 4].astype(np.float32)
    for start in range(0, len(features), _CHUNK):
        part = slice(start, start + _CHUNK)
        for one in range(features.shape[1]):
            x, y, to_x, to_y = (place[part, one] for place in (left, top, left + wide, top + high))
            inside = integral[to_y, to_x] - integral[y, to_x] - integral[to_y, x] + integral[y, x]
            found[part] += weights[part, one, None] * inside
    found /= norm
    return found


def boost(values: npt.NDArray[np.float32], faces: Bools, learned: Bools, rounds: int) -> Iterator[Round]:
    """Choose weak classifiers one after another (Freund, Schapire 1997; course text 1, Object Detection).

    All samples begin with the same weight. Each round takes the feature, threshold and sign with the least weighted
    error, multiplies the weights of what it gets wrong by ``(1 - error) / error``, and brings their sum back to 1.

    Args:
        values: float32 (F, M): features of all patches.
        faces: bool (M,): which patches are faces.
        learned: bool (M,): which of them are learned from; the others are only voted on.
        rounds: At most so many. It ends sooner where one feature is never wrong, or none is better than guessing.
    """
    own = np.ascontiguousarray(values[:, learned])
    order = own.argsort(1).astype(np.int32)
    ranked = np.take_along_axis(own, order, 1)
    tied = ranked[:, 1:] <= ranked[:, :-1]  # no threshold lies between equal values
    del ranked
    signs = np.where(faces[learned], 1.0, -1.0)
    weights = np.full(len(signs), 1.0 / len(signs))
    sums = np.zeros(values.shape[1])
    for _ in range(rounds):
        feature, threshold, sign = _best(own, order, tied, signs, weights)
        votes = np.where((own[feature] >= threshold) == (sign > 0), 1.0, -1.0)
        wrong = votes != signs
        error = float(weights[wrong].sum())
        if error >= 0.5:
            return
        beta = (1 - error) / max(error, 1e-10)
        alpha = float(np.log(beta))
        weights = np.where(wrong, weights * beta, weights)
        weights /= weights.sum()
        sums = sums + alpha * np.where((values[feature] >= threshold) == (sign > 0), 1.0, -1.0)
        yield Round(feature, threshold, sign, error, alpha, weights, sums)
        if error == 0.0:
            return


def _best(own: Any, order: Any, tied: Bools, signs: Numbers, weights: Numbers) -> tuple[int, float, int]:
    """Feature, threshold and sign of the least weighted error: one running sum over each feature's sorted samples."""
    signed = weights * signs
    faces, others = float(weights[signs > 0].sum()), float(weights[signs < 0].sum())
    best = (np.inf, 0, 0, 1)
    for start in range(0, len(own), _CHUNK):
        part = slice(start, start + _CHUNK)
        running = signed[order[part]].cumsum(1)[:, :-1]  # faces less others among those below each threshold
        for sign, errors in ((1, others + running), (-1, faces - running)):
            errors[tied[part]] = np.inf
            at = int(errors.argmin())
            row, place = divmod(at, errors.shape[1])
            if errors[row, place] < best[0]:
                best = (float(errors[row, place]), start + row, place, sign)
    _, feature, place, sign = best
    low, high = own[feature, order[feature, place]], own[feature, order[feature, place + 1]]
    middle = np.float32((float(low) + float(high)) / 2)
    return feature, float(middle if middle > low else high), sign
