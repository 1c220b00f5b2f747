"""A job: work written as a generator, where every ``yield`` is a point at which it can be paused or stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Generic, Literal, TypeVar

from guiapp.core.openmp import dismiss_helpers

R = TypeVar("R")
JobState = Literal["waiting", "running", "paused", "done", "stopped", "failed"]
Step = tuple[float, str] | None
"""What a job may yield: the share done (0 to 1) and what is being done, or nothing."""


class Job(Generic[R]):
    """One piece of work on the work lane.

    Attributes:
        title: What a person reads while it runs.
        state: Where it stands.
        share: Share done, 0 to 1.
        message: What is being done.
        result: What the generator returned, once ``done``.
        error: What it raised, once ``failed``.
        seconds: Time it has run.
        told: Whether the person was told of the error; two listeners do not tell it twice.
    """

    def __init__(self, generator: Generator[Step, None, R], title: str = "") -> None:
        self.title = title
        self.state: JobState = "waiting"
        self.share = 0.0
        self.message = ""
        self.result: R | None = None
        self.error: BaseException | None = None
        self.seconds = 0.0
        self.told = False
        self._generator = generator
        self._go = threading.Event()
        self._go.set()
        self._stop = False
        self._finished = threading.Event()
        self._callbacks: list[Callable[[Job[R]], None]] = []
        self._lock = threading.Lock()

    def pause(self) -> None:
        """Rest at the next yield."""
        self._go.clear()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._go.set()

    def stop(self) -> None:
        """End at the next yield; the generator's ``finally`` blocks run."""
        self._stop = True
        self._go.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it ended; return whether it did."""
        return self._finished.wait(timeout)

    @property
    def ended(self) -> bool:
        """Whether it is done, stopped or failed."""
        return self._finished.is_set()

    def on_end(self, callback: Callable[[Job[R]], None]) -> None:
        """Call ``callback(job)`` when it ends, on the lane's thread; at once if it has ended."""
        with self._lock:
            if not self._finished.is_set():
                self._callbacks.append(callback)
                return
        callback(self)

    def run(self) -> None:
        """Run to the end on the calling thread. Never raises: the error is kept."""
        while self.advance():
            if not self._go.is_set() and not self._stop:
                self.state = "paused"
                self._go.wait()

    def advance(self) -> bool:
        """Do the work up to the next yield; return whether there is more. Never raises: the error is kept."""
        if self.ended:
            return False
        started = time.perf_counter()
        try:
            if self._stop:
                self._generator.close()
                self.state = "stopped"
            else:
                self.state = "running"
                step = next(self._generator)
                if step is not None:
                    self.share, self.message = step
                self.seconds += time.perf_counter() - started
                return True
        except StopIteration as end:
            self.result, self.share, self.state = end.value, 1.0, "done"
        except Exception as error:  # noqa: BLE001 - the lane must live on; whoever asked reads the error
            self.error, self.state = error, "failed"
        self.seconds += time.perf_counter() - started
        with self._lock:
            self._finished.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
        return False


class WorkLane:
    """A small pool of threads for long jobs: exports, checks, downloads, embeddings.

    Threads start with the first job and end when there has been none for a while.
    """

    def __init__(self, threads: int = 2, idle_seconds: float = 5.0) -> None:
        self._limit = threads
        self._idle = idle_seconds
        self._waiting: list[Job[Any]] = []
        self._running: list[Job[Any]] = []
        self._threads: set[threading.Thread] = set()
        self._condition = threading.Condition()
        self._free = 0
        self._closed = False

    def submit(self, job: Job[Any]) -> None:
        """Run the job on a free thread, in the order of submission."""
        with self._condition:
            if self._closed:
                job.stop()
                job.run()
                return
            self._waiting.append(job)
            if self._free >= len(self._waiting) or len(self._threads) >= self._limit:
                self._condition.notify()
                return
            thread = threading.Thread(target=self._serve, name=f"work-{len(self._threads)}", daemon=True)
            self._threads.add(thread)
        thread.start()

    @property
    def jobs(self) -> list[Job[Any]]:
        """Jobs that run or wait."""
        with self._condition:
            return [*self._running, *self._waiting]

    def close(self, timeout: float) -> None:
        """Stop every job and wait for the threads."""
        with self._condition:
            self._closed = True
            jobs, threads = [*self._running, *self._waiting], list(self._threads)
            for job in jobs:
                job.stop()
            self._condition.notify_all()
        until = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _serve(self) -> None:
        while True:
            with self._condition:
                self._free += 1
                arrived = self._condition.wait_for(lambda: self._waiting or self._closed, self._idle)
                self._free -= 1
                if not self._waiting and (self._closed or not arrived):
                    self._threads.discard(threading.current_thread())
                    return
                job = self._waiting.pop(0)
                self._running.append(job)
            job.run()
            dismiss_helpers()
            with self._condition:
                self._running.remove(job)
