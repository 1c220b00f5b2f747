"""A network and a target as one function: pictures in, one number for each out, with gradients through it.

Nothing is held but the network and what the target needs; hooks sit only while it runs.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.alone import answer_of
from guiapp.interpret.capture import module_of
from guiapp.interpret.case import Case
from guiapp.interpret.layers import first_tensor
from guiapp.interpret.listen import listening
from guiapp.interpret.maps import as_maps
from guiapp.interpret.targets import (
    DETECTORS,
    BoxTarget,
    ClassTarget,
    Measure,
    PixelsTarget,
    SimilarityTarget,
    Target,
    UnitTarget,
    suited,
)

_NOTHING = "the network gives no numbers to explain"


class Score(nn.Module):
    """One number for each picture of a batch.

    Attributes:
        network: The network, as it is.
        case: What it was made for.
        target: The target with everything filled in that was left open, such as the class.
        words: It in words.
        class_index: The class that is meant, or None.
        differentiable: Whether gradients flow through it.
    """

    differentiable = True

    def __init__(self, case: Case, target: Target) -> None:
        super().__init__()
        self.network = case.module
        self.case = case
        self.target = target
        self.words = ""
        self.class_index: int | None = None
        self.training = case.module.training  # made so, nothing needs to be switched

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Scores, float32 (N,), of prepared pictures (N, C, H, W)."""
        with listening(self.network, (), self.case.switched_off):
            return self.numbers(batch).float()

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        """As ``forward``, with nothing switched off."""
        return self.of(outputs_of(self.case, batch))

    def of(self, outputs: torch.Tensor) -> torch.Tensor:
        """The scores (N,) in what the network gives; of targets that are read there."""
        raise NotImplementedError

    def moved(self, case: Case) -> Score:
        """The same score of another network of the same kind, such as one with other weights."""
        if isinstance(self.target, SimilarityTarget):
            return make_score(case, self.target)
        other = copy.copy(self)
        other._modules = {**self._modules, "network": case.module}
        other.case = case
        return other


def make_score(case: Case, target: Target, outputs: torch.Tensor | None = None, found: Any = None) -> Score:
    """The score of a target on a case.

    What the target leaves open is settled by one run on the picture: the best class, the best box, the pixels that a
    class wins; it is held fast from then on.

    Args:
        case: The network on a picture.
        target: What of it.
        outputs: What ``outputs_of`` gives for the picture, or of a detector the logits of its head, where that is
            known already; then ``score.of(outputs)`` is the score and the network need not be run.
        found: Of a detector, its ``Candidates`` in that run.

    Raises:
        UserError: If the network has no such class, box, layer or unit; in one line.
    """
    target = suited(target, case.task)
    with torch.no_grad():
        if isinstance(target, UnitTarget):
            return _UnitScore(case, target)
        if isinstance(target, SimilarityTarget):
            return _SimilarityScore(case, target)
        if isinstance(target, BoxTarget):
            if case.task not in DETECTORS:
                raise UserError("a box is a target for detectors: choose a class")
            from guiapp.interpret.score_boxes import box_score

            return box_score(case, target, outputs, found)
        if isinstance(target, PixelsTarget):
            return _PixelsScore(case, target, outputs)
        if case.task in ("flow", "depth"):
            raise UserError(f"a network for {case.task} has no classes to explain: choose a unit")
        return _ClassScore(case, target, outputs)


def outputs_of(case: Case, batch: torch.Tensor) -> torch.Tensor:
    """What a network without boxes gives for prepared pictures, with gradients.

    Args:
        case: The network.
        batch: float32 (N, C, H, W).

    Returns:
        Logits (N, classes), or of a segmentation network (N, classes, h, w) before they are enlarged.

    Raises:
        UserError: If it gives no scores of classes.
    """
    module: Any = case.module
    if case.task == "segmentation":
        import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
        from torchvision.models.segmentation import FCN, LRASPP, DeepLabV3

        if isinstance(module, (FCN, DeepLabV3)):
            output = module.classifier(module.backbone(batch)["out"])
        elif isinstance(module, LRASPP):
            output = module.classifier(module.backbone(batch))
        else:
            output = module(batch)
            output = output.get("out", output) if isinstance(output, dict) else output
    elif case.task == "clip":
        output = module(batch.unsqueeze(2).expand(-1, -1, case.frames, -1, -1))
    elif case.task in ("flow", "depth"):
        raise UserError(f"a network for {case.task} has no classes to explain: choose a unit")
    else:
        return _numbers(module, batch)
    found = first_tensor(output)
    if found is None:
        raise UserError(_NOTHING)
    return found


def _numbers(module: Any, batch: torch.Tensor) -> torch.Tensor:
    """What a network of one call gives; those that take one picture at a time are called so often."""
    found = first_tensor(answer_of(module, batch))
    if found is None or len(found) != len(batch):
        raise UserError(_NOTHING)
    return found


