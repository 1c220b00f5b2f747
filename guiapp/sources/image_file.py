"""One picture from a file or from the content of one."""

from pathlib import Path

from guiapp.core.decode import Decoded, decode
from guiapp.core.picture import Origin, OriginKind, Picture


def read_picture(path: str | Path) -> Picture:
    """Read a picture file of any common format, upright, in eight bits.

    Beyond 50 megapixels it is reduced, and the picture's note says so.

    Raises:
        UserError: If it is missing, empty, damaged, no picture, or too large for the memory: one line naming the file.
    """
    file = Path(path).expanduser()
    return _picture(decode(file), Origin("file", file.name, path=file))


def picture_from_bytes(content: bytes, name: str = "Pasted picture", kind: OriginKind = "clipboard") -> Picture:
    """Read a picture from the content of a file, as it comes from the clipboard or by drag and drop.

    Raises:
        UserError: As ``read_picture``.
    """
    return _picture(decode(content, name), Origin(kind, name))


def _picture(decoded: Decoded, origin: Origin) -> Picture:
    return Picture(decoded.pixels, origin, note=decoded.note)
