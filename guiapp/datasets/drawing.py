"""How a drawing becomes a sample: the preprocessing by which each set of handwritten digits was made.

A drawing is uint8, shape (S, S) of any size, ink 255 on black. An empty one gives a sample of zeros.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

Canvas = npt.NDArray[np.uint8]


def to_mnist(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """MNIST's way: the box of the ink to 20 pixels on its longer side, its centre of mass to the middle of 28x28.

    The middle is pixel 14: in every published digit the centre of mass lies between 13.5 and 14.5 (pixel centres at
    whole numbers). The shift is by whole pixels, as there, and never cuts ink off.

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
        int(np.clip(np.rint(14 - centre), 0, 28 - extent))
        for centre, extent in zip(centre_of_mass(digit), (height, width), strict=True)
    )
    sample[top : top + height, left : left + width, 0] = digit
    return sample


def to_digits(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """The way of scikit-learn's digits: NIST's normalised bitmap of 32x32, ink pixels counted in blocks of 4x4.

    The box of the ink is stretched to 20x32 whatever its aspect, strokes are made thinner or thicker until about 256 to
    412 pixels are ink, and the slant between the left edges near top and bottom is sheared away. The published digits
    show all three: full height, about 20 columns, 256 ink pixels as the 5th percentile, upright left edges. Of MNIST
    digits sent through it, an SVM trained on scikit-learn's reads 82 % (63 % without the last two, aspect kept).

    Source: M. D. Garris et al., NIST form-based handprint recognition system (release 2.0), NISTIR 5959, 1997;
    E. Alpaydin, C. Kaynak, Cascading classifiers, 1998.

    Returns:
        uint8 (8, 8, 1), counts 0..16 scaled to 0..255.
    """
    bitmap = np.zeros((32, 32), bool)
    ink = ink_box(np.where(canvas >= max(1, (int(canvas.max(initial=0)) + 1) // 2), np.uint8(255), np.uint8(0)))
    if ink is not None:
        bitmap[:, 6:26] = resize(ink, 32, 20) >= 128
        bitmap = _upright(_usual_stroke(bitmap))
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
    """The tight box of the ink, or None where there is none; what the eye cannot see sets no border."""
    visible = canvas >= max(1, min(32, (int(canvas.max(initial=0)) + 1) // 2))
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
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


def _usual_stroke(bitmap: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Erode or dilate once or twice by the four neighbours, by how many pixels are ink."""
    pixels = int(bitmap.sum())
    times = 2 if pixels > 560 or pixels < 108 else 1 if pixels > 412 or pixels < 256 else 0
    combine = np.logical_and if pixels > 412 else np.logical_or
    for _ in range(times):
        around = np.pad(bitmap, 1)
        bitmap = combine.reduce(
            [bitmap, around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]], axis=0
        )
    return bitmap


def _upright(bitmap: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Shear rows until the left edge of the ink two rows from the bottom stands below that two rows from the top."""
    rows = np.flatnonzero(bitmap.any(1))
    top, bottom = (rows[0] + 2, rows[-1] - 2) if len(rows) > 5 else (0, 0)
    if bottom <= top or not (bitmap[top].any() and bitmap[bottom].any()):
        return bitmap
    slope = (int(bitmap[top].argmax()) - int(bitmap[bottom].argmax())) / (bottom - top)
    height, width = bitmap.shape
    padded = np.pad(bitmap, ((0, 0), (width, width)))  # what leaves the bitmap is lost, nothing wraps round
    shifts = np.floor((np.arange(height) - height // 2) * slope + 0.5).astype(int)
    columns = width + np.arange(width)[None, :] - np.clip(shifts, -width, width)[:, None]
    return np.take_along_axis(padded, columns, axis=1)
