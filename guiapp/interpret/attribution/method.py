"""What a method of attribution is, what it gives, and the list of them. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guiapp.core.registry import Registry

Floats = npt.NDArray[np.float32]
Area = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each place of a picture counts for the target.

    Attributes:
        method: Name of the method.
        target: What is explained, in words, such as ``"steam locomotive, logit"``.
        score: Value of that for the picture.
        map: float32 (h, w), signed: the values summed over the channels; of a layer's size for CAMs, else the input's.
        values: float32 (C, H, W), one number for each number of the input; None for methods that give a map alone.
        area: Left, top, width and height, in pixels of the picture, that ``map`` lies over; None for all of it.
        layer: The layer that was used, or empty.
        signed: Whether negative values mean "speaks against it"; else only the size counts.
        class_index: The class that is explained, or None.
        baseline: What the picture was compared with, in words, or empty.
        gap: For methods that hand out the whole difference of scores (integrated gradients, DeepLift): the sum of
            ``values`` minus that difference; 0 in theory. Else None.
        note: What a person must know to read it, such as that a method cannot tell classes apart; or empty.
        share: Share of the work that is in it; below 1 for a preview.
        seconds: Time it took.
        cover: Height and width that ``map`` lies over, for one of the input's; above 1 where a detector's padding is
            in it, as ``area`` has it too.
    """

    method: str
    target: str
    score: float
    map: Floats
    values: Floats | None = None
    area: Area | None = None
    layer: str = ""
    signed: bool = True
    class_index: int | None = None
    baseline: str = ""
    gap: float | None = None
    note: str = ""
    share: float = 1.0
    seconds: float = 0.0
    cover: tuple[float, float] = (1.0, 1.0)

    def atlases(self) -> Iterator[tuple[str, Any]]:
        """The map as the command line draws it."""
        import torch

        from guiapp.interpret.atlas import make_atlas

        yield f"{self.method} of {self.target}", make_atlas(torch.from_numpy(self.map)[None], signed=self.signed)


@dataclass(frozen=True)
class Method:
    """How a method is listed and run.

    Attributes:
        name: Registry name, such as ``"grad-cam"``.
        title: What a person reads.
        options: Frozen dataclass of its own parameters, from which the form is made; every field has a default.
        run: ``run(task)`` is a generator, see ``attribution.run``.
        about: One line: what it shows.
        source: Paper.
        layered: Whether its options have ``layer``, a layer whose maps are weighted.
        live: Whether one forward and one backward pass do, so that it can follow a camera.
        backward: Whether it needs gradients; ONNX and OpenCV networks have none.
        by_target: Whether it tells targets apart; attention roll-out does not.
        signed: Whether its maps have signs.
        by_size: Whether the size of a value, whatever its sign, says how much its place counts: of plain gradients.
    """

    name: str
    title: str
    options: type[Any]
    run: Callable[..., Any]
    about: str
    source: str
    layered: bool = False
    live: bool = False
    backward: bool = True
    by_target: bool = True
    signed: bool = True
    by_size: bool = False


METHODS: Registry[Method] = Registry("attribution method")

Baseline = Literal["black", "white", "grey", "blurred", "noise"]
"""What a picture is compared with, or what hides a part of it."""
