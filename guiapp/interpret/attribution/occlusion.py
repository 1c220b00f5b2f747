"""Occlusion: what a square that hides a part of the picture takes from the score."""

from __future__ import annotations

import math
from collections.abc import Generator

import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.options import OcclusionOptions
from guiapp.interpret.attribution.work import Asked, Found, Step, baseline_of

_NEWS = 8  # previews in all


def occlusion(asked: Asked) -> Generator[Step, None, Found]:
    """Hide one square after another (Zeiler, Fergus 2014) and note by how much the score falls.

    A place's value is the mean over the squares that hid it, as Captum's ``Occlusion`` has it; but the squares are
    drawn here, so that it can be stopped and seen to grow.
    """
    options: OcclusionOptions = asked.options
    batch = asked.batch.detach()
    height, width = batch.shape[-2:]
    window = options.window or max(1, min(height, width) // 8)
    stride = options.stride or max(1, window // 2)
    if window > min(height, width):
        raise UserError(f"the square has {window} pixels, the input {width} x {height}: choose a smaller one")
    if stride > window:
        raise UserError(f"a stride of {stride} pixels leaves gaps between squares of {window}: choose a smaller one")
    fill = baseline_of(asked, options.baseline)
    rows, columns = (math.ceil((size - window) / stride) + 1 for size in (height, width))
    corners = [(row * stride, column * stride) for column in range(columns) for row in range(rows)]
    # From everywhere a little first, so that the preview shows the whole picture early.
    corners = [corners[i] for i in _spread(len(corners))]
    total, times = torch.zeros(height, width, device=batch.device), torch.zeros(height, width, device=batch.device)
    done, told = 0, 0
    while done < len(corners):
        yield done / len(corners), f"{done} of {len(corners)} squares"
        some = corners[done : done + asked.chunk]
        hidden = batch.repeat(len(some), 1, 1, 1)
        for picture, (top, left) in zip(hidden, some, strict=True):
            place = (slice(None), slice(top, top + window), slice(left, left + window))
            picture[place] = fill[0][place]
        with torch.inference_mode(False), torch.no_grad():
            falls = asked.number - asked.score(hidden)
        for fall, (top, left) in zip(falls.tolist(), some, strict=True):
            total[top : top + window, left : left + window] += fall
            times[top : top + window, left : left + window] += 1
        done += len(some)
        if done * _NEWS // len(corners) > told and done < len(corners):
            told = done * _NEWS // len(corners)
            asked.show(Found(map=total / times.clamp_min(1)), done / len(corners))
    note = f"squares of {window} pixels, {stride} apart, filled with {_words(options.baseline)}"
    return Found(map=total / times.clamp_min(1), baseline=_words(options.baseline), note=note)


def _words(kind: str) -> str:
    return "the blurred picture" if kind == "blurred" else kind


def _spread(count: int) -> list[int]:
    """Numbers from 0 on in an order in which those that follow one another lie far apart."""
    step = next(s for s in range(max(1, round(count * 0.618)), count + 2) if math.gcd(s, count) == 1)
    return [i * step % count for i in range(count)]
