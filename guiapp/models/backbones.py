"""Published networks as networks to train: their weights with a new last layer for a person's own classes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core.registry import Lazy, Registry, resolve
from guiapp.models.base import MODELS, ModelEntry, Preprocessing

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Dataset
    from guiapp.models.zoo.base import ZooModel

_CHANNELS = 3


@dataclass(frozen=True)
class Backbone(ModelEntry):
    """A network of the zoo with a new head; its weights are chosen by its option ``weights``.

    Attributes:
        mean, std: Of the pictures that its weights were trained on.
    """

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def preprocessing(self, dataset: Dataset) -> Preprocessing:
        """Colour pictures of the size, mean and deviation that its weights are used to, whatever the data set."""
        height, width = self.input_size or (224, 224)
        return Preprocessing((_CHANNELS, height, width), self.mean, self.std, "stretch")


def pretrained(entry: ModelEntry, options: Mapping[str, Any] | None = None) -> bool:
    """Whether a network begins with published weights."""
    chosen = {**(entry.options or {}), **(options or {})}
    return isinstance(entry, Backbone) and chosen.get("weights") != "random"


def without_weights(entry: ModelEntry, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that build the same network without reading published weights, where others are loaded anyway."""
    return {**options, **({"weights": "random"} if isinstance(entry, Backbone) else {})}


def find_entry(name: str) -> ModelEntry:
    """The network to train of that name: one of ``MODELS``, or a published one that tells classes.

    Raises:
        UnknownName: If there is none; the message names what is near.
    """
    if name in MODELS:
        return MODELS[name]
    from guiapp.models.zoo.table import ZOO

    if name in ZOO and usable(ZOO[name]):
        return _entry(name)
    known: Registry[str] = Registry("model")
    for listed in (*MODELS, *backbones()):
        known.add(listed, listed)
    return MODELS[known[name]]  # it is not there, and the first of the two says what is near


def with_side(dataset: str, entry: ModelEntry, registered: Container[str] = ()) -> str:
    """The name of a data set with the side of its samples, where it is a folder and the network a published one.

    A folder's pictures are 32 pixels wide by default: a network that was trained on 224 would be fed blots. Names in
    ``registered`` are no folders.
    """
    place, at, side = dataset.rpartition("@")
    if not isinstance(entry, Backbone) or entry.input_size is None or dataset in registered:
        return dataset
    if at and side.isdecimal() and place and not Path(dataset.removeprefix("folder:")).expanduser().exists():
        return dataset
    return f"{dataset}@{max(entry.input_size)}"


def weights_here(name: str) -> bool:
    """Whether weights of a published network are on this machine."""
    from guiapp.models.zoo.table import ZOO
    from guiapp.models.zoo.weights import here

    return bool(here(ZOO[name]))


def backbones() -> tuple[str, ...]:
    """Names of the published networks that can be trained."""
    from guiapp.models.zoo.table import ZOO

    return tuple(name for name, entry in ZOO.items() if usable(entry) and name not in MODELS)


def usable(entry: ZooModel) -> bool:
    """Whether a network of the zoo tells classes of single pictures and is built by torchvision."""
    return bool(entry.task == "classification" and entry.build.startswith("torchvision") and not entry.opener)


@cache
def _entry(name: str) -> Backbone:
    from guiapp.models.zoo.table import ZOO

    found = ZOO[name]
    preset = found.best.preset
    return Backbone(
        name=name,
        title=found.title,
        build=partial(Lazy("guiapp.models.backbones:build"), name),
        input_size=preset.crop or (224, 224),
        options={"weights": "best"},
        choices={"weights": ("best", "random")},
        source=found.source,
        description=f"Published network with {found.parameters / 1e6:.1f} million weights and a new last layer.",
        mean=tuple(preset.mean) or (0.485, 0.456, 0.406),
        std=tuple(preset.std) or (0.229, 0.224, 0.225),
    )


def build(name: str, channels: int, height: int, width: int, classes: int, weights: str = "best") -> torch.nn.Module:
    """A published network whose last layer is new: ``classes`` outputs, drawn from torch's global generator.

    Args:
        name: torchvision's name.
        channels: Of the input; published networks take three.
        height: Of the input; nothing of these networks depends on it.
        width: As ``height``.
        classes: Number of outputs.
        weights: ``"best"``, a published name or the path of a file for the rest of the network; ``"random"`` draws all.

    Raises:
        SettingError: If there are no such weights.
        UserError: If they are not on this machine or are of another network.
    """
    from guiapp.models.head import find_head
    from guiapp.models.zoo.build import initialising
    from guiapp.models.zoo.open import BEST, RANDOM, open_model
    from guiapp.models.zoo.table import ZOO

    builder = resolve(ZOO[name].build)
    options: dict[str, Any] = {"weights": None, "progress": False, "num_classes": classes}
    if name in ("googlenet", "inception_v3"):  # their auxiliary classifiers would need losses of their own
        options |= {"init_weights": True, "aux_logits": False}
    if weights == RANDOM:
        drawn: torch.nn.Module = builder(**options)
        return drawn.train()
    chosen = Path(weights).expanduser() if weights != BEST and Path(weights).suffix else weights
    state = open_model(name, chosen, may_fetch=False).module.state_dict()
    with initialising(None):
        model: torch.nn.Module = builder(**options)
    head = find_head(model).layer
    own = model.state_dict()
    begin = f"{head}."
    model.load_state_dict({key: own[key] if key.startswith(begin) else state[key] for key in own})
    model.get_submodule(head).reset_parameters()  # type: ignore[operator]
    return model.train()
