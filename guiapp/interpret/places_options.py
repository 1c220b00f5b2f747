"""Options of the places probe, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PlacesOptions:
    """How large the picture is fed to the network."""

    enlarge: int = field(
        default=4,
        metadata={"help": "the picture is fed so many times larger than the network's input", "low": 1, "high": 16},
    )
