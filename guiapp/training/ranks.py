"""Several processes that train one network together, started by torchrun: who each is, and what they tell one another.

Each process (rank) takes its share of every batch, DistributedDataParallel averages the gradients, and so every step is
that of one process at the same batch. Losses, counts and the wish to stop are summed over the ranks with each step, so
that all of them know the same and stop after the same step. Rank 0 writes the run folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Part
    from guiapp.tasks.base import Task
    from guiapp.training.data import TrainingData
    from guiapp.training.evaluation import Evaluation
    from guiapp.training.events import Evaluating
    from guiapp.training.recipe import Recipe
    from guiapp.training.setup import Setup
    from guiapp.training.trainer import Trainer

T = TypeVar("T")
_HOLD = 8.0  # seconds that a wish waits for the end of a step, as within a long validation
_ASK_EVERY = 16  # steps on a GPU between two readings of the wish to stop, each of which waits for the device


class RankLost(UserError):
    """Another process of this run has ended; what was in memory is given up, the last checkpoint holds."""


class Told(UserError):
    """Rank 0 could not begin, and has said why."""


class Wish(Protocol):
    """Somebody who may ask a run to stop."""

    asked: bool


class Agreed:
    """The wish to stop as all processes know it, after the same step.

    Attributes:
        asked: Whether all of them stop; also where one was asked and no step has come for some seconds.
    """

    def __init__(self, ranks: Ranks, own: Wish) -> None:
        self._ranks, self._own, self._since = ranks, own, 0.0

    @property
    def asked(self) -> bool:
        """See the class."""
        if self._ranks.agreed or not self._own.asked:
            return self._ranks.agreed
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since > _HOLD

    @asked.setter
    def asked(self, value: bool) -> None:
        raise AttributeError("the processes agree on it")


class Place(NamedTuple):
    """Where a process stands among the others: its number and how many there are, in all and on its own machine."""

    rank: int
    size: int
    local_rank: int
    local_size: int


def place_of(environment: Mapping[str, str] = os.environ) -> Place | None:
    """What torchrun (or Kubernetes' PyTorchJob) has said to this process; None where it is the only one.

    Raises:
        SettingError: If it makes no sense.
    """
    try:
        size, rank = int(environment.get("WORLD_SIZE", "1")), int(environment.get("RANK", "0"))
        local = int(environment.get("LOCAL_RANK", "0")), int(environment.get("LOCAL_WORLD_SIZE", "1"))
    except ValueError as error:
        raise SettingError(f"RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE are whole numbers: {error}") from None
    if size < 2:
        return None
    if not 0 <= rank < size:
        raise SettingError(f"RANK={rank} does not lie below WORLD_SIZE={size}: start this with torchrun")
    return Place(rank, size, *local)


class Ranks:
    """This process among the others.

    Attributes:
        place: Its number, and how many there are.
        device: Where it computes.
        asked: Says whether somebody asked this process to stop.
        joined: Whether training can begin: all processes know what is trained.
        agreed: Whether any of them was asked; the same in all of them after the same step.
    """

    def __init__(self, place: Place, device: str = "auto") -> None:
        """Join the others; waits until all are there.

        Args:
            place: From ``place_of``.
            device: ``"auto"``, ``"cpu"`` or ``"cuda"``: gloo on CPUs, nccl on GPUs, one GPU a process.

        Raises:
            SettingError: If there is no such device for each of them.
            UserError: If the others cannot be reached.
        """
        import torch
        import torch.distributed as dist

        self.place = place
        self.asked: Callable[[], bool] = lambda: False
        self.agreed = self.joined = False
        self._trained: tuple[bool, ...] = ()
        self.device = _device(place, device)
        backend = "nccl" if self.device.type == "cuda" else "gloo"
        try:
            if self.device.type == "cuda":
                torch.cuda.set_device(self.device)
            dist.init_process_group(backend, rank=place.rank, world_size=place.size)
            # Plain data goes from processor to processor, whatever the gradients take.
            self._plain: Any = dist.new_group(backend="gloo") if backend == "nccl" else dist.group.WORLD
        except (RuntimeError, ValueError) as error:
            raise UserError(f"the other processes cannot be reached: {_line(error)}; start with torchrun") from None

    @property
    def writes(self) -> bool:
        """Whether this process has the run folder."""
        return self.place.rank == 0

    def threads(self, recipe: Recipe, model: torch.nn.Module, size: tuple[int, ...]) -> int:
        """Threads of one operation: the recipe's, else what pays for a share of the batch, out of this one's cores."""
        from guiapp.training.threads import forward_operations, physical_cores, recommended_threads

        cores = max(physical_cores() // self.place.local_size, 1)
        share = max(recipe.batch // self.place.size, 1)
        return recipe.threads or recommended_threads(forward_operations(model, size), share, cores)

    # ------------------------------------------------------------------ plain data

    def tell(self, value: T | None = None, error: str = "") -> T:
        """What rank 0 gives, in every process; the others leave ``value`` out.

        Raises:
            Told: In the others, if rank 0 gives an ``error``.
            RankLost: If it is gone.
        """
        import torch.distributed as dist

        sent: list[Any] = [(value, error)]
        with _listening():
            dist.broadcast_object_list(sent, src=0, group=self._plain)
        given, failed = sent[0]
        if failed and not self.writes:
            raise Told(failed)
        return given  # type: ignore[no-any-return]

    def announce(self, setup: Setup) -> torch.device:
        """Tell the others, as the first of them, what is trained; where this process trains it.

        Raises:
            SettingError: If several processes cannot train it together.
        """
        refuse(setup, self.place.size)
        self.tell(setup.as_dict())
        return self.device

    def follow_wish(self, own: Wish) -> Agreed:
        """Let all processes stop together when this one is asked to."""
        self.asked = lambda: own.asked
        return Agreed(self, own)

    # ------------------------------------------------------------------ training

    def join(self, trainer: Trainer, data: TrainingData) -> None:
        """Let the trainer take part from its next step on: a share of each batch, gradients and figures of all."""
        self.joined = True
        data.share = (self.place.rank, self.place.size)
        trainer.objective = _weighted(trainer, data)
        trainer.ranks = self
        self._data = data

    def lead(self, trainer: Trainer, data: TrainingData, fresh: bool, replay: Sequence[tuple[int, float]]) -> None:
        """Begin as the first of them: the others go on from this trainer's state.

        Args:
            trainer: New, or with the state of a checkpoint.
            data: Its batches.
            fresh: Whether the initial loss is still to be measured.
            replay: Changes of the rate by hand that lie ahead, ``(steps done before, rate)``.
        """
        state = trainer.state() if trainer.step or trainer.epoch else None
        if state is not None:
            state["tensors"] = {name: tensor.cpu() for name, tensor in state["tensors"].items()}
            state["weights"] = {name: tensor.cpu() for name, tensor in trainer.model.state_dict().items()}
        self.tell((state, fresh, list(replay)))
        self.join(trainer, data)

    def follow(self, trainer: Trainer, data: TrainingData) -> tuple[bool, list[tuple[int, float]]]:
        """Begin as one of the others; what ``lead`` was given as ``fresh`` and ``replay``."""
        told: tuple[dict[str, Any] | None, bool, list[tuple[int, float]]] = self.tell()
        state, fresh, replay = told
        if state is not None:
            trainer.model.load_state_dict(state.pop("weights"))
            trainer.load_state(state)
        self.join(trainer, data)
        return fresh, replay

    def before_step(self, trainer: Trainer) -> int:
        """Wrap the network, anew where layers were frozen or set free; the number of this process."""
        if _trained(trainer.model) != self._trained:
            self._wrap(trainer)
        return self.place.rank

    def _wrap(self, trainer: Trainer) -> None:
        from torch.nn.parallel import DistributedDataParallel

        where = None if self.device.type == "cpu" else [self.device]
        unused = leaves_out(trainer)
        with _listening():
            trainer.forward = DistributedDataParallel(
                trainer.model, device_ids=where, gradient_as_bucket_view=True, find_unused_parameters=unused
            )
        self._trained = _trained(trainer.model)

    def alone(self, trainer: Trainer) -> AbstractContextManager[None]:
        """Within it, gradients are added up and not exchanged."""
        return trainer.forward.no_sync()  # type: ignore[operator,no-any-return]

    def figures(self, step: int, loss: torch.Tensor, correct: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Mean loss, right ones and number of samples of the whole batch, from those of this rank's share.

        Args:
            step: Steps done before this one.
            loss: As the weighted objective gives it, 0-d.
            correct: Right ones of the share, 0-d.
        """
        import torch
        import torch.distributed as dist

        own, whole = self._data.counts(step)
        right = correct if own else torch.zeros_like(correct)
        mine = torch.stack([
            loss.double() / self.place.size, right.to(loss.device).double(),
            torch.tensor(float(self.asked()), dtype=torch.float64).to(loss.device, non_blocking=True),
        ])  # fmt: skip
        with _listening():
            dist.all_reduce(mine)
        if self.device.type == "cpu" or (step + 1) % _ASK_EVERY == 0:
            self.agreed = self.agreed or bool(mine[2] > 0)
        return mine[0], mine[1], whole

    def evaluating(
        self, model: torch.nn.Module, task: Task, part: Part, step: int
    ) -> Generator[Evaluating, None, Evaluation]:
        """Figures of a whole part, a share of its batches in each process; yields after each batch.

        The buffers of the network (running statistics) become those of rank 0, whose network is the one that is kept.
        """
        import torch.distributed as dist

        from guiapp.training.evaluation import evaluating, joined

        data = self._data
        with _listening():
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)
        total = -(-data.size(part) // self.place.size)
        own: Evaluation = yield from evaluating(
            model, task, data.batches(part, share=(self.place.rank, self.place.size)), total, step
        )
        found: list[Any] = [None] * self.place.size
        with _listening():
            dist.all_gather_object(found, own, group=self._plain)
        return joined(found)

    def leave(self) -> None:
        """Part from the others; each may end when it likes."""
        import torch.distributed as dist

        if dist.is_initialized():
            dist.destroy_process_group()


def refuse(setup: Setup, size: int) -> None:
    """Refuse what several processes cannot do together.

    Raises:
        SettingError: If so.
    """
    recipe = setup.recipe
    if setup.entry.trained_by != "gradient":
        raise SettingError(f"{setup.entry.title} learns in one step, without gradients: train it in one process")
    if recipe.batch < size:
        raise SettingError(
            f"a batch of {recipe.batch} cannot be shared by {size} processes: set batch to {size} or more"
        )
    if recipe.optimiser.name in ("newton", "gd"):
        raise SettingError(
            f"the optimiser {recipe.optimiser.name} works in one process: choose another, such as momentum"
        )


def leaves_out(trainer: Trainer) -> bool:
    """Whether a step may leave parameters of the network without a gradient, which must be looked for each time.

    Found by one step of a copy.
    """
    import copy

    try:
        twin = copy.deepcopy(trainer.model).train()
        inputs, targets = trainer.data.batch(trainer.step)
        output = twin(inputs[:2].expand(2, *inputs.shape[1:]).clone())
        trainer.task.loss(output, targets[:1].expand(2, *targets.shape[1:])).backward()  # type: ignore[no-untyped-call]
        return any(p.grad is None for p in twin.parameters() if p.requires_grad)
    except (RuntimeError, TypeError, ValueError, AttributeError):  # an output that only the objective understands
        return True


def _weighted(trainer: Trainer, data: TrainingData) -> Any:
    """The objective with the loss of a share weighed so that the mean over ranks is the mean over the whole batch."""
    return _Weighted(trainer, data)


class _Weighted:
    def __init__(self, trainer: Trainer, data: TrainingData) -> None:
        self._inner, self._trainer, self._data = trainer.objective, trainer, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def loss(self, inputs: torch.Tensor, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        own, whole = self._data.counts(self._trainer.step)
        return self._inner.loss(inputs, output, targets) * (own * self._data.share[1] / whole)


def _trained(model: torch.nn.Module) -> tuple[bool, ...]:
    return tuple(p.requires_grad for p in model.parameters())


def _device(place: Place, name: str) -> torch.device:
    import torch

    from guiapp.training.devices import choose

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and torch.cuda.is_available():
        if torch.cuda.device_count() < place.local_size:
            raise SettingError(
                f"{place.local_size} processes were started on a machine with {torch.cuda.device_count()} GPUs: "
                "start one for each GPU, or set --device cpu"
            )
        return torch.device("cuda", place.local_rank)
    if name == "mps":
        raise SettingError("several processes train on CPUs or on CUDA devices, not on mps")
    return choose(name)


class _listening:
    """Turns the failure of a connection into ``RankLost``."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None and is_lost(error):
            raise RankLost(_LOST) from error


_LOST = "another process of this run has ended: the last checkpoint holds; start again with --resume"


def is_lost(error: BaseException) -> bool:
    """Whether an error of torch means that another process is gone."""
    import torch.distributed as dist

    if isinstance(error, (RankLost, dist.DistBackendError, dist.DistNetworkError)):
        return True
    text = str(error).lower()
    words = ("gloo", "connection closed", "connection reset", "broken pipe", "nccl")
    return isinstance(error, RuntimeError) and any(word in text for word in words)


def lost(error: BaseException) -> UserError:
    """What to tell the person of it."""
    return RankLost(f"{_LOST} ({_line(error)[:120]})")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
