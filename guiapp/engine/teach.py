"""The teach lane: one thread that looks at collected samples, learns a head on them, and says what it sees live.

A published network is frozen; of every sample only what it gives is kept, so learning anew takes a fraction of a second
however often a class or a sample joins.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.command_lane import CommandLane, explain
from guiapp.engine.fastest_threads import FastestThreads
from guiapp.engine.slot import Slot
from guiapp.engine.teach_samples import Collection, Pixels, Read, reduced

if TYPE_CHECKING:
    from guiapp.models.embedder import Embedder
    from guiapp.training.head_fit import FittedHead

BATCH = 8
"""Samples that go through the network at a time: what is seen live is answered between."""
_TRIAL = 2
"""The same where another number of threads is tried."""
MOST_WAITING = 400
"""Pictures in memory that wait for the network; frames of a camera beyond them are left out."""


@dataclass(frozen=True, eq=False)
class TaughtClass:
    """What is shown of a class.

    Attributes:
        key: Tells it from others.
        name: Its name.
        count: Samples that the network has seen.
        strip: Thumbnails of the newest, newest last.
    """

    key: int
    name: str
    count: int
    strip: tuple[Pixels, ...]


@dataclass(frozen=True, eq=False)
class TeachState:
    """What the lane does.

    Attributes:
        classes: The classes in their order.
        network: Name of the network, empty before one is open.
        waiting: Samples that it has not seen yet.
        activity: What goes on, in words, or empty.
        learned: Whether there is a head that knows every class with samples.
        seconds: Time that the last learning took.
        accuracy: Share of held-out samples that were right, and their number; None where there are too few.
        left_out: Frames that came faster than the network could look.
        unreadable: Pictures that could not be read, each with the reason.
        reason: Why the network could not be opened, or empty.
    """

    classes: tuple[TaughtClass, ...] = ()
    network: str = ""
    waiting: int = 0
    activity: str = ""
    learned: bool = False
    seconds: float = 0.0
    accuracy: tuple[float, int] | None = None
    left_out: int = 0
    unreadable: tuple[str, ...] = ()
    reason: str = ""

    @property
    def samples(self) -> int:
        """Samples of all classes."""
        return sum(one.count for one in self.classes)


@dataclass(frozen=True, eq=False)
class Seen:
    """What the head says of the newest picture.

    Attributes:
        keys: Keys of the classes that it knows.
        probabilities: Of each.
    """

    keys: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A sample whose turn has not come; ``held`` where its picture is in memory."""

    key: int
    read: Read
    file: Path | None = None
    held: bool = False


