"""How an open network is run, as plain data: numbers it counts with, order in memory, compiled or not, threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from guiapp.core.notices import SettingError

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class LiveRun:
    """Settings that change speed and not what a network means.

    Attributes:
        precision: Numbers that convolutions and dense layers count with. Half ones differ in the third digit.
        channels_last: Whether the channels of one pixel lie beside each other in memory; None: where that is as fast
            or faster, which is everywhere measured (see docs/results.md). Results are equal to float tolerance.
        compile: Whether torch compiles the network for this machine, which takes a minute.
        fused: Whether, on the CPU, a convolution with its normalisation and activation is one operation in passes that
            nobody looks into. Results are equal to float tolerance.
        threads: Threads of one operation; None: one for each core.
    """

    precision: Precision = "float32"
    channels_last: bool | None = None
    compile: bool = False
    threads: int | None = None
    fused: bool = True

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise SettingError(f"precision is one of {', '.join(get_args(Precision))}, not {self.precision}")
        if self.threads is not None and self.threads < 1:
            raise SettingError(f"a network needs at least one thread, not {self.threads}")
