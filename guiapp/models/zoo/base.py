"""What an entry of the model zoo is: a published network with its weights, as plain data without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

_HEADLINES = ("acc@1", "mask_map", "kp_map", "box_map", "miou")
_TITLES = {
    "acc@1": "top-1",
    "acc@5": "top-5",
    "box_map": "box mAP",
    "mask_map": "mask mAP",
    "kp_map": "key point mAP",
    "miou": "mean IoU",
    "pixel_acc": "pixel accuracy",
}


@dataclass(frozen=True)
class Preset:
    """How a picture becomes the input of a network: what torchvision's own transform does, in figures.

    Attributes:
        kind: ``"classification"``, ``"detection"``, ``"segmentation"``, ``"clip"`` (each frame) or ``"flow"``.
        resize: One number: the short side becomes that long; two: height and width; None: the size stays.
        crop: Height and width of the middle that is cut out after resizing, or None.
        mean, std: Per channel on the scale 0 to 1: (x / 255 - mean) / std is fed; empty where x / 255 is.
        interpolation: ``"bilinear"`` or ``"bicubic"``.
        antialias: Whether shrinking averages over all pixels that fall on one.
    """

    kind: str
    resize: tuple[int, ...] | None = None
    crop: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = "bilinear"
    antialias: bool = True


@dataclass(frozen=True)
class ZooWeights:
    """One published set of weights.

    Attributes:
        name: torchvision's name, such as ``"IMAGENET1K_V2"``.
        enum: torchvision's enumeration that holds it, such as ``"ResNet50_Weights"``.
        url: Where it is published.
        bytes: Size of the file, to half a KiB.
        parameters: Number of parameters.
        gflops: 10⁹ multiply-adds of one forward pass at the published size.
        licence: Licence of the weights.
        trained_on: Data they were trained on, and its terms.
        labels: Key of the class names, see ``labels.labels``; empty for optical flow.
        metrics: Published figures, such as ``{"acc@1": 80.858}`` in percent; with several test sets the names
            begin with the set's, such as ``"Sintel-Train-Cleanpass epe"`` in pixels.
        measured_on: The test set of the figures where there is one.
        smallest: Least height and width that the network takes.
        frames: Least number of frames of a clip, 1 where it takes any.
        preset: Preprocessing.
        shipped: What of an installed package brings them, such as ``"cv2/data/face.xml"``: nothing is fetched, and
            ``url`` is empty. Empty for weights that are published as a file.
        saved_as: Name of the file on this machine, where it is another than the published one's.
        digest: SHA-256 of the file, where its name does not carry the beginning.
    """

    name: str
    enum: str
    url: str
    bytes: int
    parameters: int
    gflops: float
    licence: str
    trained_on: str
    labels: str
    metrics: Mapping[str, float]
    measured_on: str
    smallest: tuple[int, int]
    frames: int
    preset: Preset
    shipped: str = ""
    saved_as: str = ""
    digest: str = ""

    @property
    def file(self) -> str:
        """Name of the file on this machine: mostly that of the published one."""
        return self.saved_as or PurePosixPath(urlsplit(self.url).path).name

    @property
    def sha256(self) -> str:
        """The file's SHA-256, or its first eight hex digits, as names of torchvision's files carry them; or nothing."""
        if not self.url:
            return self.digest
        return self.digest or PurePosixPath(self.file).stem.rpartition("-")[2]

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Height and width that the network is fed, or None where it takes pictures of any size."""
        return self.preset.crop

    @property
    def accuracy(self) -> str:
        """The figure that networks of the task are compared by, such as ``"80.9 % top-1"``; of px less is better."""
        for key in _HEADLINES:
            if key in self.metrics:
                return f"{self.metrics[key]:.1f} % {_TITLES[key]}"
        key, value = next(iter(self.metrics.items()), ("", 0.0))
        return f"{value:.2f} px {key.removesuffix(' epe')}" if key else ""


@dataclass(frozen=True)
class ZooModel:
    """One network of the zoo.

    Attributes:
        name: torchvision's name, such as ``"resnet50"``.
        title: What a person reads.
        family: Name of its family, such as ``"ResNet"``.
        task: ``"classification"``, ``"detection"``, ``"instances"``, ``"keypoints"``, ``"segmentation"``, ``"clip"``,
            ``"flow"`` or ``"depth"``.
        build: ``"module:function"`` of the builder; empty where ``opener`` does it.
        weights: Published weights, torchvision's choice first.
        source: Paper.
        systems: Rows of the systems table that it shows.
        opener: ``"module:function"`` that opens it, called as ``zoo.open.open_model`` with the entry for the name;
            empty for networks of torchvision and OpenCV.
        draws: Whether it can have random weights.
    """

    name: str
    title: str
    family: str
    task: str
    build: str
    weights: tuple[ZooWeights, ...]
    source: str
    systems: tuple[str, ...] = ()
    opener: str = ""
    draws: bool = True

    @property
    def best(self) -> ZooWeights:
        """The weights that torchvision recommends."""
        return self.weights[0]

    @property
    def parameters(self) -> int:
        """Number of parameters with the recommended weights."""
        return self.best.parameters
