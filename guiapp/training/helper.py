"""One of several processes that train together, other than the first: the same steps, and nothing written."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import torch

from guiapp.training.callbacks import callbacks_of
from guiapp.training.data import Preparing
from guiapp.training.events import Event, StepEnd
from guiapp.training.features import training_data
from guiapp.training.objective import objective_of
from guiapp.training.ranks import is_lost, lost
from guiapp.training.trainer import Trainer

if TYPE_CHECKING:
    from guiapp.training.ranks import Ranks
    from guiapp.training.setup import Setup


class Helper:
    """Trains beside the first process (``Runner``), which has the run folder.

    Attributes:
        trainer: The loop; its weights are those of the first process after every step.
        threads: Threads of one operation.
    """

    def __init__(self, setup: Setup, ranks: Ranks) -> None:
        """Build the network, and take over the state that the first process begins with."""
        self._setup, self._ranks = setup, ranks
        model = setup.build_model()
        self._data = training_data(setup, ranks.device, model)
        objective, callbacks = objective_of(setup, ranks.device), callbacks_of(setup)
        self.trainer = Trainer(model, setup.task, self._data, setup.recipe, ranks.device, objective, callbacks)
        self.threads = ranks.threads(setup.recipe, model, setup.preprocessing.size)
        self._fresh, self._replay = ranks.follow(self.trainer, self._data)

    def skip_initial_loss(self) -> None:
        """Do not measure the loss before the first step, as the first process does not either."""
        self._fresh = False

    def events(self) -> Generator[Event | Preparing, None, None]:
        """Train to the end, yielding as the first process does.

        Raises:
            RankLost: If another process ends.
        """
        torch.set_num_threads(self.threads)
        try:
            yield from self._train()
        except RuntimeError as error:
            if not is_lost(error):
                raise
            raise lost(error) from error

    def _train(self) -> Generator[Event | Preparing, None, None]:
        yield from self._data.prepare()
        trainer = self.trainer
        if self._fresh:
            yield from self._ranks.evaluating(trainer.model, trainer.task, "train", trainer.step)
        for event in trainer.events():
            if isinstance(event, StepEnd):
                while self._replay and self._replay[0][0] <= trainer.step:
                    trainer.set_learning_rate(self._replay.pop(0)[1])
            yield event
