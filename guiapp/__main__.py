"""``python -m guiapp`` and the console command ``guiapp``."""

import sys

from guiapp.cli import main as run
from guiapp.core.memory import arrange_heap
from guiapp.core.openmp import arrange_waiting


def main() -> None:
    """Run the command line and exit with its code."""
    arrange_heap()
    arrange_waiting()
    sys.exit(run())


if __name__ == "__main__":
    main()
