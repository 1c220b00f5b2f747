"""Attacks as jobs of the work lane: on the network of a study, tried on another one, and over many pictures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture, rgb
from guiapp.engine.job import Step
from guiapp.engine.open_trained import OpenedTrained
from guiapp.engine.study import Study
from guiapp.interpret.attack.options import COMPARED, Method, drawn

if TYPE_CHECKING:
    import torch

    from guiapp.interpret.attack.options import AttackOptions
    from guiapp.interpret.attack.robust import RobustCurves
    from guiapp.interpret.attack.run import AttackResult
    from guiapp.interpret.attack.space import Victim
    from guiapp.models.base import Preprocessing
    from guiapp.models.zoo.open import OpenedModel

    _Prepared = tuple[list[torch.Tensor], npt.NDArray[np.int64] | None, str, tuple[int, int] | None]

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Transferred:
    """What another network says of an attack that was made for the first.

    Attributes:
        title: What the other network is called, with its weights.
        labels: Its class names.
        original: float32 (K,), its probabilities for the picture as it was.
        result: The same for the attacked picture, in whole numbers from 0 to 255.
        shuffled: The same for the picture with the change shuffled over it: noise of the same size.
    """

    title: str
    labels: tuple[str, ...]
    original: npt.NDArray[np.float32]
    result: npt.NDArray[np.float32]
    shuffled: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pictures:
    """Where pictures for robust accuracy come from.

    Attributes:
        part: Part of the open experiment's data set, or of ``dataset``.
        dataset: Another data set by name; empty for the open experiment's.
        folder: A folder of pictures, mostly with a folder for each class; wins over ``dataset``.
        count: How many, drawn at random with a fixed seed.
    """

    part: str = "test"
    dataset: str = ""
    folder: Path | None = None
    count: int = 200


def victim_of(study: Study, picture: Picture, options: AttackOptions | None = None) -> tuple[Victim, torch.Tensor]:
    """The network of a study as an attack sees it, and the picture as its input.

    Args:
        study: The network.
        picture: The picture.
        options: Say which box or pixels are attacked of detectors and segmentation networks.

    Raises:
        UserError: If it tells no classes of a picture, its pixels or boxes in it.
    """
    import torch

    from guiapp.interpret.attack.options import TASKS
    from guiapp.interpret.attack.victims import ONLY, victim_of_part

    task = study.model.entry.task
    if task not in TASKS or not isinstance(study.model.module, torch.nn.Module):
        raise UserError(ONLY)
    if task != "classification":
        preset = study.model.weights.preset
        return victim_of_part(study.case(picture), preset.mean, preset.std, options)
    found = study.inputs(picture)
    inputs = found if isinstance(found, torch.Tensor) else torch.stack(list(found))
    return _victim(study, inputs, _fed_size(study, picture)), inputs


def _victim(study: Study, inputs: torch.Tensor, fed: tuple[int, int] | None) -> Victim:
    from guiapp.interpret.attack.space import padding_mask
    from guiapp.interpret.attack.victims import make_victim

    labels = tuple(study.inspected.labels)
    preprocessing = _feed(study.model)
    if preprocessing is None:
        preset = study.model.weights.preset
        return make_victim(study.module, labels, preset.mean, preset.std, inputs)
    mask = padding_mask(preprocessing.size, fed, preprocessing.fit, inputs.device) if fed is not None else None
    return make_victim(study.module, labels, preprocessing.mean, preprocessing.std, inputs, mask)


def _feed(model: OpenedModel) -> Preprocessing | None:
    """How samples become the input of a network that was trained here or is a person's own file; else None."""
    found: Preprocessing | None = getattr(model, "preprocessing", None)
    return found


def _takes_samples(model: OpenedModel) -> bool:
    """Whether a picture of the size of its input, or of a sample, is fed as it is, not shrunk and cut."""
    feed = _feed(model)
    if feed is None or isinstance(model, OpenedTrained):
        return feed is not None
    return feed.size[0] == 1 or feed.fit == "pad" or model.weights.preset.resize in (None, feed.size[1:])


def _fed_size(study: Study, picture: Picture) -> tuple[int, int]:
    from guiapp.interpret.attack.victims import fed_size

    model = study.model
    if (sampled := getattr(model, "sampled", None)) is not None and picture.sample is None:
        size = sampled(picture.pixels).shape
        return int(size[0]), int(size[1])
    return fed_size(picture, model.from_picture if isinstance(model, OpenedTrained) else None)


# ---------------------------------------------------------------------- one picture


