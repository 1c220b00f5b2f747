"""The checkpoints of one run: when the last one was written and what it cost, which are kept, which can be read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from guiapp.core.notices import UserError
from guiapp.training import checkpoints

_SHARE = 50  # a checkpoint at the end of an epoch waits for this many times what the last one took


@dataclass(frozen=True, eq=False)
class Best:
    """The weights that did best on the validation part: highest accuracy, then lowest loss.

    Attributes:
        step, accuracy, loss: When, and how good they were.
        weights: State dict.
        averaged: Whether they are an average and not the network's own at that step.
    """

    step: int
    accuracy: float
    loss: float
    weights: dict[str, torch.Tensor]
    averaged: bool = False

    def plain(self) -> dict[str, Any]:
        """What the state of a checkpoint says of them."""
        found: dict[str, Any] = {"step": self.step, "accuracy": self.accuracy, "loss": self.loss}
        return {**found, "averaged": True} if self.averaged else found


class Checkpoint(NamedTuple):
    """What a run goes on from: weights on the CPU, the state it was written with, the best weights until then."""

    weights: dict[str, torch.Tensor]
    state: dict[str, Any]
    best: Best | None


class CheckpointStore:
    """Writes checkpoints and keeps the last two, with the best weights that they name.

    Attributes:
        parent: Folder of the checkpoints.
        step: Step of the last one, or -1.
        epoch: Epochs done at the last one, or -1.
        at: ``time.monotonic()`` when it was written.
    """

    def __init__(self, parent: Path, before: Callable[[], None]) -> None:
        """Open the store.

        Args:
            parent: Folder of the checkpoints.
            before: Called ahead of each: what a checkpoint counts on reaches the disk before it does.
        """
        self.parent = parent
        self.step = self.epoch = -1
        self.at = time.monotonic()
        self._before = before
        self._cost = 0.0

    def restart(self) -> None:
        """Training goes on after a pause, which is not counted."""
        self.at = time.monotonic()

    @property
    def affordable(self) -> bool:
        """Whether another one, written for good measure, would take a small share of the time."""
        return time.monotonic() - self.at >= max(1.0, _SHARE * self._cost)

    def write(self, weights: Mapping[str, torch.Tensor], state: Mapping[str, Any], best: Best | None) -> None:
        """Write a checkpoint and remove those that it makes superfluous.

        Args:
            weights: State dict of the network.
            state: ``Trainer.state()`` and further plain data.
            best: The best weights so far; written apart, once.
        """
        start = time.monotonic()
        step, parent = state["step"], self.parent
        average = None
        if best is not None and best.step != step:
            self._write_best(best)
        elif best is not None and best.averaged:
            average = best.weights
        chosen = None if best is None else best.plain()
        self._before()
        checkpoints.write(parent / str(step), weights, {**state, "best": chosen}, average)
        last_two = [s for s in checkpoints.listed(parent) if s <= step][-2:]
        kept = {*last_two, *([best.step] if best is not None else [])}
        for other in last_two:
            named = checkpoints.read_plain(parent / str(other)).get("best")
            kept.update([named["step"]] if named else [])
        checkpoints.prune(parent, kept)
        self.at = time.monotonic()
        self._cost = self.at - start
        self.step, self.epoch = step, state["epoch"]

    def _write_best(self, best: Best) -> None:
        """Write the best weights of an earlier step where they are not kept yet."""
        folder = self.parent / str(best.step)
        if best.step not in checkpoints.listed(self.parent, complete=False):
            checkpoints.write(folder, best.weights, average=best.weights if best.averaged else None)
        elif best.averaged and not checkpoints.has_average(folder):
            checkpoints.add_average(folder, best.weights)

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that can be read, which is the last one from now on; None where there is none.

        Raises:
            UserError: If there are some and none can be read.
        """
        steps = checkpoints.listed(self.parent)
        for step in reversed(steps):  # an unreadable newest one must not cost the run
            try:
                state = checkpoints.read_state(self.parent / str(step))
                weights = checkpoints.read_weights(self.parent / str(step))
                best = state["best"]
                kept = checkpoints.read_best(self.parent, best) if best else {}
            except UserError:
                if step == steps[0]:
                    raise
                continue
            self.step, self.epoch = state["step"], state["epoch"]
            if not best:
                return Checkpoint(weights, state, None)
            averaged = bool(best.get("averaged"))
            return Checkpoint(weights, state, Best(best["step"], best["accuracy"], best["loss"], kept, averaged))
        return None

    def drop_after(self, step: int) -> None:
        """Remove the checkpoints of later steps."""
        every = set(checkpoints.listed(self.parent, complete=False))
        later = {s for s in checkpoints.listed(self.parent) if s > step}
        if later:
            checkpoints.prune(self.parent, every - later)
