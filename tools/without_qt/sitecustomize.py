"""Hide Qt from Python: with this folder on PYTHONPATH, also child processes find none of its packages."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HIDDEN = frozenset({"PySide6", "shiboken6", "pyqtgraph", "superqt", "qtpy", "pytestqt"})


class WithoutQt(MetaPathFinder):
    """Says of Qt's packages what Python says of a package that is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise for a hidden package, leave every other to the finders that follow."""
        if fullname.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r}: Qt is hidden in this run", name=fullname)
        return None


sys.meta_path.insert(0, WithoutQt())
