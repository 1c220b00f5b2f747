"""Cost of a map: t-SNE of 10,000 points in the window, against scikit-learn's at equal perplexity and iterations."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.bench.figures import Tell, paired, percentile

WHAT = (
    "t-SNE of 10,000 vectors of 64 dimensions, perplexity 30, 1,000 iterations, from the principal components, on the "
    "work lane beside a window, against sklearn.manifold.TSNE with the same threads"
)
_POINTS, _PERPLEXITY, _ITERATIONS = 10_000, 30.0, 1000


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Lay the same vectors out with both, one after the other; divergences of both maps by the same exact sum."""
    from guiapp import drive

    drive.without_display()
    with drive.apart():
        return _measure(quick, tell)


def _measure(quick: bool, tell: Tell) -> dict[str, Any]:
    points, iterations = (600, 260) if quick else (_POINTS, _ITERATIONS)
    data = vectors(points)
    threads = max(1, (os.cpu_count() or 2) // 2) if quick else os.cpu_count() or 1
    tell("the work lane's t-SNE, with its window")
    ours, seconds, gaps = _ours(data, iterations, threads)
    tell("scikit-learn's t-SNE")
    theirs, peer = _theirs(data, iterations, threads)
    tell("comparing the maps")
    mine, other = (_divergence(data, xy) for xy in (ours, theirs))
    return paired(
        [(seconds, peer)], "s", "lower", WHAT, points=points, iterations=iterations, threads=threads, divergence=mine,
        peer_divergence=other, divergence_ratio=mine / other, window_median_ms=percentile(gaps, 0.5),
        window_p99_ms=percentile(gaps, 0.99), window_worst_ms=max(gaps),
    )  # fmt: skip


def vectors(count: int) -> npt.NDArray[np.float32]:
    """Handwritten digits of scikit-learn, repeated with noise until there are ``count``, the same ones each time."""
    from sklearn.datasets import load_digits

    digits = load_digits().data
    random = np.random.default_rng(0)
    chosen = np.arange(count) % len(digits)
    return np.asarray(digits[chosen] + random.normal(0, 1.5, (count, digits.shape[1])), np.float32)


def _ours(
    data: npt.NDArray[np.float32], iterations: int, threads: int
) -> tuple[npt.NDArray[np.float32], float, list[float]]:
    """The map, its seconds, and milliseconds between the ticks of a 16 ms timer of a window that shows it moving."""
    from guiapp.drive import MapWatch
    from guiapp.engine.job import Job, WorkLane
    from guiapp.interpret.embedding.options import TsneOptions
    from guiapp.interpret.embedding.tsne import layout

    _warm(data)
    lane, watch = WorkLane(1), MapWatch()
    options = TsneOptions(perplexity=_PERPLEXITY, iterations=iterations)
    job: Job[Any] = Job(layout(data, options, watch.show, threads=threads), "t-SNE")
    ended = threading.Event()
    job.on_end(lambda _job: ended.set())
    begin = time.perf_counter()
    lane.submit(job)
    gaps = watch.run(ended.is_set)
    seconds = time.perf_counter() - begin
    lane.close(10)
    if job.error is not None:
        raise job.error
    assert job.result is not None
    xy = np.asarray(job.result[0], np.float32)
    return xy, seconds, gaps


def _warm(data: npt.NDArray[np.float32]) -> None:
    """Load what both take their time to load."""
    import sklearn.manifold  # noqa: F401

    from guiapp.interpret.embedding.options import TsneOptions
    from guiapp.interpret.embedding.tsne import layout

    for _ in layout(data[:100], TsneOptions(perplexity=10, iterations=50), lambda _xy: None):
        pass


def _theirs(data: npt.NDArray[np.float32], iterations: int, threads: int) -> tuple[npt.NDArray[np.float32], float]:
    from sklearn.manifold import TSNE

    begin = time.perf_counter()
    found = TSNE(perplexity=_PERPLEXITY, max_iter=iterations, init="pca", random_state=0, n_jobs=threads)
    xy = found.fit_transform(data)
    return np.asarray(xy, np.float32), time.perf_counter() - begin


def _divergence(data: npt.NDArray[np.float32], xy: npt.NDArray[np.float32]) -> float:
    from guiapp.interpret.embedding.tsne import affinities, divergence

    finding = affinities(data, _PERPLEXITY)
    while True:
        try:
            next(finding)
        except StopIteration as end:
            return divergence(end.value.P, xy)
