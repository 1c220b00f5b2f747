"""MNIST and Fashion-MNIST, found in the data folders or fetched from their publishers."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.downloads import fetch
from guiapp.core.notices import UserError
from guiapp.datasets import drawing, idx
from guiapp.datasets.base import Dataset, Progress, Samples, channel_statistics
from guiapp.datasets.splits import hold_out

_MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
_FASHION_MIRRORS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
# MD5 of the published .gz files, in the order of idx.FILES; torchvision checks the same.
_MNIST_DIGESTS = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
_FASHION_DIGESTS = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def mnist_folder() -> Path | None:
    """The first data folder's complete MNIST, or None."""
    return _find(("MNIST/raw", "MNIST", "mnist/raw", "mnist"))


def fashion_folder() -> Path | None:
    """The first data folder's complete Fashion-MNIST, or None; a subset where only that is there."""
    return _find(
        ("FashionMNIST/raw", "FashionMNIST", "fashion-mnist", "fashion_mnist/FashionMNIST/raw", "fashion_mnist")
    ) or (_find(("fashion_mnist/*", "fashion_mnist/*/FashionMNIST/raw")))


def mnist_available() -> bool:
    """Whether MNIST opens without a download."""
    return mnist_folder() is not None


def fashion_available() -> bool:
    """Whether Fashion-MNIST, or a subset of it, opens without a download."""
    return fashion_folder() is not None


def load_mnist(progress: Progress) -> Dataset:
    """MNIST: 55,000 training, 5,000 validation and 10,000 test digits of 28x28 pixels.

    Raises:
        UserError: If it is not on this machine and cannot be fetched.
    """
    folder = mnist_folder() or _download("MNIST", _MNIST_MIRRORS, _MNIST_DIGESTS, progress)
    return _open(
        folder,
        progress,
        name="mnist",
        title="MNIST",
        classes=_DIGITS,
        from_drawing=drawing.to_mnist,
        augmentation="handwriting",
        source="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits (CC BY-SA 3.0)",
    )


def load_fashion(progress: Progress) -> Dataset:
    """Fashion-MNIST: 55,000 training, 5,000 validation and 10,000 test pictures of 28x28 pixels.

    Raises:
        UserError: If it is not on this machine and cannot be fetched.
    """
    folder = fashion_folder() or _download("FashionMNIST", _FASHION_MIRRORS, _FASHION_DIGESTS, progress)
    return _open(
        folder,
        progress,
        name="fashion-mnist",
        title="Fashion-MNIST",
        classes=_CLOTHES,
        # Published pictures have their longest side at 28 pixels and are centred by their box.
        from_drawing=partial(drawing.to_grey_square, size=28),
        source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, Zalando SE (MIT)",
    )


def _find(layouts: tuple[str, ...]) -> Path | None:
    """The first folder of a layout (a glob pattern) in any data folder that has all four files."""
    for root in paths.data_folders():
        if not root.is_dir():
            continue
        for layout in layouts:
            candidates = sorted(root.glob(layout)) if "*" in layout else [root / layout]
            for folder in candidates:
                if idx.complete(folder):
                    return folder
    return None


def _download(name: str, mirrors: tuple[str, ...], digests: tuple[str, ...], progress: Progress) -> Path:
    folder = paths.downloads() / name / "raw"
    for index, (file, digest) in enumerate(zip(idx.FILES, digests, strict=True)):

        def report(share: float, text: str, index: int = index) -> None:
            progress((index + share) / len(idx.FILES), text)

        if idx.find(folder, file) is None:
            urls = [f"{mirror}{file}.gz" for mirror in mirrors]
            try:
                fetch(urls, folder / f"{file}.gz", digest, report)
            except UserError as error:
                raise UserError(f"{name} is not on this machine: {error}") from error
    return folder


def _open(folder: Path, progress: Progress, *, name: str, title: str, **about: object) -> Dataset:
    progress(0.0, f"reading {folder}")
    images, labels, test_images, test_labels = idx.read_set(folder)
    _check(folder, labels, test_labels)
    total = len(labels) + len(test_labels)
    if total < 70_000:
        title = f"{title} ({total:,} pictures)"
    progress(0.5, "splitting")
    # 5,000 of the 60,000; a subset gives a larger share, else its validation part would say nothing.
    train, validation = hold_out(images, labels, 5_000 if total >= 70_000 else round(0.15 * len(labels)))
    progress(0.8, "mean and deviation")
    mean, std = channel_statistics(train.images)
    progress(1.0, f"{title}: {total:,} pictures")
    test = Samples(test_images, test_labels)
    return Dataset(name, title, train=train, validation=validation, test=test, mean=mean, std=std, **about)  # type: ignore[arg-type]


def _check(folder: Path, *labels: npt.NDArray[np.int64]) -> None:
    if any(len(part) == 0 or part.max() > 9 for part in labels):
        raise UserError(f"{folder} has no samples or labels above 9: delete the files and fetch them again")
