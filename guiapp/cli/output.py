"""What commands write: results to standard output, progress and messages to standard error."""

from __future__ import annotations

import json
import math
import sys
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """One line for the person, on standard error."""
    print(text, file=sys.stderr, flush=True)


def give(text: str = "") -> None:
    """One line of the result, on standard output."""
    print(text)


def give_json(result: Any) -> None:
    """The result as one JSON object on one line of standard output; NaN and infinities become null."""
    print(json.dumps(plain(result), ensure_ascii=False, allow_nan=False), flush=True)


def plain(value: Any) -> Any:
    """Bring arrays, paths, tuples and non-finite numbers to what JSON has."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def give_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows as aligned text with a heading; lists are joined by commas, numbers stand on the right."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(_width, column)) for column in zip(columns, *cells, strict=True)]
    right = [bool(cells) and all(_is_number(line[i]) for line in cells) for i in range(len(columns))]
    for line in [list(columns), *cells]:
        words = [
            " " * (width - _width(text)) + text if is_right else text + " " * (width - _width(text))
            for text, width, is_right in zip(line, widths, right, strict=True)
        ]
        give("  ".join(words).rstrip())


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: wide characters of East Asia two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).replace("e", "", 1).isdigit()


class Progress:
    """Progress of long work on standard error: one line that is overwritten on a terminal, else only ``line`` calls.

    Attributes:
        terminal: Whether standard error is a terminal.
    """

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self._next = 0.0
        self._width = 0

    def show(self, text: str) -> None:
        """Overwrite the line, at most ten times a second; nothing where standard error is no terminal."""
        now = time.monotonic()
        if self.terminal and now >= self._next:
            self._next = now + 0.1
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)

    def line(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        say(text)

    def clear(self) -> None:
        """Take the overwritten line away."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def share(self, share: float, text: str) -> None:
        """A ``datasets.base.Progress`` callback."""
        self.show(f"{text} {share:.0%}")


class Counter:
    """How many of many are done: a bar with the time left on a terminal, else a line at each tenth.

    Args:
        total: How many there are; 0 where that is not known.
        noun: What they are, such as ``"frames"``.
    """

    def __init__(self, total: int, noun: str) -> None:
        self._progress = Progress()
        self._total, self._noun = total, noun
        self._began = time.monotonic()
        self._tenths = 0

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, done: int) -> None:
        """So many are done now."""
        share = min(1.0, done / self._total) if self._total else 0.0
        if not self._progress.terminal:
            if int(share * 10 + 1e-9) > self._tenths:
                self._tenths = int(share * 10 + 1e-9)
                say(self._text(done, share))
            return
        full = round(share * 24)
        bar = f"{'█' * full}{'░' * (24 - full)} " if self._total else ""
        self._progress.show(bar + self._text(done, share))

    def line(self, text: str) -> None:
        """A line that stays, above the bar."""
        self._progress.line(text)

    def clear(self) -> None:
        """Take the bar away until the next ``show``."""
        self._progress.clear()

    def _text(self, done: int, share: float) -> str:
        passed = max(time.monotonic() - self._began, 1e-9)
        of = f"/{self._total}" if self._total else ""
        left = f" · {duration(passed / share * (1 - share))} left" if 0 < share < 1 else ""
        return f"{done}{of} {self._noun} · {done / passed:.3g} a second{left}"


def duration(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
