"""timm's networks by name, where timm is installed: which there are, and each as an entry of the zoo."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError
from guiapp.core.registry import UnknownName
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.weights import ENDINGS, folder, folders

TIMM = "timm:"
_INSTALL = 'timm is not installed: pip install "guiapp[timm]"'
_NEAR = 5


def is_installed() -> bool:
    """Whether timm is there; it is not imported for that."""
    return importlib.util.find_spec("timm") is not None


def names(words: str = "") -> list[str]:
    """Names of trained networks that tell classes apart and hold every word, in timm's order. Imports timm.

    Raises:
        UserError: If timm is not installed.
    """
    timm = _timm()
    wanted = words.lower().split()
    return [
        name
        for name in timm.list_models(pretrained=True)
        if all(word in name.lower() for word in wanted) and _subset(timm.get_pretrained_cfg(name)) is not None
    ]


def entry_of(name: str) -> ZooModel:
    """The entry for a name such as ``"resnet18.a1_in1k"``; without what stands behind the point, timm's first choice.

    Raises:
        UserError: If timm is not installed, or the network tells no known classes apart.
        UnknownName: If timm knows no network of that name.
    """
    timm = _timm()
    try:
        config = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    except RuntimeError:  # the network is known, these weights of it are not
        config = None
    if config is None:
        near = [found for found in timm.list_models(f"*{name.partition('.')[0]}*", pretrained=True)[:_NEAR] if found]
        hint = f"; there are {', '.join(near)}" if near else "; see: guiapp list models --timm"
        raise UnknownName(f"timm knows no network {name!r}{hint}")
    full = f"{config.architecture}.{config.tag}" if config.tag else config.architecture
    if _subset(config) is None:
        raise UserError(f"timm:{full} gives {config.num_classes} features, no classes that it names: it cannot predict")
    subset = _subset(config) or ""
    classes = "imagenet" if subset == "imagenet-1k" else ""
    weights = ZooWeights(
        name=config.tag or "TIMM", enum="", url="", bytes=0, parameters=0, gflops=0.0,
        licence=config.license or "not stated", trained_on=subset, labels=classes, metrics={},
        measured_on="", smallest=(1, 1), frames=1, preset=_preset(config), saved_as=_file(full, config).name,
    )  # fmt: skip
    source = ", ".join(filter(None, (f"timm {timm.__version__}", config.paper_ids, config.origin_url)))
    return ZooModel(
        f"{TIMM}{full}", full, "timm", "classification", "", (weights,), source,
        opener="guiapp.models.zoo.timm_open:open_timm",
    )  # fmt: skip


def where_to_get(name: str) -> str:
    """How a person gets a network's weights, in one sentence."""
    config = _timm().get_pretrained_cfg(name)
    address = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors" if config.hf_hub_id else ""
    place = folder() / f"{name}.safetensors"
    if address:
        return f"get {address} and save it as {place}"
    return f"save a state_dict of it as {place}"


def find_file(name: str) -> Path | None:
    """The weights of a network on this machine: in the folders of weights by its name, or where timm keeps its own."""
    path = _file(name, _timm().get_pretrained_cfg(name))
    return path if path.is_file() else None


def class_names(name: str) -> tuple[str, ...]:
    """The classes that a network tells apart, the first word for each."""
    from guiapp.models.zoo.labels import labels

    config = _timm().get_pretrained_cfg(name)
    subset = _subset(config)
    if subset == "imagenet-1k":
        return labels("imagenet")
    from timm.data.imagenet_info import ImageNetInfo

    about = ImageNetInfo(subset or "imagenet-1k")
    return tuple(about.index_to_description(i).partition(",")[0] for i in range(config.num_classes))


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise UserError(_INSTALL) from None
    return timm


def _subset(config: Any) -> str | None:
    """Name of timm's list of the classes, or None where it has none for this network."""
    from timm.data.imagenet_info import infer_imagenet_subset

    known: str | None = infer_imagenet_subset({"num_classes": config.num_classes})
    return known


def _preset(config: Any) -> Preset:
    """Timm's own transform for evaluation, in figures."""
    height, width = config.input_size[1:]
    if config.crop_mode == "squash":
        resize: tuple[int, ...] = (int(height / config.crop_pct), int(width / config.crop_pct))
    elif height == width:
        resize = (int(height / config.crop_pct),)
    else:  # both sides of the picture cover the input
        resize = (int(max(height, width) / config.crop_pct),)
    how = "bicubic" if config.interpolation == "bicubic" else "bilinear"
    return Preset("classification", resize, (height, width), tuple(config.mean), tuple(config.std), how)


def _file(name: str, config: Any) -> Path:
    """Where the weights are, or would be."""
    for place in folders():
        for ending in (".safetensors", ".bin", *ENDINGS):
            if (path := place / f"{name}{ending}").is_file():
                return path
    if config.hf_hub_id:
        from huggingface_hub import try_to_load_from_cache

        kept = try_to_load_from_cache(config.hf_hub_id, config.hf_hub_filename or "model.safetensors")
        if isinstance(kept, str):
            return Path(kept)
    return folder() / f"{name}.safetensors"
