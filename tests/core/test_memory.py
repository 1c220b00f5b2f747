"""Freed memory is handed back."""

import sys

import numpy as np
import psutil
import pytest

from guiapp.core.memory import _trim, give_back


@pytest.mark.skipif(sys.platform != "linux" or _trim() is None, reason="nothing can be asked of the C library")
def test_what_the_c_library_kept_is_handed_back():
    blocks = [np.ones(60_000, np.uint8) for _ in range(4000)]  # 240 MB in blocks too small for a mapping of their own
    kept = blocks[::100]  # freed memory between what is still used is not handed back by itself
    process = psutil.Process()
    full = process.memory_info().rss
    del blocks
    give_back()
    assert full - process.memory_info().rss > 180_000_000
    assert all(block.all() for block in kept)


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    _trim.cache_clear()
    try:
        assert _trim() is None
        give_back()
    finally:
        _trim.cache_clear()
