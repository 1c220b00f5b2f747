"""Network streams by their address: MJPEG over HTTP with a reader of our own, RTSP and the rest through OpenCV."""

import time
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import OriginKind
from guiapp.sources.http_stream import HttpStream, reach
from guiapp.sources.multipart import NoPicturesError, Parts, boundary_of
from guiapp.sources.opencv import load, to_rgb
from guiapp.sources.reconnect import PAUSES, Lost, ReconnectingSource

SCHEMES = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""What an address may begin with, and the port where it names none."""

_STALL = 5.0  # seconds without a picture after which a stream counts as lost
_ASK_AGAIN = 0.2  # seconds between two pictures of an address that gives one at a time
_PATIENCE = 400  # milliseconds of one read by OpenCV: closing waits no longer than that
_OPENING = 4000  # milliseconds
_GARBAGE = 20  # pictures in a row that cannot be decoded


class StreamSource(ReconnectingSource):
    """A camera or a server on the network, by its address.

    A stream that stalls, sends garbage or hangs up leaves the last picture, says ``waiting`` and one line why, and is
    tried again after growing pauses. Of frames that arrive together the last is decoded.

    Attributes:
        address: As it was given, password included.
    """

    kind: ClassVar[OriginKind] = "stream"

    def __init__(
        self,
        address: str,
        *,
        stall: float = _STALL,
        pauses: Sequence[float] = PAUSES,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to connect.

        Args:
            address: ``rtsp://``, ``rtsps://``, ``http://`` or ``https://``, with ``NAME:PASSWORD@`` where needed.
            stall: Seconds without a picture after which the stream counts as lost.
            pauses: Seconds between two tries, the last one again and again.
            mirror: Whether left and right are exchanged.
            on_frame: See ``LiveSource``.
            on_state: See ``LiveSource``.

        Raises:
            UserError: If the address cannot be one of a stream.
        """
        self.address = address.strip()
        self._host, self._port = _place(self.address)
        super().__init__(
            without_password(self.address), pauses=pauses, mirror=mirror, on_frame=on_frame, on_state=on_state
        )
        self._stall = stall
        self._stream: HttpStream | None = None
        self._last = 0.0

    def _interrupt(self) -> None:
        stream = self._stream
        if stream is not None:
            stream.interrupt()

    def _session(self) -> None:
        self._last = time.monotonic()
        if not self.address.lower().startswith("http"):
            self._through_opencv(paced=False)
            return
        stream = HttpStream(self.address, self._stall, self._stopped)
        self._stream = stream
        try:
            stream.open()
            kind = stream.content_type.partition(";")[0].strip().lower()
            if kind.startswith("multipart/"):
                self._pictures(stream)
                return
            if kind.startswith("image/"):
                self._one_by_one(stream)
                return
            if kind.startswith("text/"):
                raise Lost("it gives a page of text, not a stream: ask for the address of its pictures")
        except TimeoutError as error:
            raise Lost(f"nothing has come for {self._stall:g} s") from error
        finally:
            stream.close()
            self._stream = None
        self._through_opencv(paced=True)

    def _pictures(self, stream: HttpStream) -> None:
        """MJPEG: decode the newest of the parts that have come."""
        parts = Parts(boundary_of(stream.content_type))
        broken = 0
        while not self._stopped():
            data = stream.read()
            if not data:
                raise Lost("it hung up")
            try:
                whole = parts.feed(data)
            except NoPicturesError as error:
                raise Lost(f"it sends no pictures: {error}") from error
            self.dropped += max(0, len(whole) - 1)
            pixels = decoded(whole[-1]) if whole else None
            if pixels is not None:
                broken = 0
                self._show(pixels)
                continue
            broken += bool(whole)
            if broken >= _GARBAGE or time.monotonic() - self._last > self._stall:
                raise Lost("it sends what is no picture")
            if broken:
                self._say("waiting", f"{self.name}: it sends what is no picture")

    def _one_by_one(self, stream: HttpStream) -> None:
        """An address that gives one picture a request: ask again and again."""
        while not self._stopped():
            content = bytearray()
            while data := stream.read():
                content += data
            pixels = decoded(bytes(content))
            if pixels is None:
                raise Lost("it sends what is no picture")
            self._show(pixels)
            stream.close()
            self._rest(_ASK_AGAIN)
            if self._stopped():
                return
            stream.open()

    def _through_opencv(self, paced: bool) -> None:
        """Whatever FFmpeg reads; ``paced`` where the server sends faster than the pictures are to be shown."""
        # Tried first with a connection that can be broken off: OpenCV's own cannot.
        reach(self._host, self._port, self._stall, self._stopped).close()
        cv2 = load()
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPENING, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE]
        capture = cv2.VideoCapture(self.address, cv2.CAP_FFMPEG, options)
        try:
            if not capture.isOpened():
                raise Lost("it gives no stream that can be read")
            self._last = time.monotonic()
            self._decode(capture, cv2, paced)
        finally:
            capture.release()

    def _decode(self, capture: Any, cv2: Any, paced: bool) -> None:
        begun: tuple[float, float] | None = None
        while not self._stopped():
            asked = time.monotonic()
            if not capture.grab():
                # A read that took its whole time is a pause of the stream; one that fails at once is its end.
                if time.monotonic() - asked < _PATIENCE / 2000:
                    raise Lost("it hung up")
                if time.monotonic() - self._last > self._stall:
                    raise Lost(f"nothing has come for {self._stall:g} s")
                continue
            done, frame = capture.retrieve()
            if not done:
                continue
            if paced:
                moment, now = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, time.monotonic()
                if begun is None or not -1 < begun[0] + moment - begun[1] - now < 10:
                    begun = now, moment  # the first, or a jump in time
                self._rest(begun[0] + moment - begun[1] - now)
            self._show(to_rgb(frame))

    def _show(self, pixels: npt.NDArray[np.uint8]) -> None:
        self._last = time.monotonic()
        self._publish(pixels)
        self._came()


def decoded(content: bytes) -> npt.NDArray[np.uint8] | None:
    """Pixels of a JPEG or other picture file, RGB uint8 (H, W, 3); None where it is none, or cut off."""
    if content.startswith(b"\xff\xd8") and not content.rstrip(b"\0\r\n").endswith(b"\xff\xd9"):
        return None  # the decoder would fill what is missing with grey
    cv2 = load()
    try:
        frame = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB) if content else None
    except cv2.error:
        return None
    pixels: npt.NDArray[np.uint8] | None = frame
    return pixels


def without_password(address: str) -> str:
    """The address as it may be shown: name and password left out."""
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _place(address: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        UserError: If it is none of a stream.
    """
    try:
        parts = urllib.parse.urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"{address} is no address: {error}") from error
    if parts.scheme not in SCHEMES or not host:
        raise UserError(f"{address} is no address of a stream: rtsp://HOST/..., http://HOST/... or https://HOST/...")
    return host, port or SCHEMES[parts.scheme]
