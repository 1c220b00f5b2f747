"""Cameras of this computer, by number or name: found again when they were unplugged and come back."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from guiapp.core.picture import OriginKind
from guiapp.sources.opencv import load, to_rgb
from guiapp.sources.reconnect import PAUSES, Lost, ReconnectingSource

_SYSTEM = Path("/sys/class/video4linux")
_FAILURES = 3  # reads in a row without a frame after which a camera counts as lost
_UNPACKED = 640 * 480  # pixels; more than these do not fit through USB 2 at full rate unless the camera packs them


@dataclass(frozen=True)
class Camera:
    """A camera that is plugged in.

    Attributes:
        index: The number by which the system opens it; another one after it was plugged in again, maybe.
        name: What its maker calls it.
    """

    index: int
    name: str


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:
        """Whether it could be opened."""
        ...

    def read(self) -> tuple[bool, Any]:
        """Whether there was a frame, and the frame: BGR uint8 (H, W, 3)."""
        ...

    def set(self, property_id: int, value: float) -> bool:
        """Ask for a setting."""
        ...

    def get(self, property_id: int) -> float:
        """A setting as it is."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


def list_cameras(system: Path = _SYSTEM) -> list[Camera] | None:
    """The cameras that are plugged in, by number; None where this system does not tell.

    Linux names them in a folder. A device has further nodes that give no pictures; the first one does.
    """
    if not system.is_dir():
        # Without any camera the folder is missing on Linux too.
        return [] if sys.platform == "linux" else None
    found = []
    for node in system.iterdir():
        try:
            if node.name.startswith("video") and (node / "index").read_text().strip() == "0":
                found.append(Camera(int(node.name.removeprefix("video")), (node / "name").read_text().strip()))
        except (OSError, ValueError):
            continue  # unplugged in this moment
    return sorted(found, key=lambda camera: camera.index)


def open_capture(index: int) -> Capture:
    """Open a device through OpenCV, by the system's own interface where that is quicker."""
    cv2 = load()
    capture: Capture = cv2.VideoCapture(index, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    return capture


class CameraSource(ReconnectingSource):
    """A camera. When it is lost the last picture stays, and it comes back with the device.

    Once a camera was opened it is known and called by its name, so it is found under another number too.
    """

    kind: ClassVar[OriginKind] = "camera"

    def __init__(
        self,
        which: int | str,
        *,
        resolution: tuple[int, int] | None = None,
        fps: float | None = None,
        cameras: Callable[[], list[Camera] | None] = list_cameras,
        capture: Callable[[int], Capture] = open_capture,
        pauses: Sequence[float] = PAUSES,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to open the device; that happens on the reader's thread.

        Args:
            which: Its number, or its name or a part of it.
            resolution: Width and height to ask for; the camera takes the nearest it has.
            fps: Frames a second to ask for.
            cameras: Lists what is plugged in, or gives None where that is unknown; the window knows more systems.
            capture: Opens a device by number.
            pauses: Seconds between two tries, the last one again and again.
            mirror: Whether left and right are exchanged.
            on_frame: See ``LiveSource``.
            on_state: See ``LiveSource``.
        """
        name = f"Camera {which}" if isinstance(which, int) else which
        super().__init__(name, pauses=pauses, mirror=mirror, on_frame=on_frame, on_state=on_state)
        self._which = which
        self._settings = resolution, fps
        self._cameras = cameras
        self._capture = capture
        self._device = ""
        self._number: int | None = None
        self._granted = 0.0
        self._short = ""

    @property
    def fps(self) -> float:
        """Frames a second that the camera says it gives; 0 where it does not say."""
        return self._granted

    @property
    def resolution(self) -> tuple[int, int] | None:
        """Width and height that were asked for; ``size`` is what the camera gives."""
        return self._settings[0]

    @property
    def asked_fps(self) -> float | None:
        """Frames a second that were asked for."""
        return self._settings[1]

    @property
    def number(self) -> int | None:
        """The number by which the device was opened last; None before."""
        return self._number

    def set_mode(self, resolution: tuple[int, int] | None = None, fps: float | None = None) -> None:
        """Ask for another resolution or rate; the device is opened anew, and the last picture stays meanwhile."""
        with self._condition:
            self._settings = resolution, fps
        self.retry()

    def _session(self) -> None:
        while not self._stopped():  # again for each change of the resolution or rate
            self._film(self._settings)

    def _film(self, settings: tuple[tuple[int, int] | None, float | None]) -> None:
        """Publish frames until other settings are asked for."""
        self._number = self._find()
        capture = self._capture(self._number)
        try:
            if not capture.isOpened():
                raise Lost("it cannot be opened: another program may be using it")
            self._set_up(capture, settings)
            failures, size = 0, None
            while not self._stopped() and self._settings == settings:
                done, frame = capture.read()
                if done and frame is not None:
                    failures = 0
                    pixels = to_rgb(frame)
                    if pixels.shape != size:
                        size = pixels.shape
                        self._short = self._shortfall((size[1], size[0]), settings)
                    self._publish(pixels)
                    self._came()
                    continue
                failures += 1
                if failures >= _FAILURES:
                    raise Lost("it is gone, or gives no pictures")
                self._rest(0.05)
        finally:
            capture.release()

    def _came(self) -> None:
        self._say("playing", self._short)

    def _shortfall(self, given: tuple[int, int], settings: tuple[tuple[int, int] | None, float | None]) -> str:
        """What the camera gives instead of what was asked for, or ``""``; a rate that it does not tell is believed."""
        size, fps = settings
        other_rate = fps is not None and self._granted > 0 and abs(self._granted - fps) > 0.02 * fps
        if (size is None or given == size) and not other_rate:
            return ""
        asked = [f"{size[0]} × {size[1]}"] if size is not None else []
        gives = [f"{given[0]} × {given[1]}"] if size is not None else []
        if other_rate:
            asked.append(f"{fps:g} frames/s")
            gives.append(f"{self._granted:g} frames/s")
        return f"{self.name} gives {' at '.join(gives)} instead of {' at '.join(asked)}"

    def _find(self) -> int:
        """The number of the device now.

        Raises:
            Lost: If it is not plugged in.
        """
        present = self._cameras()
        wanted = self._device or self._which
        if present is None:
            if isinstance(self._which, int):
                return self._which
            raise Lost("this system does not tell the names of cameras: choose one by its number, as in camera:0")
        for fits in (_is, _is_like, _contains):
            for camera in present:
                if fits(camera, wanted):
                    self.name = self._device = camera.name
                    return camera.index
        there = ", ".join(f"{camera.index}: {camera.name}" for camera in present)
        raise Lost(f"it is not plugged in (there {'are ' + there if there else 'is no camera'})")

    def _set_up(self, capture: Capture, settings: tuple[tuple[int, int] | None, float | None]) -> None:
        cv2 = load()
        resolution, fps = settings
        if resolution is not None:
            if resolution[0] * resolution[1] > _UNPACKED:
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, resolution[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, resolution[1])
        if fps is not None:
            capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        granted = capture.get(cv2.CAP_PROP_FPS)
        self._granted = granted if 0 < granted < 1000 else 0.0


def _is(camera: Camera, wanted: int | str) -> bool:
    return wanted in (camera.index, camera.name)


def _is_like(camera: Camera, wanted: int | str) -> bool:
    return isinstance(wanted, str) and camera.name.casefold() == wanted.casefold()


def _contains(camera: Camera, wanted: int | str) -> bool:
    return isinstance(wanted, str) and wanted.casefold() in camera.name.casefold()