class TeachLane(CommandLane):
    """Collects, learns and tests. Every method may be called from any thread and returns at once.

    Args:
        folder: Where pictures that have no file are kept until they are saved; it is removed by ``close``.
        notices: Where failures are told.
        open_network: Opens a network by name; that of the zoo by default.

    Attributes:
        state: Slot of the newest state.
        seen: Slot of the newest answer.
        newest: The newest state that was published.
    """

    def __init__(
        self, folder: Path, notices: NoticeBoard, open_network: Callable[[str, Any], Embedder] | None = None
    ) -> None:
        super().__init__("teach")
        self.state: Slot[TeachState] = Slot()
        self.seen: Slot[Seen] = Slot()
        self.newest = TeachState()
        self._notices = notices
        self._open_network = open_network or _open
        self._samples = Collection(folder)
        self._waiting: deque[_Waiting] = deque()
        self._held = self._left_out = 0
        self._picture: Pixels | None = None
        self._network = ""
        self._embedder: Embedder | None = None
        self._head: FittedHead | None = None
        self._known: tuple[int, ...] = ()
        self._stale = False
        self._learn_at = 0.0
        self._pace: FastestThreads | None = None

    # ------------------------------------------------------------------ from any thread

    def use(self, network: str) -> None:
        """Look with this network of the zoo; samples that are there are looked at again."""
        self.command("opening the network", lambda: self._use(network))

    def add_class(self, name: str) -> None:
        """A new class without samples."""
        self._change(lambda: self._samples.add_class(name))

    def rename(self, key: int, name: str) -> None:
        """Call a class something else."""
        self._change(lambda: self._samples.rename(key, name), learn=False)

    def remove_class(self, key: int) -> None:
        """Forget a class and its samples."""
        self._change(lambda: self._samples.remove_class(key))

    def remove_last(self, key: int) -> None:
        """Forget the newest sample of a class."""
        self._change(lambda: self._samples.remove_last(key))

    @property
    def backlog(self) -> int:
        """Samples that wait for the network at this moment."""
        return len(self._waiting)

    def collect(self, key: int, pixels: Pixels) -> bool:
        """One more sample, uint8 (H, W, 3), of a class; False where too many wait and it was left out."""
        small = reduced(pixels)
        with self._condition:
            if self._held >= MOST_WAITING:
                self._left_out += 1
                return False
            self._held += 1
            self._waiting.append(_Waiting(key, lambda: small, held=True))
        self.wake()
        return True

    def collect_many(self, name: str, reads: Iterable[tuple[Read, Path | None]]) -> None:
        """A class of many samples, each read when its turn comes, with its file where it has one."""
        listed = list(reads)

        def work() -> None:
            key = self._samples.add_class(name)
            with self._condition:
                self._waiting.extend(_Waiting(key, read, file) for read, file in listed)
            self._changed(False)

        self.command("class", work)

    def open_folder(self, folder: Path) -> None:
        """Every class of a folder, .zip or table that a data set could be: one class each with all its pictures."""
        self.command("opening the folder", lambda: self._open_folder(folder))

    def look(self, pixels: Pixels) -> None:
        """Say what this picture, uint8 (H, W, 3), is; the newest one wins."""
        with self._condition:
            self._picture = pixels
        self.wake()

    def save(self, target: Path, done: Callable[[Path], None] | None = None) -> None:
        """Write all samples as a folder with one sub-folder a class; ``done`` is called on the lane's thread."""
        self.command("saving", lambda: self._save(target, done))

    def close(self, timeout: float = 5.0) -> None:
        """End the thread and remove what was not saved."""
        super().close(timeout)
        self._samples.close()

    # ------------------------------------------------------------------ the lane's loop

    def _change(self, work: Callable[[], object], learn: bool = True) -> None:
        """Queue a change of the samples, after which there may be something else to learn."""

        def done() -> None:
            work()
            self._changed(learn)

        self.command("samples", done)

    def _has_work(self) -> bool:
        return self._embedder is not None and bool(
            self._waiting
            or (self._stale and self._rest() == 0.0)
            or (self._head is not None and self._picture is not None)
        )

    def _patience(self) -> float | None:
        return (self._rest() if self._stale else 0.0) or None

    def _rest(self) -> float:
        """Seconds until learning may take its next turn: it leaves most of the time to collecting and testing."""
        return max(0.0, self._learn_at - time.monotonic())

    def _work(self) -> None:
        self._guarded("teaching", self._step)

    def _failed(self, name: str, error: Exception) -> None:
        self._stale = False
        self._notices.post("error", explain(error, name), traceback.format_exc(), "teach")
        self._publish(activity="")

    def _step(self) -> None:
        """One batch of samples, then one live picture, then learning once nothing waits."""
        if self._embedder is None:
            return
        if self._waiting:
            self._take_some(self._embedder)
        if self._head is not None and self._picture is not None:
            with self._condition:
                picture, self._picture = self._picture, None
            found = self._head.probabilities(self._embedder([picture]))[0]
            self.seen.put(Seen(self._known, tuple(found.tolist())))
        if self._stale and not self._waiting and not self._rest():
            self._learn()

    def _take_some(self, embedder: Embedder) -> None:
        from guiapp.training.threads import physical_cores

        pace = self._pace = self._pace or FastestThreads(physical_cores())
        with self._condition:
            most = _TRIAL if pace.trial else BATCH
            batch = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._held -= sum(one.held for one in batch)
        read: list[tuple[_Waiting, Pixels]] = []
        broken: list[str] = []
        for one in batch:
            try:
                read.append((one, reduced(one.read())))
            except UserError as error:
                broken.append(str(error))
        if read:
            import torch

            torch.set_num_threads(pace.threads)
            began = time.perf_counter()
            vectors = embedder([pixels for _, pixels in read])
            pace.took((time.perf_counter() - began) / len(read))
            for (one, pixels), vector in zip(read, vectors, strict=True):
                self._samples.add(one.key, vector, pixels, one.file)
            self._stale = True
        unreadable = (*self.newest.unreadable, *broken)
        self._publish(activity="looking at samples" if self._waiting else "", unreadable=unreadable)

    def _learn(self) -> None:
        import torch

        from guiapp.training.head_fit import fit, held_out

        self._stale = False
        classes = [place for place, one in enumerate(self._samples.classes) if one.count]
        if len(classes) < 2:
            self._head, self._known = None, ()
            self._publish(learned=False, accuracy=None, activity="")
            return
        self._publish(activity="learning")
        began = time.perf_counter()
        place_of = {place: number for number, place in enumerate(classes)}
        labels = np.array([place_of[place] for place in self._samples.labels.tolist()], np.int64)
        vectors = self._samples.vectors
        torch.set_num_threads(1)  # so little work is split at a loss, of seconds where other programs use the cores
        self._head = fit(vectors, labels, len(classes))
        self._known = tuple(self._samples.classes[place].key for place in classes)
        seconds = time.perf_counter() - began
        self._learn_at = time.monotonic() + 3 * seconds
        self._publish(learned=True, seconds=seconds, accuracy=None, activity="")
        if self._waiting or self._commands:
            return
        found = held_out(vectors, labels, len(classes))
        if found is not None:
            self._publish(accuracy=(found[0] / found[1], found[1]))

    # ------------------------------------------------------------------ commands

    def _use(self, network: str) -> None:
        if network == self._network and self._embedder is not None:
            return

        def progress(share: float, text: str = "") -> None:
            if self._closed:
                raise UserError("the window was closed")
            self._publish(activity=f"fetching weights, {share:.0%}")

        self._publish(activity=f"opening {network}", reason="")
        try:
            self._embedder = self._open_network(network, progress)
        except UserError as error:
            self._publish(activity="", reason=str(error))
            return
        self._network, self._head = network, None
        again = self._samples.forget_vectors()
        with self._condition:
            self._waiting.extendleft(reversed([_Waiting(key, partial(_read, file), file) for key, file in again]))
        self._stale = True
        self._publish(network=network, learned=False, accuracy=None, activity="")

    def _open_folder(self, folder: Path) -> None:
        from guiapp.datasets.labels_csv import SUFFIXES_OF_TABLES, list_csv
        from guiapp.datasets.listing import list_folder

        table = folder.suffix.lower() in SUFFIXES_OF_TABLES
        listing = list_csv(folder) if table else list_folder(folder)
        keys = [self._samples.add_class(name) for name in listing.classes]
        files = [listing.root / name for name in listing.files]
        with self._condition:
            for file, label in zip(files, listing.labels, strict=True):
                self._waiting.append(_Waiting(keys[label], partial(_read, file), file))
        self._changed(False)

    def _save(self, target: Path, done: Callable[[Path], None] | None) -> None:
        if not len(self._samples):
            raise UserError("there are no samples to save: collect some first")
        for _share, text in self._samples.save(target):
            self._publish(activity=text)
        self._publish(activity="")
        if done is not None:
            done(target)

    def _changed(self, learn: bool = True) -> None:
        self._stale = self._stale or learn
        self._publish()

    def _publish(self, **changes: Any) -> None:
        classes = tuple(TaughtClass(one.key, one.name, one.count, tuple(one.strip)) for one in self._samples.classes)
        more = {"waiting": len(self._waiting), "left_out": self._left_out, **changes}
        self.newest = replace(self.newest, classes=classes, **more)
        self.state.put(self.newest)


def _read(file: Path) -> Pixels:
    from guiapp.core.decode import decode
    from guiapp.engine.teach_samples import LONGEST

    return decode(file, file.name, at_least=(LONGEST, LONGEST)).pixels


def _open(name: str, progress: Any) -> Embedder:
    from guiapp.models.embedder import Embedder
    from guiapp.models.zoo.open import open_model

    return Embedder(open_model(name, progress=progress))
