"""What the cost probe counts: plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Convention = Literal["torch", "text"]


@dataclass(frozen=True)
class CostOptions:
    """How many pictures at once, and by whose convention (see ``interpret.cost``)."""

    batch: int = field(default=1, metadata={"help": "pictures at once", "unit": "", "low": 1, "high": 65536})
    convention: Convention = field(
        default="torch",
        metadata={"help": "as torch.utils.flop_counter counts, or as course text 1 does", "unit": ""},
    )
