"""The real handwritten digits that ship with scikit-learn: always there, no download."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guiapp.datasets import drawing
from guiapp.datasets.base import Dataset, Progress, Samples, channel_statistics
from guiapp.datasets.splits import stratified


def load(progress: Progress) -> Dataset:
    """1,797 digits by 43 people, 8x8 pixels, stratified 60/20/20.

    Values 0..16 (ink pixels in a block of 4x4) become round(v * 255 / 16).
    """
    progress(0.0, "reading digits")
    table = _table()
    images = np.rint(table[:, :64].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)[..., None]
    labels = table[:, 64].astype(np.int64)
    held = round(0.2 * len(labels))
    parts = [Samples(images[i], labels[i]) for i in stratified(labels, (len(labels) - 2 * held, held, held))]
    mean, std = channel_statistics(parts[0].images)
    progress(1.0, "digits are ready")
    return Dataset(
        name="digits",
        title="Handwritten digits (scikit-learn)",
        classes=tuple("0123456789"),
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        mean=mean,
        std=std,
        from_drawing=drawing.to_digits,
        augmentation="handwriting",
        source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, test part (CC BY 4.0)",
    )


def _table() -> NDArray[Any]:
    """A row for each digit: 64 values of 0 to 16, then the label.

    scikit-learn's file is read as it lies: to import scikit-learn, and SciPy with it, takes 1 to 2 s of a core, which
    the first experiment of each start would wait for.
    """
    found = find_spec("sklearn")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])
