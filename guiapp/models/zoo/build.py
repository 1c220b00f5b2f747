"""Networks of the zoo built by torchvision's own builders, around weights that are already here.

torchvision's builders do more than build: with trained weights they freeze normalisation, change its epsilon, take
auxiliary outputs away, set the picture's size of a transformer. So they are called as torchvision calls them, with an
object in place of its weights that hands out what was read from a file, and nothing is written out a second time here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from guiapp.core.notices import UserError
from guiapp.core.registry import resolve
from guiapp.models.zoo.base import ZooModel, ZooWeights

State = Mapping[str, torch.Tensor]
_NAMED = 3  # names written out in a message; the rest is counted
_DRAWS = {"uniform_", "normal_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_"}


class Mismatch(UserError):
    """Weights that belong to another network."""


class _Initialising(TorchFunctionMode):
    """Random initial weights from a generator of their own, or whatever the memory holds, in this thread.

    torch's own generator is left alone: a network that trains meanwhile draws from it. Where weights are loaded
    anyway, initial ones would only take time: seconds for VGG-16 where they are drawn, half a second for zeros.
    """

    def __init__(self, seed: int | None) -> None:
        super().__init__()
        self._generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if getattr(func, "__name__", "") not in _DRAWS:
            return func(*args, **kwargs)
        if self._generator is None:
            tensor = kwargs["tensor"] if "tensor" in kwargs else args[0]
            if func is torch.Tensor.normal_:
                # A value that can be drawn: truncated distributions are drawn again until every value lies within.
                with torch.no_grad():
                    tensor.fill_(args[1] if len(args) > 1 else kwargs.get("mean", 0.0))
            return tensor  # memory that nobody has written to costs nothing
        return func(*args, **{**kwargs, "generator": self._generator})


class _Given:
    """Stands for a member of torchvision's weights, and gives a state that is already read."""

    def __init__(self, member: Any, state: State) -> None:
        self._member, self._state = member, state

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # builders check that the weights are of their own enumeration
        return type(self._member)

    def __eq__(self, other: object) -> bool:
        return bool(self._member == other)

    def __hash__(self) -> int:
        return hash(self._member)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._member, name)

    def get_state_dict(self, *args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        """What was read; a copy, because some builders rename entries of old files."""
        return dict(self._state)


def build_trained(entry: ZooModel, weights: ZooWeights, state: State, source: str) -> nn.Module:
    """The network with a state loaded strictly, in evaluation mode on the CPU.

    Args:
        entry: The network.
        weights: The published weights that the state is, or stands in for: they decide on details of the network.
        state: Tensors by name.
        source: What a message calls the state, such as its file's name.

    Raises:
        Mismatch: If the state is of another network.
        UserError: If the installed torchvision does not know the network.
    """
    builder, member = _torchvision(entry, weights)
    try:
        with _Initialising(None):
            module: nn.Module = builder(weights=_Given(member, state), progress=False)
    except RuntimeError as error:
        if "state_dict" not in str(error):
            raise
        raise Mismatch(f"{source} is not of {entry.title}: {complaints(str(error))}") from None
    return module.eval().requires_grad_(False)


def build_random(entry: ZooModel, seed: int = 0) -> nn.Module:
    """The network with random weights, the same for the same seed, in evaluation mode on the CPU.

    Raises:
        UserError: If the installed torchvision does not know the network.
    """
    builder, member = _torchvision(entry, entry.best)
    options: dict[str, Any] = {"weights": None, "progress": False}
    if entry.task in ("detection", "instances", "keypoints", "segmentation"):
        options["weights_backbone"] = None
    if entry.task != "flow":
        options["num_classes"] = len(member.meta["categories"])
    if entry.name in ("googlenet", "inception_v3"):
        options["init_weights"] = True  # unasked they do it as well, and warn that this will change
    with _Initialising(seed):
        module: nn.Module = builder(**options)
    return module.eval().requires_grad_(False)


def _torchvision(entry: ZooModel, weights: ZooWeights) -> tuple[Any, Any]:
    """The builder and the member of its weights."""
    try:
        builder = resolve(entry.build)
        return builder, getattr(resolve(f"{builder.__module__}:{weights.enum}"), weights.name)
    except (ImportError, AttributeError):
        import torchvision

        raise UserError(
            f"torchvision {torchvision.__version__} does not know {entry.name} with {weights.name}: update it"
        ) from None


def initialising(seed: int | None) -> TorchFunctionMode:
    """While it is entered, initial weights come from a generator of their own; None fills in constants, at once."""
    return _Initialising(seed)


def complaints(text: str) -> str:
    """What torch says of a state that does not fit, in one line."""
    found = []
    for title, words in (("missing", "Missing"), ("not in the network", "Unexpected")):
        if listed := re.search(rf"{words} key\(s\) in state_dict: (.*)", text):
            names = re.findall('"([^"]+)"', listed[1])
            found.append(f"{title}: {_names(names)}")
    pattern = r"size mismatch for (\S+): .*?torch\.Size\(\[([^\]]*)\]\).*?torch\.Size\(\[([^\]]*)\]\)"
    sizes = [f"{name} is {_size(ours)}, the network's {_size(its)}" for name, ours, its in re.findall(pattern, text)]
    if sizes:
        found.append(f"other sizes: {_names(sizes)}")
    return "; ".join(found) or " ".join(text.split())


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _size(text: str) -> str:
    return text.replace(", ", "x") or "one number"
