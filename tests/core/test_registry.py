"""References are resolved to whole packages, whatever other threads import meanwhile."""

import sys
import threading

from guiapp.core.registry import resolve

WHOLE = """
import threading
begun, part_is_there = threading.Event(), threading.Event()

def load():
    begun.set()
    part_is_there.wait(0.2)
"""


def test_a_part_is_not_begun_while_another_thread_is_in_the_middle_of_the_whole(tmp_path, monkeypatch):
    package = tmp_path / "ring_of_parts"
    package.mkdir()
    (tmp_path / "ring_signals.py").write_text(WHOLE)
    (package / "__init__.py").write_text("import ring_signals\nring_signals.load()\nwhole = True\n")
    (package / "part.py").write_text(
        "import sys, ring_signals\n"
        "saw_the_whole = hasattr(sys.modules['ring_of_parts'], 'whole')\n"
        "ring_signals.part_is_there.set()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    signals = resolve("ring_signals:begun")
    other = threading.Thread(target=resolve, args=("ring_of_parts:__name__",))
    other.start()
    try:
        assert signals.wait(10)
        assert resolve("ring_of_parts.part:saw_the_whole")
    finally:
        other.join(10)
        for name in ("ring_signals", "ring_of_parts", "ring_of_parts.part"):
            sys.modules.pop(name, None)
