"""What takes part in the steps of training beside the loop itself: one small class a concern.

A recipe names what it wants; ``callbacks_of`` makes it. Add a line to ``MAKERS`` for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from guiapp.training.setup import Setup
    from guiapp.training.trainer import Trainer


class Callback:
    """Does nothing at each of the moments of a step; override those that matter.

    What it draws at random must follow from the run's seed and the step (see ``seeds``), and what it remembers must be
    in ``state``: a run that was killed goes on bit for bit.

    Attributes:
        name: Under which its state is kept; one of a kind in a run.
        trainer: The loop it takes part in, from ``attach`` on.
    """

    name = "callback"
    trainer: Trainer

    def attach(self, trainer: Trainer) -> None:
        """The trainer is made, nothing is trained yet; also before a state is loaded."""
        self.trainer = trainer

    def in_folder(self, folder: Path, step: int) -> None:
        """The run writes into ``folder`` and goes on after ``step``; not called where nothing is written."""

    def close(self) -> None:
        """The run is left: what is open is closed; more than one call is allowed."""

    def before_batch(self) -> None:
        """A step begins; its batch is fetched next."""

    def before_step(self) -> None:
        """The rate is set and the global generators are seeded; the forward pass comes next."""

    def after_forward(self, output: torch.Tensor, targets: torch.Tensor) -> None:
        """The output (N, K) of a batch, or of each part of it, is there; the backward pass comes next."""

    def before_update(self) -> None:
        """The gradients are there, in their true scale; the optimiser comes next."""

    def after_step(self) -> None:
        """The weights are changed and ``trainer.step`` counts this step."""

    def after_epoch(self, train: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """An epoch is done and validated, ``trainer.epoch`` counts it; may set ``trainer.finished``."""

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """What must be kept to go on: something that JSON can hold, and named tensors."""
        return None, {}

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of ``state``; ``kept`` is None where the checkpoint is older than this callback."""


class Callbacks(Callback):
    """Several callbacks as one, asked in their order.

    Attributes:
        all: The callbacks.
    """

    name = "callbacks"

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        self.all = tuple(callbacks)

    def attach(self, trainer: Trainer) -> None:
        """Attach each."""
        for callback in self.all:
            callback.attach(trainer)

    def in_folder(self, folder: Path, step: int) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.in_folder(folder, step)

    def close(self) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.close()

    def before_batch(self) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.before_batch()

    def before_step(self) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.before_step()

    def after_forward(self, output: torch.Tensor, targets: torch.Tensor) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.after_forward(output, targets)

    def before_update(self) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.before_update()

    def after_step(self) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.after_step()

    def after_epoch(self, train: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Each in turn."""
        for callback in self.all:
            callback.after_epoch(train, validation)

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """Their states under their names."""
        kept: dict[str, Any] = {}
        tensors: dict[str, torch.Tensor] = {}
        for callback in self.all:
            kept[callback.name], named = callback.state()
            tensors.update({f"{callback.name}.{name}": tensor for name, tensor in named.items()})
        return kept, tensors

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of ``state``."""
        for callback in self.all:
            begin = f"{callback.name}."
            named = {name.removeprefix(begin): t for name, t in tensors.items() if name.startswith(begin)}
            callback.load_state((kept or {}).get(callback.name), named)


Maker = Callable[["Setup"], Callback | None]


def _observer(setup: Setup) -> Callback | None:
    from guiapp.training.diagnosis.observer import observer_of

    return observer_of(setup)


def _clipping(setup: Setup) -> Callback | None:
    from guiapp.training.update_rules import clipping

    return clipping(setup)


def _early_stopping(setup: Setup) -> Callback | None:
    from guiapp.training.update_rules import early_stopping

    return early_stopping(setup)


def _transferring(setup: Setup) -> Callback | None:
    from guiapp.training.transfer import transferring

    return transferring(setup)


def _distilling(setup: Setup) -> Callback | None:
    if not setup.recipe.distillation.teacher:
        return None
    from guiapp.training.distillation import distilling

    return distilling(setup)


def _averaging(setup: Setup) -> Callback | None:
    if setup.recipe.average.name == "none":
        return None
    from guiapp.training.averages import averaging

    return averaging(setup)


def _keeping_members(setup: Setup) -> Callback | None:
    if setup.recipe.members.name == "none":
        return None
    from guiapp.training.averages import keeping_members

    return keeping_members(setup)


MAKERS: tuple[Maker, ...] = (
    _transferring, _observer, _distilling, _clipping, _averaging, _keeping_members, _early_stopping,
)  # fmt: skip
"""Each is called with the setup of a run and gives a callback, or None where the recipe does not ask for it. What only
looks comes first, so that it sees gradients before they are clipped."""


def callbacks_of(setup: Setup) -> tuple[Callback, ...]:
    """The callbacks that the recipe of a run asks for, in the order of ``MAKERS``."""
    made = (maker(setup) for maker in MAKERS)
    return tuple(callback for callback in made if callback is not None)
