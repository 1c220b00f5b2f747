"""The detector panel: pyramid, anchors, scores and one object inside the detector of the live room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from guiapp.catalogue import EXPERIMENTS
from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.detector_options import NEEDED, DetectorOptions, kind_of
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import detector_words as words
from guiapp.ui.panels.detector_focal import FocalPart
from guiapp.ui.panels.detector_object import ObjectPage
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.detector_plots import LevelTable
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.image_layers import BoxesLayer, Layer, MapLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.pyramid_tiles import MapTile, PyramidTiles
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.detector import DetectorView, Level

_NO_PICTURE = "No picture: open a camera, a video or a picture in the Live room."
_VIEWS = (("Pyramid", "pyramid"), ("Anchors", "anchors"), ("Scores", "scores"), ("Object", "object"))
_VIEW_TIP = (
    "Pyramid: how the levels are merged\n"
    "Anchors: the boxes that every cell starts from; point at the picture\n"
    "Scores: where the network sees something, and what each step leaves\n"
    "Object: how the object that is chosen in the live picture was found"
)
_BOXES = (("no boxes", ""), ("before suppression", "before"), ("after suppression", "after"))
_WIDE = 620
_LOW, _HIGH = 330, 450  # heights from which there is room for the curve of the loss, beside the picture and below it
_OPACITY = 0.6


class DetectorPanel(Panel):
    """One of four views of the newest frame, with what it says in two lines below.

    Attributes:
        views: What is shown, ``detector.view``.
        channel: One channel or the mean of all, ``detector.channel``.
        boxes: Which boxes of the first stage lie over the scores, ``detector.boxes``.
        tiles: The pyramid, ``detector.pyramid``.
        image: The picture with anchors or scores, ``detector.picture``.
        table: The levels, ``detector.levels``.
        focal: What the focal loss makes of the scores.
        object: One object, and how it was found.
        view: What is shown now, or None.
    """

    id = "detector"
    title = "Detector"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view: DetectorView | None = None
        self._picture: Picture | None = None
        self._opened: object = None
        self._kind = ""
        self._level = 0
        self._cell: tuple[int, int] | None = None
        self.views = self._combo("view", "What is shown of the detector", _VIEW_TIP, _VIEWS)
        self.channel = self._combo(
            "channel", "Channel", "The mean magnitude over all channels, or the strongest channel with its sign",
            (("mean magnitude", "mean"), ("strongest channel", "strongest")),
        )  # fmt: skip
        tip = "The best 100 boxes of the first stage, before or after suppression; blue: of the chosen level"
        self.boxes = self._combo("boxes", "Boxes of the first stage", tip, _BOXES)
        self.tiles = PyramidTiles(theme, "detector.pyramid")
        self.image = ImageView(theme, "detector", self)
        self.image.setObjectName("detector.picture")
        self.image.setMinimumSize(120, 90)
        self.image.corner_text = False
        self.table = LevelTable(theme, "detector.levels")
        self.focal = FocalPart(theme, self)
        self.object = ObjectPage(theme, self)
        self.says = QuietLabel("detector.told", self)
        self.more = QuietLabel("detector.more", self, theme.faint)
        self._build()
        self.views.currentIndexChanged.connect(self._ask)
        self.channel.currentIndexChanged.connect(lambda _=0: self.request_changed.emit())
        self.boxes.currentIndexChanged.connect(lambda _=0: self._lay())
        self.tiles.hovered.connect(lambda _tile: self._tell())
        self.image.hovered.connect(self._point)
        self.table.clicked.connect(self._choose)
        self.object.maps.hovered.connect(lambda _item: self._tell())
        theme.changed.connect(self._restyle)
        workspace = context.workspace
        stop = workspace.subscribe("region", lambda _region: self.request_changed.emit())
        stop_begin = workspace.subscribe("experiment", self._begin)
        self.destroyed.connect(lambda _=None: (stop(), stop_begin()))
        self._begin(workspace.experiment)
        self._arrange()

    def _combo(self, name: str, accessible: str, tip: str, items: tuple[tuple[str, str], ...]) -> QComboBox:
        made = QComboBox(self)
        made.setObjectName(f"detector.{name}")
        made.setAccessibleName(accessible)
        made.setToolTip(tip)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(5 if name == "view" else 10)
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        for title, value in items:
            made.addItem(title, value)
        return made

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(4)
        tools.addWidget(self.views)
        tools.addWidget(self.channel)
        tools.addWidget(self.boxes)
        tools.addStretch(1)
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(self.table)
        side.addWidget(self.focal, 1)
        self._side_rest = QWidget(self)
        side.addWidget(self._side_rest)
        scene = QWidget(self)
        self._scene = QBoxLayout(QBoxLayout.Direction.TopToBottom, scene)
        self._scene.setContentsMargins(0, 0, 0, 0)
        self._scene.setSpacing(6)
        self._scene.addWidget(self.image, 3)
        self._scene.addLayout(side, 2)
        self._body = QStackedWidget(self)
        for page in (self.tiles, scene, self.object):
            self._body.addWidget(page)
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(4)
        column.addLayout(tools)
        column.addWidget(self._body, 1)
        column.addWidget(self.says)
        column.addWidget(self.more)
        self.empty = EmptyState("", (), self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @settled
    def _arrange(self) -> None:
        """Beside each other in a wide panel; only the controls that act on what is shown."""
        mode = self.mode
        beside = self.width() >= _WIDE or self.width() > 1.6 * self.height()
        direction = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        self._scene.setDirection(direction)
        self.object.set_direction(direction)
        scoring = self.view.scoring if self.view is not None else ""
        two = self._kind == "two-stage"
        wanted = {self.channel: mode == "pyramid" or (mode == "object" and two), self.boxes: mode == "scores" and two}
        for box, shown in sorted(wanted.items(), key=lambda item: item[1]):  # hidden first: both are too wide
            box.setVisible(shown)
        focal = mode == "scores" and scoring in ("sigmoid", "centred")
        self.focal.setVisible(focal)
        self.focal.plot.setVisible(self.height() >= (_LOW if beside else _HIGH))
        self._side_rest.setVisible(beside and not focal)
        self._scene.setStretch(0, 3)
        self._scene.setStretch(1, 2 if beside or focal else 0)
        self._body.setCurrentIndex({"pyramid": 0, "anchors": 1, "scores": 1, "object": 2}[mode])

    # ------------------------------------------------------------------ answers

    @property
    def mode(self) -> str:
        """``"pyramid"``, ``"anchors"``, ``"scores"`` or ``"object"``."""
        return str(self.views.currentData())

    def request(self) -> Request | None:
        """The view that is chosen, of a detector alone."""
        if self.context.bridge.subject != "live" or not self._kind:
            return None
        region = self.context.workspace.region
        return Request("detector", DetectorOptions(self.mode, self.channel.currentData(), region))  # type: ignore[arg-type]

    def show_state(self, state: EngineState) -> None:
        """Say what is needed where the network is no detector."""
        opened = state.opened if self.context.bridge.subject == "live" else None
        if opened is not None and opened is self._opened:
            return
        self._opened, self.view, self._picture = opened, None, None
        self._kind = kind_of(opened.layers) if opened is not None else ""
        self._level, self._cell = 0, None
        self.focal.show_view(None)
        self.empty.set_text(self.no_look(_NO_PICTURE) if self._kind else f"This panel looks into {NEEDED}.")
        self._pages.setCurrentIndex(0)
        self.request_changed.emit()

    def show_look(self, result: LookResult) -> None:
        """Show the newest answer."""
        view = result.results.get(self.id)
        if view is None or result.picture is None or view.view != self.mode:
            return
        self.view, self._picture = view, result.picture
        self._level = min(self._level, len(view.levels) - 1)
        self._pages.setCurrentIndex(1)
        self._arrange()
        if self.mode == "pyramid":
            self._show_pyramid(view, result.picture)
        elif self.mode == "object":
            self.object.show_object(view.object, result.picture)
        else:
            if self.image.array is not result.picture.pixels:
                self.image.set_image(result.picture.pixels)
            self._show_table()
            self._lay()
            self.focal.show_view(view)
        self._tell()

    def _begin(self, experiment: str | None) -> None:
        """An exhibit opens with the view that it is about."""
        entry = EXPERIMENTS.get(experiment or "")
        place = self.views.findData(entry.begin.get("detector.view")) if entry is not None else -1
        if place >= 0:
            self.views.setCurrentIndex(place)

    def _ask(self) -> None:
        """Another view: what is shown stays until its answer comes."""
        self._cell = None
        self.request_changed.emit()

    # ------------------------------------------------------------------ pyramid

    def _show_pyramid(self, view: DetectorView, picture: Picture) -> None:
        tiles = []
        merged = any(len(level.maps) > 1 for level in view.levels)
        names = [level.name for level in view.levels]
        for row, level in enumerate(view.levels):
            coarser = names[row + 1] if row + 1 < len(names) else ""
            for column, part in enumerate(("lateral", "above", "result")):
                if part in level.maps:
                    boxes = view.boxes[view.places == row] if part == "result" else view.boxes[:0]
                    place = (row, column if merged else 0)
                    tiles.append(MapTile(place, words.captions(level, part, coarser), level.maps[part], boxes))
        self.tiles.show_tiles(tiles, picture.pixels, view.area)

    def _tile(self, index: int) -> tuple[Level, str]:
        """Level and part of a tile."""
        assert self.view is not None
        parts = ((level, part) for level in self.view.levels for part in ("lateral", "above", "result"))
        return [(level, part) for level, part in parts if part in level.maps][index]

    # ------------------------------------------------------------------ anchors and scores

    @property
    def level(self) -> Level | None:
        """The level that is looked at."""
        return self.view.levels[self._level] if self.view is not None else None

    def _choose(self, index: int) -> None:
        self._level, self._cell = index, None
        self._show_table()
        self._lay()
        self._tell()

    def _show_table(self) -> None:
        if self.view is not None:
            self.table.show_rows(*words.table(self.view), self._level)

    def _point(self, where: tuple[int, int] | None) -> None:
        """The cell of the level under the pointer: the one whose anchors are centred nearest."""
        view, level = self.view, self.level
        cell = None
        if where is not None and view is not None and level is not None and level.scores.size:
            across, down = view.scale.tolist()
            middle = (level.base[0, :2] + level.base[0, 2:]) / 2
            column = round(((where[0] + 0.5) / across - float(middle[0])) / level.stride[0])
            row = round(((where[1] + 0.5) / down - float(middle[1])) / level.stride[1])
            cell = min(max(row, 0), level.rows - 1), min(max(column, 0), level.columns - 1)
        if cell != self._cell:
            self._cell = cell
            self._lay()
            self._tell()

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column whose anchors are shown: that under the pointer, else about the middle of the object."""
        view, level = self.view, self.level
        if self._cell is not None or view is None or level is None or not level.scores.size:
            return self._cell
        if self.mode != "anchors":
            return None
        best = int(level.scores.max(-1).argmax())
        return divmod(best, level.columns)

    def anchors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Anchors of the shown cell (A, 4) in pixels of the picture, which fired, which would be positive."""
        view, level, cell = self.view, self.level, self.cell
        assert view is not None and level is not None and cell is not None
        seen = level.anchors_at(*cell)
        fired = level.scores[cell] > view.fires
        positive = np.zeros(len(seen), bool)
        if view.positive is not None and view.object is not None:
            positive = _overlaps(seen, view.object.seen) >= view.positive
        return seen * np.tile(view.scale, 2), fired, positive

    def _lay(self) -> None:
        """What lies over the picture."""
        view, level, theme = self.view, self.level, self.context.theme
        if view is None or level is None or view.view != self.mode or not level.scores.size:
            return
        layers: list[Layer] = []
        if self.mode == "scores" and level.heat is not None:
            heat = image_of(level.heat.pixels, palette_table(False))
            layers.append(MapLayer(heat, _OPACITY, self._heat_area(view, level)))
            rows = getattr(view, self.boxes.currentData()) if self.boxes.currentData() else None
            if rows is not None and self._kind == "two-stage":
                own = rows[:, 5] == self._level
                layers.append(BoxesLayer(rows[~own, :4], theme.text, 0.35))
                layers.append(BoxesLayer(rows[own, :4], theme.accent))
        if view.object is not None and self.mode == "anchors":
            layers.append(BoxesLayer(view.object.box[None], theme.warning))
        if self.cell is not None and (self.mode == "anchors" or self._cell is not None):
            boxes, fired, positive = self.anchors()
            layers.append(BoxesLayer(boxes[~fired & ~positive], theme.text, 0.55))
            layers.append(BoxesLayer(boxes[fired & ~positive], theme.accent))
            layers.append(BoxesLayer(boxes[positive], theme.good))
        self.image.set_layers(layers)

    @staticmethod
    def _heat_area(view: DetectorView, level: Level) -> tuple[float, float, float, float]:
        """Where the cells lie: each about the middle of its anchors."""
        across, down = view.scale.tolist()
        middle = (level.base[0, :2] + level.base[0, 2:]) / 2
        left, top = float(middle[0]) - level.stride[0] / 2, float(middle[1]) - level.stride[1] / 2
        if level.columns * level.stride[0] > view.padded[1] * 0.9 and left < 0:  # torchvision's stand at the corner
            left = top = 0.0
        return left * across, top * down, level.columns * level.stride[0] * across, level.rows * level.stride[1] * down

    # ------------------------------------------------------------------ words

    def _tell(self) -> None:
        """The two lines below."""
        view, level = self.view, self.level
        if view is None or level is None or view.view != self.mode:
            return
        if self.mode == "pyramid":
            self._tell_pyramid(view)
        elif self.mode == "anchors":
            about = words.of_cell(view, level, self._cell) if self._cell is not None else words.of_anchors(view, level)
            self.says.set_text(*about)
            self.more.set_text(*words.of_match(view))
        elif self.mode == "scores":
            self.says.set_text(*words.of_steps(view))
            cell = self._cell
            self.more.set_text(*(words.SCORING[view.scoring] if cell is None else words.of_cell(view, level, cell)))
        else:
            name, place = words.of_object(view), words.of_level(view)
            self.says.set_text(f"{name[0]} · {place[0]}", (f"{name[1][0]} · {place[0]}", place[0]) if name[1] else ())
            self.more.set_text(*(self.object.value() or words.of_codes(view.object, view.scoring)))

    def _tell_pyramid(self, view: DetectorView) -> None:
        index, pointer = self.tiles.hover, self.tiles.pointer
        if index is None or pointer is None or index >= len(self.tiles.tiles):
            self.says.set_text(*words.of_pyramid(view))
        else:
            level, part = self._tile(index)
            place, cell = self.tiles.cell_at(pointer), None
            if place is not None:
                cell = (place[1], place[2], float(self.tiles.tiles[index].atlas.values[0, place[1], place[2]]))
            self.says.set_text(*words.of_tile(level, part, cell))
        self.more.set_text("a click enlarges a map; once more shows all", ("a click enlarges a map",))

    def _restyle(self) -> None:
        self.more.ink = self.context.theme.faint
        self.more.update()
        self._lay()
        if self.view is not None and self._picture is not None and self.view.view == "object" == self.mode:
            self.object.show_object(self.view.object, self._picture)


def _overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (N, 4) with one."""
    sides = np.clip(np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2]), 0, None)
    common = sides.prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
    overlap: np.ndarray = common / np.maximum(areas - common, 1e-9)
    return overlap
