"""What must be kept of a trainer to go on bit for bit, beside the weights."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import torch

from guiapp.training.layout import like

if TYPE_CHECKING:
    from guiapp.training.trainer import Trainer

_CALLBACK = "callback"


def state_of(trainer: Trainer) -> dict[str, Any]:
    """Plain numbers that JSON can hold, and tensors under ``"tensors"``."""
    tensors = {"loss_sum": trainer.loss_sum.clone(), "correct_sum": trainer.correct_sum.clone()}
    for index, values in trainer.optimiser.state_dict()["state"].items():
        tensors.update({f"{index}.{name}": v for name, v in values.items() if isinstance(v, torch.Tensor)})
    plain = {"step": trainer.step, "epoch": trainer.epoch, "seen": trainer.seen, "seconds": trainer.seconds}
    kept_by, named = trainer.callbacks.state()
    tensors.update({f"{_CALLBACK}.{name}": tensor for name, tensor in named.items()})
    return {
        **plain,
        "finished": trainer.finished,
        "changes": list(trainer.changes),
        "scaler": trainer.scaler.state_dict(),
        "callbacks": kept_by,
        "tensors": tensors,
    }


def load_state(trainer: Trainer, state: dict[str, Any]) -> None:
    """The inverse of ``state_of``, also after a round through JSON; the weights are loaded into the model apart."""
    for name in ("step", "epoch", "seen", "seconds"):
        setattr(trainer, name, state[name])
    trainer.finished = state.get("finished", False)
    trainer.changes = [(int(step), float(value)) for step, value in state["changes"]]
    if state["scaler"]:
        trainer.scaler.load_state_dict(state["scaler"])
    trainer.loss_sum.copy_(state["tensors"]["loss_sum"])
    trainer.correct_sum.copy_(state["tensors"]["correct_sum"])
    kept: dict[int, dict[str, torch.Tensor]] = collections.defaultdict(dict)
    named: dict[str, torch.Tensor] = {}
    trained = [p for group in trainer.optimiser.param_groups for p in group["params"]]
    for name, tensor in state["tensors"].items():
        index, dot, inner = name.partition(".")
        if index == _CALLBACK:
            named[inner] = tensor
        elif dot:
            kept[int(index)][inner] = like(tensor, trained[int(index)])
    groups = trainer.optimiser.state_dict()["param_groups"]
    trainer.optimiser.load_state_dict({"state": dict(kept), "param_groups": groups})
    trainer.callbacks.load_state(state.get("callbacks"), named)
