"""What the Teach panel says of what has been learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guiapp.engine.teach import TeachState

_EMPTY = ("Hold the buttons of two classes and watch what is recognised.", "Hold the buttons of two classes.")


def words(state: TeachState) -> tuple[str, tuple[str, ...]]:
    """What the lane has learned, in one line, with shorter wordings."""
    if state.reason:
        return state.reason, ()
    if state.activity and (state.waiting or not state.learned):
        waiting = f", {state.waiting:,} wait" if state.waiting else ""
        return f"{state.activity}{waiting}", ()
    known = sum(one.count > 0 for one in state.classes)
    if not state.learned:
        if not state.classes:
            return "", ()
        if not state.samples:
            return _EMPTY[0], _EMPTY[1:]
        return f"{state.samples:,} samples: two classes with samples are needed", ("two classes are needed",)
    text = f"{state.samples:,} samples of {known} classes learned in {state.seconds:.2f} s"
    shorter = f"{state.samples:,} samples · {state.seconds:.2f} s"
    if state.accuracy is not None:
        share, count = state.accuracy
        text += f" · {share:.1%} of {count:,} held out are right".replace("%", " %")
        shorter += f" · {share:.1%}".replace("%", " %")
    if state.left_out:
        text += f" · {state.left_out:,} frames left out: the network is slower"
    if state.unreadable:
        text += f" · {len(state.unreadable):,} files unreadable, first: {state.unreadable[0]}"
    return text, (shorter,)
