"""Thumbnails of files, decoded beside the window: the newest request first, what is scrolled away is dropped."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QPixmap

from guiapp.core.notices import UserError

_KEPT = 1000  # pixmaps of 128 pixels: at most 66 MB


class _Worker(QRunnable):
    def __init__(self, loader: ThumbnailLoader) -> None:
        super().__init__()
        self._loader = loader

    def run(self) -> None:
        self._loader.work()


class ThumbnailLoader(QObject):
    """Decodes one file after another on a thread of its own that ends when there is nothing to do.

    Attributes:
        loaded: Emitted with a path when its thumbnail, or the reason why there is none, is there.
        size: Longer side of a thumbnail in pixels.
    """

    loaded = Signal(object)
    _decoded = Signal(object, object, str)

    def __init__(self, size: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size = size
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._lock = threading.Lock()
        self._waiting: dict[Path, None] = {}
        self._working = self._closed = False
        self._ready: OrderedDict[Path, QPixmap | str] = OrderedDict()
        self._decoded.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    def thumbnail(self, path: Path) -> QPixmap | str | None:
        """The thumbnail, the reason why it cannot be read, or None while it is being read."""
        found = self._ready.get(path)
        if found is not None:
            self._ready.move_to_end(path)
            return found
        with self._lock:
            if self._closed:
                return None
            self._waiting.pop(path, None)
            self._waiting[path] = None  # newest last
            start, self._working = not self._working, True
        if start:
            self._pool.start(_Worker(self))
        return None

    def keep_only(self, paths: Collection[Path]) -> None:
        """Drop what waits and is not among ``paths``."""
        wanted = set(paths)
        with self._lock:
            self._waiting = {path: None for path in self._waiting if path in wanted}

    @property
    def waiting(self) -> int:
        """How many files wait."""
        with self._lock:
            return len(self._waiting)

    def close(self) -> None:
        """Drop what waits and let the thread end."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._pool.waitForDone(2000)

    def work(self) -> None:
        """Decode until nothing waits; called on the pool's thread."""
        from guiapp.core.decode import decode, resized, within

        while True:
            with self._lock:
                if not self._waiting or self._closed:
                    self._working = False
                    return
                path, _ = self._waiting.popitem()
            image, reason = None, ""
            try:
                pixels = decode(path, at_least=(self.size, self.size)).pixels
                small = resized(pixels, *within((pixels.shape[1], pixels.shape[0]), self.size))
                small = np.ascontiguousarray(small)
                height, width = small.shape[:2]
                image = QImage(small.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
            except UserError as error:
                reason = str(error)
            with self._lock:
                if not self._closed:
                    self._decoded.emit(path, image, reason)

    def _keep(self, path: Path, image: QImage | None, reason: str) -> None:
        self._ready[path] = QPixmap.fromImage(image) if image is not None else reason
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        self.loaded.emit(path)