def run_through(case: Case, batch: torch.Tensor) -> None:
    """Run the network on each picture, whatever it is for, so that hooks on its layers hear of it."""
    if case.task in DETECTORS:
        from guiapp.interpret.score_boxes import candidates_of

        for one in batch:
            candidates_of(case.module, one)
    elif case.task in ("flow", "depth"):
        case.module(batch, batch) if case.task == "flow" else case.module(batch)
    else:
        outputs_of(case, batch)


def _outputs(case: Case, outputs: torch.Tensor | None) -> torch.Tensor:
    """What the network gives for the picture, run once where that is not known."""
    if outputs is not None:
        return outputs
    with listening(case.module, (), case.switched_off):
        return outputs_of(case, case.batch)


def measured(logits: torch.Tensor, index: int, measure: Measure) -> torch.Tensor:
    """One class of logits (N, classes, ...) that exclude each other, as ``measure`` says; (N, ...)."""
    if measure == "logit":
        return logits[:, index]
    logarithms = torch.log_softmax(logits, 1)[:, index]
    return logarithms if measure == "log-probability" else logarithms.exp()


class _ClassScore(Score):
    def __init__(self, case: Case, target: ClassTarget, outputs: torch.Tensor | None = None) -> None:
        super().__init__(case, target)
        index = target.class_index
        if index is None:
            index = int(_outputs(case, outputs)[0].argmax())
        self.target = replace(target, class_index=index)
        self.class_index, self._measure = index, target.measure
        self.words = f"{case.label(index)}, {target.measure}"
        if case.labels and not 0 <= index < len(case.labels):
            raise UserError(f"there is no class {index}: the network knows {len(case.labels)}")

    def of(self, outputs: torch.Tensor) -> torch.Tensor:
        logits = outputs
        assert self.class_index is not None
        if logits.ndim != 2 or self.class_index >= logits.shape[1]:
            raise UserError(f"the network gives {tuple(logits.shape[1:])} numbers: it has no class {self.class_index}")
        return measured(logits, self.class_index, self._measure)


class _PixelsScore(Score):
    """The mean over pixels that are held fast."""

    def __init__(self, case: Case, target: PixelsTarget, outputs: torch.Tensor | None = None) -> None:
        super().__init__(case, target)
        logits = _outputs(case, outputs)
        if logits.ndim != 4:
            raise UserError("pixels are a target for segmentation networks: choose a class")
        winners = logits[0].argmax(0)
        inside = torch.ones_like(winners, dtype=torch.bool)
        if target.region is not None:
            inside = _inside(target.region, winners)
        index = target.class_index
        if index is None:
            counts = winners[inside].bincount(minlength=logits.shape[1])
            index = int(counts[1:].argmax()) + 1 if len(counts) > 1 and int(counts[1:].sum()) else 0
        if index >= logits.shape[1]:
            raise UserError(f"there is no class {index}: the network knows {logits.shape[1]}")
        won = inside & (winners == index)
        chosen = won if target.where == "won" and bool(won.any()) else inside
        self.target = replace(target, class_index=index)
        self.class_index, self._measure = index, target.measure
        self.register_buffer("pixels", chosen, persistent=False)
        where = "where it wins" if chosen is won else "in the region" if target.region is not None else "everywhere"
        self.words = f"{case.label(index)} {where}, {target.measure}"

    def of(self, outputs: torch.Tensor) -> torch.Tensor:
        assert self.class_index is not None
        found = measured(outputs, self.class_index, self._measure)
        pixels: Any = self.pixels
        return found[:, pixels].mean(1)


def _inside(region: tuple[float, float, float, float], like: torch.Tensor) -> torch.Tensor:
    """Pixels (h, w) whose middle lies in a part of the picture; at least the one next to its middle."""
    height, width = like.shape
    down = (torch.arange(height, device=like.device) + 0.5) / height
    across = (torch.arange(width, device=like.device) + 0.5) / width
    left, top, right, bottom = region
    inside = ((down >= top) & (down <= bottom))[:, None] & ((across >= left) & (across <= right))[None]
    if not bool(inside.any()):
        row = min(max(int((top + bottom) / 2 * height), 0), height - 1)
        inside[row, min(max(int((left + right) / 2 * width), 0), width - 1)] = True
    return inside


class _Reached(Exception):
    """The layer has been run: what comes after it is not needed."""


