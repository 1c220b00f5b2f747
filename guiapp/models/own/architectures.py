"""The architectures that weights can be put into: networks to train, those of torchvision's zoo, timm's by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName, resolve
from guiapp.models.base import MODELS, ModelEntry
from guiapp.models.zoo import ZOO, ZooModel
from guiapp.models.zoo.build import initialising
from guiapp.models.zoo.timm_names import TIMM

TRAINED_TASKS = ("classification",)
"""Tasks of networks to train that pictures can be asked about."""
_KEPT = 400
_shapes: dict[tuple[Any, ...], dict[str, tuple[int, ...]]] = {}


@dataclass(frozen=True)
class Spec:
    """What an architecture is built with.

    Attributes:
        classes: Number of outputs.
        channels, height, width: Of the input; networks of the zoo and timm take any.
        options: Options of a network to train.
        parts: Auxiliary parts that the weights have, for networks that have them only while they train.
    """

    classes: int
    channels: int = 3
    height: int = 32
    width: int = 32
    options: Mapping[str, Any] = field(default_factory=dict)
    parts: frozenset[str] = frozenset()

    def change(self, name: str, value: int) -> Spec:
        """With another number of classes or channels, or another option."""
        if name in ("classes", "channels"):
            return dataclasses.replace(self, **{name: value})  # type: ignore[arg-type]
        return dataclasses.replace(self, options={**self.options, name: value})


_NEW = (torch.empty, torch.zeros, torch.ones)


class _Hollow(TorchFunctionMode):
    """New parameters without memory; what a builder computes with is left as it is."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in _NEW and "out" not in kwargs:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Architecture:
    """One architecture.

    Attributes:
        name: As a person writes it.
        title: What a person reads.
        entry: Its entry among the networks to train, or in the zoo.
    """

    name: str
    title: str
    entry: ModelEntry | ZooModel

    @property
    def ours(self) -> bool:
        """Whether it is one of the networks to train here, whose input may have any size."""
        return isinstance(self.entry, ModelEntry)

    @property
    def task(self) -> str:
        """Its task."""
        return self.entry.task

    @property
    def classes(self) -> int:
        """The number of classes that it was published with, 10 where there is none."""
        if isinstance(self.entry, ModelEntry):
            return 10
        if self.name.startswith(TIMM):
            return int(_timm_config(self.name).num_classes)
        from guiapp.models.zoo.labels import labels

        return len(labels(self.entry.best.labels))

    def build(self, spec: Spec, seed: int | None = None, hollow: bool = False) -> nn.Module:
        """The network, in evaluation mode on the CPU.

        Args:
            spec: What it is built with.
            seed: Of random weights; None fills in constants, which is quick.
            hollow: Without memory for its weights, to ask for names and shapes.

        Raises:
            UserError: If it cannot be built so.
        """
        try:
            with initialising(seed):
                if not hollow:
                    return self._make(spec).eval()
                with _Hollow():
                    return self._make(spec).eval()
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - a builder fails in any way for sizes that it cannot take
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            raise UserError(f"{self.title} cannot be built so: {reason}") from None

    def _make(self, spec: Spec) -> nn.Module:
        entry = self.entry
        if isinstance(entry, ModelEntry):
            options = {**(entry.options or {}), **spec.options}
            return entry.assemble((spec.channels, spec.height, spec.width), spec.classes, options)
        if self.name.startswith(TIMM):
            import timm

            name = self.name.removeprefix(TIMM)
            made: nn.Module = timm.create_model(
                name, pretrained=False, num_classes=spec.classes, in_chans=spec.channels
            )
            return made
        options = {"weights": None, "progress": False}
        if entry.task in ("detection", "instances", "keypoints", "segmentation"):
            options["weights_backbone"] = None
        if entry.task == "segmentation" and entry.name != "lraspp_mobilenet_v3_large":
            options["aux_loss"] = "aux_classifier" in spec.parts
        if entry.task != "flow":
            options["num_classes"] = spec.classes
        if entry.name in ("googlenet", "inception_v3"):
            options |= {"init_weights": True, "aux_logits": bool(spec.parts & {"aux1", "AuxLogits"})}
        module: nn.Module = resolve(entry.build)(**options)
        return module

    def shapes(self, spec: Spec) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its weights and buffers; nothing is computed.

        Raises:
            UserError: If it cannot be built so.
        """
        key = (
            self.name,
            spec.classes,
            spec.channels,
            spec.height,
            spec.width,
            *sorted(spec.options.items()),
            spec.parts,
        )
        if key not in _shapes:
            if len(_shapes) > _KEPT:
                _shapes.clear()
            try:
                found = self.build(spec, hollow=True).state_dict()
            except UserError:  # a builder that computes with what it has just made
                found = self.build(spec).state_dict()
            _shapes[key] = {name: tuple(value.shape) for name, value in found.items()}
        return _shapes[key]


def parts_of(names: Iterable[str]) -> frozenset[str]:
    """Auxiliary parts that names of weights belong to."""
    return frozenset(name.partition(".")[0] for name in names) & {"aux_classifier", "aux1", "AuxLogits"}


def find(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        SettingError: If there is none, or it is not made of weights; the message names what is near.
        UserError: If timm is needed and not installed.
    """
    wanted = name.strip()
    if wanted in MODELS:
        entry = MODELS[wanted]
        if entry.trained_by != "gradient" or entry.task not in TRAINED_TASKS:
            raise SettingError(f"{entry.title} keeps no weights that could be loaded")
        return Architecture(wanted, entry.title, entry)
    from guiapp.models.zoo import find_model

    try:
        found = find_model(wanted)
    except UnknownName as error:
        raise SettingError(str(error)) from None
    if not (found.build or found.name.startswith(TIMM)) or found.best.shipped:
        raise SettingError(f"{found.title} takes no weights of a person's own")
    return Architecture(found.name, found.title, found)


def known() -> list[Architecture]:
    """Every architecture but timm's, networks to train first."""
    ours = [
        Architecture(name, entry.title, entry)
        for name, entry in MODELS.items()
        if entry.trained_by == "gradient" and entry.task in TRAINED_TASKS
    ]
    zoo = [
        Architecture(name, entry.title, entry)
        for name, entry in ZOO.items()
        if entry.build and not entry.best.shipped and not entry.opener and entry.task != "flow"
    ]
    return [*ours, *zoo]


def _timm_config(name: str) -> Any:
    import timm

    return timm.get_pretrained_cfg(name.removeprefix(TIMM))
