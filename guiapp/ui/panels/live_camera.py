"""Resolution and rate of the camera that is open, from what it offers."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

if TYPE_CHECKING:
    from guiapp.sources.camera_modes import Mode
    from guiapp.ui.context import Context
    from guiapp.ui.panels.live_feed import LiveFeed

_AS_IT_COMES = "as it comes"


class LiveCamera(QWidget):
    """Two boxes; what is chosen is asked of the camera at once, and what it gives instead is told by the source.

    Attributes:
        resolution: Box, ``live.resolution``; data (width, height) or None.
        rate: Box, ``live.rate``; data frames a second or None.
    """

    def __init__(self, context: Context, feed: LiveFeed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context, self._feed = context, feed
        self._listed: tuple[object, int] | None = None
        self._modes: list[Mode] = []
        self.resolution = self._box("resolution", "Resolution", "Width and height that are asked of the camera")
        self.rate = self._box("rate", "Rate", "Frames a second that are asked of the camera")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.resolution)
        row.addWidget(self.rate)
        row.addStretch(1)

    def _box(self, name: str, title: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"live.{name}")
        box.setAccessibleName(title)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.activated.connect(self._ask)
        return box

    def follow(self) -> None:
        """List what the camera offers, once it is open; again where it is another one."""
        source = self._feed.source
        camera = source is not None and source.kind == "camera"
        self.setVisible(camera)
        if not camera or source is None or source.number is None or self._listed == (source, source.number):
            return
        self._listed = source, source.number
        number = source.number
        self._show([])

        def work() -> Generator[None, None, list[Mode]]:
            from guiapp.sources.camera_modes import COMMON, RATES, Mode, list_modes

            yield
            return list_modes(number) or [Mode(width, height, RATES) for width, height in reversed(COMMON)]

        bridge = self._context.bridge
        mine = self._listed
        bridge.call(
            bridge.engine.submit(work, title="Asking the camera what it offers"),
            lambda modes: self._show(modes) if self._listed == mine else None,
        )

    def _show(self, modes: list[Mode]) -> None:
        self._modes = modes
        source = self._feed.source
        self._fill(
            self.resolution,
            [(f"{mode.width} × {mode.height}", (mode.width, mode.height)) for mode in modes],
            None if source is None else source.resolution,
        )
        self._fill_rates(None if source is None else source.asked_fps)

    def _fill_rates(self, chosen: float | None) -> None:
        """The rates of the resolution that is chosen; all of them where none is."""
        size = self.resolution.currentData()
        fitting = [mode for mode in self._modes if size is None or (mode.width, mode.height) == size]
        rates = sorted({rate for mode in fitting for rate in mode.rates}, reverse=True)
        self._fill(self.rate, [(f"{rate:g} frames/s", rate) for rate in rates], chosen if chosen in rates else None)

    @staticmethod
    def _fill(box: QComboBox, items: list[tuple[str, object]], chosen: object) -> None:
        box.clear()
        box.addItem(_AS_IT_COMES, None)
        for text, data in items:
            box.addItem(text, data)
        # Qt's own search compares tuples by identity.
        box.setCurrentIndex(next((i + 1 for i, (_, data) in enumerate(items) if data == chosen), 0))
        box.setEnabled(bool(items))

    def _ask(self) -> None:
        source = self._feed.source
        if source is None or source.kind != "camera":
            return
        if self.sender() is self.resolution:
            self._fill_rates(self.rate.currentData())
        size = self.resolution.currentData()
        source.set_mode(None if size is None else tuple(size), self.rate.currentData())
