"""Looks through a folder of pictures of any size: the first is shown at once, thumbnails come as they are seen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.engine.job import Job
from guiapp.sources.folder import FolderSource
from guiapp.sources.image_file import read_picture
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.buttons import icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.thumbnails import ThumbnailLoader

_CELL = 72
_THUMBNAIL = 64
_PATH = Qt.ItemDataRole.UserRole
_Listed = tuple[FolderSource, list[Path]]
_Found = _Listed | Exception


class _Model(QAbstractListModel):
    def __init__(self, loader: ThumbnailLoader, parent: QObject) -> None:
        super().__init__(parent)
        self.files: list[Path] = []
        self._rows: dict[Path, int] = {}
        self._loader = loader
        loader.loaded.connect(self._arrived)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.files)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        path = self.files[index.row()]
        if role == Qt.ItemDataRole.DecorationRole:
            return self._loader.thumbnail(path)
        if role == _PATH:
            return path
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return path.name
        if role == Qt.ItemDataRole.ToolTipRole:
            found = self._loader.thumbnail(path)
            return found if isinstance(found, str) else path.name
        return None

    def row(self, path: Path) -> int:
        return self._rows.get(path, -1)

    def show_files(self, files: Sequence[Path]) -> None:
        self.beginResetModel()
        self.files = list(files)
        self._rows = {path: row for row, path in enumerate(self.files)}
        self.endResetModel()

    def _arrived(self, path: Path) -> None:
        row = self.row(path)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])


class _Cell(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(_CELL, _CELL)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        area = option.rect.adjusted(4, 4, -4, -4)
        found = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(found, QPixmap):
            size = found.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, Qt.AlignmentFlag.AlignCenter, size, area)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < found.width())
            painter.drawPixmap(place, found)
        else:
            painter.fillRect(area, self._theme.hover)
            if isinstance(found, str):
                icon("warning", self._theme.warning).paint(painter, area.adjusted(20, 20, -20, -20))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(self._theme.accent)
            painter.drawRect(area.adjusted(-2, -2, 1, 1))
            painter.drawRect(area.adjusted(-1, -1, 0, 0))


class FolderBrowser(QWidget):
    """Thumbnails of a folder; the current one is the picture in the viewer.

    Attributes:
        view: The grid, ``source.files``.
        path: The folder, or None.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.path: Path | None = None
        self._serial = self._looked = 0
        self._listing: Job[object] | None = None
        self._loader = ThumbnailLoader(_THUMBNAIL * 2, self)
        self.destroyed.connect(self._loader.close)
        self._model = _Model(self._loader, self)
        self.view = QListView(self)
        self.view.setObjectName("source.files")
        self.view.setAccessibleName("Pictures of the folder")
        self.view.setViewMode(QListView.ViewMode.IconMode)
        self.view.setMovement(QListView.Movement.Static)
        self.view.setResizeMode(QListView.ResizeMode.Adjust)
        self.view.setUniformItemSizes(True)
        self.view.setLayoutMode(QListView.LayoutMode.Batched)
        self.view.setBatchSize(2000)
        self.view.setGridSize(QSize(_CELL, _CELL))
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setItemDelegate(_Cell(context.theme, self.view))
        self.view.setModel(self._model)
        self.count = QLabel(self)
        self.count.setObjectName("source.folder-count")
        self.count.setProperty("faint", True)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        commands = context.commands
        actions = [commands[name] for name in ("file.open-picture", "file.open-folder", "file.paste")]
        names = ("source.open-picture", "source.open-folder", "source.paste")
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.count, 1)
        body = QWidget(self)
        for action, name in zip(actions, names, strict=True):
            row.addWidget(icon_button(body, action, name))
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        self.empty = EmptyState(
            "Drop a picture or a folder anywhere on the window, paste one, or open",
            ((actions[0], "source.choose-picture"), (actions[1], "source.choose-folder")),
            self,
        )
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        self._scrolled = QTimer(self)
        self._scrolled.setSingleShot(True)
        self._scrolled.setInterval(60)
        self._scrolled.timeout.connect(self._drop_hidden)
        self.view.verticalScrollBar().valueChanged.connect(lambda _: self._scrolled.start())
        self.view.selectionModel().currentChanged.connect(self._look)

    # ------------------------------------------------------------------ listing

    def show_pictures(self, paths: Sequence[Path]) -> None:
        """Show exactly these files and look at the first."""
        self._begin(None)
        self._show_files(list(paths), "")
        self.count.setToolTip("\n".join(str(path) for path in paths[:20]))

    def _begin(self, path: Path | None) -> int:
        self._serial += 1
        if self._listing is not None:
            self._listing.stop()
        self.path = path
        self._pages.setCurrentIndex(1)
        self._model.show_files(())
        return self._serial

    def show_folder(self, path: Path) -> None:
        """List a folder on the work lane and look at its first picture."""
        serial = self._begin(path)
        self.count.setText("listing …")
        self.count.setToolTip(str(path))

        def work() -> Generator[None, None, _Listed]:
            yield
            source = FolderSource(path)
            return source, [source.file(i) for i in range(len(source))]

        def rest(source: FolderSource) -> Generator[None, None, _Listed]:
            while not source.more():
                yield
            return source, [source.file(i) for i in range(len(source))]

        def arrived(found: _Found) -> None:
            if serial != self._serial:
                return
            if isinstance(found, BaseException):
                text = str(found) if isinstance(found, UserError) else f"the folder cannot be listed: {found}"
                self._context.notices.post("error", text, topic="open")
                if self._model.rowCount() == 0:
                    self.path = None
                    self.count.setText("")
                    self._pages.setCurrentIndex(0)
                return
            source, files = found
            self._context.notices.settle("open")
            self._show_files(files, f"{'' if source.complete else ' so far'} · {path.name}")
            if not source.complete:
                self._submit(lambda: rest(source), arrived)

        self._submit(work, arrived)

    def _submit(self, work: Callable[[], Generator[None, None, _Listed]], arrived: Callable[[_Found], None]) -> None:
        """List on the work lane; ``arrived`` is given the files, or what was raised."""
        bridge = self._context.bridge

        def listed() -> Generator[None, None, _Found]:
            try:
                return (yield from work())
            except Exception as error:  # noqa: BLE001 - told on the window's thread, which shows the empty page
                return error

        self._listing = bridge.engine.submit(listed, title="listing the folder")
        bridge.call(self._listing, arrived)

    def _show_files(self, files: list[Path], where: str) -> None:
        current = self.view.currentIndex().data(_PATH)
        self._model.show_files(files)
        self.count.setText(f"{len(files):,} picture{'s' * (len(files) != 1)}{where}")
        row = self._model.row(current) if current is not None else 0
        index = self._model.index(max(row, 0))
        selection = self.view.selectionModel()
        if current is not None:
            selection.blockSignals(True)
        self.view.setCurrentIndex(index)
        selection.blockSignals(False)
        self.view.scrollTo(index)

    # ------------------------------------------------------------------ looking

    def _look(self, index: QModelIndex) -> None:
        path = index.data(_PATH)
        if path is None:
            return
        self._looked += 1
        serial = self._looked
        position = index.row()

        def work() -> Generator[None, None, Picture | None]:
            yield
            if serial != self._looked:
                return None
            picture = read_picture(path)
            return replace(picture, origin=replace(picture.origin, index=position))

        def show(picture: Picture | None) -> None:
            if picture is not None and serial == self._looked:
                self._context.notices.settle("open")
                self._context.workspace.sample = None
                self._context.workspace.picture = picture

        bridge = self._context.bridge
        notices = self._context.notices

        def failed(error: BaseException) -> None:
            notices.post("error", f"{error}", topic="open")

        job = bridge.engine.submit(work, on_error=failed, title="reading")
        bridge.call(job, show)

    def _drop_hidden(self) -> None:
        """Let thumbnails that have scrolled out of sight wait no longer."""
        area = self.view.viewport().rect()
        columns = max(1, area.width() // _CELL)
        first = max(0, self.view.verticalScrollBar().value() // _CELL) * columns
        last = first + columns * (area.height() // _CELL + 2)
        self._loader.keep_only(self._model.files[first:last])
