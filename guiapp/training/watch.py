"""``guiapp.watch``: a training script of one's own writes a run folder, which the window shows as it grows. No Qt.

What a step costs: a list grows by one entry. Twice a second figures go to the folder together; weights are kept on the
schedule of the time machine, as far as that takes at most a fiftieth of the time.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import math
import re
import sys
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.core import paths
from guiapp.core.notices import SettingError, UserError
from guiapp.training.columns import Columns
from guiapp.training.run_folder import FORMAT, RunFolder, now, versions, writer
from guiapp.training.snapshots import SnapshotStore, stride
from guiapp.training.tensorboard import EventFile

if TYPE_CHECKING:
    import torch

COLUMNS = ("loss", "accuracy", "lr")
PROGRAM, INPUTS = "program.pt2", "inputs.npy"
"""In the folder: the network as a program, and the first inputs as pictures."""
_DRAIN_SECONDS, _BOARD_SECONDS = 0.5, 1.0
_SHARE = 50  # a snapshot waits for this many times what the last one took
_PICTURES = 64
_PER_OCTAVE = 16


class Watch:
    """Writes the run of a loop that is not this program's.

    Attributes:
        folder: The run folder, locked by this process until ``close``.
        steps: Steps that were told.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        run_dir: str | Path | None = None,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        classes: Sequence[str] = (),
        dataset: str = "",
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        total_steps: int = 0,
        example: torch.Tensor | None = None,
        program: bool = True,
    ) -> None:
        """Begin a run folder.

        Args:
            model: The network that is trained; it is read, never changed. One that is wrapped (DistributedDataParallel,
                DataParallel) is taken out of its wrapping.
            run_dir: New or empty folder; by default a new one among this program's runs.
            optimizer: Where the learning rate is read from if a step does not tell it.
            classes: Names of the outputs.
            dataset: What it learns from, by a name of this program or the path of a folder with one sub-folder a class
                (docs/datasets.md): the window then shows its samples and measures the network on them.
            mean: Of its samples, per channel on the scale 0 to 1; by default what brings them to the range of the first
                inputs: that of the data set, 0 to 1, -1 to 1 or 0 to 255.
            std: The same.
            total_steps: Steps of the whole run, if known.
            example: A batch of inputs; by default the first that the network is called with.
            program: Keep the network as a ``torch.export`` program as well, once its input is known, so that the window
                can run it; takes some seconds once.

        Raises:
            SettingError: If the folder holds something.
            UserError: If it cannot be made.
        """
        import torch

        while type(model).__name__ in ("DistributedDataParallel", "DataParallel", "FullyShardedDataParallel"):
            model = model.module  # type: ignore[assignment]
        if not isinstance(model, torch.nn.Module):
            raise SettingError(f"watch takes a torch network, not {type(model).__name__}")
        self._model, self._optimiser, self._program = model, optimizer, program
        where = _new_folder(run_dir, type(model).__name__)
        info = {
            "format": FORMAT, "name": where.name, "state": "running", "created": now(), "model": "watched",
            "experiment": {"id": "watched", "title": type(model).__name__}, "recipe": {}, "dataset": _absolute(dataset),
            "classes": list(classes), "task": "classification", "settings": {}, "seed": 0, "model_options": {},
            "watch": {
                "mean": list(mean), "std": list(std), "total_steps": total_steps, "shape": [], "program": "",
                "awaited": program,
            },
            "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "device": str(next((p.device for p in model.parameters()), "cpu")),
        }  # fmt: skip
        self.folder = RunFolder(where, info)
        self.folder.lock()
        self.folder.update(versions=versions(), **writer())
        self.steps = 0
        self._columns = Columns(COLUMNS, where / "steps")
        self._snapshots = SnapshotStore(where / "snapshots")
        self._board = EventFile(where)
        self._waiting: list[tuple[Any, Any, float]] = []
        self._others: dict[str, list[Any]] = {}
        self._began = self._drained = self._boarded = time.monotonic()
        self._next_snapshot, self._snapshot_cost, self._snapshot_at = 1, 0.0, 0.0
        self._epochs = 0
        self._closed = False
        self._listener: Any = None
        self._inputs: torch.Tensor | None = example
        if example is None:
            self._listener = model.register_forward_pre_hook(self._first_inputs)
        self._snapshot()
        self._snapshot_cost = 0.0  # most of it was the import
        atexit.register(self.close, "interrupted")

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close("done" if error is None else "stopped" if kind is KeyboardInterrupt else "failed")

    def step(self, loss: Any = math.nan, accuracy: Any = math.nan, lr: float | None = None, **others: Any) -> None:
        """A step is done: the optimiser has changed the weights.

        Args:
            loss: Of the step, a number or a 0-d tensor; a tensor is read later, so that a GPU is not waited for.
            accuracy: The same, 0 to 1.
            lr: Learning rate; by default that of the optimiser.
            others: Further figures, which TensorBoard and the panel Event files show.
        """
        self.steps += 1
        if lr is None:
            lr = self._optimiser.param_groups[0]["lr"] if self._optimiser is not None else math.nan
        self._waiting.append((_kept(loss), _kept(accuracy), float(lr)))
        for name, value in others.items():
            self._others.setdefault(name, []).append(_kept(value))
        clock = time.monotonic()
        if self.steps >= self._next_snapshot and clock - self._snapshot_at >= _SHARE * self._snapshot_cost:
            self._snapshot()
        if clock - self._drained >= _DRAIN_SECONDS:
            self._drain()

    def epoch(self, validation: Mapping[str, float] | None = None, train: Mapping[str, float] | None = None) -> None:
        """A pass over the data is done.

        Args:
            validation: ``{"loss": …, "accuracy": …}`` on the validation part, where it was measured.
            train: The same over the pass; by default the means of its steps.
        """
        self._drain()
        before = self.folder.epochs()
        first = before[-1]["step"] if before else 0
        means = {name: _mean(self._columns.view(name)[first:]) for name in ("loss", "accuracy")}
        self._epochs += 1
        last = self._columns.view("lr")
        line = {
            "epoch": self._epochs, "step": self.steps, "train": _plain({**means, **dict(train or {})}),
            "validation": _plain(dict(validation or {})), "lr": float(last[-1]) if len(last) else 0.0,
            "seconds": time.monotonic() - self._began - sum(row["seconds"] for row in before), "time": now(),
        }  # fmt: skip
        self.folder.add_line(line)
        for part in ("train", "validation"):
            self._board.scalars(self.steps, {f"{part}/{name}": v for name, v in line[part].items()})

    def close(self, state: str = "done") -> None:
        """Write what waits and let go of the folder; twice is allowed. Called at the end of the process, too."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if self._listener is not None:
            self._listener.remove()
        try:
            self._drain()
            self._snapshot()
            seconds = time.monotonic() - self._began
            self.folder.update(state=state, steps=self.steps, epochs=self._epochs, seconds=seconds)
        finally:
            self._board.close()
            self._columns.close()
            self.folder.release()

    # ------------------------------------------------------------------ what is written

    def _drain(self) -> None:
        self._drained = time.monotonic()
        waiting, self._waiting = self._waiting, []
        if waiting:
            columns = zip(*waiting, strict=True)
            self._columns.append({name: _numbers(values) for name, values in zip(COLUMNS, columns, strict=True)})
        if self._drained - self._boarded >= _BOARD_SECONDS or self._closed:
            self._boarded = self._drained
            others, self._others = self._others, {}
            figures = {name: _mean(np.asarray(_numbers(values))) for name, values in others.items()}
            if len(self._columns):
                newest = {f"train/{n}": float(self._columns.view(n)[-1]) for n in COLUMNS}
                figures = {**{n: v for n, v in newest.items() if math.isfinite(v)}, **figures}
            if figures:
                self._board.scalars(self.steps, figures)
        if self._inputs is not None:
            inputs, self._inputs = self._inputs, None
            self._describe(inputs)

    def _snapshot(self) -> None:
        """Keep the weights of this step; thinned to the budget by the store."""
        begin = time.monotonic()
        with contextlib.suppress(OSError):  # a full disk costs a snapshot, not the training
            self._snapshots.add(self.steps, self._model.state_dict())
        self._snapshot_at = time.monotonic()
        self._snapshot_cost = self._snapshot_at - begin
        unit = stride(self.steps, _PER_OCTAVE)
        self._next_snapshot = (self.steps // unit + 1) * unit

    def _first_inputs(self, _module: Any, arguments: Any) -> None:
        import torch

        self._listener.remove()
        self._listener = None
        if arguments and isinstance(arguments[0], torch.Tensor) and arguments[0].is_floating_point():
            self._inputs = arguments[0].detach()[:_PICTURES].clone()

    def _describe(self, inputs: torch.Tensor) -> None:
        """Keep the network as a program, and some of its inputs as pictures."""
        said = dict(self.folder.info["watch"])
        said["shape"] = list(inputs.shape[1:])
        if inputs.ndim == 4 and inputs.shape[1] in (1, 3):
            low, high = float(inputs.min()), float(inputs.max())
            spread = max(high - low, 1e-6)
            pictures = ((inputs.float() - low) / spread * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
            np.save(self.folder.path / INPUTS, pictures.cpu().contiguous().numpy(), allow_pickle=False)
            said.update(low=low, high=high)
        if self._program:
            said["program"], said["reason"] = _write_program(self._model, inputs, self.folder.path / PROGRAM)
        self.folder.update(watch=said)


def watch(model: torch.nn.Module, run_dir: str | Path | None = None, **about: Any) -> Watch:
    """Begin a run folder for a training loop of one's own; see ``Watch``."""
    return Watch(model, run_dir, **about)


