"""The real handwritten digits that ship with scikit-learn: always there, no download."""

import numpy as np

from guiapp.datasets import drawing
from guiapp.datasets.base import Dataset, Progress, Samples, channel_statistics
from guiapp.datasets.splits import stratified


def load(progress: Progress) -> Dataset:
    """1,797 digits by 43 people, 8x8 pixels, stratified 60/20/20.

    Values 0..16 (ink pixels in a block of 4x4) become round(v * 255 / 16).
    """
    progress(0.0, "importing scikit-learn")
    from sklearn.datasets import load_digits

    progress(0.7, "reading digits")
    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
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
