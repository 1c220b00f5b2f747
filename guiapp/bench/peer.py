"""A peer in a process of its own, idle until it is asked, so that it shares no lock and no threads with the window."""

from __future__ import annotations

import subprocess
import sys


class PeerProcess:
    """Runs ``python -m MODULE ARGUMENTS``, which answers each line of its input with a line.

    Args:
        module: Its name.
        arguments: For it.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: str) -> str:
        """Its answer to a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.read()

    def read(self) -> str:
        """The next line that it writes.

        Raises:
            RuntimeError: If it has ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the bare loop ended with code {self._process.wait()}")
        return line

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def write(text: str) -> None:
    """Answer with a line, in the peer's process."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
