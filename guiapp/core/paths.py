"""Where the program keeps and looks for files."""

import os
from pathlib import Path

import platformdirs

_APPLICATION = "vision-explorer"


def user_data() -> Path:
    """Folder of what the person made and fetched: runs, downloads, settings. ``GUIAPP_HOME`` overrides it."""
    override = os.environ.get("GUIAPP_HOME")
    return Path(override) if override else Path(platformdirs.user_data_dir(_APPLICATION, appauthor=False))


def cache() -> Path:
    """Folder of what can be computed again, safe to clear."""
    override = os.environ.get("GUIAPP_HOME")
    return Path(override) / "cache" if override else Path(platformdirs.user_cache_dir(_APPLICATION, appauthor=False))


def runs() -> Path:
    """Default parent of run folders."""
    return user_data() / "runs"


def downloads() -> Path:
    """Where downloaded data sets and weights are kept."""
    return user_data() / "data"


def data_folders() -> list[Path]:
    """Folders searched for data sets and weights: ``GUIAPP_DATA`` (where set) first, then the downloads."""
    override = os.environ.get("GUIAPP_DATA")
    return [*([Path(override).expanduser()] if override else []), downloads()]


def resources() -> Path:
    """Folder of what ships inside the package: icons, help texts, small weights."""
    return Path(__file__).resolve().parent.parent / "resources"
