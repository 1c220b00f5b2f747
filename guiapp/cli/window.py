"""``guiapp`` and ``guiapp open``: the window itself."""

from __future__ import annotations

import argparse
import sys

from guiapp.cli.inputs import check_input


def run(options: argparse.Namespace) -> int:
    """Open the window, on a path where one is given, and stay until it is closed."""
    if options.path is not None:
        check_input(options.path)
    from guiapp.app import run_window

    return int(run_window([sys.argv[0]], options.path))
