"""The row above a live picture: open a video, a picture, a camera by its name, the screen, or an address."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QPushButton, QWidget

from guiapp.core.decode import SUFFIXES
from guiapp.engine.samples import FLOWER, SAMPLES, STREET, TEMPLE, WALK, WALK_TIP
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.panels.live_screen import EXAMPLE, LiveScreen
from guiapp.ui.widgets.buttons import declare, text_button

_LIST_AGAIN_MS = 1000


class LiveSources(QWidget):
    """Says what the person wants to look at.

    Attributes:
        chosen: Emitted with a path, an address, ``camera:NUMBER``, ``screen:X,Y,WIDTH,HEIGHT`` or the name of a sample.
        address: Field for an address, ``live.address``.
        samples: Actions that show a sample: the street, its people walking, flower, temple.
        camera: Button with the list of cameras, ``live.camera``; while it is open it follows what is plugged in.
        screen_button: Button with the ways to choose a part of the screen, ``live.screen``.
    """

    chosen = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = context.settings
        commands = context.commands
        self.video = declare(commands, Command(
            "live.open-video", "Open video…", self.ask_video, "Play a video file; or drop one on the window", "",
            "video", menu="File",
        ))  # fmt: skip
        self.picture = declare(commands, Command(
            "live.open-picture", "Open live picture…", self.ask_picture, "Show one picture to the published network",
            "", "image", menu="File",
        ))  # fmt: skip
        self.samples = [
            declare(commands, Command(
                command, title, partial(self.chosen.emit, name), SAMPLES.get(name, WALK_TIP), "",
                "image" if name in SAMPLES else "video", menu="Source",
            ))
            for command, title, name in (
                ("live.open-sample", "Sample street", STREET),
                ("live.open-sample-walk", "Sample walk", WALK),
                ("live.open-sample-flower", "Sample flower", FLOWER),
                ("live.open-sample-temple", "Sample temple", TEMPLE),
            )
        ]  # fmt: skip
        self.camera = QPushButton(icon("camera"), "Camera", self)
        self.camera.setObjectName("live.camera")
        self.camera.setToolTip("Cameras that are plugged in, by their names")
        self._cameras = QMenu(self.camera)
        self._listed: list[tuple[str, str]] | None = None
        self._again = QTimer(self)
        self._again.setInterval(_LIST_AGAIN_MS)
        self._again.timeout.connect(self._list_cameras)
        self._cameras.aboutToShow.connect(self._list_cameras)
        self._cameras.aboutToShow.connect(self._again.start)
        self._cameras.aboutToHide.connect(self._again.stop)
        self.camera.setMenu(self._cameras)
        self.screen_button = LiveScreen(context, self)
        self.screen_button.chosen.connect(self.chosen)
        self.screen_button.numbers.connect(self._ask_numbers)
        self.address = QLineEdit(self)
        self.address.setObjectName("live.address")
        self.address.setAccessibleName("Address of a stream")
        self.address.setPlaceholderText("rtsp://…, http://… or screen:X,Y,WIDTH,HEIGHT")
        self.address.setToolTip("Address of a camera or server on the network; Enter opens it")
        self.address.setClearButtonEnabled(True)
        self.address.returnPressed.connect(self._open_address)
        self.go = QPushButton("Open", self)
        self.go.setObjectName("live.open-address")
        self.go.setToolTip("Open the address")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._open_address)
        self.address.textChanged.connect(lambda text: self.go.setEnabled(bool(text.strip())))
        self._titled: list[tuple[QPushButton, str]] = [(self.camera, "Camera"), (self.screen_button, "Screen")]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for action, title, symbol in ((self.video, "Video…", "video"), (self.picture, "Picture…", "image")):
            button = text_button(self, action, action.objectName())
            button.setText(title)
            button.setAccessibleName(action.text())
            button.setIcon(icon(symbol))
            self._titled.append((button, title))
            row.addWidget(button)
        row.addWidget(self.camera)
        row.addWidget(self.screen_button)
        row.addWidget(self.address, 1)
        row.addWidget(self.go)

    def set_narrow(self, narrow: bool) -> None:
        """Leave the words out and keep the icons."""
        for button, title in self._titled:
            button.setText("" if narrow else title)

    def ask_video(self) -> None:
        """Let the person choose a video file."""
        from guiapp.sources.open import VIDEO_SUFFIXES

        self._ask("Open video", "Videos", VIDEO_SUFFIXES)

    def ask_picture(self) -> None:
        """Let the person choose a picture file."""
        self._ask("Open picture", "Pictures", SUFFIXES)

    def _ask(self, title: str, what: str, suffixes: frozenset[str] | tuple[str, ...]) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in sorted(suffixes))
        start = str(self._settings.value("last-folder", str(Path.home())))
        name, _ = QFileDialog.getOpenFileName(self, title, start, f"{what} ({patterns});;All files (*)")
        if name:
            self._settings.setValue("last-folder", str(Path(name).parent))
            self.chosen.emit(name)

    def _open_address(self) -> None:
        text = self.address.text().strip()
        if text:
            self.chosen.emit(text)

    def _ask_numbers(self) -> None:
        """Put an example into the field for addresses."""
        self.address.setText(EXAMPLE)
        self.address.setFocus()
        self.address.setSelection(len("screen:"), len(EXAMPLE))

    def _list_cameras(self) -> None:
        """Ask the system each time, and each second while the list is seen: cameras come and go."""
        from guiapp.sources.camera import list_cameras

        present = list_cameras()
        if present is None:  # this system tells no names
            found = [(f"Camera {number}", f"camera:{number}") for number in range(4)]
        else:
            found = [(camera.name, f"camera:{camera.index}") for camera in present]
        if found == self._listed:
            return
        self._listed = found
        self._cameras.clear()
        for title, text in found:
            self._cameras.addAction(title, lambda t=text: self.chosen.emit(t))
        if not found:
            self._cameras.addAction("No camera is plugged in").setEnabled(False)
