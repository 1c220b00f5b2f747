"""Pictures, folders, runs and weights by file dialog, drop and clipboard; read on the work lane."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from guiapp.core.decode import SUFFIXES
from guiapp.core.notices import Level, UserError
from guiapp.core.picture import Picture
from guiapp.engine.study_file import SUFFIX as STUDY
from guiapp.models.own.files import ENDINGS
from guiapp.ui.context import Context

Kind = Literal[
    "picture", "video", "folder", "events", "run", "weights", "network", "study", "recipe", "table", "missing",
    "unknown",
]  # fmt: skip
RECIPE = ".recipe.json"
_BY_ENDING: dict[str, Kind] = {
    **dict.fromkeys(SUFFIXES, "picture"), **dict.fromkeys(ENDINGS, "weights"), ".onnx": "network",
    STUDY: "study", RECIPE: "recipe", ".csv": "table", ".tsv": "table",
}  # fmt: skip


def kind_of(path: Path) -> Kind:
    """What a path that was dropped or given on the command line is, by its name and place."""
    if not path.exists():
        return "missing"
    if path.is_dir():
        return _kind_of_folder(path)
    suffix = RECIPE if path.name.lower().endswith(RECIPE) else path.suffix.lower()
    if path.name in ("run.json", "epochs.jsonl"):
        return "run"
    if "tfevents" in path.name:
        return "events"
    if suffix in _BY_ENDING:
        return _BY_ENDING[suffix]
    from guiapp.sources.open import VIDEO_SUFFIXES

    return "video" if suffix in VIDEO_SUFFIXES else "unknown"


def _kind_of_folder(path: Path) -> Kind:
    from guiapp.training.event_files import has_events

    if run_of(path) is not None:
        return "run"
    return "events" if has_events(path) else "folder"


def run_of(path: Path) -> Path | None:
    """The run folder that a file or folder belongs to: itself or up to three levels above, or None."""
    for folder in (path, *path.parents[:3]):
        if (folder / "run.json").is_file():
            return folder
    return None


def image_array(image: QImage) -> np.ndarray:
    """Pixels of a ``QImage`` as uint8 (H, W, 4), red, green, blue, alpha."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width() * 4].reshape(image.height(), image.width(), 4).copy()


