"""Entries of the zoo for networks as their papers describe them: without published weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.downloads import Progress
from guiapp.core.notices import SettingError
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights

if TYPE_CHECKING:
    import torch

    from guiapp.models.zoo.open import OpenedModel

UNTRAINED = "UNTRAINED"
_PRESET = Preset("classification", (256,), (224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _entry(
    name: str, title: str, family: str, builder: str, parameters: int, gflops: float, source: str,
    systems: tuple[str, ...],
) -> ZooModel:  # fmt: skip
    """A network for 1,000 classes of ImageNet without published weights; ``gflops`` are 10⁹ multiply-adds."""
    weights = ZooWeights(
        UNTRAINED, "", "", 0, parameters, gflops, "", "nothing: no weights are published", "imagenet", {},
        "", (224, 224), 1, _PRESET,
    )  # fmt: skip
    opener = "guiapp.models.zoo.papers:open_paper"
    return ZooModel(name, title, family, "classification", builder, (weights,), source, systems, opener)


PAPERS: tuple[ZooModel, ...] = (
    _entry(
        "alexnet-paper", "AlexNet as in the paper", "AlexNet", "guiapp.models.papers:AlexNet", 62378344, 1.135256,
        "Krizhevsky, Sutskever, Hinton 2012; T1 7", ("architecture-tables", "convolution-arithmetic"),
    ),
    _entry(
        "googlenet-paper", "GoogLeNet as in the paper", "Inception", "guiapp.models.papers:GoogLeNet", 6998552,
        1.582672, "Szegedy et al. 2014, arXiv 1409.4842; T1 7", ("architecture-tables",),
    ),
    _entry(
        "zfnet", "ZFNet", "AlexNet", "guiapp.models.zfnet:ZFNet", 62357608, 1.168033,
        "Zeiler, Fergus 2013, arXiv 1311.2901; T1 7", ("zfnet",),
    ),
)  # fmt: skip


def open_paper(
    entry: ZooModel,
    weights: str | Path = "best",
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    may_fetch: bool = True,
) -> OpenedModel:
    """Open such a network, with random weights or with a person's file; arguments as for ``zoo.open.open_model``.

    ``"best"`` takes a file that goes by the network's name where there is one (``alexnet-paper-mine.pth``). The number
    of classes is that of the file.

    Raises:
        SettingError: For weights by name: none are published.
        UserError: If a file cannot be read or is of another network.
    """
    import torch

    from guiapp.core.registry import resolve
    from guiapp.models.zoo.build import Mismatch, complaints, initialising
    from guiapp.models.zoo.labels import labels
    from guiapp.models.zoo.open import BEST, RANDOM, OpenedModel
    from guiapp.models.zoo.weights import read_state, stand_ins

    path = weights if isinstance(weights, Path) else None
    if weights == BEST:
        path = next(iter(stand_ins(entry)), None)
    elif path is None and str(weights).upper() not in (RANDOM.upper(), UNTRAINED):
        raise SettingError(f"{entry.name} has no weights {weights}: none are published; name a file, or take random")
    state = read_state(path) if path is not None else None
    last = next((state[name] for name in ("fc8.bias", "fc1.bias") if state and name in state), None)
    classes = len(last) if last is not None and last.ndim == 1 else 1000
    with initialising(0 if state is None else None):
        module: torch.nn.Module = resolve(entry.build)(classes)
    note, origin = "random weights: the network runs and knows nothing", RANDOM
    if state is not None and path is not None:
        try:
            module.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise Mismatch(f"{path} is not of {entry.title}: {complaints(str(error))}") from None
        note, origin = f"{path.name}: fits", "file"
    known = labels(entry.best.labels)
    names = known if classes == len(known) else tuple(f"class {number}" for number in range(classes))
    place = torch.device(device)
    module = module.eval().requires_grad_(False).to(place)
    return OpenedModel(entry, entry.best, module, names, origin, path, note, place)