def attack_picture(
    study: Study, picture: Picture, options: AttackOptions, tell: Callable[[AttackResult], object]
) -> Generator[Step, None, AttackResult]:
    """Attack a picture; ``tell`` hears of it a few times a second.

    Raises:
        UserError: If that is not possible, in one line.
    """
    from guiapp.interpret.attack.methods import count_of
    from guiapp.interpret.attack.options import METHODS, sized
    from guiapp.interpret.attack.run import attack

    options = sized(options, study.inspected.preprocessing)
    victim, inputs = victim_of(study, picture, options)
    walk, count, done = attack(victim, inputs, options), count_of(options), 0
    while True:
        try:
            so_far = next(walk)
        except StopIteration as end:
            result: AttackResult = end.value
            return result
        done += 1
        if so_far is not None:
            tell(so_far)
        yield min(1.0, done / count), f"{METHODS[options.method]}, step {done} of {count}"


def as_picture(study: Study, picture: Picture, area: tuple[int, int, int, int], pixels: Bytes) -> Bytes:
    """A picture that becomes exactly these pixels of the network's input when the network is given it.

    Of a network that is fed the middle of a shrunken picture, that shrunken picture with its middle replaced; without
    padding where the input has some.

    Args:
        study: The network.
        picture: What was attacked.
        area: Left, top, width and height of what of the input shows the picture.
        pixels: uint8 (H, W, C) of the input.
    """
    left, top, width, height = area
    inner = pixels[top : top + height, left : left + width]
    if _takes_samples(study.model):
        return np.ascontiguousarray(inner)
    preset = study.model.weights.preset
    if preset.crop is None or preset.resize is None:
        return np.ascontiguousarray(inner)
    from guiapp.models.zoo.prepare import prepare

    around = prepare(dataclasses.replace(preset, crop=None, mean=(0.0,), std=(1.0,)), picture.pixels)
    assert not isinstance(around, list)
    whole: Bytes = np.rint(around[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    rows, columns = whole.shape[:2]
    if rows < height or columns < width:
        return np.ascontiguousarray(inner)
    row, column = round((rows - height) / 2), round((columns - width) / 2)
    whole[row : row + height, column : column + width] = inner
    return whole


def pictures_of(study: Study, picture: Picture, result: AttackResult) -> dict[str, Bytes]:
    """Original, result and shuffled noise of an attack as pictures that any network can be given, uint8 (H, W, C)."""
    return {
        name: as_picture(study, picture, result.area, pixels)
        for name, pixels in (("original", result.original), ("result", result.result), ("shuffled", result.shuffled))
    }


# ---------------------------------------------------------------------- another network


def transfer(
    pictures: dict[str, Bytes], open_other: Callable[[Callable[[float, str], None]], OpenedModel]
) -> Generator[Step, None, Transferred]:
    """Ask another network about pictures of ``pictures_of``.

    Args:
        pictures: Original, result and noise.
        open_other: Opens it; called with a progress callback.

    Raises:
        UserError: If it cannot be opened, or tells no classes.
    """
    import torch

    yield 0.1, "opening the other network"
    other = open_other(lambda _share, _text: None)
    if other.entry.task != "classification":
        raise UserError(f"{other.entry.title} tells no classes: choose a network that does")
    said = {}
    for number, (name, pixels) in enumerate(pictures.items()):
        yield 0.4 + 0.2 * number, f"asking {other.entry.title}"
        inputs = inputs_of(other, pixels)
        with torch.no_grad():
            said[name] = torch.softmax(other.module(inputs).float(), 1)[0].cpu().numpy()
    return Transferred(f"{other.entry.title} · {other.weights.name}", tuple(other.labels), **said)


def inputs_of(model: OpenedModel, pixels: Bytes) -> torch.Tensor:
    """A picture or sample, uint8 (H, W, C), as a network takes it, float (1, C, h, w); samples are fed as they are."""
    feed = _feed(model)
    if feed is not None and _takes_samples(model):
        return feed(pixels, model.device)
    found = model.prepare(rgb(pixels), model.device)
    assert not isinstance(found, list)
    return found


# ---------------------------------------------------------------------- many pictures


def robustness(
    study: Study,
    pictures: Pictures,
    options: AttackOptions,
    sizes: npt.NDArray[np.float64],
    tell: Callable[[RobustCurves], object],
    methods: Sequence[Method] = COMPARED,
) -> Generator[Step, None, RobustCurves]:
    """Accuracy of a study's network over many pictures against the size of attacks.

    Raises:
        UserError: If there are no pictures that fit.
    """
    import torch

    from guiapp.interpret.attack.options import sized
    from guiapp.interpret.attack.robust import batch_of, robust_accuracy

    if study.model.entry.task != "classification" or not isinstance(study.model.module, torch.nn.Module):
        raise UserError("robust accuracy counts right classes of whole pictures: open a network that tells those")
    inputs, labels, name, size = yield from _inputs(study, pictures)
    victim = _victim(study, inputs[0], size)
    if labels is None:
        found: list[torch.Tensor] = []
        for one in inputs:
            with torch.no_grad():
                found.append(victim.logits(victim.pixels(one)).argmax(1).cpu())
            yield 0.0, "asking what it says of the pictures as they are"
        known = torch.cat(found)
    else:
        known = torch.from_numpy(labels)
    batch = batch_of(*inputs[0].shape[-2:])
    every = torch.cat([victim.pixels(one) for one in inputs])
    groups = [(every[i : i + batch], known[i : i + batch]) for i in range(0, len(every), batch)]
    return (
        yield from robust_accuracy(
            victim, lambda: groups, sized(options, study.inspected.preprocessing), sizes, methods,
            labels is not None, tell, name,
        )
    )  # fmt: skip


def _inputs(study: Study, pictures: Pictures) -> Generator[Step, None, _Prepared]:
    """Prepared pictures, batch by batch; their classes where known; what they are; height and width of a sample."""
    if pictures.folder is not None:
        return (yield from _of_folder(study, pictures.folder, pictures.count))
    dataset = study.dataset
    if pictures.dataset and (dataset is None or dataset.name != pictures.dataset):
        from guiapp.datasets import open_dataset

        yield 0.0, f"opening {pictures.dataset}"
        dataset = open_dataset(pictures.dataset)
    if dataset is None:
        raise UserError("choose pictures: a data set, or a folder with a folder for each class")
    if len(dataset.classes) != len(study.inspected.labels):
        raise UserError(
            f"{dataset.title} has {len(dataset.classes)} classes, this network tells {len(study.inspected.labels)} "
            "apart: choose other pictures"
        )
    samples = dataset.part(pictures.part)  # type: ignore[arg-type]
    chosen = drawn(len(samples), pictures.count)
    found: list[torch.Tensor] = []
    for start in range(0, len(chosen), 64):
        images = np.stack([np.asarray(samples.images[i]) for i in chosen[start : start + 64]])
        found.extend(inputs_of(study.model, image) for image in images)
        yield 0.0, "preparing pictures"
    labels = np.asarray(samples.labels)[chosen].astype(np.int64)
    _, height, width = dataset.sample_shape
    return found, labels, f"{len(chosen)} of {dataset.title}, {pictures.part} part", (height, width)


def _of_folder(study: Study, folder: Path, count: int) -> Generator[Step, None, _Prepared]:
    from guiapp.sources.image_file import read_picture

    kinds = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"}
    try:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in kinds)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror or error}") from None
    if not files:
        raise UserError(f"there are no pictures in {folder}: choose a folder of JPEG or PNG files")
    chosen = [files[i] for i in drawn(len(files), count)]
    indices = _classes(study.inspected.labels)
    classes = [indices.get(_plain(path.parent.name)) for path in chosen]
    labelled = all(index is not None for index in classes)
    found: list[Any] = []
    for number, path in enumerate(chosen):
        try:
            picture = read_picture(path)
        except UserError:
            classes[number] = -1
        else:
            one = study.inputs(picture)
            found.append(one if not isinstance(one, list) else one[0][None])
        yield 0.0, f"reading picture {number + 1} of {len(chosen)}"
    if not found:
        raise UserError(f"no picture in {folder} could be read")
    if len({tuple(one.shape[1:]) for one in found}) > 1:
        raise UserError("this network takes pictures as large as they are: choose a folder in which all have one size")
    labels = np.array([index for index in classes if index != -1], np.int64) if labelled else None
    return found, labels, f"{len(found)} of {folder.name}", None


def _plain(name: str) -> str:
    return name.lower().replace("_", " ").strip()


def _classes(labels: Sequence[str]) -> dict[str, int]:
    """Class indices by the names that their folders may have: the label, or ImageNet's name for it (``n01440764``)."""
    found: dict[str, int] = {}
    for index, label in enumerate(labels):
        found.setdefault(_plain(label), index)
    if len(labels) == 1000:
        found.update(_imagenet())
    return found


def _imagenet() -> dict[str, int]:
    """Indices by ImageNet's own names of the classes, where the list of them is on this machine."""
    from guiapp.core import paths

    for folder in paths.data_folders():
        path = folder / "classes" / "imagenet_class_index.json"
        try:
            table = json.loads(path.read_text())
            return {str(value[0]): int(index) for index, value in table.items()}
        except (OSError, ValueError, AttributeError, IndexError):
            continue
    return {}


def as_sample(pixels: Bytes, name: str, label: int | None = None) -> Picture:
    """A result as a picture for viewers and networks: fed as it is."""
    return Picture(rgb(pixels), Origin("clipboard", name), label, sample=pixels)
