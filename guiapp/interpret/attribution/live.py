"""One run of a network with gradients that serves its prediction and a map: Grad-CAM on a camera."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.attribution.cams import AGAINST, Leaf, cover_of, leaf_at, map_of
from guiapp.interpret.attribution.layer import ranked_layers
from guiapp.interpret.attribution.method import Attribution
from guiapp.interpret.attribution.methods import METHODS
from guiapp.interpret.attribution.options import AttributionOptions
from guiapp.interpret.attribution.work import Asked, Found, finished
from guiapp.interpret.case import Case, as_batch
from guiapp.interpret.score import Score, make_score
from guiapp.interpret.targets import DETECTORS, BoxTarget, ClassTarget, PixelsTarget, Target, suited

_CAMS = ("grad-cam", "layer-cam")
_PLAIN = ("gradient", "gradient-x-input")
_TASKS = ("classification", "segmentation", *DETECTORS)

Explained = dict[AttributionOptions, "Attribution | UserError"]


def shares_run(options: AttributionOptions, case: Case) -> bool:
    """Whether a map comes out of the run that gives the prediction; else the network is run once more for it."""
    return (
        case.task in _TASKS
        and options.method in (*_CAMS, *_PLAIN)
        and isinstance(options.subject(), (ClassTarget, BoxTarget, PixelsTarget))
        and not hasattr(case.module, "candidates")
        and next(case.module.parameters(), None) is not None
    )


class Explainer:
    """Explains the runs of one network, frame after frame.

    Attributes:
        explained: What came out of the last run.
    """

    def __init__(self) -> None:
        self.explained: Explained = {}
        self._covers: dict[tuple[int, ...], tuple[float, float]] = {}  # by the shape of the input
        self._layers: dict[Target, str] = {}  # where the default layer of a CAM has no gradient, that which has one

    def run(
        self, run: Callable[..., Any], case: Case, size: tuple[int, int], asked: Collection[AttributionOptions]
    ) -> tuple[Any, Explained]:
        """Run the network as the task does, and explain that run.

        Args:
            run: The live task's ``run`` or ``again``.
            case: The network on the prepared picture.
            size: Width and height of the picture.
            asked: What of it; those for which ``shares_run`` is false are left out.

        Returns:
            What ``run`` gives, without gradients; and the maps. One that cannot be made gives the reason.
        """
        asked = [options for options in asked if shares_run(options, case)]
        self.explained = {}
        if not asked:
            return run(case.module, case.inputs, size), self.explained
        with torch.inference_mode(False), torch.enable_grad(), ExitStack() as hooks:
            inputs, pixels = self._inputs(case, asked)
            case = dataclasses.replace(case, inputs=inputs)
            leaves = {
                layer: hooks.enter_context(leaf_at(case.module, layer))
                for layer in {self._layer(options, case) for options in asked} - {""}
            }
            logits = hooks.enter_context(_heads(case))
            raw = _with_gradients(run)(case.module, inputs, size)
            outputs = logits[-1] if logits else raw.logits[None] if hasattr(raw, "logits") else raw
            candidates = getattr(raw, "candidates", None)
            for number, options in enumerate(asked, 1):
                try:
                    found = self._explain(case, options, outputs, candidates, leaves, pixels, number < len(asked))
                except UserError as error:
                    self.explained[options] = error
                else:
                    if found is not None:
                        self.explained[options] = found
            return _let_go(raw), self.explained

    def _inputs(self, case: Case, asked: Collection[AttributionOptions]) -> tuple[Any, torch.Tensor | None]:
        """Inputs that gradients go back to, only where a method needs them there; and the leaf."""
        if not any(options.method in _PLAIN for options in asked):
            return case.inputs, None
        leaf = as_batch(case.inputs).clone().requires_grad_()
        return ([leaf[0]] if isinstance(case.inputs, list) else leaf), leaf

    def _layer(self, options: AttributionOptions, case: Case) -> str:
        if options.method not in _CAMS:
            return ""
        return options.own().layer or self._layers.get(options.subject()) or next(iter(ranked_layers(case.layers)), "")

    def _explain(
        self,
        case: Case,
        options: AttributionOptions,
        outputs: torch.Tensor,
        candidates: Any,
        leaves: dict[str, Leaf],
        pixels: torch.Tensor | None,
        keep: bool,
    ) -> Attribution | None:
        """A map; None where another layer has to be found, by runs of their own, which the next frame then knows."""
        target = suited(options.subject(), case.task)
        score: Score = make_score(case, target, outputs.detach(), candidates)
        value = score.of(outputs)[0].float()
        method = METHODS[options.method]
        asked = Asked(case, score, method, options.own(), case.batch, value=float(value.detach()))
        if options.method in _PLAIN:
            assert pixels is not None
            values = torch.autograd.grad(value, pixels, retain_graph=keep)[0]
            if options.method == "gradient-x-input":
                values = values * pixels.detach()
            return finished(asked, Found(values))
        layer = self._layer(options, case)
        if not layer:
            raise UserError(f"{method.title} weights the maps of a layer, and no layer of this network has maps")
        leaf = leaves[layer].tensor
        gradient: torch.Tensor | None = None
        if leaf is not None and value.requires_grad:
            gradient = torch.autograd.grad(value, leaf, retain_graph=keep, allow_unused=True)[0]
        own = options.own()
        if leaf is None or gradient is None or not (own.layer or bool(gradient.any())):
            return None
        found = map_of(case, layer, leaf, gradient, options.method, own.positive)
        if found is None:
            raise UserError(f"the output of {layer!r} has no places: choose a layer with maps")
        shape = tuple(case.batch.shape)
        if shape not in self._covers:
            self._covers = {shape: cover_of(case)}
        note = "" if bool(found.any()) else AGAINST
        return finished(asked, Found(map=found, layer=layer, cover=self._covers[shape], note=note))

    def learn(self, options: AttributionOptions, found: Attribution) -> None:
        """Remember the layer that a map outside of the run was made of."""
        if options.method in _CAMS and found.layer and not found.note:
            self._layers[options.subject()] = found.layer


def _with_gradients(run: Callable[..., Any]) -> Callable[..., Any]:
    """A task's method without the inference mode that it is wrapped in."""
    owner, plain = getattr(run, "__self__", None), inspect.unwrap(getattr(run, "__func__", run))
    return plain if owner is None else functools.partial(plain, owner)


@contextmanager
def _heads(case: Case) -> Iterator[list[torch.Tensor]]:
    """Of a detector: the logits (1, anchors or regions, classes) that its head gives, with gradients."""
    kept: list[torch.Tensor] = []
    module: Any = case.module
    if case.task not in DETECTORS:
        yield kept
        return

    def heard(_module: nn.Module, _arguments: Any, output: Any) -> None:
        kept.append(output["cls_logits"] if isinstance(output, dict) else output[0][None])

    part = module.roi_heads.box_predictor if hasattr(module, "roi_heads") else module.head
    handle = part.register_forward_hook(heard)
    try:
        yield kept
    finally:
        handle.remove()


def _let_go(value: Any) -> Any:
    """What a run gave, without the graph behind it; tensors are shared."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _let_go(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if isinstance(getattr(value, field.name), torch.Tensor)
            or dataclasses.is_dataclass(getattr(value, field.name))
        }
        return dataclasses.replace(value, **changes)
    return value
