"""Insertion and deletion: how the score falls and rises as the places that a map names are taken away or shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.attribution.method import METHODS, Attribution
from guiapp.interpret.attribution.options import CurveOptions
from guiapp.interpret.attribution.work import Asked, Step, baseline_of, fresh, plain_score
from guiapp.interpret.case import Case
from guiapp.interpret.score import Score
from guiapp.interpret.targets import ClassTarget, Target

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Curves:
    """The two curves of a map (Petsiuk et al. 2018, RISE).

    Attributes:
        method: Whose map it is.
        target: What the score is of, in words.
        shares: float32 (S,), 0 to 1: of the places that were taken away or shown, in the order of the map.
        deletion: float32 (S,), the score when those are taken away; the sooner it falls, the better the map.
        insertion: float32 (S,), the score when those alone are shown; the sooner it rises, the better.
        deletion_area, insertion_area: Areas under the curves by the trapezoid rule.
        random_deletion, random_insertion: The same for places in a random order, or None.
        note: What the places are replaced by.
        share: Share of the work that is in it.
    """

    method: str
    target: str
    shares: Floats
    deletion: Floats
    insertion: Floats
    deletion_area: float
    insertion_area: float
    random_deletion: Floats | None = None
    random_insertion: Floats | None = None
    note: str = ""
    share: float = 1.0


def curves(
    case: Case,
    target: Target,
    found: Attribution,
    options: CurveOptions | None = None,
    tell: Callable[[Curves], None] | None = None,
) -> Generator[Step, None, Curves]:
    """See ``guiapp.interpret.attribution.curves``."""
    options = options or CurveOptions()
    if isinstance(target, ClassTarget) and target.measure == "logit" and case.task in ("classification", "clip"):
        target = dataclasses.replace(target, class_index=found.class_index, measure="probability")
    score = plain_score(case, target)
    asked = Asked(case, score, METHODS[found.method], None, fresh(case.batch))
    order = order_of(found, asked.batch)
    random = np.random.default_rng(0).permutation(len(order))
    away, into = baseline_of(asked, options.removed), baseline_of(asked, options.start)
    shares = np.linspace(0, 1, options.steps + 1, dtype=np.float32)
    plans = [(order, asked.batch, away), (order, into, asked.batch)]
    if options.chance:
        plans += [(torch.from_numpy(random), asked.batch, away), (torch.from_numpy(random), into, asked.batch)]
    drawn = [np.full(len(shares), np.nan, np.float32) for _ in plans]
    total, done = len(plans) * len(shares), 0

    def known() -> Curves:
        return Curves(
            found.method,
            score.words,
            shares,
            drawn[0],
            drawn[1],
            _area(shares, drawn[0]),
            _area(shares, drawn[1]),
            drawn[2] if options.chance else None,
            drawn[3] if options.chance else None,
            f"taken away: {options.removed}; shown on: {options.start}",
            done / total,
        )

    for line, (places, before, after) in zip(drawn, plans, strict=True):
        start = 0
        while start < len(shares):
            yield done / total, f"{done} of {total} pictures"
            part = shares[start : start + asked.chunk]
            line[start : start + len(part)] = _scores(score, places, before, after, part)
            start += len(part)
            done += len(part)
            if tell is not None and done < total:
                tell(dataclasses.replace(known(), deletion=drawn[0].copy(), insertion=drawn[1].copy()))
    return known()


def order_of(found: Attribution, batch: torch.Tensor) -> torch.Tensor:
    """Places of the input, row by row, from the most important on; int64 (H W,).

    A coarse map is enlarged bilinearly. By the value where that speaks for or against the target; by its size where
    the sign says nothing, as of plain gradients.
    """
    height, width = batch.shape[-2:]
    seen = torch.from_numpy(found.map)[None, None]
    if METHODS[found.method].by_size:
        seen = torch.from_numpy(np.abs(found.values).sum(0) if found.values is not None else np.abs(found.map))[
            None, None
        ]
    size = round(height * found.cover[0]), round(width * found.cover[1])
    if seen.shape[-2:] != size:
        seen = torch.nn.functional.interpolate(seen, size, mode="bilinear", align_corners=False)
    return seen[0, 0, :height, :width].flatten().argsort(descending=True, stable=True)


def _scores(
    score: Score, places: torch.Tensor, before: torch.Tensor, after: torch.Tensor, shares: Floats
) -> npt.NDArray[np.float32]:
    """The score with the first of the places taken from ``after``, for each share of them."""
    pictures = before.repeat(len(shares), 1, 1, 1)
    flat, other = pictures.flatten(2), after.flatten(2)[0]
    for picture, share in zip(flat, shares.tolist(), strict=True):
        some = places[: round(share * len(places))].to(before.device)
        picture[:, some] = other[:, some]
    with torch.inference_mode(False), torch.no_grad():
        found: npt.NDArray[np.float32] = score(flat.reshape(pictures.shape)).float().cpu().numpy()
    return found


def _area(shares: Floats, values: Floats) -> float:
    return float(((values[1:] + values[:-1]) / 2 * np.diff(shares)).sum())
