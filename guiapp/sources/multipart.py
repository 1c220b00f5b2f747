"""Pictures out of a multipart stream of bytes (MJPEG), whatever comes: pieces of any size, wrong lengths, garbage."""

import re

LARGEST = 64_000_000  # bytes of one part; more without an end is no picture
_MOST_HEADERS = 16_384  # bytes
_END = b"\xff\xd9"  # of a JPEG file


class NoPicturesError(Exception):
    """The bytes do not look like a stream of pictures."""


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names, without dashes; empty where it names none.

    Many cameras write the dashes that belong before each boundary into its name.
    """
    found = re.search(r'boundary\s*=\s*(?:"([^"]*)"|([^;\s]+))', content_type, re.IGNORECASE)
    return (found[1] or found[2] or "").strip().lstrip("-").encode("latin-1", "replace") if found else b""


class Parts:
    """Cuts a multipart/x-mixed-replace stream into the contents of its parts (RFC 2046, section 5.1).

    A part ends where its Content-Length says, or at the next boundary; one that ends like a JPEG file is given at once,
    because cameras send the boundary with the next picture only. After a wrong length the next boundary is looked for.
    Empty parts are passed over.
    """

    def __init__(self, boundary: bytes = b"") -> None:
        """Begin a stream.

        Args:
            boundary: As the header names it, or empty: then it is taken from the first line that begins with dashes.
        """
        self._mark = b"--" + boundary if boundary else b""
        self._buffer = bytearray()
        self._inside = False  # whether the buffer begins with the content of a part
        self._length: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has come and return the contents that are complete.

        Raises:
            NoPicturesError: If too many bytes came without an end or a boundary.
        """
        self._buffer += data
        whole = []
        while True:
            if self._inside:
                content = self._content()
                if content is None:
                    break
                self._inside = False
                if content:
                    whole.append(content)
            elif not self._headers():
                break
        if len(self._buffer) > LARGEST:
            raise NoPicturesError("a part without an end")
        return whole

    def _headers(self) -> bool:
        """Pass over a boundary and the headers behind it; False where they are not complete."""
        if not self._mark:
            found = re.search(rb"(?:^|\n)(--[^\r\n]+)\r?\n", self._buffer)
            if found is None:
                return self._too_much()
            self._mark = found[1]
        start = self._buffer.find(self._mark)
        if start < 0:
            # The last bytes may be the beginning of a boundary.
            del self._buffer[: max(0, len(self._buffer) - len(self._mark))]
            return False
        end = re.compile(rb"\r?\n\r?\n").search(self._buffer, start)
        if end is None:
            del self._buffer[:start]
            return self._too_much()
        named = re.search(rb"content-length\s*:\s*(\d{1,9})", self._buffer[start : end.end()], re.IGNORECASE)
        self._length = int(named[1]) if named and 0 < int(named[1]) <= LARGEST else None
        del self._buffer[: end.end()]
        self._inside = True
        return True

    def _content(self) -> bytes | None:
        """Take the content of the part out of the buffer; None where it is not complete."""
        if self._length is not None:
            if len(self._buffer) < self._length:
                return None
            content = bytes(self._buffer[: self._length])
            # A length that is too large has swallowed the next boundary: the picture ends before it.
            inner = content.find(b"\n" + self._mark)
            if inner >= 0:
                content = content[:inner]
            del self._buffer[: len(content)]
            return content.rstrip(b"\r\n")
        end = self._buffer.find(self._mark)
        if end >= 0:
            content = bytes(self._buffer[:end])
            del self._buffer[:end]
            return content.rstrip(b"\r\n")
        tail = bytes(self._buffer[-4:]).rstrip(b"\r\n")
        if tail.endswith(_END):
            content = bytes(self._buffer).rstrip(b"\r\n")
            self._buffer.clear()
            return content
        return None

    def _too_much(self) -> bool:
        if len(self._buffer) > _MOST_HEADERS:
            raise NoPicturesError("no boundary between pictures")
        return False
