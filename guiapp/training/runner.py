"""A run: the trainer with its folder. The window and the command line train through this alone."""

from __future__ import annotations

import errno
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from guiapp.core.notices import UserError
from guiapp.training.callbacks import callbacks_of
from guiapp.training.checkpoint_store import Best, CheckpointStore
from guiapp.training.checkpoints import listed
from guiapp.training.columns import Columns
from guiapp.training.contention import Contention, Crowded, threads_used
from guiapp.training.data import Preparing
from guiapp.training.devices import choose
from guiapp.training.evaluation import Evaluation, baselines, evaluating, majority_share
from guiapp.training.events import EpochEnd, Evaluating, Event, StepEnd
from guiapp.training.features import training_data
from guiapp.training.hand_changes import HandChanges
from guiapp.training.memory import MemoryTrainer
from guiapp.training.objective import objective_of
from guiapp.training.ranks import RankLost, is_lost, lost
from guiapp.training.run_end import look_at_test, summary_of
from guiapp.training.run_folder import RunFolder, now, writer
from guiapp.training.setup import Setup
from guiapp.training.snapshots import SnapshotStore
from guiapp.training.step_figures import COLUMNS, Drained, StepFigures
from guiapp.training.tensorboard import EventFile
from guiapp.training.threads import threads_of
from guiapp.training.trainer import Trainer

if TYPE_CHECKING:
    from guiapp.datasets.base import Part
    from guiapp.training.ranks import Ranks

DRAIN_SECONDS = 0.1


class Diverged(UserError):
    """The loss is no longer a number; the weights are those of the last good snapshot."""


RunEvent = Event | Preparing | Drained | Crowded


