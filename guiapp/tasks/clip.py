"""Clips: what happens in the last frames of a video, by networks that convolve or attend over time as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from guiapp.tasks.classification import ClassificationTask
from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import ClipScores

FRAMES = 16  # of a clip of R3D, MC3, R(2+1)D (Tran et al. 2018) and MViT (Fan et al. 2021); S3D takes them as well


@dataclass(frozen=True, eq=False)
class ClipRun:
    """What one run gave.

    Attributes:
        logits: float32 (1, C), or None while frames are missing.
        frames: How many frames there are.
    """

    logits: torch.Tensor | None
    frames: int


class ClipTask:
    """Classes of the last frames; they are kept prepared, so that each is prepared once.

    A network slower than the video sees a clip of the video's own pace if the frames between two runs are fed.

    Attributes:
        labels: Class names by index.
        frames: How many frames a clip has.
    """

    def __init__(self, labels: tuple[str, ...], entry: Any = None) -> None:
        self.labels = tuple(labels)
        needed = [weights.frames for weights in getattr(entry, "weights", ())]
        self.frames = int(getattr(entry, "frames", None) or max([FRAMES, *needed]))
        self._kept: deque[torch.Tensor] = deque(maxlen=self.frames)
        self._scores = ClassificationTask(self.labels)

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> None:
        """Take a frame; one of another size begins a new clip."""
        frame = inputs[0]
        if self._kept and self._kept[-1].shape != frame.shape:
            self._kept.clear()
        self._kept.append(frame)

    def reset(self) -> None:
        """Begin a new clip."""
        self._kept.clear()

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> ClipRun:
        """Take a frame and run the network on the last ones, (1, 3, frames, h, w), once there are enough."""
        self.feed(inputs)
        if len(self._kept) < self.frames:
            return ClipRun(None, len(self._kept))
        return ClipRun(module(torch.stack(tuple(self._kept), 1)[None]), self.frames)

    def drawn(self, raw: ClipRun, options: LiveOptions, previous: Any = None) -> ClipScores:
        """Scores of the clip, or how many frames there are of those wanted."""
        scores = None if raw.logits is None else self._scores.prediction(raw.logits)
        return ClipScores(scores, raw.frames, self.frames)
