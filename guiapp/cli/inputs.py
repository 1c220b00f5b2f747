"""Files and folders that a command is given to read."""

from __future__ import annotations

from pathlib import Path

from guiapp.core.notices import SettingError
from guiapp.core.picture import Picture
from guiapp.engine.samples import is_sample, read_sample


def check_input(path: Path) -> None:
    """Refuse a path that names nothing: a slip in the arguments, told before anything long is begun.

    What is there and cannot be read is failed work instead, and told by whoever reads it.

    Raises:
        SettingError: If there is no such file or folder.
    """
    if not is_sample(path) and not path.expanduser().exists():
        raise SettingError(f"there is no file or folder {path}")


def read_input(path: Path) -> Picture:
    """A picture file, or a sample picture such as ``sample:flower``.

    Raises:
        UserError: If it cannot be read.
    """
    from guiapp.sources.image_file import read_picture

    return read_sample(str(path)) if is_sample(path) else read_picture(path)