class Runner:
    """One run, on the thread that asks for its events.

    Attributes:
        setup: What is trained.
        folder: Its folder, locked by this run.
        model: The network, trained in place.
        trainer: The loop.
        data: Its batches.
        device: Where it runs.
        threads: Threads over which one operation is split on the CPU; results depend on it in the last bits.
        columns: Figures of each step: ``loss``, ``accuracy``, ``lr``.
        epochs: A record for each epoch: ``epoch``, ``step``, ``train``, ``validation``, ``lr``, ``seconds``, ``time``.
        by_hand: Changes made by hand.
        snapshots: Weights of earlier steps.
        best: The best weights so far, or None before the first epoch.
        initial_loss: Mean loss over the training part before the first step, or None before it is known.
        seconds: Time spent training and validating, earlier sessions included.
        ranks: The processes that train together, of which this is the first; None where it is the only one.
    """

    def __init__(
        self,
        setup: Setup,
        folder: RunFolder,
        device: str | torch.device | None = None,
        resume: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        self.setup, self.folder, self.ranks = setup, folder, ranks
        self.device = device if isinstance(device, torch.device) else choose(device or setup.recipe.device)
        self.model = setup.build_model(fitted=not (resume and listed(folder.path / "checkpoints")))
        self.data = training_data(setup, self.device, self.model)
        self.trainer = self._make_trainer()
        memory = setup.entry.trained_by == "memory"  # nothing to run before it remembers something
        self.threads = 1 if memory else threads_of(setup.recipe, self.model, setup.preprocessing.size)
        if ranks is not None:
            self.threads = ranks.threads(setup.recipe, self.model, setup.preprocessing.size)
        most = self.threads
        if ranks is None and resume and not setup.recipe.threads:
            self.threads = int(folder.info.get("threads", self.threads))
        self._contention = Contention(self.threads, most)
        folder.lock()
        self.columns = Columns(COLUMNS, folder.path / "steps")
        self.epochs: list[dict[str, Any]] = []
        self.by_hand = HandChanges(self.trainer, folder)
        self.snapshots = SnapshotStore(folder.path / "snapshots")
        self.best: Best | None = None
        self.initial_loss: float | None = None
        self.seconds = 0.0
        self._board = EventFile(folder.path)
        self._figures = StepFigures(self.columns, self._board)
        self._checkpoints = CheckpointStore(folder.path / "checkpoints", self.columns.flush)
        self._drained_at = time.monotonic()
        self._stopped = self._closed = self._failed = False
        if resume:
            try:
                self._resume()
            except BaseException:
                self.columns.close()
                folder.release()
                raise
        if isinstance(self.trainer, Trainer):
            self.trainer.callbacks.in_folder(folder.path, self.trainer.step)
            if ranks is not None:
                ranks.lead(self.trainer, self.data, self.initial_loss is None, self.by_hand.rates_to_come)

    # ------------------------------------------------------------------ the run

    def _make_trainer(self) -> Trainer | MemoryTrainer:
        setup = self.setup
        if setup.entry.trained_by == "memory":
            return MemoryTrainer(self.model, setup.task, self.data, setup.recipe, self.device)
        objective, callbacks = objective_of(setup, self.device), callbacks_of(setup)
        return Trainer(self.model, setup.task, self.data, setup.recipe, self.device, objective, callbacks)

    @property
    def at_end(self) -> bool:
        """Whether the recipe is done."""
        return self.trainer.finished or self.trainer.epoch >= (
            1 if isinstance(self.trainer, MemoryTrainer) else self.setup.recipe.epochs
        )

    @property
    def kept(self) -> Best | None:
        """The earlier weights that a run at its end goes back to; None where the newest stay."""
        return self.best if self.setup.recipe.keep == "best" and self.at_end else None

    def events(self) -> Generator[RunEvent, None, None]:
        """Train to the end, yielding after every step and within everything that takes longer.

        Closing the generator, ``stop`` and errors leave a folder from which the run can go on.

        Raises:
            Diverged: If the loss is not finite any more.
            UserError: If the disk is full; what was written before is whole.
        """
        try:
            yield from self._train()
        except GeneratorExit:
            self._leave("stopped")
            raise
        except KeyboardInterrupt:  # perhaps within a step: what is in memory is not to be kept
            self._failed = True
            self.folder.update(state="stopped")
            raise
        except OSError as error:
            self._failed = True
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(
                f"the disk with {self.folder.path} is full: the run stopped at step {self.trainer.step}; "
                f"make room, then resume it from step {max(self._checkpoints.step, 0)}"
            ) from error
        except (RankLost, RuntimeError) as error:
            if not is_lost(error):
                self._leave("failed")
                raise
            self._failed = True  # within a step: the last checkpoint holds
            self.folder.update(state="interrupted", reason="a process of this run ended")
            raise lost(error) from error
        except BaseException:
            self._leave("failed")
            raise

    def _train(self) -> Iterator[RunEvent]:
        torch.set_num_threads(self.threads)
        self.folder.update(
            state="running",
            parameters=self.parameters,
            device=str(self.device),
            **threads_used(self.folder.info, self.trainer.step, self.threads),
            processes=1 if self.ranks is None else self.ranks.place.size,
            **writer(),
            **baselines(self.setup.dataset),
        )
        yield from self.data.prepare()
        if self.initial_loss is None:
            found = yield from self.figures_of("train", together=True)
            self.initial_loss = found.loss
            self.folder.update(initial_loss=found.loss)
        if self.trainer.step == 0:
            self._snapshot()
            self._checkpoint()
        for event in self.trainer.events():
            kind = type(event)
            if kind is StepEnd:
                self._figures.waiting.append(event)  # type: ignore[arg-type]
                if self.snapshots.wants(self.trainer.step):
                    self._snapshot()
                self.by_hand.follow()
            elif isinstance(event, EpochEnd):
                self._end_epoch(event)
            yield event
            clock = time.monotonic()
            if clock - self._drained_at >= DRAIN_SECONDS:
                drained = self.drain()
                if drained is not None:
                    yield drained
                if (crowded := self._make_room()) is not None:
                    yield crowded
            if clock - self._checkpoints.at >= self.setup.recipe.checkpoint_seconds:
                self._checkpoint()
            if self._stopped:
                self._leave("stopped")
                return
        self._snapshot()
        self._leave("done")
        if (kept := self.kept) is not None:
            self.model.load_state_dict(kept.weights)

    def _make_room(self) -> Crowded | None:
        """Use fewer threads where other programs hold up the ones in use, unless the recipe fixes their number.

        They come back once the others are gone for a while.
        """
        if self.setup.recipe.threads or self.device.type != "cpu" or self.ranks is not None:
            return None
        crowded = self._contention.crowded(self.threads)
        if crowded is not None:
            self.threads = crowded.threads
            torch.set_num_threads(self.threads)
            self.folder.update(**threads_used(self.folder.info, self.trainer.step, self.threads))
        return crowded

    def set_learning_rate(self, value: float) -> None:
        """Use this rate from the next step on; kept with the run and replayed when it is resumed."""
        self.by_hand.set_learning_rate(value)

    def set_temperature(self, value: float) -> None:
        """Use this temperature of the teacher from the next step on; kept with the run and replayed.

        Raises:
            UserError: If the run has no teacher or several processes, or the temperature is none.
        """
        if self.ranks is not None:
            raise UserError("the temperature changes in a run with a teacher, in one process")
        self.by_hand.set_temperature(value)

    @property
    def temperature(self) -> float | None:
        """The temperature of the next step; None without a teacher."""
        return self.by_hand.temperature

    @property
    def hand_changes(self) -> list[dict[str, Any]]:
        """Changes made by hand: ``step``, ``what``, ``value``, ``time``."""
        return self.by_hand.lines

    def stop(self) -> None:
        """End the run after the current step."""
        self._stopped = True

    def resumed(self) -> None:
        """The run goes on after a pause: clocks start again, the thread has its number of threads again."""
        torch.set_num_threads(self.threads)
        self._contention.restart()
        self._figures.restart()
        self._checkpoints.restart()
        self._drained_at = time.monotonic()

    def keep(self) -> None:
        """Write a checkpoint of this very step, with every figure so far, between two steps."""
        if not self._closed and not self._failed:
            self._checkpoint()
            self.columns.flush()

    def close(self) -> None:
        """Write what there is and let go of the folder; the run can be resumed. Twice is allowed."""
        if self._closed:
            return
        try:
            if not self._failed and self.folder.info.get("state") == "running":
                self._leave("stopped")
        finally:
            self._closed = True
            if isinstance(self.trainer, Trainer):
                self.trainer.callbacks.close()
            self.data.close()
            self._board.close()
            self.columns.close()
            self.folder.release()

    def finish(self, test: bool = False) -> dict[str, Any]:
        """Let go of the folder and sum up the run.

        Args:
            test: Take the one counted look at the test part, with the weights chosen on validation.

        Returns:
            What ``guiapp train --json`` prints.
        """
        if not self._failed and not self.at_end and self.folder.info.get("state") == "running":
            self._leave("stopped")
        summary = summary_of(self)
        if test:
            summary |= look_at_test(self)
        self.folder.update(summary={k: v for k, v in summary.items() if k != "run"})
        self.close()
        return summary

    @property
    def parameters(self) -> int:
        """Number of trained weights and biases."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    # ------------------------------------------------------------------ what is written

    def drain(self) -> Drained | None:
        """Move the figures of the last steps from the device to the columns.

        Raises:
            Diverged: If one of the losses is not finite.
        """
        self._drained_at = time.monotonic()
        drained = self._figures.drain()
        if self._figures.lost_at is not None:
            self._put_back(self._figures.lost_at)
        return drained

    def _end_epoch(self, event: EpochEnd) -> None:
        self.drain()
        self.seconds += event.seconds
        line: dict[str, Any] = {
            "epoch": event.epoch,
            "step": event.step,
            "train": event.train,
            "validation": event.validation,
            "lr": self.trainer.learning_rate,
            "seconds": event.seconds,
            "time": now(),
        }
        self.folder.add_line(line)
        self.epochs = [*self.epochs, line]
        accuracy, loss = event.validation["accuracy"], event.validation["loss"]
        if self.best is None or (accuracy, -loss) > (self.best.accuracy, -self.best.loss):
            weights = {name: tensor.detach().clone() for name, tensor in self.trainer.evaluated.state_dict().items()}
            averaged = self.trainer.evaluated is not self.model
            self.best = Best(event.step, accuracy, loss, weights, averaged)
        figures = {f"{part}/{name}": v for part in ("train", "validation") for name, v in line[part].items()}
        self._board.scalars(event.step, figures)
        if self._checkpoints.affordable:
            self._checkpoint()

    def _snapshot(self) -> None:
        if self.setup.entry.trained_by == "gradient":
            self.snapshots.add(self.trainer.step, self.model.state_dict())

    def _checkpoint(self) -> None:
        self.drain()
        if (self._checkpoints.step, self._checkpoints.epoch) == (self.trainer.step, self.trainer.epoch):
            return
        if not _finite(self.model.state_dict()):
            return  # the next loss will tell
        more = {"total_seconds": self.seconds, "initial_loss": self.initial_loss}
        self._checkpoints.write(self.model.state_dict(), {**self.trainer.state(), **more}, self.best)

    def _leave(self, state: str) -> None:
        """Make the folder one from which the run can go on, and say in what state it is."""
        if self._closed or self._failed:
            return
        if state == "failed":  # perhaps within a step: what is in memory is not to be kept
            self._failed = True
        else:
            self._checkpoint()
        self.folder.update(state=state, seconds=self.seconds, steps=self.trainer.step, epochs=self.trainer.epoch)

    def _put_back(self, step: int) -> None:
        """Load the newest snapshot before ``step`` whose weights are all finite, and stop."""
        self._failed = True
        good = 0
        for taken in reversed([s for s in self.snapshots.steps() if s < step]):
            weights = self.snapshots.load(taken)
            if _finite(weights):
                self.model.load_state_dict(weights)
                good = taken
                break
        self.snapshots.discard_after(step - 1)
        self.folder.update(state="failed", reason=f"the loss was not finite at step {step}")
        raise Diverged(
            f"the loss is not a number after step {step}: the weights are back at step {good}; "
            "try a smaller learning rate"
        )

    # ------------------------------------------------------------------ going on

    def _resume(self) -> None:
        """Go on from the newest checkpoint; what was written after it is forgotten."""
        found = self._checkpoints.newest()
        if found is not None:
            self.model.load_state_dict(found.weights)
            self.trainer.load_state(found.state)
            self.seconds, self.initial_loss = found.state["total_seconds"], found.state["initial_loss"]
            if found.best is not None:
                weights = {name: tensor.to(self.device) for name, tensor in found.best.weights.items()}
                self.best = replace(found.best, weights=weights)
        self._checkpoints.drop_after(self.trainer.step)
        self.columns.truncate(self.trainer.step)
        self.snapshots.discard_after(self.trainer.step)
        self.folder.cut(self.trainer.epoch)
        self._board.cut(self.trainer.step)
        self.epochs = self.folder.epochs()
        self.by_hand.resume()
        if (kept := self.kept) is not None:
            self.model.load_state_dict(kept.weights)

    # ------------------------------------------------------------------ figures

    def figures_of(self, part: Part, together: bool = False) -> Generator[Evaluating, None, Evaluation]:
        """Figures of a part, yielding while they are found; ``together`` by all processes, where there are several."""
        if together and self.ranks is not None:
            return (yield from self.ranks.evaluating(self.model, self.setup.task, part, self.trainer.step))
        dataset = self.setup.dataset
        majority = majority_share(dataset.train.labels, dataset.part(part).labels)
        return (
            yield from evaluating(
                self.model, self.setup.task, self.data.batches(part), self.data.size(part), self.trainer.step, majority
            )
        )


def _finite(weights: Mapping[str, torch.Tensor]) -> bool:
    return all(bool(torch.isfinite(w).all()) for w in weights.values() if w.is_floating_point())
