"""Fuzzy match of a few typed letters against titles."""

from __future__ import annotations


def score(typed: str, title: str) -> float | None:
    """How well ``typed`` fits ``title``; higher is better, None if some word of it does not occur.

    Every word must be found as a run of letters, or letter by letter in order. Starts of words, unbroken runs and
    short titles count more.
    """
    low = title.casefold()
    total = 0.0
    for word in typed.casefold().split():
        found = _word(word, low)
        if found is None:
            return None
        total += found
    return total - 0.01 * len(low)


def _word(word: str, title: str) -> float | None:
    at = title.find(word)
    while at >= 0:
        if _starts(title, at):
            return 3.0 * len(word) + (2.0 if at == 0 else 0.0)
        at = title.find(word, at + 1)
    if word in title:
        return 2.0 * len(word)
    # Letter by letter, with a bonus for initials ("gc" finds "Grad-CAM"); gaps cost a little.
    total, at, last = 0.0, 0, -1
    for letter in word:
        at = title.find(letter, at)
        if at < 0:
            return None
        total += 1.0 if _starts(title, at) else (0.6 if at == last + 1 else 0.1)
        last, at = at, at + 1
    return total if total >= 0.35 * len(word) else None


def _starts(title: str, at: int) -> bool:
    return at == 0 or not title[at - 1].isalnum()