class OpenFiles(QObject):
    """Opens what the person points at; failures become notices.

    Attributes:
        folder_chosen: Emitted with the path of a folder to look through.
        pictures_chosen: Emitted with the paths of several pictures to look through, beginning with the first.
        live_chosen: Emitted with what the live room is to open: the path of a video, an address, ``camera:0``.
        study_chosen: Emitted with the path of a study.
        events_chosen: Emitted with the path of a folder of TensorBoard events.
        recipe_chosen: Emitted with the path of a recipe.
        elsewhere: Asked with each picture that was opened; True where another panel than the viewer has taken it.
        network_elsewhere: Asked with each ONNX or weight file; True where the live room has taken it.
    """

    folder_chosen = Signal(object)
    pictures_chosen = Signal(object)
    live_chosen = Signal(str)
    study_chosen = Signal(object)
    events_chosen = Signal(object)
    recipe_chosen = Signal(object)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._newest = 0
        self.elsewhere: Callable[[Picture], bool] = lambda picture: False
        self.network_elsewhere: Callable[[Path], bool] = lambda path: False

    def open_text(self, text: str) -> None:
        """Open what the command line gives: a path, an address of a stream, a camera."""
        from guiapp.sources.open import is_live

        if is_live(text) and not Path(text).is_dir():
            self.live_chosen.emit(text)
        else:
            self.open([Path(text)])

    def open(self, paths: Sequence[Path]) -> None:
        """Open files or folders: the first decides, several pictures are looked through; what is left out is told."""
        path = paths[0]
        kind = kind_of(path)
        chosen = [path]
        whole: dict[Kind, Callable[[Path], object]] = {
            "folder": self.folder_chosen.emit, "study": self.study_chosen.emit, "recipe": self.recipe_chosen.emit,
            "table": self._train_on,
        }  # fmt: skip
        if kind == "picture":
            chosen = [path for path in paths if kind_of(path) == "picture"]
            if len(chosen) > 1:
                self.pictures_chosen.emit(chosen)
            else:
                self.open_picture(path)
        elif kind == "video":
            self.live_chosen.emit(str(path))
        elif kind in whole:
            whole[kind](path)
        elif kind == "run":
            self.open_run(run_of(path) or path)
        elif kind == "events":
            self.events_chosen.emit(path if path.is_dir() else path.parent)
        elif kind in ("weights", "network"):
            self._open_weights(path)
        elif kind == "missing":
            self._say("error", f"{path} is not there.")
        else:
            self._say(
                "warning",
                f"{path.name} is neither a picture, a video, a folder, a run, events, a study, a recipe, a table "
                "of labels, weights nor ONNX; nothing was opened.",
            )
        if len(chosen) < len(paths) and kind in ("picture", "video", "folder", "run"):
            what = path.name if len(chosen) == 1 else "the pictures"
            self._say("info", f"{len(chosen)} of {len(paths)} opened: {what}; open the others on their own.")

    def _say(self, level: Level, text: str) -> None:
        self._context.notices.post(level, text, topic="open")

    def _train_on(self, table: Path) -> None:
        """Make a table of files and labels the data set of the open experiment; the lane tells why it cannot be."""
        self._context.notices.settle("open")
        self._context.bridge.engine.configure({"dataset": str(table.absolute())})

    def open_run(self, folder: Path) -> None:
        """Open a run folder."""
        self._context.notices.settle("open")
        self._context.bridge.engine.open_run(folder)

    def open_picture(self, path: Path) -> None:
        """Read a picture and look at it."""
        from guiapp.sources.image_file import read_picture

        self._read(lambda: read_picture(path))

    def paste(self) -> None:
        """Look at what the clipboard holds."""
        data = QGuiApplication.clipboard().mimeData()
        if data is None or not self.take(data):
            self._say("info", "The clipboard holds no picture; copy one, or the file of one, first.")

    def take(self, data: QMimeData) -> bool:
        """Open what was dropped or pasted; return whether there was anything to open."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.open(paths)
            return True
        if data.hasImage():
            image = data.imageData()
            if isinstance(image, QImage) and not image.isNull():
                from guiapp.sources.array import picture_from_array

                self._read(lambda: picture_from_array(image_array(image)))
                return True
        return False

    def ask_picture(self) -> None:
        """Let the person choose a picture file."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(SUFFIXES))
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open picture", self._last(), f"Pictures ({patterns});;All files (*)"
        )
        self._chosen(name)

    def ask_folder(self) -> None:
        """Let the person choose a folder of pictures."""
        self._chosen(QFileDialog.getExistingDirectory(self._window, "Open folder of pictures", self._last()))

    def ask_run(self) -> None:
        """Let the person choose a run folder."""
        name = QFileDialog.getExistingDirectory(self._window, "Open run folder", self._last())
        if name and run_of(Path(name)) is None:
            self._say("warning", f"{name} is no run folder: it has no run.json.")
        elif name:
            self.open_run(run_of(Path(name)) or Path(name))

    def ask_save_window(self) -> None:
        """Save a picture of the window."""
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save picture of the window", "vision-explorer.png", "PNG (*.png)"
        )
        if name:
            self.save_window(Path(name))

    def save_window(self, path: Path) -> None:
        """Save the window as it is now."""
        if not self._window.grab().save(str(path), "PNG"):
            self._context.notices.post("error", f"{path} cannot be written; choose another folder.")

    def _open_weights(self, path: Path) -> None:
        run = run_of(path.parent)
        if run is not None:
            self.open_run(run)
        elif not self.network_elsewhere(path):
            self._say(
                "warning",
                f"{path.name} holds weights without the network they belong to: choose that network in the live room "
                "and drop them there, or drop the run folder that they come from.",
            )

    def _chosen(self, name: str) -> None:
        if name:
            self._context.settings.setValue("last-folder", str(Path(name).parent))
            self.open([Path(name)])

    def _last(self) -> str:
        return str(self._context.settings.value("last-folder", str(Path.home())))

    def _read(self, read: Callable[[], Picture]) -> None:
        """Read on the work lane; of several, the one asked for last is shown."""
        self._newest += 1
        mine = self._newest

        def work() -> Generator[None, None, Picture]:
            yield
            return read()

        def failed(error: BaseException) -> None:
            text = str(error) if isinstance(error, UserError) else f"the picture cannot be read: {error}"
            self._say("error", text)

        def show(picture: Picture) -> None:
            if mine == self._newest:
                self._context.notices.settle("open")
                if self.elsewhere(picture):
                    return
                self._context.workspace.sample = None
                self._context.workspace.picture = picture
                if picture.note:
                    self._say("info", f"{picture.origin.name}: {picture.note}")

        bridge = self._context.bridge
        job = bridge.engine.submit(work, on_error=failed, title="Reading the picture")
        bridge.call(job, show)
