"""``python -m guiapp`` and the console command ``guiapp``."""

import os
import sys
import threading

from guiapp.cli import main as run
from guiapp.core.compiler import load_when_asked
from guiapp.core.memory import arrange_heap


def main() -> None:
    """Run the command line and exit with its code."""
    arrange_heap()
    load_when_asked()
    leave(run())


def leave(code: int) -> None:
    """Exit, at once where a lane is still busy.

    Python ends its threads where they next ask for its lock; one that is then in the middle of torch's C++ code, as in
    a forward pass of seconds, takes the process down with an abort.
    """
    here = threading.current_thread()
    if any(thread.daemon and thread.is_alive() and thread is not here for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