def _write_program(model: torch.nn.Module, inputs: torch.Tensor, path: Path) -> tuple[str, str]:
    """Name of the file with the program, and why there is none."""
    import copy

    import torch

    beside = path.with_name(f".{path.name}")
    before = torch.random.get_rng_state()
    try:
        plain = copy.deepcopy(model).cpu().eval()
        for module in plain.modules():
            module._forward_pre_hooks.clear()
            module._forward_hooks.clear()
        some = inputs[:2].cpu().expand(2, *inputs.shape[1:]).contiguous()
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter warns of what does not matter to a person
            sizes = ({0: torch.export.Dim("batch", min=1, max=4096)},)
            try:
                program = torch.export.export(plain, (some,), dynamic_shapes=sizes)
            except Exception:  # noqa: BLE001 - any network: one that fixes the batch
                program = torch.export.export(plain, (some[:1],))
            torch.export.save(program, str(beside))
        beside.replace(path)
    except Exception as error:  # noqa: BLE001 - a network of a person's own fails in any way; training goes on
        with contextlib.suppress(OSError):
            beside.unlink()
        return "", " ".join(str(error).split())[:200] or type(error).__name__
    finally:
        torch.random.set_rng_state(before)
    return path.name, ""


def _new_folder(run_dir: str | Path | None, name: str) -> Path:
    if run_dir is None:
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        run_dir = paths.runs() / re.sub(r"[^\w.-]+", "-", f"{stamp}-{Path(sys.argv[0]).stem or name}")
    where = Path(run_dir).expanduser().absolute()
    try:
        if where.exists() and (not where.is_dir() or any(where.iterdir())):
            raise SettingError(f"{where} is not empty: give a new folder for the run")
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the run folder {where} cannot be made: {error.strerror or error}") from None
    return where


def _absolute(dataset: str) -> str:
    """The path of a folder as another process finds it; a name of a data set as it is."""
    from guiapp.datasets import DATASETS

    if not dataset or dataset in DATASETS:
        return dataset
    place = dataset.removeprefix("folder:")
    before, at, side = place.rpartition("@")
    for path, end in ((place, ""), *(((before, at + side),) if at and side.isdecimal() else ())):
        if Path(path).expanduser().exists():
            return f"{Path(path).expanduser().absolute()}{end}"
    return dataset


def _kept(value: Any) -> Any:
    """A number as it is; of a tensor its value alone, still on its device."""
    return value.detach().clone() if hasattr(value, "detach") else float(value)


def _numbers(values: Iterable[Any]) -> list[float]:
    """Read what may lie on a device, together."""
    import torch

    found = list(values)
    places = [at for at, value in enumerate(found) if isinstance(value, torch.Tensor)]
    if places:
        read = torch.stack([found[at].reshape(()).float() for at in places]).cpu().tolist()
        for at, value in zip(places, read, strict=True):
            found[at] = value
    return found


def _mean(values: Any) -> float:
    some = values[np.isfinite(values)]
    return float(some.mean()) if len(some) else math.nan


def _plain(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items() if math.isfinite(float(value))}
