"""Pictures that are always there: a street that the program draws, which also moves, and two photographs."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import UserError
from guiapp.core.paths import of_package
from guiapp.core.picture import Picture

if TYPE_CHECKING:
    from guiapp.sources.live import LiveSource

STREET, FLOWER, TEMPLE = "sample:street", "sample:flower", "sample:temple"
SAMPLES = {
    STREET: "A street with faces and people, drawn by the program",
    FLOWER: "A flower, photograph by vultilion (CC BY 2.0), from scikit-learn",
    TEMPLE: "A temple, photograph by Daniel Buechele (CC BY 2.0), from scikit-learn",
}
"""What a sample picture is asked for by, and what it shows."""
WALK = "sample:walk"
"""The street with its people walking, which ``open_live_source`` opens."""
WALK_TIP = "The drawn street with its people walking: a video without a file"
_FILES = {FLOWER: "flower.jpg", TEMPLE: "china.jpg"}


def is_sample(text: str | Path) -> bool:
    """Whether a text names a sample picture."""
    return str(text) in SAMPLES


def read_sample(text: str) -> Picture:
    """The sample picture.

    Raises:
        UserError: If there is none of that name, or scikit-learn was installed without its pictures.
    """
    return replace(_made(text), time=time.monotonic())


@cache
def _made(text: str) -> Picture:
    if text == STREET:
        from guiapp.imaging.street import street

        return street()
    if text not in _FILES:
        raise UserError(f"there is no sample picture {text}; there are: {', '.join(SAMPLES)}")
    from guiapp.sources.image_file import read_picture

    path = of_package("sklearn", f"datasets/images/{_FILES[text]}")
    if path is None:
        raise UserError(f"{_FILES[text]} is missing: install scikit-learn again")
    return read_picture(path)


def for_task(task: str) -> str:
    """The sample that has something to show for a task of published networks; what looks at several pictures moves."""
    if task in ("clip", "flow"):
        return WALK
    return FLOWER if task == "classification" else STREET


def open_live_source(text: str) -> LiveSource:
    """The walk along the street, or what ``sources.open.open_live`` makes of a text.

    Raises:
        UserError: As ``open_live``.
    """
    if text == WALK:
        from guiapp.imaging.street import FRAMES, RATE, walk
        from guiapp.sources.drawn import DrawnSource

        return DrawnSource("Walk (drawn)", walk, FRAMES, RATE)
    from guiapp.sources.open import open_live

    return open_live(text)
