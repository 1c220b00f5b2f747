"""Arranging a panel by its size: one call after the other, though showing a part may resize it meanwhile."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Arrange = TypeVar("Arrange", bound=Callable[..., None])

_ROUNDS = 4


def settled(arrange: Arrange) -> Arrange:
    """Put a call of a method that comes while it runs off to its end; its last arguments count.

    A part that is shown has the layouts around it made anew, at once. That can resize the panel, whose ``resizeEvent``
    arranges it again within ``setVisible``: the part, hidden there, comes out of it both hidden and visible. Nobody
    paints its place then, and what was on the screen before stays there.

    Args:
        arrange: A method that shows and hides parts by the size of its widget.

    Returns:
        The same method, which never runs within itself: at most four times in a row, where sizes go to and fro.
    """
    mark = f"_settling_{arrange.__qualname__}"

    @functools.wraps(arrange)
    def once(self: Any, *values: Any) -> None:
        own = self.__dict__
        if mark in own:
            own[mark] = values
            return
        try:
            for _ in range(_ROUNDS):
                own[mark] = None
                arrange(self, *values)
                if own[mark] is None:
                    break
                values = own[mark]
        finally:
            del own[mark]

    return once  # type: ignore[return-value]
