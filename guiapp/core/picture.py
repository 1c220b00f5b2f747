"""The picture that flows from a source through a network to the viewer."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

OriginKind = Literal["file", "sample", "drawing", "clipboard", "camera", "video", "stream", "screen"]


@dataclass(frozen=True)
class Origin:
    """Where a picture came from.

    Attributes:
        kind: The kind of source.
        name: What a person calls it: a file name, ``"MNIST test 17"``, ``"Drawing"``.
        path: The file, where there is one.
        index: Position in the folder, the data-set part or the video, where there is one.
        part: Data-set part (``"train"``, ``"validation"``, ``"test"``) for samples.
        seconds: Time in the video, from its first frame.
    """

    kind: OriginKind
    name: str
    path: Path | None = None
    index: int | None = None
    part: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture as it is shown: upright, in colour, eight bits.

    Attributes:
        pixels: RGB, uint8, shape (H, W, 3), contiguous. Never changed in place.
        origin: Where it came from.
        label: True class index in the open data set, where known.
        time: ``time.monotonic()`` when it was made.
        sample: The data-set sample that this picture stands for, uint8 (h, w, C) with C 1 or 3, where it differs
            from ``pixels``: a drawing is shown large and fed to the network the way the data set was made.
        note: What a person should know about how it is shown, such as that a huge file is shown smaller, or ``""``.
    """

    pixels: npt.NDArray[np.uint8]
    origin: Origin
    label: int | None = None
    time: float = field(default_factory=time.monotonic)
    sample: npt.NDArray[np.uint8] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be uint8 (H, W, 3), not {self.pixels.dtype} {self.pixels.shape}")
        if not self.pixels.flags.c_contiguous:
            object.__setattr__(self, "pixels", np.ascontiguousarray(self.pixels))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def network_pixels(self) -> npt.NDArray[np.uint8]:
        """What a network is fed: the sample where there is one, else the pixels; uint8 (H, W, C)."""
        return self.pixels if self.sample is None else self.sample


def rgb(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Bring uint8 (H, W), (H, W, 1) or (H, W, 3) to contiguous (H, W, 3)."""
    if image.ndim == 2:
        image = image[:, :, None]
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    return np.ascontiguousarray(image)
