"""How pictures become the input of a person's own network, from what its settings and its architecture say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import SettingError, UserError
from guiapp.models.base import Preprocessing
from guiapp.models.own.settings import OwnSettings, numbers
from guiapp.models.zoo.base import Preset

if TYPE_CHECKING:
    import torch

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


Sampled = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
"""From the pixels of a picture to a sample as a network was trained on, uint8 (H, W, C)."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """What the data set that a network was trained on says.

    Attributes:
        labels: Its class names.
        mean, std: Its scale, per channel.
        sampled: What makes a sample of a picture with a drawing on it, or None.
    """

    labels: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sampled: Sampled | None = None


@dataclass(frozen=True)
class OwnPreprocessing(Preprocessing):
    """``Preprocessing`` that resizes as torchvision does where the middle is cut out.

    Attributes:
        resize: What pictures are resized to before the middle is cut out: the short side, or height and width; empty
            for the input's own size.
        interpolation, antialias: As in ``Preset``.
    """

    resize: tuple[int, ...] = ()
    interpolation: str = "bilinear"
    antialias: bool = True

    @property
    def preset(self) -> Preset:
        """The same in the figures of the zoo."""
        height, width = self.size[1:]
        resize = self.resize or ((height, width) if self.fit != "crop" else (min(height, width),))
        if self.fit != "crop":
            resize = (height, width)
        three = 3 // max(1, min(len(self.mean), 3))
        return Preset(
            "classification", resize, (height, width), self.mean * three, self.std * three, self.interpolation,
            self.antialias,
        )  # fmt: skip

    def __call__(
        self, images: npt.NDArray[np.uint8] | torch.Tensor, device: torch.device | str = "cpu"
    ) -> torch.Tensor:
        """See ``Preprocessing``."""
        if self.fit == "pad" or tuple(images.shape[-3:-1]) == self.size[1:]:
            return super().__call__(images, device)
        images = np.asarray(images)
        import torch

        from guiapp.models.zoo.prepare import prepare

        preset, found = self.preset, []
        for image in images if images.ndim == 4 else images[None]:
            pixels = _as(image, self.size[0])
            one = prepare(preset, pixels, device)
            assert isinstance(one, torch.Tensor)
            found.append(one[:, : self.size[0]])
        return torch.cat(found)


def _as(image: npt.NDArray[np.uint8], channels: int) -> npt.NDArray[np.uint8]:
    """A picture in three channels, grey ones for a network that takes one."""
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if channels == 1:
        grey = np.rint(image[..., :3].astype(np.float32) @ _GREY).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return image


def feed_of(
    settings: OwnSettings, size: tuple[int, int, int], base: Preset | None = None, said: Preprocessing | None = None
) -> OwnPreprocessing:
    """The preprocessing that settings ask for.

    Args:
        settings: What a person has set comes first.
        size: Channels, height and width that the network takes.
        base: What the architecture was published with, for what is not set.
        said: What the file or the data set says, which comes before that.

    Raises:
        SettingError: If scale and channels do not fit.
    """
    channels = size[0]
    height, width = settings.height or size[1], settings.width or size[2]
    mean: tuple[float, ...] = (0.0,) * channels
    std: tuple[float, ...] = (1.0,) * channels
    resize: tuple[int, ...] = ()
    fit, interpolation, antialias = "stretch", "bilinear", True
    if base is not None:
        mean, std = base.mean or mean, base.std or std
        interpolation, antialias = base.interpolation, base.antialias
        if base.crop is not None:
            fit = "stretch" if base.resize is not None and base.resize == base.crop else "crop"
            if (height, width) == base.crop and fit == "crop":
                resize = base.resize or ()
    if said is not None:
        mean, std, fit, resize = said.mean, said.std, said.fit, ()
    mean, std = numbers(settings.mean, "mean") or mean, numbers(settings.std, "std") or std
    if settings.fit != "auto":
        fit = settings.fit
    if settings.resize:
        fit, resize = "crop" if settings.fit == "auto" else fit, (settings.resize,)
        if settings.resize < min(height, width):
            raise SettingError(f"resize is the short side before the cut, at least {min(height, width)} here")
    return OwnPreprocessing(
        (channels, height, width), _wide(mean, channels, "mean"), _wide(std, channels, "std"), fit, tuple(resize),
        interpolation, antialias,
    )  # fmt: skip


def _wide(values: tuple[float, ...], channels: int, name: str) -> tuple[float, ...]:
    if len(values) == channels:
        return tuple(values)
    if len(values) == 1:
        return tuple(values) * channels
    if channels == 1:  # of three colours
        return (sum(values) / len(values),)
    raise SettingError(f"{name} has {len(values)} numbers, the input {channels} channels")


def feed_from(settings: OwnSettings, said: Mapping[str, Any]) -> OwnPreprocessing:
    """The preprocessing that a file written by this program says, but for what a person has set.

    Raises:
        UserError: If the record is damaged.
    """
    try:
        plain = {**said, **{name: tuple(said.get(name, ())) for name in ("size", "mean", "std", "resize")}}
        known = OwnPreprocessing(**plain)
        size = (int(known.size[0]), int(known.size[1]), int(known.size[2]))
    except (KeyError, TypeError, ValueError, IndexError):
        raise UserError("what the file says of its input is damaged: set it by hand") from None
    wanted = feed_of(settings, size, None, known)
    untouched = settings.fit == "auto" and not settings.resize and wanted.size == known.size
    more = {"resize": known.resize} if untouched else {}
    return dataclasses.replace(wanted, interpolation=known.interpolation, antialias=known.antialias, **more)  # type: ignore[arg-type]


def feed_of_preset(preset: Preset) -> OwnPreprocessing | None:
    """The figures of a network of the zoo as a preprocessing; None where it takes pictures of any size."""
    if preset.kind != "classification" or preset.crop is None:
        return None
    fit = "stretch" if preset.resize in (None, preset.crop) else "crop"
    resize = preset.resize or () if fit == "crop" else ()
    return OwnPreprocessing(
        (3, *preset.crop), preset.mean or (0.0,) * 3, preset.std or (1.0,) * 3, fit, resize, preset.interpolation,
        preset.antialias,
    )  # fmt: skip


def labels_of(settings: OwnSettings, path: Path, classes: int, known: tuple[str, ...]) -> tuple[str, ...]:
    """Class names for so many outputs: those that are set, those that are known where as many, else numbers.

    Args:
        settings: With ``labels``.
        path: The network's file; a text file of names may lie beside it.
        classes: Outputs.
        known: What the file or the architecture says.

    Raises:
        SettingError: If names are set and there are more or fewer.
    """
    found = read_labels(settings.labels, path.parent) if settings.labels else ()
    if found and len(found) != classes:
        raise SettingError(f"{len(found)} labels are named, the network tells {classes} classes apart")
    if found:
        return found
    return known if len(known) == classes else tuple(f"class {index}" for index in range(classes))


def read_labels(text: str, place: Path) -> tuple[str, ...]:
    """Class names of a known set, of a text file with one a line, or separated by commas.

    Raises:
        SettingError: If it is none of these.
    """
    from guiapp.models.zoo.labels import KEYS, labels

    if text in KEYS:
        return labels(text)
    if "," in text:
        return tuple(name.strip() for name in text.split(",") if name.strip())
    for path in (Path(text).expanduser(), place / text):
        if path.is_file():
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except (OSError, ValueError):
                raise SettingError(f"{path} is no text file with one class name a line") from None
            return tuple(line.strip() for line in lines if line.strip())
    raise SettingError(
        f"labels {text!r} are neither a known set ({', '.join(KEYS)}), nor a text file, nor names with commas"
    )


def with_size(feed: OwnPreprocessing, height: int, width: int) -> OwnPreprocessing:
    """The same for an input of another size."""
    return dataclasses.replace(feed, size=(feed.size[0], height, width), resize=())


class NeedsTrust(UserError):
    """The file is a Python file, which runs code: the person has to say so first."""
