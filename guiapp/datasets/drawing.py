"""How a drawing becomes a sample: the preprocessing by which each set of handwritten digits was made.

A drawing is uint8, shape (S, S) of any size, ink 255 on black. An empty one gives a sample of zeros.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

Canvas = npt.NDArray[np.uint8]


def to_mnist(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """MNIST's way: the box of the ink to 20 pixels on its longer side, its centre of mass to the middle of 28x28.

    The shift is by whole pixels, as in the published set, and never cuts ink off.

    Source: Y. LeCun et al., Gradient-based learning applied to document recognition, 1998, section III-A.

    Returns:
        uint8 (28, 28, 1).
    """
    sample: Canvas = np.zeros((28, 28, 1), np.uint8)
    ink = ink_box(canvas)
    if ink is None:
        return sample
    scale = 20 / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    digit = resize(ink, height, width)
    top, left = (
        int(np.clip(np.rint(13.5 - centre), 0, 28 - extent))
        for centre, extent in zip(centre_of_mass(digit), (height, width), strict=True)
    )
    sample[top : top + height, left : left + width, 0] = digit
    return sample


def to_digits(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """The way of scikit-learn's digits: a 32x32 bitmap, ink pixels counted in blocks of 4x4.

    Returns:
        uint8 (8, 8, 1), counts 0..16 scaled to 0..255.
    """
    bitmap = np.zeros((32, 32), bool)
    ink = ink_box(canvas)
    if ink is not None:
        height = 32
        width = int(np.clip(round(ink.shape[1] * 32 / ink.shape[0]), 1, 24))
        left = (32 - width) // 2
        bitmap[:, left : left + width] = resize(ink, height, width) >= 128
    counts = bitmap.reshape(8, 4, 8, 4).sum((1, 3))
    sample: Canvas = np.rint(counts * (255 / 16)).astype(np.uint8)[..., None]
    return sample


def to_grey_square(canvas: Canvas, size: int, margin: int = 0) -> npt.NDArray[np.uint8]:
    """The box of the ink, aspect kept, as large as fits into a square and in its middle.

    Args:
        canvas: The drawing.
        size: Side of the sample.
        margin: Pixels left free on each side.

    Returns:
        uint8 (size, size, 1).
    """
    sample = np.zeros((size, size, 1), np.uint8)
    ink = ink_box(canvas)
    if ink is None:
        return sample
    scale = (size - 2 * margin) / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    top, left = (size - height) // 2, (size - width) // 2
    sample[top : top + height, left : left + width, 0] = resize(ink, height, width)
    return sample


def ink_box(canvas: Canvas) -> Canvas | None:
    """The tight box of all ink, or None where there is none."""
    rows, columns = np.flatnonzero(canvas.any(1)), np.flatnonzero(canvas.any(0))
    if not len(rows):
        return None
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def centre_of_mass(image: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Row and column of the centre of the ink, pixel centres at whole numbers."""
    mass = image.astype(np.float64)
    total = mass.sum()
    rows, columns = np.indices(image.shape)
    return float((rows * mass).sum() / total), float((columns * mass).sum() / total)


def resize(image: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Area average where the picture shrinks, bilinear where it grows."""
    shrinks = height * width < image.shape[0] * image.shape[1]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((width, height), method))
