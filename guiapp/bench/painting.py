"""Cost of painting: objects over a picture in the window, against drawing them into the picture with supervision."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.bench.figures import Tell, paired, worst
from guiapp.core.notices import UserError
from guiapp.tasks.predictions import Detections, Masks

WHAT = (
    "a new 1920x1080 picture and its objects to the window's pixels (upload, preparation, painting) against the "
    "annotators of supervision drawing the same objects into the same picture, without showing it"
)
_SIZE = (1920, 1080)
_LABELS = tuple(f"class {number}" for number in range(80))
# The order of COCO's key points (Lin et al., 2014); numbers from 0.
_SKELETON = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Time both in turn for masks, for boxes alone and for skeletons."""
    supervision = _peer()
    from guiapp import drive

    drive.without_display()
    rounds = 3 if quick else 31
    cases = {}
    with drive.apart(), _Window() as window:
        for name, what, drawn, annotate in (
            ("masks", "30 masks with boxes and labels", objects(30, masks=True), _masks(supervision)),
            ("boxes", "100 boxes with labels", objects(100), _boxes(supervision)),
            ("skeletons", "20 skeletons", people(20), _skeletons(supervision)),
        ):
            tell(what)
            cases[name] = _case(window, drawn, annotate, rounds, what)
    return worst({"masks": cases["masks"]}, WHAT) | {"cases": cases}


def _peer() -> Any:
    try:
        import supervision
    except ImportError as error:
        raise UserError(
            "the package supervision is what painting is measured against: install it with "
            "`pip install supervision` (in a clone: `uv sync --group bench`)"
        ) from error
    return supervision


class _Window:
    """The picture's view, as large as the picture, so that every pixel is painted."""

    def __enter__(self) -> _Window:
        from guiapp.app import create_application
        from guiapp.ui.theme import Theme
        from guiapp.ui.widgets.image_view import ImageView

        self._application = create_application(["guiapp"])
        self._theme = Theme("dark")
        self._view = ImageView(self._theme)
        self._view.margin = 0
        self._view.resize(*_SIZE)
        self._view.show()
        self._application.processEvents()
        return self

    def __exit__(self, *error: object) -> None:
        self._view.close()
        self._view.deleteLater()
        self._application.processEvents()

    def show(self, picture: npt.NDArray[np.uint8], drawn: Detections) -> tuple[float, float]:
        """Milliseconds of the preparation, and of handing over and painting until the window's pixels are there."""
        from guiapp.ui.painters import prepare

        begin = time.perf_counter()
        layer = prepare(drawn, self._theme, scale=self._view.scale, ratio=self._view.devicePixelRatioF())
        ready = time.perf_counter()
        self._view.set_image(picture)
        self._view.set_layers((layer,))
        self._view.repaint()
        return (ready - begin) * 1e3, (time.perf_counter() - ready) * 1e3


def _case(
    window: _Window,
    drawn: Detections,
    annotate: Callable[[npt.NDArray[np.uint8], Detections], object],
    rounds: int,
    what: str,
) -> dict[str, Any]:
    """A new picture each time, so that nothing that was kept of the last one helps."""
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 256, (_SIZE[1], _SIZE[0], 3), np.uint8) for _ in range(3)]
    pairs, parts = [], []
    for number in range(rounds + 1):
        mine, theirs = (pictures[number % len(pictures)].copy() for _ in range(2))
        begin = time.perf_counter()
        part = window.show(mine, drawn)
        shown = time.perf_counter()
        annotate(theirs, drawn)
        pairs.append(((shown - begin) * 1e3, (time.perf_counter() - shown) * 1e3))
        parts.append(part)
    pairs, parts = pairs[1:], parts[1:]  # the first round loads fonts and code
    return paired(
        pairs, "ms", "lower", what,
        prepare=statistics.median(part[0] for part in parts), paint=statistics.median(part[1] for part in parts),
    )  # fmt: skip


def objects(count: int, masks: bool = False) -> Detections:
    """Objects of many sizes all over the picture, the same ones each time; masks are discs with a wavy rim."""
    rng = np.random.default_rng(0)
    width, height = _SIZE
    sides = np.exp(rng.uniform(np.log(60), np.log(480), (count, 2)))
    centres = rng.uniform((0, 0), (width, height), (count, 2))
    ends = np.rint(np.hstack([centres - sides / 2, centres + sides / 2]))
    boxes = np.asarray(np.clip(ends, 0, [width, height, width, height]), np.float32)
    classes = rng.integers(0, len(_LABELS), count)
    scores = np.sort(rng.uniform(0.5, 1, count).astype(np.float32))[::-1]
    return Detections(boxes, scores, classes, _LABELS, _SIZE, masks=_discs(boxes) if masks else None)


