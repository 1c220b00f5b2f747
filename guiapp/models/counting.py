"""The parameter counts of the course texts with their numbers put in, for networks that are small enough to count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Count:
    """One sum.

    Attributes:
        what: What is counted, such as ``"fc1"``.
        formula: The sum with the numbers of this network, such as ``"64 × (28 × 28 + 1)"``.
        value: What it gives.
        note: What to know beside it, or empty.
    """

    what: str
    formula: str
    value: int
    note: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.what}: {self.formula} = {self.value:,}" + (f" {self.note}" if self.note else "")


def _pixels(channels: int, height: int, width: int) -> str:
    return f"{width} × {height}" if channels == 1 else f"{channels} × {width} × {height}"


def mlp(channels: int, height: int, width: int, classes: int, hidden: int, **_: Any) -> tuple[Count, ...]:
    """Both dense layers, and text 2's 50,240 for 28x28 pixels where the pictures are others (T2, MNIST)."""
    found = [
        Count("fc1", f"{hidden} × ({_pixels(channels, height, width)} + 1)", hidden * (channels * height * width + 1)),
        Count("fc2", f"{classes} × {hidden}", classes * hidden, f"and {classes} biases"),
    ]
    if (channels, height, width) != (1, 28, 28):
        found.append(Count("on MNIST", f"{hidden} × (28 × 28 + 1)", hidden * 785))
    return tuple(found)


def simple_cnn(
    channels: int, height: int, width: int, classes: int, filters: int, kernel: int, pool: int, **_: Any
) -> tuple[Count, ...]:
    """Filters and dense layer, and the dense layer without pooling: text 2's 51,840 (T2, CNN and CNN with Pooling)."""
    rows, columns = height - kernel + 1, width - kernel + 1
    kernel_text = f"{kernel} × {kernel}" if channels == 1 else f"{channels} × {kernel} × {kernel}"
    down, right = rows // pool, columns // pool
    biases = f"and {classes} biases"
    found = [
        Count("conv1", f"{filters} × ({kernel_text} + 1)", filters * (channels * kernel * kernel + 1)),
        Count("fc1", f"{classes} × {filters} × {right} × {down}", classes * filters * right * down, biases),
    ]
    if pool > 1:
        found.append(
            Count(
                "fc1 without pooling", f"{classes} × {filters} × {columns} × {rows}", classes * filters * columns * rows
            )
        )
    return tuple(found)


def simple_cnn_3(
    channels: int, height: int, width: int, classes: int, kernel: int, pool: int, **_: Any
) -> tuple[Count, ...]:
    """Text 0's 3WH/M⁶ + 21K² + 10, which counts one output unit, and the sum for all classes (T0, Simple CNN)."""
    cell = pool**3
    right, down = width // cell, height // cell
    exact = width % cell == height % cell == 0  # where M³ does not divide W and H, pooling rounds down
    inputs = 3 * right * down
    filters = 3 * (channels + 6)  # 21 for a grey picture
    kernels = filters * kernel * kernel
    dense = f"3 × {width} × {height} / {pool}⁶" if exact else f"3 × {right} × {down}"
    one = Count("text 0, one output", f"{dense} + {filters} × {kernel}² + 10", inputs + kernels + 10)
    outputs = f"{classes} × ({dense} + 1) + {filters} × {kernel}² + 9"
    return one, Count(f"here, {classes} outputs", outputs, classes * (inputs + 1) + kernels + 9)
