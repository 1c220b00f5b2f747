"""How many pictures with a line below each stand side by side, so that all of them are seen as large as they can."""

from __future__ import annotations


def grid_shape(
    count: int, width: int, height: int, gap: int, line: int, pairs: int = 1, largest: int | None = None
) -> tuple[int, int]:
    """Columns, and the side of one square picture in pixels, 0 where there is no room for any.

    Args:
        count: Pictures, or pairs of them, at least 1.
        width: Of the room in pixels.
        height: Of the room in pixels.
        gap: Pixels between two of them.
        line: Height of the line below each.
        pairs: Pictures that stand together in a cell.
        largest: Side that none exceeds.
    """
    best = (1, 0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        across = (width - (columns - 1) * gap) / columns / pairs
        down = (height - (rows - 1) * gap) / rows - line
        side = int(min(across, down) if largest is None else min(across, down, largest))
        if side > best[1]:
            best = columns, side
    return best
