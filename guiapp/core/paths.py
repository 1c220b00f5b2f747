"""Where the program keeps and looks for files."""

import importlib.util
import os
import sys
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


def of_package(name: str, inside: str) -> Path | None:
    """A file of an installed package, which is not imported for it; None where it is not there."""
    loaded = sys.modules.get(name)  # cv2 loses its ``__spec__`` once it is imported, and then cannot be searched for
    origin = getattr(loaded, "__file__", None)
    if loaded is None:
        about = importlib.util.find_spec(name)
        origin = about.origin if about is not None else None
    path = Path(origin).parent / inside if origin else None
    return path if path is not None and path.exists() else None
