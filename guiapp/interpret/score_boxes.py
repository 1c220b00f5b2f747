"""The class score of one box of a detector, smooth in the picture: its anchor, cell or region is held fast."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.ops import box_iou

from guiapp.core.notices import UserError
from guiapp.interpret.case import Case
from guiapp.interpret.listen import listening
from guiapp.interpret.score import Score
from guiapp.interpret.targets import BoxTarget, Measure
from guiapp.models.zoo.candidates import KEEP, Candidates

_FAR = 0.1  # overlap under which a box is not the one that was meant


def candidates_of(module: Any, inputs: Any) -> Candidates:
    """Boxes before suppression for one prepared picture (C, H, W), by whatever kind of detector."""
    from guiapp.models.zoo.one_stage import one_stage
    from guiapp.models.zoo.rcnn import two_stage

    if hasattr(module, "candidates"):
        found: Candidates = module.candidates(inputs if isinstance(inputs, list) else [inputs], KEEP)
        return found
    return (two_stage if hasattr(module, "roi_heads") else one_stage)(module, [inputs], KEEP)


def box_score(case: Case, target: BoxTarget, logits: torch.Tensor | None = None, found: Any = None) -> Score:
    """The score of a box; see ``make_score``."""
    if hasattr(case.module, "candidates"):
        return _FoundScore(case, target)
    if isinstance(case.module, GeneralizedRCNN):
        return _RegionScore(case, target, logits, found)
    return _AnchorScore(case, target, logits, found)


def nearest(found: Candidates, target: BoxTarget) -> int:
    """Place of the meant box among those found: the best, or the one that covers the given box best.

    Raises:
        UserError: If there is none.
    """
    allowed = torch.ones(len(found), dtype=torch.bool)
    if target.class_index is not None:
        allowed = found.classes == target.class_index
    if not bool(allowed.any()):
        what = "" if target.class_index is None else " of this class"
        raise UserError(f"the detector finds no box{what} in this picture")
    value = found.scores
    if target.box is not None:
        height, width = found.extent
        wanted = torch.tensor([target.box]) * torch.tensor([width, height, width, height])
        overlap = box_iou(wanted.float(), found.boxes)[0]
        if float(overlap[allowed].max()) < _FAR:
            raise UserError("the detector has no box there: choose one that is drawn")
        # boxes that lie alike, such as one region's for several classes, are told apart by their score
        value = overlap + 0.01 * found.scores
    return int(torch.where(allowed, value, -torch.inf).argmax())


class _BoxScore(Score):
    """One whose anchor or region is found once."""

    _exclusive = True

    @property
    def exclusive(self) -> bool:
        """Whether the classes exclude each other, the background among them; else each has its own logistic."""
        return self._exclusive

    def classes(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of every class for the box."""
        raise NotImplementedError

    def _settle(self, case: Case, target: BoxTarget, found: Candidates | None) -> tuple[Candidates, int]:
        if found is None:
            with listening(case.module, (), case.switched_off):
                found = candidates_of(case.module, case.inputs[0])
        chosen = nearest(found, target)
        self._name(found, chosen, target)
        return found, chosen

    def _name(self, found: Candidates, chosen: int, target: BoxTarget) -> None:
        index = int(found.classes[chosen])
        height, width = found.extent
        left, top, right, bottom = (found.boxes[chosen] / torch.tensor([width, height, width, height])).tolist()
        self.target = replace(target, box=(left, top, right, bottom), class_index=index)
        self.class_index = index
        self.words = f"box of {self.case.label(index)}, {target.measure}"

    def _measured(self, logits: torch.Tensor, measure: Measure) -> torch.Tensor:
        assert self.class_index is not None
        if measure == "logit":
            return logits[:, self.class_index]
        if self._exclusive:
            found = torch.log_softmax(logits, -1)[:, self.class_index]
        else:
            found = torch.nn.functional.logsigmoid(logits[:, self.class_index])
        return found if measure == "log-probability" else found.exp()