def _discs(boxes: npt.NDArray[np.float32]) -> Masks:
    bits = []
    for x1, y1, x2, y2 in boxes.astype(int):
        down, across = np.mgrid[-1 : 1 : (y2 - y1) * 1j, -1 : 1 : (x2 - x1) * 1j]
        bits.append(np.hypot(down, across) < 0.85 + 0.12 * np.sin(9 * np.arctan2(down, across)))
    return Masks(tuple(bits), boxes[:, :2].astype(np.int32))


def people(count: int) -> Detections:
    """Key points of standing people, with scores as logits."""
    rng = np.random.default_rng(0)
    place = np.array(
        [(50, 8), (54, 6), (46, 6), (58, 8), (42, 8), (66, 22), (34, 22), (74, 38), (26, 38), (78, 52), (22, 52),
         (60, 52), (40, 52), (62, 74), (38, 74), (63, 96), (37, 96)]
    ) / 100  # fmt: skip
    high = rng.uniform(200, 700, count)
    corner = rng.uniform((0, 0), (1600, 300), (count, 2))
    size = np.stack([high * 0.45, high], 1)
    points = np.empty((count, len(place), 3), np.float32)
    points[..., :2] = corner[:, None] + place * size[:, None]
    points[..., 2] = rng.uniform(0.5, 12, points.shape[:2])
    boxes = np.hstack([corner, corner + size]).astype(np.float32)
    scores = np.linspace(0.99, 0.6, count, dtype=np.float32)
    return Detections(
        boxes, scores, np.zeros(count, np.int64), ("person",), _SIZE, keypoints=points, skeleton=_SKELETON
    )


def _given(supervision: Any, drawn: Detections) -> Any:
    """The objects as the peer keeps them; it takes masks as whole pictures."""
    masks = None
    if drawn.masks is not None:
        masks = np.zeros((len(drawn), _SIZE[1], _SIZE[0]), np.bool_)
        for mask, bits, (x, y) in zip(masks, drawn.masks.bits, drawn.masks.corners.tolist(), strict=True):
            mask[y : y + bits.shape[0], x : x + bits.shape[1]] = bits
    return supervision.Detections(xyxy=drawn.boxes, mask=masks, confidence=drawn.scores, class_id=drawn.classes)


def _texts(drawn: Detections) -> list[str]:
    return [f"{drawn.labels[c]} {s:.2f}" for c, s in zip(drawn.classes.tolist(), drawn.scores, strict=True)]


def _masks(supervision: Any) -> Callable[[npt.NDArray[np.uint8], Detections], object]:
    fill = supervision.MaskAnnotator()
    rest = _boxes(supervision)
    drawn = objects(30, masks=True)
    given = _given(supervision, drawn)  # made beforehand: a network may give them so

    def annotate(scene: npt.NDArray[np.uint8], drawn: Detections) -> object:
        return rest(fill.annotate(scene=scene, detections=given), drawn)

    return annotate


def _boxes(supervision: Any) -> Callable[[npt.NDArray[np.uint8], Detections], object]:
    box, label = supervision.BoxAnnotator(), supervision.LabelAnnotator()

    def annotate(scene: npt.NDArray[np.uint8], drawn: Detections) -> object:
        plain = supervision.Detections(xyxy=drawn.boxes, confidence=drawn.scores, class_id=drawn.classes)
        scene = box.annotate(scene=scene, detections=plain)
        return label.annotate(scene=scene, detections=plain, labels=_texts(drawn))

    return annotate


def _skeletons(supervision: Any) -> Callable[[npt.NDArray[np.uint8], Detections], object]:
    edge = supervision.EdgeAnnotator(edges=[(a + 1, b + 1) for a, b in _SKELETON])
    vertex = supervision.VertexAnnotator()
    rest = _boxes(supervision)

    def annotate(scene: npt.NDArray[np.uint8], drawn: Detections) -> object:
        assert drawn.keypoints is not None
        points = supervision.KeyPoints(xy=drawn.keypoints[..., :2])
        scene = vertex.annotate(scene=edge.annotate(scene=scene, key_points=points), key_points=points)
        return rest(scene, drawn)

    return annotate
