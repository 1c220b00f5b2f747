"""A map from pictures to the plane as one piece of work: vectors, layout, alignment, and how well neighbours agree."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.datasets import DATASETS
from guiapp.interpret.embedding import align
from guiapp.interpret.embedding.cloud import Cloud
from guiapp.interpret.embedding.distance import METRICS, Space
from guiapp.interpret.embedding.features import Features, collect
from guiapp.interpret.embedding.options import (
    MapOptions,
    Method,
    PcaOptions,
    PlaneOptions,
    Source,
    TsneOptions,
    UmapOptions,
)
from guiapp.interpret.embedding.pictures import DataPictures, FolderPictures, Pictures, VideoPictures
from guiapp.interpret.embedding.place import Map
from guiapp.interpret.embedding.plane import LinearMap, pca, plane

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset
    from guiapp.models.base import Preprocessing
    from guiapp.models.zoo.open import OpenedModel

Floats = npt.NDArray[np.float32]
Steps = Generator[tuple[float, str], None, Any]


def open_pictures(source: Source, dataset: Dataset | None) -> Pictures:
    """List the pictures that a source means.

    Args:
        source: What was chosen.
        dataset: The open data set, or None.

    Raises:
        UserError: If there are none.
    """
    if source.kind == "data":
        if dataset is None:
            raise UserError("no data set is open: choose a folder or a video")
        return DataPictures(dataset, source.part, source.most)
    if source.kind == "set":
        return DataPictures(DATASETS[source.name].load(lambda _share, _words: None), "test", source.most)
    if source.path is None:
        raise UserError(f"choose a {source.kind}")
    kind = FolderPictures if source.kind == "folder" else VideoPictures
    return kind(source.path, source.most)


@dataclass(frozen=True, eq=False)
class Wanted:
    """What the person has chosen.

    Attributes:
        layer: Name of the layer.
        pool: What is taken of maps and tokens.
        source: The pictures.
        method: How they are laid out.
        options: The method's own.
        pictures: The pictures listed before for the same source, or None.
        features: Vectors found before that still hold, or None.
        before: The map before, which the new one is turned to lie as, or None.
        threads: Threads that it may use.
    """

    layer: str
    pool: Literal["mean", "max", "class token", "all"]
    source: Source
    method: Method
    options: MapOptions
    pictures: Pictures | None = None
    features: Features | None = None
    before: Map | None = None
    threads: int = 1


class Subject:
    """The network that is asked, as a study gives it: model, preprocessing, layers, labels, step, data set."""

    def __init__(self, study: Any) -> None:
        self.model: OpenedModel = study.model
        self.preprocessing: Preprocessing = study.inspected.preprocessing
        self.layers = study.inspected.layers
        self.labels: tuple[str, ...] = study.inspected.labels
        self.step: int = study.step
        self.dataset: Dataset | None = study.dataset


def make(subject: Subject, wanted: Wanted, tell: Callable[[Map], None], dataset: Dataset | None = None) -> Steps:
    """Lay pictures out; a generator that yields share and words, and gives the ``Map``.

    Args:
        subject: The network.
        wanted: What was chosen.
        tell: Called with what is known of the map so far, while it moves.
        dataset: The data set that ``source`` means; by default the subject's.

    Raises:
        UserError: If there are no pictures, or the layer or the method does not fit them.
    """
    features = wanted.features
    slow = wanted.method in ("t-SNE", "UMAP")
    begun = 0.0
    if features is None:
        begun = 0.5 if slow else 0.9
        yield 0.0, "listing the pictures"
        pictures = wanted.pictures or open_pictures(wanted.source, dataset or subject.dataset)
        gathering = collect(
            subject.model, subject.preprocessing, subject.layers, subject.labels, pictures, wanted.layer, wanted.pool,
            subject.step,
        )  # fmt: skip
        features = yield from _shared(gathering, 0.0, begun)
    space = Space(features.vectors)
    found = yield from _shared(_lay_out(features, space, wanted, tell), begun, 0.95)
    tell(found)
    agreement = {}
    asked = 0
    for number, metric in enumerate(METRICS):
        yield 0.95 + 0.05 * number / len(METRICS), "comparing neighbours"
        agreement[metric], asked = space.agreement(_classes(features), metric)
    return replace(found, agreement=agreement if asked else {}, asked=asked)


def _classes(features: Features) -> npt.NDArray[np.int64]:
    """Classes of the pictures by their own names, whether the network knows them or not."""
    return np.asarray(features.pictures.labels[features.kept], np.int64)


def _shared(work: Steps, low: float, high: float) -> Steps:
    """The same work with its share between two others."""
    while True:
        try:
            share, words = next(work)
        except StopIteration as end:
            return end.value
        yield low + (high - low) * share, words


def _lay_out(features: Features, space: Space, wanted: Wanted, tell: Callable[[Map], None]) -> Steps:
    vectors, options = features.vectors, wanted.options
    before = _places_before(features, wanted)
    known = ~np.isnan(before[:, 0]) if before is not None else np.zeros(len(vectors), np.bool_)

    def turned(xy: Floats) -> align.Turn:
        if before is None or known.sum() < 3:
            return align.as_it_is()
        return align.onto(xy[known], before[known])

    def made(xy: Floats, turn: align.Turn, words: str, final: bool = True, linear: LinearMap | None = None) -> Map:
        axes = linear.axes if linear is not None else ("", "")
        cloud = Cloud(np.nan_to_num(turn(xy)))
        return Map(features, wanted.method, cloud, space, axes, words, turn, linear, final)

    if isinstance(options, PcaOptions | PlaneOptions):
        yield 0.0, "laying out"
        linear = pca(vectors, options) if isinstance(options, PcaOptions) else plane(vectors, options)
        xy = linear(vectors)
        same = isinstance(options, PlaneOptions)  # its axes are units: they stay where they are
        return made(xy, align.as_it_is() if same else turned(xy), linear.words, linear=linear)
    begin = None
    if before is not None and known.all() and wanted.before is not None and wanted.before.method == wanted.method:
        begin = np.asarray(before, np.float32)
    name = "UMAP" if isinstance(options, UmapOptions) else "t-SNE"

    def show(xy: Floats) -> None:
        tell(made(xy, turned(xy), f"{name}, moving", final=False))

    if isinstance(options, UmapOptions):
        from guiapp.interpret.embedding import umap_map

        xy = yield from umap_map.layout(vectors, options, show, begin, wanted.threads)
        return made(xy, turned(xy), "UMAP · near stays near")
    assert isinstance(options, TsneOptions)
    from guiapp.interpret.embedding import tsne

    xy, divergence = yield from tsne.layout(vectors, options, show, begin, wanted.threads)
    words = f"t-SNE, divergence {divergence:.3f} · near stays near"
    return made(xy, turned(xy), words)


def _places_before(features: Features, wanted: Wanted) -> Floats | None:
    """Where each picture lay in the map before, NaN for new ones; None if none of them did."""
    before = wanted.before
    if before is None or before.features.pictures.name != features.pictures.name:
        return None
    if before.method != wanted.method and wanted.method == "plane":
        return None
    table = np.full((len(features.pictures), 2), np.nan, np.float32)
    table[before.features.kept] = before.xy
    found = table[features.kept]
    return None if np.isnan(found).all() else found
