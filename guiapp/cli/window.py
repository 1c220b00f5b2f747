"""``guiapp`` and ``guiapp open``: the window itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from guiapp.cli.inputs import check_input


def run(options: argparse.Namespace) -> int:
    """Open the window, on what is given: a path, an address, a camera, the screen. Stay until it is closed."""
    text = options.path
    if text is not None and "://" not in text and not text.lower().startswith(("camera:", "screen:")):
        check_input(Path(text))
    from guiapp.app import run_window

    return int(run_window([sys.argv[0]], text))
