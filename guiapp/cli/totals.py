"""What was found in all frames of a video together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.tasks.plain import as_dict, has_answer
from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Drawn, Flow, LabelMap


class Totals:
    """Sums up predictions of one network, frame by frame.

    Attributes:
        answers: Frames for which there was an answer: clips and flow need frames before.
        taken: Of a clip that stayed without an answer, how many pictures the network was given of the video.
    """

    def __init__(self) -> None:
        self.answers = self.taken = 0
        self._labels: tuple[str, ...] = ()
        self._scores: npt.NDArray[np.float64] | None = None
        self._best: npt.NDArray[np.int64] | None = None
        self._objects: dict[int, list[float]] = {}
        self._shares: dict[str, float] = {}
        self._vectors = np.zeros(3)
        self._longest = 0.0
        self._depths: list[dict[str, Any]] = []
        self._kind: type = ClassScores

    def add(self, drawn: Drawn) -> None:
        """Take the next frame's prediction."""
        self._kind = type(drawn)
        if isinstance(drawn, ClipScores):
            self.taken = drawn.frames
        if not has_answer(drawn):
            return
        self.answers += 1
        if isinstance(drawn, ClipScores):
            assert drawn.scores is not None
            self._add_scores(drawn.scores)
        elif isinstance(drawn, ClassScores):
            self._add_scores(drawn)
        elif isinstance(drawn, LabelMap):
            for name, share in drawn.shares().items():
                self._shares[name] = self._shares.get(name, 0.0) + share
        elif isinstance(drawn, Flow):
            lengths = np.hypot(drawn.vectors[..., 0], drawn.vectors[..., 1])
            self._vectors += (*drawn.vectors.mean((0, 1), dtype=np.float64), lengths.mean())
            self._longest = max(self._longest, float(lengths.max()))
        elif isinstance(drawn, Depth):
            self._depths.append(as_dict(drawn)["depth"])
        else:
            self._add_objects(drawn)

    def as_dict(self, top: int | None = None) -> dict[str, Any]:
        """All frames together.

        Classes: ``{"classes": [{"label", "index", "score", "frames"}]}`` by their mean score, with the number of frames
        in which each was the best. Objects: ``{"objects": [{"label", "index", "frames", "boxes", "most", "score"}]}``:
        frames with at least one, boxes in all, most in one frame, best score. Label maps: ``{"labels": {name: mean
        share}}``. Flow: ``{"flow": {"mean", "length": {"mean", "longest"}}}``, means over all frames.
        Depth: as for a picture, with the smallest and largest value of all and the mean of the medians.

        Args:
            top: At most so many classes.
        """
        count = max(1, self.answers)
        if self._kind in (ClassScores, ClipScores):
            return {"classes": self._classes(top)}
        if self._kind is LabelMap:
            ordered = sorted(self._shares.items(), key=lambda item: -item[1])
            return {"labels": {name: share / count for name, share in ordered}}
        if self._kind is Flow:
            right, down, length = (self._vectors / count).tolist()
            return {"flow": {"mean": [right, down], "length": {"mean": length, "longest": self._longest}}}
        if self._kind is Depth:
            return {"depth": self._depth()}
        found = [
            {
                "label": self._labels[index] if index < len(self._labels) else str(index),
                "index": index,
                "frames": int(frames),
                "boxes": int(boxes),
                "most": int(most),
                "score": score,
            }
            for index, (frames, boxes, most, score) in self._objects.items()
        ]
        return {"objects": sorted(found, key=lambda entry: (-entry["frames"], -entry["boxes"], entry["index"]))}

    def _depth(self) -> dict[str, Any]:
        if not self._depths:
            return {"low": 0.0, "median": 0.0, "high": 0.0, "unit": None, "larger": "far"}
        low, high = min(one["low"] for one in self._depths), max(one["high"] for one in self._depths)
        median = sum(one["median"] for one in self._depths) / len(self._depths)
        return {**self._depths[-1], "low": low, "median": median, "high": high}

    def _classes(self, top: int | None) -> list[dict[str, Any]]:
        if self._scores is None or self._best is None:
            return []
        means = self._scores / self.answers
        order = np.argsort(-means, kind="stable")[:top]
        return [
            {"label": self._labels[i], "index": int(i), "score": float(means[i]), "frames": int(self._best[i])}
            for i in order
        ]

    def _add_scores(self, scores: ClassScores) -> None:
        if self._scores is None or self._best is None:
            self._labels = scores.labels
            self._scores = np.zeros(len(scores.probabilities))
            self._best = np.zeros(len(scores.probabilities), np.int64)
        self._scores += scores.probabilities
        self._best[scores.best] += 1

    def _add_objects(self, found: Detections) -> None:
        self._labels = found.labels
        for index in np.unique(found.classes).tolist():
            own = found.scores[found.classes == index]
            frames, boxes, most, score = self._objects.get(index, [0, 0, 0, 0.0])
            self._objects[index] = [frames + 1, boxes + len(own), max(most, len(own)), max(score, float(own.max()))]