class _AnchorScore(_BoxScore):
    """One-stage detectors: the class score of one anchor or cell."""

    def __init__(
        self, case: Case, target: BoxTarget, logits: torch.Tensor | None = None, found: Candidates | None = None
    ) -> None:
        super().__init__(case, target)
        self._measure = target.measure
        self._place = 0
        self._exclusive = not isinstance(case.module, (FCOS, RetinaNet))
        try:
            found, chosen = self._settle(case, target, found)
            assert found.origins is not None
            self._place = int(found.origins[chosen])
        except UserError:
            if target.class_index is None or target.box is not None:
                raise
            # No box of the class passes the floor: the anchor that comes nearest to one is asked.
            self.class_index = target.class_index
            if logits is None:
                with listening(case.module, (), case.switched_off):
                    logits = self._logits(case.batch)
            logits = logits[0]
            if not 0 <= target.class_index < logits.shape[1]:
                raise UserError(
                    f"there is no class {target.class_index}: the network knows {logits.shape[1]}"
                ) from None
            values = torch.softmax(logits, -1) if self._exclusive else logits
            self._place = int(values[:, target.class_index].argmax())
            self.words = f"{case.label(target.class_index)} at its best anchor, {target.measure}"

    def _logits(self, batch: torch.Tensor) -> torch.Tensor:
        """(N, anchors, classes)."""
        module: Any = self.network
        images, _ = module.transform(list(batch))
        features = module.backbone(images.tensors)
        levels = [features] if isinstance(features, torch.Tensor) else list(features.values())
        logits: torch.Tensor = module.head(levels)["cls_logits"]
        return logits

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        return self.of(self._logits(batch))

    def classes(self, batch: torch.Tensor) -> torch.Tensor:
        return self._logits(batch)[:, self._place]

    def of(self, outputs: torch.Tensor) -> torch.Tensor:
        return self._measured(outputs[:, self._place], self._measure)


class _RegionScore(_BoxScore):
    """Two-stage detectors: the class score of the second stage for one region, cut out where the picture had it."""

    def __init__(
        self, case: Case, target: BoxTarget, logits: torch.Tensor | None = None, found: Candidates | None = None
    ) -> None:
        super().__init__(case, target)
        self._measure = target.measure
        self._place = 0
        try:
            found, chosen = self._settle(case, target, found)
            assert found.origins is not None
            self._place = int(found.origins[chosen])
        except UserError:
            if target.class_index is None or target.box is not None:
                raise
            with listening(case.module, (), case.switched_off):
                found = found or candidates_of(case.module, case.inputs[0])
                if found.proposals is None or not len(found.proposals):
                    raise
                if logits is None:
                    logits = self._logits(case.batch, found.proposals[:, :4].to(case.batch))
                values = torch.softmax(logits[0], -1)
            if not 0 <= target.class_index < values.shape[1]:
                raise UserError(
                    f"there is no class {target.class_index}: the network knows {values.shape[1]}"
                ) from None
            self.class_index = target.class_index
            self._place = int(values[:, target.class_index].argmax())
            self.words = f"{case.label(target.class_index)} in its best region, {target.measure}"
        assert found.proposals is not None
        region = found.proposals[self._place, :4].detach().to(case.batch)
        self.register_buffer("region", region[None], persistent=False)

    def _logits(self, batch: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """(N, regions, classes)."""
        module: Any = self.network
        images, _ = module.transform(list(batch))
        features = module.backbone(images.tensors)
        if isinstance(features, torch.Tensor):
            features = {"0": features}
        heads = module.roi_heads
        pooled = heads.box_roi_pool(features, [regions] * len(batch), images.image_sizes)
        logits, _ = heads.box_predictor(heads.box_head(pooled))
        found: torch.Tensor = logits.reshape(len(batch), len(regions), -1)
        return found

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        return self._measured(self.classes(batch), self._measure)

    def classes(self, batch: torch.Tensor) -> torch.Tensor:
        region: Any = self.region
        return self._logits(batch, region)[:, 0]

    def of(self, outputs: torch.Tensor) -> torch.Tensor:
        """The score in the logits (N, regions, classes) of all regions of the run that it was made with."""
        return self._measured(outputs[:, self._place], self._measure)


class _FoundScore(_BoxScore):
    """Detectors that are no torch networks: how well the best box found covers the meant one, times its score.

    As D-RISE (Petsiuk et al. 2021).
    """

    differentiable = False

    def __init__(self, case: Case, target: BoxTarget) -> None:
        super().__init__(case, target)
        self._inputs = case.inputs
        found = candidates_of(case.module, case.inputs)
        chosen = nearest(found, target)
        self._name(found, chosen, target)
        self.words = f"box of {case.label(int(found.classes[chosen]))}, overlap x score"
        self._box = found.boxes[chosen][None]

    def numbers(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._number(one) for one in batch])

    def _number(self, one: torch.Tensor) -> torch.Tensor:
        inputs: Any = one
        if isinstance(self._inputs, list):  # one that knows where in it the picture lies stays so
            inputs = copy.copy(self._inputs)
            inputs[:] = [one]
        found = candidates_of(self.network, inputs)
        assert self.class_index is not None
        mine = torch.where(found.classes == self.class_index)[0]
        if not len(mine):
            return torch.zeros(())
        covered: torch.Tensor = box_iou(self._box, found.boxes[mine])[0] * found.scores[mine]
        return covered.max()
