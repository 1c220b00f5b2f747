"""Runs a Python file of a person's own, once allowed, so that whatever it does ends in one line."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError


def called(path: Path, name: str, names: Sequence[str]) -> Any:
    """What a function of a file gives.

    It is asked no questions: what it prints goes beside the program's own output, and what it would read from the
    terminal is at its end at once, so that it cannot wait for an answer that nobody gives.

    Args:
        path: The file.
        name: The function.
        names: Those that there are, for the message.

    Raises:
        UserError: If it fails, in whatever way.
    """
    space: dict[str, Any] = {"__name__": f"own_{path.stem}", "__file__": str(path)}
    try:
        with _alone(path.parent):
            exec(compile(path.read_bytes(), str(path), "exec"), space)
            if name not in space:
                raise UserError(f"{path.name} has no function {name}; there are: {', '.join(names) or 'none'}")
            return space[name]()
    except UserError:
        raise
    except BaseException as error:  # a person's code fails in any way, and must not take a lane along
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        said = f"{name} of {path.name} failed: {type(error).__name__}"
        with contextlib.suppress(Exception):  # an error of its own class may fail to say what it is
            reason = " ".join(str(error).split())[:160]
            said += f": {reason}" if reason else ""
        if isinstance(error, EOFError):
            said = f"{name} of {path.name} asks for input: a function that gives a network is asked without any"
        raise UserError(said) from None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Modules beside the file can be imported; nothing is read from the terminal or written to the output."""
    before, keyboard = list(sys.path), sys.stdin
    try:
        sys.path.insert(0, str(folder))
        sys.stdin = io.StringIO()
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:], sys.stdin = before, keyboard
