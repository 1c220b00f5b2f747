"""Clips: what happens in the last frames of a video, by networks that convolve or attend over time as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from guiapp.tasks.classification import ClassificationTask
from guiapp.tasks.live_options import LiveOptions, slot_of
from guiapp.tasks.predictions import ClipScores

RATE = 15.0  # frames a second at which torchvision's weights were trained and are tested
RATES = {"MViT": 7.5}
"""Those of other families (``frame_rate`` in torchvision's notes on the weights)."""
FRAMES = 16
"""Of a clip of R3D, MC3, R(2+1)D (Tran et al. 2018) and MViT (Fan et al. 2021).

S3D takes any number from 14 on. torchvision measures it on 128, 8.5 s of a film: too long to wait for an answer, and
too many pictures to keep.
"""


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
    """Classes of the last second or two; frames are kept prepared, so that each is prepared once.

    A clip has one frame for each of ``frames`` steps of ``rate``, as in training: of a quicker source frames are left
    out, those of a slower one are repeated.

    Attributes:
        labels: Class names by index.
        frames: How many frames a clip has.
        rate: How many of them are in a second.
    """

    def __init__(self, labels: tuple[str, ...], entry: Any = None) -> None:
        self.labels = tuple(labels)
        needed = [weights.frames for weights in getattr(entry, "weights", ())]
        self.frames = int(getattr(entry, "frames", None) or max([FRAMES, *needed]))
        self.rate = RATES.get(getattr(entry, "family", ""), RATE)
        self._kept: deque[torch.Tensor] = deque(maxlen=self.frames)
        self._fed: Any = None
        self._seconds = 0.0
        self._run: ClipRun | None = None
        self._scores = ClassificationTask(self.labels)

    def feed(self, inputs: torch.Tensor | Sequence[torch.Tensor], seconds: float | None = None) -> None:
        """Take a frame; one of another size begins a new clip."""
        frame = inputs[0]
        if self._kept and self._kept[-1].shape != frame.shape:
            self.reset()
        if seconds is None:
            seconds = self._seconds + 1 / self.rate if self._kept else 0.0
        self._fed = inputs
        if self._kept:
            steps = slot_of(seconds, self.rate) - slot_of(self._seconds, self.rate)
            if steps <= 0:
                return
            self._kept.extend([self._kept[-1]] * min(steps - 1, self.frames))
        self._kept.append(frame)
        self._seconds, self._run = seconds, None

    def reset(self) -> None:
        """Begin a new clip."""
        self._kept.clear()
        self._fed = self._run = None

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> ClipRun:
        """Run the network on the last frames, (1, 3, frames, h, w), once there are enough and one is new."""
        if inputs is not self._fed:
            self.feed(inputs)
        self._fed = None
        return self._run or self.again(module, inputs, size)

    @torch.inference_mode()
    def again(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> ClipRun:
        """Run the network once more on the same frames; see ``LiveTask.again``."""
        whole = len(self._kept) == self.frames
        logits = module(torch.stack(tuple(self._kept), 1)[None]) if whole else None
        self._run = ClipRun(logits, len(self._kept))
        return self._run

    def drawn(self, raw: ClipRun, options: LiveOptions, previous: Any = None) -> ClipScores:
        """Scores of the clip, or how many frames there are of those wanted."""
        scores = None if raw.logits is None else self._scores.prediction(raw.logits)
        return ClipScores(scores, raw.frames, self.frames)
