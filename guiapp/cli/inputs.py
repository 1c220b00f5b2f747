"""Files and folders that a command is given to read."""

from __future__ import annotations

from pathlib import Path

from guiapp.core.notices import SettingError


def check_input(path: Path) -> None:
    """Refuse a path that names nothing: a slip in the arguments, told before anything long is begun.

    What is there and cannot be read is failed work instead, and told by whoever reads it.

    Raises:
        SettingError: If there is no such file or folder.
    """
    if not path.expanduser().exists():
        raise SettingError(f"there is no file or folder {path}")
