"""The group of a recipe that says how samples come to the device: it changes the pace of a run, never its result."""

from __future__ import annotations

from dataclasses import dataclass

from guiapp.training.recipe_parts import option


@dataclass(frozen=True)
class Loading:
    """How samples are brought to the device. Those that fit are kept there; the others are read while steps run."""

    memory: int = option(
        1024, "prepared samples of a part are kept on the device up to this size", unit="MB", low=0, high=1_000_000
    )
    ahead: int = option(
        3, "of what is not kept: batches that are read ahead; 0 reads each when it is needed", low=0, high=1000
    )
    workers: int = option(
        -1, "of what is not kept: processes that read and decode; 0: a thread; -1: by what there is to decode",
        low=-1, high=256,
    )  # fmt: skip