class _LayerScore(Score):
    """Reads the output of a layer, or what it is fed; the network is run no farther where that is safe."""

    def __init__(self, case: Case, target: Target, layer: str, fed: bool = False) -> None:
        super().__init__(case, target)
        self._layer, self._fed, self._calls = layer, fed, 0
        module_of(case.module, layer)
        self._calls = self._count()

    def _count(self) -> int:
        calls = [0]

        def heard(*_: Any) -> None:
            calls[0] += 1

        handle = module_of(self.network, self._layer).register_forward_hook(heard)
        try:
            run_through(self.case, self.case.batch)
        finally:
            handle.remove()
        if not calls[0]:
            raise UserError(f"layer {self._layer!r} is not run for a picture")
        return calls[0]

    def reach(self, batch: torch.Tensor) -> torch.Tensor:
        """The output of the layer's last call for a batch; of detectors, for each picture the first region's."""
        if self.case.task in DETECTORS and len(batch) > 1:
            return torch.cat([self.reach(one[None]) for one in batch])
        kept: list[torch.Tensor] = []
        calls = [0]

        def heard(_module: nn.Module, arguments: Any, output: Any = None) -> None:
            found = first_tensor(arguments if self._fed else output)
            calls[0] += 1
            if calls[0] == self._calls and found is not None:
                # A later layer may work in place on it, which a copy is safe from.
                kept.append(found.clone())
                raise _Reached

        layer = module_of(self.network, self._layer)
        handle = layer.register_forward_pre_hook(heard) if self._fed else layer.register_forward_hook(heard)
        try:
            run_through(self.case, batch)
        except _Reached:
            pass
        finally:
            handle.remove()
        if not kept:
            raise UserError(f"layer {self._layer!r} gives no numbers")
        return kept[0][:1] if self.case.task in DETECTORS else kept[0]

    def maps(self, batch: torch.Tensor) -> torch.Tensor:
        """As ``reach``, with channels in the second place, as the activations panel counts them."""
        output = self.reach(batch)
        info = next((layer for layer in self.case.layers if layer.name == self._layer), None)
        return as_maps(output, info, self.case.layers, batch.shape[-2:])[0]


class _UnitScore(_LayerScore):
    def __init__(self, case: Case, target: UnitTarget) -> None:
        super().__init__(case, target, target.layer)
        shape = self.maps(case.batch).shape[1:]
        if not 0 <= target.unit < shape[0]:
            raise UserError(f"layer {target.layer!r} has units 0 to {shape[0] - 1}, not {target.unit}")
        if (
            target.place is not None
            and len(shape) == 3
            and not all(0 <= at < size for at, size in zip(target.place, shape[1:], strict=True))
        ):
            raise UserError(f"the maps of {target.layer!r} have {shape[1]} x {shape[2]} places: {target.place} is none")
        self._unit, self._place = target.unit, target.place if len(shape) == 3 else None
        at = f" at row {self._place[0]}, column {self._place[1]}" if self._place is not None else ""
        kind = "unit" if len(shape) == 1 else "channel"
        self.words = f"{kind} {target.unit} of {target.layer}{at}"

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.maps(batch)[:, self._unit]
        if self._place is not None:
            return maps[:, self._place[0], self._place[1]]
        return maps.flatten(1).mean(1) if maps.ndim > 1 else maps


class _SimilarityScore(_LayerScore):
    def __init__(self, case: Case, target: SimilarityTarget) -> None:
        layer, fed = target.layer, False
        if not layer:
            layer, fed = embedding_layer(case.layers)
        super().__init__(case, target, layer, fed)
        self._likeness = target.likeness
        reference = self.embedding(case.batch_of(target.picture))
        self.register_buffer("reference", reference.detach(), persistent=False)
        self.words = f"likeness to {target.picture.origin.name}, {target.likeness}"

    def embedding(self, batch: torch.Tensor) -> torch.Tensor:
        """Embeddings (N, d): a vector as it is, maps averaged over their places."""
        if self._fed:
            output = self.reach(batch)
            found = output if output.ndim == 2 else output.mean(tuple(range(1, output.ndim - 1)))
        else:
            maps = self.maps(batch)
            found = maps if maps.ndim == 2 else maps.flatten(2).mean(2)
        return found

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        found, reference = self.embedding(batch), self.reference
        assert isinstance(reference, torch.Tensor)
        likeness: torch.Tensor
        if self._likeness == "dot product":
            likeness = (found * reference).sum(1)
        elif self._likeness == "minus distance":
            likeness = -torch.linalg.vector_norm(found - reference, dim=1)
        else:
            likeness = nn.functional.cosine_similarity(found, reference, dim=1)
        return likeness


def embedding_layer(layers: Sequence[Any]) -> tuple[str, bool]:
    """The layer that gives a picture's embedding by default, and whether what it is fed is meant.

    What the last dense layer is fed; without one (or where a single dense layer sees the pixels), the output of the
    last layer with places.

    Raises:
        UserError: If there is neither.
    """
    from guiapp.interpret.attribution.layer import best_layer

    dense = [layer for layer in layers if layer.kind == "dense"]
    weighted = [layer for layer in layers if layer.has_weights]
    if dense and weighted and dense[-1] is weighted[-1] and len(weighted) > 1:
        return dense[-1].name, True
    found = best_layer(layers) or (layers[-1].name if layers else "")
    if not found:
        raise UserError("the layers of this network are not known: choose one")
    return found, False
