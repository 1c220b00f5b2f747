"""The checks before a run in a process of their own: nothing that goes on in this one can be touched by them.

``python -m guiapp.training.diagnosis.apart`` reads an experiment and settings as JSON and writes a line of JSON
whenever it is further: share done, words, and what is known.
"""

from __future__ import annotations

import dataclasses
import json
import math
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import UserError

if TYPE_CHECKING:
    from guiapp.training.diagnosis.before import Checks

_WAIT = 0.1


def checks_apart(
    experiment: Experiment, settings: Mapping[str, Any]
) -> Generator[tuple[float, str, Checks | None], None, Checks]:
    """As ``before.checks``, in another process, which ends when the generator is closed.

    Args:
        experiment: The catalogue entry.
        settings: Dotted settings as for ``--set``.

    Raises:
        UserError: With the reason where the checks cannot be made.
    """
    from guiapp.training.diagnosis.before import Checks

    asked = json.dumps({"experiment": dataclasses.asdict(experiment), "settings": dict(settings)}, default=str)
    child = subprocess.Popen(
        [sys.executable, "-m", "guiapp.training.diagnosis.apart"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    lines: queue.Queue[str | None] = queue.Queue()
    errors: list[str] = []
    readers = [
        threading.Thread(target=_read, args=(child.stdout, lines), name="checks", daemon=True),
        threading.Thread(target=lambda: errors.append(child.stderr.read()), name="checks-errors", daemon=True),  # type: ignore[union-attr]
    ]
    for reader in readers:
        reader.start()
    share, words, found = 0.0, "starting", None
    try:
        child.stdin.write(asked)
        child.stdin.close()
        while True:
            yield share, words, found
            try:
                line = lines.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if line is None:
                break
            data = json.loads(line)
            if "error" in data:
                raise UserError(data["error"])
            share, words, found = data["share"], data["words"], Checks.from_dict(data["checks"])
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        for reader in readers:
            reader.join()
        child.stdout.close()
        child.stderr.close()
    if found is None or share < 1:
        last = "".join(errors).strip().splitlines()
        raise UserError(f"the checks ended with code {child.returncode}: {last[-1] if last else 'no reason given'}")
    return found


def _read(stream: Any, lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def serve() -> None:
    """Do what standard input asks for."""
    from guiapp.training.devices import choose
    from guiapp.training.diagnosis.before import checks
    from guiapp.training.setup import prepare

    asked = json.loads(sys.stdin.read())
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["experiment"].items()}
    try:
        setup = prepare(Experiment(**fields), asked["settings"])
        for share, words, found in checks(setup, choose(setup.recipe.device)):
            _tell({"share": share, "words": words, "checks": found.as_dict()})
    except UserError as error:
        _tell({"error": str(error)})


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(_plain(line), allow_nan=False) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    serve()
