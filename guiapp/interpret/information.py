"""The information of a prediction in nats: entropy, cross-entropy and Kullback-Leibler divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.base import Look
from guiapp.interpret.options import InformationOptions

Distribution = npt.NDArray[np.floating] | npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Information:
    """How much a prediction knows, and how far it is from the truth.

    Attributes:
        probabilities: float64 (C,), the prediction Q.
        entropy: H(Q), from 0 (certain) to ``maximum``.
        maximum: log C, entropy of a guess; also the first loss of an untrained network.
        label: True class, or None; P is 1 there and 0 elsewhere.
        target_entropy: H(P), 0 for a single true class; None without a label.
        divergence: KL(P || Q) = H(P, Q) - H(P); None without a label.
        cross_entropy: H(P, Q), the loss of this picture; None without a label.
    """

    probabilities: npt.NDArray[np.float64]
    entropy: float
    maximum: float
    label: int | None
    target_entropy: float | None
    divergence: float | None
    cross_entropy: float | None


def entropy(p: Distribution) -> float:
    """H(P) = -Σ P(c) log P(c) in nats, with 0 log 0 = 0 (T0, Cross Entropy; T2; T4)."""
    return cross_entropy(p, p)


def cross_entropy(p: Distribution, q: Distribution) -> float:
    """H(P, Q) = -Σ P(c) log Q(c) in nats; infinite where Q is zero and P is not."""
    present = np.asarray(p) > 0
    with np.errstate(divide="ignore"):
        return float(-(np.asarray(p)[present] * np.log(np.asarray(q)[present])).sum()) + 0.0


def divergence(p: Distribution, q: Distribution) -> float:
    """KL(P || Q) = Σ P(c) log(P(c) / Q(c)) in nats: zero where P equals Q, else above zero."""
    return cross_entropy(p, q) - entropy(p)


def run(look: Look, options: InformationOptions | None = None) -> Information:
    """Measure the prediction for the picture; against the option's label, or the picture's own.

    Raises:
        UserError: If there is no such class.
    """
    options = options or InformationOptions()
    if look.output is None:
        raise UserError("there is no prediction to measure: open a picture")
    logits = look.output[0].detach().double().cpu()
    q: npt.NDArray[np.float64] = torch.softmax(logits, 0).numpy()
    label = options.label
    if label is None and look.picture is not None:
        label = look.picture.label
    if label is None:
        return Information(q, entropy(q), math.log(len(q)), None, None, None, None)
    if not 0 <= label < len(q):
        raise UserError(f"classes are 0 to {len(q) - 1}, not {label}")
    p = np.zeros(len(q))
    p[label] = 1.0
    loss = float(-torch.log_softmax(logits, 0)[label]) + 0.0  # finite also where the probability rounds to zero
    return Information(q, entropy(q), math.log(len(q)), label, 0.0, loss, loss)
