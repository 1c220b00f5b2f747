"""Pictures that are always there: a street that the program draws, and two photographs that scikit-learn carries."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path

from guiapp.core.notices import UserError
from guiapp.core.paths import of_package
from guiapp.core.picture import Picture

STREET, FLOWER, TEMPLE = "sample:street", "sample:flower", "sample:temple"
SAMPLES = {
    STREET: "A street with faces and people, drawn by the program",
    FLOWER: "A flower, photograph by vultilion (CC BY 2.0), from scikit-learn",
    TEMPLE: "A temple, photograph by Daniel Buechele (CC BY 2.0), from scikit-learn",
}
"""What a sample picture is asked for by, and what it shows."""
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
    """The sample picture that has something to show for a task of published networks."""
    return FLOWER if task == "classification" else STREET
