"""Teach: 2,000 samples in 10 classes looked at and learned; how long the head takes after the last sample."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.bench.figures import Tell, paired

WHAT = (
    "seconds of learning a head on the features of 2,000 samples in 10 classes, after the last of them was looked at "
    "by MobileNet v2, against scikit-learn's logistic regression of the same cost on the same features"
)
LIMIT = 2.0
"""Seconds that the head may take."""
_CLASSES, _EACH, _SIDE = 10, 200, 160


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Collect through the lane of the Teach panel, then fit the same features in turn with both."""
    from guiapp.core.notices import NoticeBoard
    from guiapp.engine.teach import TeachLane

    each = 12 if quick else _EACH
    with tempfile.TemporaryDirectory() as folder:
        lane = TeachLane(Path(folder) / "kept", NoticeBoard(), _network)
        try:
            lane.use("mobilenet_v2")
            _wait(lane, lambda: bool(lane.newest.network or lane.newest.reason))
            tell(f"{_CLASSES * each:,} samples are looked at")
            began = time.perf_counter()
            for index in range(_CLASSES):
                reads = [(lambda index=index, number=number: sample(index, number), None) for number in range(each)]
                lane.collect_many(f"class {index}", reads)
            _wait(lane, lambda: lane.newest.samples == _CLASSES * each and not lane.newest.waiting)
            embedded = time.perf_counter() - began
            _wait(lane, lambda: lane.newest.accuracy is not None and lane.newest.learned)
            state = lane.newest
            features, labels = lane._samples.vectors.copy(), lane._samples.labels
        finally:
            lane.close()
    tell("the same features are fitted in turn")
    pairs = [_pair(features, labels) for _ in range(1 if quick else 5)]
    assert state.accuracy is not None
    return paired(
        pairs, "s", "lower", WHAT, samples=len(labels), after_last_sample=state.seconds, limit=LIMIT,
        within_limit=state.seconds <= LIMIT, embedding_seconds=embedded, samples_per_second=len(labels) / embedded,
        held_out_accuracy=state.accuracy[0],
    )  # fmt: skip


def sample(index: int, number: int) -> npt.NDArray[np.uint8]:
    """A picture of class ``index``, uint8 (160, 160, 3): stripes of one direction and width, place and noise differ."""
    random = np.random.default_rng(index * 100_003 + number)
    rows, columns = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    angle = np.pi * index / _CLASSES + random.normal(0, 0.05)
    waves = 4 + index % 3 * 5 + random.normal(0, 0.3)
    wave = np.sin(2 * np.pi * waves * (np.cos(angle) * columns + np.sin(angle) * rows) + random.uniform(0, 6.3))
    colour = random.uniform(0.3, 1, 3)
    noisy = 128 + 70 * wave[..., None] * colour + random.normal(0, 30, (_SIDE, _SIDE, 3))
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _network(name: str, _progress: Any) -> Any:
    """MobileNet v2 with published weights where they are here; random ones take the same time."""
    from guiapp.models.backbones import weights_here
    from guiapp.models.embedder import Embedder
    from guiapp.models.zoo.open import RANDOM, open_model

    return Embedder(open_model(name, "best" if weights_here(name) else RANDOM, may_fetch=False))


def _wait(lane: Any, done: Any, limit: float = 540.0) -> None:
    until = time.monotonic() + limit
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"teaching took longer than {limit:.0f} s: {lane.newest}")
        time.sleep(0.002)


def _pair(features: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> tuple[float, float]:
    import torch
    from sklearn.linear_model import LogisticRegression

    from guiapp.training.head_fit import DECAY, fit

    torch.set_num_threads(1)  # as on the lane
    began = time.perf_counter()
    fit(features, labels, _CLASSES)
    ours = time.perf_counter() - began
    began = time.perf_counter()
    spread = features.std(0)
    plain = (features - features.mean(0)) / np.where(spread > 0, spread, 1)
    LogisticRegression(C=1 / (DECAY * len(labels)), class_weight="balanced", max_iter=60).fit(plain, labels)
    return ours, time.perf_counter() - began
